"""Render miniatures of four datasets from a seed, in their official layouts.

    python -m datasets.miniature [NAME] [--root FOLDER] [--seed 0] [--units val=8 train=0]

Each is written to data/miniature/NAME by datasets/drawn/NAME.py and has labels for more frames than
the official data. No download or licence is needed.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from datasets.errors import DatasetError
from datasets.lock import locked
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
        Number of rendering processes.
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
        If there is no such miniature or split, or `root` holds other files.
    """
    writer = _writer(name)
    if unknown := set(units) - set(writer.UNITS):
        raise DatasetError(
            f"the {name} miniature has no split {sorted(unknown)}; give units of "
            f"{' or '.join(writer.UNITS)}"
        )
    root = Path(root or Path(os.environ.get(env_var("miniature")) or DATA / "miniature") / name)
    manifest = {
        "name": name,
        "seed": seed,
        "size": list(size or writer.SIZE),
        "units": {**writer.UNITS, **units},
        "source": _source_digest(name),
    }
    if _is_complete(root, manifest):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked(root.with_name(f".{root.name}.lock")) as exclusive:
        if not _is_complete(root, manifest):  # else another process rendered it while we waited
            if exclusive:
                _remove_unfinished(root)
            _render_dataset(root, manifest, workers)
    return root


def _is_complete(root, wanted):
    """Return whether `root` is as `wanted` and has at least as many units of each split."""
    found = _units_found(root, wanted)
    return bool(found) and all(found[split] >= n for split, n in wanted["units"].items())


def _remove_unfinished(root):
    """Remove the temporary folders that killed processes left next to `root`."""
    for folder in root.parent.glob(f".{root.name}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _render_dataset(root, manifest, workers):
    """Render into a temporary folder and rename it to `root`, so `root` is never incomplete."""
    found = _units_found(root, manifest)
    manifest["units"] = {
        split: max(n, found.get(split, 0)) for split, n in manifest["units"].items()
    }
    if root.exists() and any(root.iterdir()) and not (root / MANIFEST).is_file():
        raise DatasetError(
            f"{root}: holds files but no {MANIFEST} of a miniature; move them elsewhere "
            "or give another root"
        )
    with tempfile.TemporaryDirectory(prefix=f".{root.name}-", dir=root.parent) as unfinished:
        fresh = Path(unfinished) / root.name
        fresh.mkdir()
        _render_all(fresh, manifest, workers)
        manifest["files"] = _count_files(fresh)
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        if root.exists():
            shutil.rmtree(root)
        fresh.rename(root)


def _writer(name):
    """Import the module that writes miniature `name`."""
    if name not in WRITERS:
        raise DatasetError(f"there is no miniature of {name!r}; choose one of {', '.join(WRITERS)}")
    return import_module(WRITERS[name])


def _units_found(root, wanted):
    """Return the units of each split in `root`, {} if it is outdated or lacks files."""
    try:
        found = json.loads((root / MANIFEST).read_text())
        valid = (
            all(found[key] == wanted[key] for key in wanted if key != "units")
            and found["files"] == _count_files(root)
            and set(found["units"]) == set(wanted["units"])
        )
        return dict(found["units"]) if valid else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _count_files(root):
    """Count the files below `root` without the manifest."""
    return sum(path.is_file() and path.name != MANIFEST for path in root.rglob("*"))


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
    jobs = [
        (root, manifest, split, number)
        for split, units in manifest["units"].items()
        for number in range(units)
    ]
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            _render_unit(*job)
    else:
        # spawn, because a fork of a process with running torch threads may hang
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
            for future in [pool.submit(_render_unit, *job) for job in jobs]:
                future.result()
    _writer(manifest["name"]).finish(root, manifest["units"])


def _end_with_parent():
    """Exit this worker when its parent is killed, which a process pool does not do by itself."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _render_unit(root, manifest, split, number):
    """Render one unit of a split."""
    writer = _writer(manifest["name"])
    writer.render(root, manifest["seed"], split, number, manifest["size"])


def _parse_units(text):
    """Parse SPLIT=N."""
    split, _, units = text.partition("=")
    return split, int(units)


def main(argv: Sequence[str] | None = None) -> None:
    """Render the miniatures given by the command line `argv` (by default, sys.argv)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=WRITERS, help="default: all four")
    parser.add_argument("--root", type=Path, help="default: data/miniature/NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--units", nargs="*", type=_parse_units, default=[], metavar="SPLIT=N")
    args = parser.parse_args(argv)
    for name in [args.name] if args.name else WRITERS:
        root = args.root if args.name or not args.root else args.root / name
        print(miniature(name, root, args.seed, workers=args.workers, **dict(args.units)))


if __name__ == "__main__":
    main()
