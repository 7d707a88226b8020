"""Resume a run that was interrupted or had failures.

results/unfinished-run.json maps each notebook that succeeded to a digest of its inputs. A run that
succeeds as a whole removes the entries: the next run executes all notebooks again.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from notebooks.results import ROOT, write_atomically
from notebooks.runner.execute import Outcome

FILE = "unfinished-run.json"
PACKAGES = ("caffe", "datasets", "lib", "nets", "notebooks")


class Journal:
    """The notebooks that have succeeded in an unfinished run.

    Parameters
    ----------
    results : Path
        Folder of the journal file.
    restart : bool
        Start with an empty journal.
    """

    def __init__(self, results: Path, restart: bool = False) -> None:
        self.results = results
        self.code = code_digest()
        self.entries = {} if restart else _read_entries(results / FILE)

    def digest(self, path: Path, parameters: Mapping[str, Any] | None = None) -> str:
        """Return a digest of a notebook's cells, injected parameters, and the code they call."""
        inputs = (self.code, cells_of(path), sorted((parameters or {}).items()))
        return hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]

    def finished(self, path: Path, parameters: Mapping[str, Any] | None = None) -> Outcome | None:
        """Return the Outcome of a notebook that need not run again, otherwise None."""
        entry = self.entries.get(path.stem, {})
        written = all(
            (self.results / f"{path.stem}.{kind}").is_file() for kind in ("ipynb", "html")
        )
        if not written or entry.get("digest") != self.digest(path, parameters):
            return None
        return Outcome(path.stem, "ok", entry["note"], entry["seconds"], earlier=True)

    def add(self, outcome: Outcome, digest: str) -> None:
        """Record on disk how a notebook ended; `digest` is that from before it ran."""
        self.entries.pop(outcome.name, None)
        if outcome.state == "ok":
            self.entries[outcome.name] = {
                "digest": digest,
                "note": outcome.note,
                "seconds": round(outcome.seconds, 1),
            }
        write_atomically(self.results / FILE, json.dumps(self.entries, indent=1))

    def forget(self, names: Iterable[str]) -> None:
        """Remove the notebooks `names` after a run in which all of them succeeded."""
        names = set(names)
        self.entries = {name: e for name, e in self.entries.items() if name not in names}
        if self.entries:
            write_atomically(self.results / FILE, json.dumps(self.entries, indent=1))
        else:
            (self.results / FILE).unlink(missing_ok=True)


def _read_entries(path):
    """Return the entries of a journal file, {} if it is missing or malformed."""
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


def cells_of(path: Path) -> list[tuple[str, str]]:
    """Return (type, source) of each cell of a notebook, [] if the file cannot be read."""
    try:
        cells = json.loads(path.read_text())["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def code_digest() -> str:
    """Return a digest of what notebooks depend on: code, nets, weights, and dataset locations.

    Weights count by size and modification time, because reading them each time would take too long.
    """
    digest = hashlib.sha256()
    for path in sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*")):
        if path.suffix in (".py", ".prototxt"):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
        elif path.suffix == ".caffemodel":
            stat = path.stat()
            digest.update(f"{path.relative_to(ROOT)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    variables = sorted(item for item in os.environ.items() if item[0].startswith("CLOCKWORK_"))
    digest.update(repr(variables).encode())
    return digest.hexdigest()
