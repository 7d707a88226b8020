"""What a notebook leaves for `make run` to collect: results/<name>.json."""
import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS_VARIABLE = "CLOCKWORK_RESULTS"  # set by notebooks.run; by hand, results/ of the clone


def results_folder():
    """Folder that figures and pictures go to, made if missing."""
    folder = Path(os.environ.get(RESULTS_VARIABLE) or ROOT / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_figures(name, rows, **more):
    """Writes results/<name>.json: `rows`, a list of flat dicts (one for each method scored, printed
    as a table by `make run`), and whatever else JSON can hold. NumPy numbers and arrays are taken.
    """
    path = results_folder() / f"{name}.json"
    path.write_text(json.dumps({"rows": rows, **more}, indent=1, default=lambda x: x.tolist()))
    return path
