"""Every notebook with short parameters: all cells run without warnings and write figures.

papermill executes them here, so they stay compatible with it; test_run.py tests our own runner.
"""

import json
import math

import nbformat
import papermill
import pytest

from datasets.sources import env_var
from notebooks import run
from notebooks.runner.execute import KERNEL_OPTIONS, ipc_config, kernel_env
from notebooks.runner.failures import warnings_in
from notebooks.runner.parameters import assigned_names

# Parameters for a short run, by notebook.
SMALL = {
    "cityscapes-clockwork-exp": {"num_clips": 1, "clip_length": 6, "thresholds": [0.1]},
    "youtube-clockwork-exp": {"num_shots": 1, "period": 15, "periods": [30], "thresholds": [0.1]},
    "youtube-pipeline-exp": {
        "num_shots": 1,
        "period": 30,
        "periods": [30],
        "shown": "aeroplane/0001/001",
    },
    "youtube-differences": {"num_shots": 1, "apart": [30, 60], "shown": "aeroplane/0001/001"},
    "pascal-translate-exp": {"num_images": 3, "num_frames": 4, "shifts": [32]},
    "nyud-clockwork-exp": {
        "num_clips": 1,
        "clip_length": 6,
        "num_videos": 1,
        "shares": [0.23],
        "targets": [0.5],
        "periods": [1, 2],
    },
    "new-movie": {"num_frames": 8, "budgets": [0.9, 0.5]},
    "data-youtube": {"num_shots": 2, "ages": [1, 10]},
    "data-nyud": {"num_images": 3},
    "data-cityscapes": {"num_images": 2, "length": 4},
    "camvid-clockwork-exp": {"num_frames": 8, "periods": [2, 4], "thresholds": [0.1]},
}


@pytest.fixture
def data(name, root, monkeypatch):
    """Skip the test if the data of notebook `name` is missing; CamVid may also be in ../shared."""
    if needed := run.NOTEBOOKS[name]:
        shared = root.parent / "shared" / needed[0]
        if shared.is_dir():
            monkeypatch.setenv(env_var(needed[0]), str(shared))
        if missing := run.missing_data(name):
            pytest.skip(missing)


@pytest.mark.parametrize("name", run.NOTEBOOKS)
def test_short_parameters_exist_in_the_notebook(name):
    assert name in SMALL, f"add short parameters for {name} to SMALL"
    notebook = nbformat.read(run.FOLDER / f"{name}.ipynb", as_version=4)
    tagged = [
        cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(tagged) == 1 and set(SMALL[name]) <= set(assigned_names(tagged[0]))


@pytest.mark.parametrize("name", run.NOTEBOOKS)
@pytest.mark.usefixtures("data")
def test_notebook_runs(name, tmp_path, monkeypatch):
    for variable, value in kernel_env(tmp_path, threads=1).items():
        monkeypatch.setenv(variable, value)
    with ipc_config() as config:
        executed = papermill.execute_notebook(
            run.FOLDER / f"{name}.ipynb",
            tmp_path / f"{name}.ipynb",
            SMALL[name],
            cwd=run.FOLDER,
            kernel_name="python3",
            progress_bar=False,
            config=config,
            extra_arguments=KERNEL_OPTIONS,
        )
    assert warnings_in(executed) == ""
    rows = json.loads((tmp_path / f"{name}.json").read_text())["rows"]
    assert rows and all(
        any(isinstance(value, float) and math.isfinite(value) for value in row.values())
        for row in rows
    )
    if "schedule" in rows[0]:
        assert rows[0]["schedule"] == "every frame (oracle)" and rows[0]["mean IU %"] > 10
