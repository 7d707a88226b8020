"""The experiment notebooks on a cut-down setting: every cell runs, and the figures are written."""
import json

import nbformat
import pytest

from datasets.errors import DatasetError
from datasets.sources import find_root
from notebooks import run

# The parameters that make a notebook short, by notebook.
SMALL = {
    "cityscapes-clockwork-exp": "num_clips, clip_length, thresholds = 1, 6, (0.1,)",
    "camvid-clockwork-exp": "num_frames, periods, thresholds = 8, (2, 4), (0.1,)",
}


def cut_down(name, folder):
    """A copy of notebook `name` in `folder`, with its parameters followed by those of SMALL."""
    notebook = nbformat.read(run.FOLDER / f"{name}.ipynb", as_version=4)
    at = next(i for i, cell in enumerate(notebook.cells)
              if "parameters" in cell.metadata.get("tags", []))
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(SMALL[name]))
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("name", run.NOTEBOOKS)
def test_notebook_runs(name, tmp_path, shared_camvid):
    outcome = run.execute(cut_down(name, tmp_path), tmp_path)
    assert (outcome.state, outcome.note) == ("ok", "")
    rows = json.loads((tmp_path / f"{name}.json").read_text())["rows"]
    assert rows[0]["schedule"] == "every frame (oracle)" and rows[0]["mean IU %"] > 10


@pytest.fixture
def shared_camvid(root, request, monkeypatch):
    """Point CamVid to ../shared/camvid where it is not in data/, and skip where it is nowhere."""
    if "camvid" not in request.getfixturevalue("name"):
        return
    beside = root.parent / "shared/camvid"
    if beside.is_dir():
        monkeypatch.setenv("CLOCKWORK_CAMVID", str(beside))
    try:
        find_root("camvid", None, "val")
    except DatasetError:
        pytest.skip("needs CamVid")
