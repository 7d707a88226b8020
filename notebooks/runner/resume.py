"""What has finished of a run that did not come to a good end, so that the next one goes on from it.

results/unfinished-run.json maps the notebooks that went well to a digest of all that made them. A
run that ends with all well forgets them: the next one runs all anew.
"""

import hashlib
import json
import os

from notebooks.results import ROOT, write_atomically
from notebooks.runner.execute import Outcome

FILE = "unfinished-run.json"
PACKAGES = ("caffe", "datasets", "lib", "nets", "notebooks")


class Journal:
    """The notebooks that finished well; kept in the folder `results`, `anew` starts it empty."""

    def __init__(self, results, anew=False):
        self.results = results
        self.code = code_digest()
        self.entries = {} if anew else read_entries(results / FILE)

    def digest(self, path, parameters=None):
        """Identifies the cells of the notebook at `path` with the code they call, and the values
        of `parameters` that differ from its own.
        """
        made_of = (self.code, cells_of(path), sorted((parameters or {}).items()))
        return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]

    def finished(self, path, parameters=None):
        """The Outcome of the notebook at `path` where it need not run again, else None."""
        entry = self.entries.get(path.stem, {})
        kept = all((self.results / f"{path.stem}.{kind}").is_file() for kind in ("ipynb", "html"))
        if not kept or entry.get("digest") != self.digest(path, parameters):
            return None
        return Outcome(path.stem, "ok", entry["note"], entry["seconds"], earlier=True)

    def add(self, outcome, digest):
        """Keep, on the disk, how a notebook went whose digest was `digest` before it ran."""
        self.entries.pop(outcome.name, None)
        if outcome.state == "ok":
            self.entries[outcome.name] = {
                "digest": digest,
                "note": outcome.note,
                "seconds": round(outcome.seconds, 1),
            }
        write_atomically(self.results / FILE, json.dumps(self.entries, indent=1))

    def forget(self, names):
        """Forget the notebooks `names`: all of them went well."""
        self.entries = {name: e for name, e in self.entries.items() if name not in names}
        if self.entries:
            write_atomically(self.results / FILE, json.dumps(self.entries, indent=1))
        else:
            (self.results / FILE).unlink(missing_ok=True)


def read_entries(path):
    """The entries in the file at `path`; {} where it is missing or is none of ours."""
    try:
        entries = json.loads(path.read_text())
        return {
            str(name): {
                "digest": str(e["digest"]),
                "note": str(e["note"]),
                "seconds": float(e["seconds"]),
            }
            for name, e in entries.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def cells_of(path):
    """(kind, source) of each cell of the notebook at `path`, [] where it cannot be read."""
    try:
        cells = json.loads(path.read_text())["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def code_digest():
    """Identifies what notebooks call and read: code, nets, weights, and where data is looked for.

    Weights count by size and time of change: they are too large to be read each time.
    """
    digest = hashlib.sha256()
    for path in sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*")):
        if path.suffix in (".py", ".prototxt"):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
        elif path.suffix == ".caffemodel":
            stat = path.stat()
            digest.update(f"{path.relative_to(ROOT)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    places = sorted(item for item in os.environ.items() if item[0].startswith("CLOCKWORK_"))
    digest.update(repr(places).encode())
    return digest.hexdigest()
