"""A fixture that writes tiny notebooks."""

import nbformat
import pytest


@pytest.fixture(scope="session")
def write_notebook():
    """Return write_notebook(path, *sources), which writes a heading and code cells."""

    def write(path, *sources):
        cells = [nbformat.v4.new_markdown_cell(f"# {path.stem}")]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)

    return write
