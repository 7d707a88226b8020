"""Every notebook on a cut-down setting: all cells run, leave no warnings, and write figures."""
import ast
import asyncio
import json
import math

import nbformat
import pytest

from datasets.sources import env_var
from notebooks import run
from notebooks.execute import execute

# The parameters that make a notebook short, by notebook: assignments as in its parameters cell.
SMALL = {
    "cityscapes-clockwork-exp": "num_clips, clip_length, thresholds = 1, 6, (0.1,)",
    "youtube-clockwork-exp": "num_shots, period, periods, thresholds = 1, 15, (30,), (0.1,)",
    "youtube-pipeline-exp": "num_shots, period, periods = 1, 30, (30,); "
                            "shown = 'aeroplane/0001/001'",
    "youtube-differences": "num_shots, apart, shown = 1, (30, 60), 'aeroplane/0001/001'",
    "data-youtube": "num_shots, ages = 2, (1, 10)",
    "nyud-clockwork-exp": "num_clips, clip_length, num_videos, shares, targets = "
                          "1, 6, 1, (0.23,), (0.5,); periods = (1, 2)",
    "data-nyud": "num_images = 3",
    "data-cityscapes": "num_images, length = 2, 4",
    "camvid-clockwork-exp": "num_frames, periods, thresholds = 8, (2, 4), (0.1,)",
}


def cut_down(name, folder):
    """A copy of notebook `name` in `folder`, with its parameters followed by those of SMALL."""
    assert name in SMALL, f"say in SMALL which parameters make {name} short"
    notebook = nbformat.read(run.FOLDER / f"{name}.ipynb", as_version=4)
    at = next((i for i, cell in enumerate(notebook.cells)
               if "parameters" in cell.metadata.get("tags", [])), None)
    assert at is not None, f"no cell of {name} is tagged `parameters`"
    unknown = assigned(SMALL[name]) - assigned(notebook.cells[at].source)
    assert not unknown, f"{name} has no parameters {sorted(unknown)}"
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(SMALL[name]))
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def assigned(source):
    """The names that the assignments in `source` bind."""
    return {node.id for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


@pytest.fixture
def data(name, root, monkeypatch):
    """The data of notebook `name` is in place, or the test is skipped; CamVid may also lie in
    ../shared."""
    if needed := run.NOTEBOOKS[name]:
        beside = root.parent / "shared" / needed[0]
        if beside.is_dir():
            monkeypatch.setenv(env_var(needed[0]), str(beside))
        if missing := run.missing_data(name):
            pytest.skip(missing)


@pytest.mark.parametrize("name", run.NOTEBOOKS)
@pytest.mark.usefixtures("data")
def test_notebook_runs(name, tmp_path):
    outcome = asyncio.run(execute(cut_down(name, tmp_path), tmp_path))
    assert (outcome.state, outcome.note) == ("ok", "")
    rows = json.loads((tmp_path / f"{name}.json").read_text())["rows"]
    assert rows and all(any(isinstance(value, float) and math.isfinite(value)
                            for value in row.values()) for row in rows)
    if "schedule" in rows[0]:
        assert rows[0]["schedule"] == "every frame (oracle)" and rows[0]["mean IU %"] > 10
