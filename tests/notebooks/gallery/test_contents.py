"""notebooks/README.md lists every notebook, and each notebook follows the conventions."""

import base64
import io
import re
import subprocess
from statistics import median

import nbformat
import numpy as np
import pytest
from PIL import Image

from nets.weights import TABLE
from notebooks.gallery import check, contents, thumbnail

LISTED = [name for descriptions in contents.SECTIONS.values() for name in descriptions]
PRESENT = sorted(path.stem for path in contents.FOLDER.glob("*.ipynb"))


@pytest.fixture
def path(name):
    return contents.FOLDER / f"{name}.ipynb"


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", LISTED)
def test_listed_notebook_exists(path):
    assert path.is_file()


@pytest.mark.parametrize("name", PRESENT)
class TestNotebook:
    def test_is_listed_with_its_current_title(self, name, notebook):
        text = (contents.FOLDER / "README.md").read_text()
        assert name in LISTED
        fresh = contents.page({name: notebook}, repository_of(text))
        (line,) = (line for line in fresh.splitlines() if f"thumbnails/{name}.png" in line)
        assert line in text.splitlines(), "run `make contents`"

    def test_has_a_current_thumbnail(self, name, notebook):
        path = contents.FOLDER / "thumbnails" / f"{name}.png"
        assert path.stat().st_size < 60_000
        fresh = thumbnail.scaled(thumbnail.picture_of(notebook, name))
        saved = Image.open(path).convert("RGB")
        assert saved.size == fresh.size and saved.width == 320
        assert np.abs(np.subtract(saved, fresh, dtype=float)).mean() < 8, "run `make contents`"

    def test_begins_with_the_source_of_its_outputs(self, notebook):
        first = notebook.cells[0]
        assert first.cell_type == "markdown" and first.source.startswith("# ")
        assert re.search(r"\*\*[^*]*outputs[^*]*\*\*", first.source)
        assert any(name.removesuffix(".caffemodel") in first.source for name in TABLE)

    def test_ends_with_the_published_figures(self, notebook):
        last = notebook.cells[-1]
        assert last.cell_type == "markdown" and "published" in last.source.lower()

    def test_has_one_parameters_cell_after_its_heading(self, notebook):
        tagged = [
            i
            for i, cell in enumerate(notebook.cells)
            if "parameters" in cell.metadata.get("tags", [])
        ]
        assert len(tagged) == 1
        assert notebook.cells[tagged[0] - 1].source.startswith("## Parameters")

    def test_has_more_prose_than_code(self, notebook, code):
        assert 2 * len(code) <= len(notebook.cells)
        assert median(len(cell.source.splitlines()) for cell in code) <= 5
        assert all(
            len(cell.source.splitlines()) <= 12 or "\nimport " in cell.source for cell in code
        )

    def test_was_executed_without_errors_and_is_small(self, path, code):
        assert check.problems_in(path) == []
        assert any(
            "image/png" in output.get("data", {}) for cell in code for output in cell.outputs
        )


def repository_of(text):
    """Return OWNER/NAME from the links in the README."""
    return re.search(r"nbviewer\.org/github/([^/]+/[^/]+)/blob", text)[1]


def test_readme_is_up_to_date():
    text = (contents.FOLDER / "README.md").read_text()
    assert text == contents.page(contents.read_notebooks(), repository_of(text))


def test_main_readme_links_to_the_contents(root):
    assert "(notebooks/README.md)" in (root / "README.md").read_text()


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/some-one/clock.work.git",
        "https://me@github.com/some-one/clock.work",
        "git@github.com:some-one/clock.work.git",
        "ssh://git@github.com:22/some-one/clock.work/",
    ],
)
def test_name_of_a_github_address(address):
    assert contents.github_name(address) == "some-one/clock.work"


@pytest.mark.parametrize(
    "address", ["", "/srv/clock.git", "https://example.org/github/a/b", "https://notgithub.com/a/b"]
)
def test_other_addresses_have_no_name(address):
    assert contents.github_name(address) is None


def test_repository_of_a_clone(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert contents.find_repository(tmp_path) == contents.REPOSITORY
    subprocess.run(
        ["git", "-C", tmp_path, "remote", "add", "origin", "git@github.com:a/b.git"], check=True
    )
    assert contents.find_repository(tmp_path) == "a/b"


@pytest.fixture
def folder(write_notebook, tmp_path):
    """Return a folder with one notebook that has a listed name and a figure, red above blue."""
    figure = Image.new("RGBA", (640, 960), (255, 0, 0, 255))
    figure.paste((0, 0, 255, 255), (0, 480, 640, 960))
    file = io.BytesIO()
    figure.save(file, "PNG")
    write_notebook(tmp_path / "data-cityscapes.ipynb", "draw()")
    notebook = nbformat.read(tmp_path / "data-cityscapes.ipynb", as_version=4)
    notebook.cells[1].metadata["tags"] = ["thumbnail"]
    data = {"image/png": base64.b64encode(file.getvalue()).decode()}
    notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", data)]
    nbformat.write(notebook, tmp_path / "data-cityscapes.ipynb")
    return tmp_path


def test_contents_of_a_folder(folder):
    assert contents.main(["--repository", "a/b"], folder) == 0
    text = (folder / "README.md").read_text()
    assert "(https://nbviewer.org/github/a/b/blob/main/notebooks/data-cityscapes.ipynb)" in text
    assert "**data-cityscapes**" in text and "camvid" not in text
    small = Image.open(folder / "thumbnails/data-cityscapes.png").convert("RGB")
    assert small.size == (320, 240) and small.getpixel((9, 100)) == (255, 0, 0)


def test_problems_are_reported(folder, write_notebook, capsys):
    write_notebook(folder / "unheard-of.ipynb", "x = 1")
    assert contents.main([], folder) == 1
    printed = capsys.readouterr().err
    assert (
        "unheard-of: add a description to SECTIONS" in printed
        and "unheard-of: 0 cells are tagged" in printed
    )


def test_thumbnail_cell_without_a_picture(folder):
    notebook = nbformat.read(folder / "data-cityscapes.ipynb", as_version=4)
    notebook.cells[1].outputs = []
    with pytest.raises(thumbnail.ThumbnailError, match="data-cityscapes: .* shows no picture"):
        thumbnail.picture_of(notebook, "data-cityscapes")


def test_thumbnail_of_noise_is_small():
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    assert len(thumbnail.png(Image.fromarray(noise))) < thumbnail.LIMIT


@pytest.mark.parametrize("name", ["owner", "a/b/c", "a b/c"])
def test_malformed_repository_is_rejected(name, folder, capsys):
    with pytest.raises(SystemExit):
        contents.main(["--repository", name], folder)
    assert "OWNER/NAME" in capsys.readouterr().err
