"""Render miniatures of four datasets from a seed, in their official layouts.

    python -m datasets.miniature [NAME] [--root FOLDER] [--seed 0] [--units val=8 train=0]

Each is written to data/miniature/NAME by datasets/drawn/NAME.py and has labels for more frames than
the official data. No download or licence is needed.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from datasets.errors import DatasetError
from datasets.files import MAX_PIXELS
from datasets.reading.gate import is_there, read_file, show
from datasets.rendering.lock import locked
from datasets.rendering.replace import recover, replaced
from datasets.rendering.workers import draw, draw_in_processes
from datasets.sources import DATA, env_var

# The module that writes each miniature. It defines SCENES (name of the folder next to it with the
# drawing code), SIZE (width, height), UNITS {split: default number of units}, the function
# render(root, seed, split, number, size), which writes one unit, and finish(root, units), which
# writes what needs all units, such as lists.
WRITERS = {name: f"datasets.drawn.{name}" for name in ("cityscapes", "voc", "youtube", "nyud")}
MANIFEST = "manifest.json"  # written last: a folder without it is incomplete


def miniature(
    name: str = "cityscapes",
    root: os.PathLike[str] | str | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    workers: int = 2,
    **units: int,
) -> Path:
    """Return the folder of a miniature; render it first if it is missing or outdated.

    Parameters
    ----------
    name : {'cityscapes', 'voc', 'youtube', 'nyud'}
        The dataset.
    root : path-like, optional
        Folder of the miniature; by default $CLOCKWORK_MINIATURE/name, else data/miniature/name.
    seed : int
        Random seed; the same seed gives the same bytes.
    size : (int, int), optional
        Width and height of the frames in pixels; by default, those of this miniature.
    workers : int
        Number of rendering processes. A line on stderr (in a notebook, stdout) tells that the
        miniature is being drawn.
    **units : int
        Number of units (snippets, images, shots, rooms) of a split, such as train=60. A split
        that already has more units, from an earlier call, keeps them.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DatasetError
        If there is no such miniature or split, an argument is out of range, or `root` holds other
        files or cannot be written.
    """
    writer = _writer(name)
    if unknown := set(units) - set(writer.UNITS):
        raise DatasetError(
            f"the {name} miniature has no split {sorted(unknown)}; give units of "
            f"{' or '.join(writer.UNITS)}"
        )
    manifest = {
        "name": name,
        "seed": seed,
        "size": list(size or writer.SIZE),
        "units": {**writer.UNITS, **units},
        "source": _source_digest(name),
    }
    _check_arguments(manifest, workers)
    root = Path(root or Path(os.environ.get(env_var("miniature")) or DATA / "miniature") / name)
    try:
        if not _is_complete(root, manifest):
            _draw_under_lock(Path(os.path.realpath(root)), manifest, workers)
    except OSError as error:
        raise DatasetError(
            f"{show(root)}: the miniature cannot be written there ({error.strerror or error}); "
            "make space, or give another root"
        ) from error
    return root


def _check_arguments(manifest, workers):
    """Raise DatasetError if a number is not a whole number, or out of range."""
    numbers = {
        "seed": (manifest["seed"], 0),
        "workers": (workers, 1),
        **{split: (n, 0) for split, n in manifest["units"].items()},
    }
    for what, (number, least) in numbers.items():
        if not isinstance(number, int) or number < least:
            raise DatasetError(f"{what}={number!r}: give a whole number of at least {least}")
    size = manifest["size"]
    whole = len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
    if not whole or size[0] * size[1] > MAX_PIXELS:
        raise DatasetError(
            f"size={tuple(size)}: give a width and a height in pixels, of at most {MAX_PIXELS:,} "
            "pixels together"
        )


def _draw_under_lock(root, manifest, workers):
    """Draw the miniature, while other processes wait; not if one has drawn it meanwhile."""
    root.parent.mkdir(parents=True, exist_ok=True)
    waiting = f"{root}: waiting for another process, which draws this miniature"
    with locked(root.with_name(f".{root.name}.lock"), waiting) as exclusive:
        if exclusive:
            recover(root)
        if not _is_complete(root, manifest):
            _render_dataset(root, manifest, workers)


def _is_complete(root, wanted):
    """Return whether `root` is as `wanted` and has at least as many units of each split."""
    found = _units_found(root, wanted)
    return bool(found) and all(found[split] >= n for split, n in wanted["units"].items())


def _render_dataset(root, manifest, workers):
    """Render into another folder, which then takes the place of `root`."""
    _check_replaceable(root)
    found = _units_found(root, manifest)
    manifest["units"] = {
        split: max(n, found.get(split, 0)) for split, n in manifest["units"].items()
    }
    print(
        f"{root}: drawing the {manifest['name']} miniature, {sum(manifest['units'].values())} "
        "units; this is done once and takes up to some minutes",
        # a notebook shows what goes to stderr as a warning, which this is not
        file=sys.stdout if "ipykernel" in sys.modules else sys.stderr,
        flush=True,
    )
    with replaced(root) as fresh:
        _render_all(fresh, manifest, workers)
        manifest["files"] = _count_files(fresh)
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _check_replaceable(root):
    """Raise DatasetError if `root` holds what is not of a miniature."""
    if not is_there(root):
        return
    move = "move them elsewhere or give another root"
    if not root.is_dir():
        raise DatasetError(f"{root}: is not a folder; remove it or give another root")
    if os.listdir(root) and not is_there(root / MANIFEST):
        raise DatasetError(f"{root}: holds files but no {MANIFEST} of a miniature; {move}")
    found = _read_manifest(root)
    if found and not {"source", "units"} <= set(found):
        raise DatasetError(f"{root}: holds files, and a {MANIFEST} not of a miniature; {move}")
    drawn, there = found.get("files"), _count_files(root)
    if isinstance(drawn, int) and there > drawn:
        raise DatasetError(
            f"{root}: holds {there} files, but {drawn} were drawn, and the folder is to be drawn "
            f"again: if there are files of yours, {move}; else remove the folder"
        )


def _writer(name: str) -> ModuleType:
    """Import the module that writes miniature `name`."""
    if name not in WRITERS:
        raise DatasetError(f"there is no miniature of {name!r}; choose one of {', '.join(WRITERS)}")
    return import_module(WRITERS[name])


def _units_found(root, wanted):
    """Return the units of each split in `root`, {} if it is outdated or lacks files."""
    found = _read_manifest(root)
    if any(found.get(key) != wanted[key] for key in wanted if key != "units"):
        return {}
    units, files = found.get("units"), found.get("files")
    if not isinstance(units, dict) or set(units) != set(wanted["units"]):
        return {}
    if not all(type(n) is int and n >= 0 for n in units.values()) or files != _count_files(root):
        return {}
    return units if sum(units.values()) <= files else {}  # each has a file at least


def _read_manifest(root: Path) -> Mapping[str, Any]:
    """Return the contents of the manifest in `root`, {} if there is none or it is damaged."""
    try:
        found = json.loads(read_file(root / MANIFEST, "manifest"))
    except (DatasetError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _count_files(root):
    """Count the files below `root` without the manifest and hidden ones, which systems leave."""

    def stop(error):
        raise error

    return sum(
        not name.startswith(".") and (folder, name) != (str(root), MANIFEST)
        for folder, _, names in os.walk(root, onerror=stop)
        for name in names
    )


def _source_digest(name):
    """Return a digest of the code that draws `name`; a change of it invalidates the cache."""
    drawn = Path(__file__).parent / "drawn"
    shared = [drawn / f"{tool}.py" for tool in ("render", "sketch", "photo")]
    scenes = sorted((drawn / _writer(name).SCENES).glob("*.py"))
    digest = hashlib.sha256()
    for path in [drawn / f"{name}.py", *shared, *scenes]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _render_all(root, manifest, workers):
    """Render all units of `manifest` into `root`."""
    writer = WRITERS[manifest["name"]]
    units = [(split, k) for split, count in manifest["units"].items() for k in range(count)]
    if workers == 1 or len(units) <= 1 or not sys.executable:
        draw(writer, root, manifest, units)
    else:
        draw_in_processes(writer, root, manifest, units, workers)
    import_module(writer).finish(root, manifest["units"])


def _parse_units(text):
    """Parse SPLIT=N."""
    split, _, units = text.partition("=")
    return split, int(units)


def main(argv: Sequence[str] | None = None) -> int:
    """Render what the command line `argv` (by default, sys.argv) says; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=WRITERS, help="default: all four")
    parser.add_argument("--root", type=Path, help="default: data/miniature/NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--units", nargs="*", type=_parse_units, default=[], metavar="SPLIT=N")
    args = parser.parse_args(argv)
    try:
        for name in [args.name] if args.name else WRITERS:
            root = args.root if args.name or not args.root else args.root / name
            units = dict(args.units)
            print(miniature(name, root, args.seed, workers=args.workers, **units), flush=True)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
