"""Resume a run that was interrupted or had failures.

results/unfinished-run.json maps each notebook that succeeded to digests of its inputs and of the
files that it left. A run that succeeds as a whole removes the entries: the next run executes all
notebooks again.
"""

import ast
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from lib.atomic import write_atomically
from nets.weights import NET_SUFFIX, WEIGHTS_SUFFIXES
from notebooks.files import is_regular, read_bytes, read_text
from notebooks.results import ROOT
from notebooks.runner.execute import Outcome

FILE = "unfinished-run.json"
PACKAGES = ("caffe", "datasets", "lib", "nets", "notebooks")
SUFFIXES = (NET_SUFFIX, *WEIGHTS_SUFFIXES)
KINDS = ("ipynb", "html", "json")  # of the files that a notebook leaves in the results folder


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
        self.entries = {} if restart else _read_entries(results / FILE)

    @cached_property
    def code(self) -> str:
        """Digest of the code that notebooks call."""
        return code_digest()

    def digest(self, path: Path, parameters: Mapping[str, Any] | None = None) -> str:
        """Return a digest of a notebook's cells, injected parameters, and the code they call.

        Files that the parameters name, such as a net and its weights, count as in `code_digest`.
        """
        cells = cells_of(path)
        files = _named_files(path, cells, parameters)
        inputs = (self.code, cells, sorted((parameters or {}).items()), files)
        return hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]

    def finished(self, path: Path, parameters: Mapping[str, Any] | None = None) -> Outcome | None:
        """Return the Outcome of a notebook that need not run again, otherwise None.

        It runs again if one of its files is missing, or differs from what the run left.
        """
        entry = self.entries.get(path.stem)
        if entry is None or entry["digest"] != self.digest(path, parameters):
            return None
        files = self._files(path.stem)
        if entry["files"] != files or not files["ipynb"] or not files["html"]:
            return None
        return Outcome(path.stem, "ok", entry["note"], entry["seconds"], earlier=True)

    def add(self, outcome: Outcome, digest: str) -> None:
        """Record on disk how a notebook ended; `digest` is that from before it ran.

        Raises
        ------
        OSError
            If the file cannot be written; on disk, the journal is as before.
        """
        self.entries.pop(outcome.name, None)
        if outcome.state == "ok":
            self.entries[outcome.name] = {
                "digest": digest,
                "files": self._files(outcome.name),
                "note": outcome.note,
                "seconds": round(outcome.seconds, 1),
            }
        self._write()

    def forget(self, names: Iterable[str]) -> None:
        """Remove the notebooks `names` after a run in which all of them succeeded.

        Raises
        ------
        OSError
            If the file can be neither written nor removed.
        """
        names = set(names)
        self.entries = {name: e for name, e in self.entries.items() if name not in names}
        if self.entries:
            self._write()
        else:
            (self.results / FILE).unlink(missing_ok=True)

    def _write(self):
        write_atomically(self.results / FILE, json.dumps(self.entries, indent=1))

    def _files(self, name):
        """Return a digest of each file that the notebook `name` left; None for one that it lacks.

        Only the figures may be missing: a notebook need not write any.
        """
        return {kind: _content_digest(self.results / f"{name}.{kind}") for kind in KINDS}


def _content_digest(path):
    """Return a digest of a file's content, None if it is missing or no regular file."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()[:16]
    except OSError:
        return None


def _read_entries(path):
    """Return the well-formed entries of a journal file, {} if it is missing or malformed."""
    try:
        entries = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {name: entry for name, entry in entries.items() if _is_entry(entry)}


def _is_entry(entry):
    """Return whether `entry` is one that Journal.add writes."""
    kinds = {"digest": str, "files": dict, "note": str, "seconds": int | float}
    return (
        isinstance(entry, dict)
        and entry.keys() == kinds.keys()
        and all(isinstance(entry[key], kind) for key, kind in kinds.items())
        and math.isfinite(entry["seconds"])
    )


def read_cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook as they are in the file, [] if it cannot be read."""
    try:
        cells = json.loads(read_text(path))["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def cells_of(path: Path) -> list[tuple[str, str]]:
    """Return (type, source) of each cell of a notebook, [] if the file cannot be read."""
    return [(cell.get("cell_type", ""), cell["source"]) for cell in read_cells(path)]


def _named_files(path, cells, parameters):
    """Return (path, size, modification time) of files that the strings of a notebook name.

    These are the nets and weights that a user put elsewhere. They may be named without suffix, as
    for nets.weights.find_net and find_weights.
    """
    texts = set(_texts(list((parameters or {}).values())))
    for kind, source in cells:
        texts.update(_literals(source) if kind == "code" else ())
    files = (Path(f"{path.parent / text}{end}") for text in texts for end in ("", *SUFFIXES))
    return sorted(
        (str(file), *_size_and_time(file))
        for file in files
        if file.suffix in SUFFIXES and is_regular(file)
    )


def _texts(value):
    """Yield the strings in a JSON value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _literals(source):
    """Yield the string literals in the source of a cell; none if it is not plain Python."""
    try:
        nodes = ast.walk(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def code_digest() -> str:
    """Return a digest of what notebooks depend on: code, nets, weights, and dataset locations.

    Weights count by size and modification time, because reading them each time would take too long.
    """
    digest = hashlib.sha256()
    for path in sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*")):
        name = path.relative_to(ROOT)
        if path.suffix in (".py", ".prototxt"):
            digest.update(f"{name} {_content_digest(path)}\n".encode())
        elif path.suffix in WEIGHTS_SUFFIXES and is_regular(path):
            digest.update(f"{name} {_size_and_time(path)}\n".encode())
    variables = sorted(item for item in os.environ.items() if item[0].startswith("CLOCKWORK_"))
    digest.update(repr(variables).encode())
    return digest.hexdigest()


def _size_and_time(path):
    """Return bytes and modification time (ns) of a file."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
