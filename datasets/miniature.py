"""Miniatures of the four datasets: rendered from a seed in their official layouts.

    python -m datasets.miniature [NAME] [--root FOLDER] [--seed 0] [--units val=8 train=0]

Each lies in data/miniature/NAME, with the labels of more frames than the official data has. They
need no download and no licence. datasets/drawn/NAME.py writes one.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from datasets.errors import DatasetError
from datasets.lock import locked
from datasets.sources import DATA, env_var

# What each is made by: a module with SCENES (the folder beside it that draws), SIZE (w, h), and
# UNITS {split: units rendered if not asked otherwise}; render(root, seed, split, number, size) for
# one unit, and finish(root, units) for what is to be written once all are there.
WRITERS = {name: f"datasets.drawn.{name}" for name in ("cityscapes", "voc", "youtube", "nyud")}
MANIFEST = "manifest.json"  # written last: a folder without it was never finished


def miniature(name="cityscapes", root=None, seed=0, size=None, workers=2, **units):
    """The root of a rendered dataset; renders it first unless it is there already.

    Args:
        name: 'cityscapes', 'voc', 'youtube' or 'nyud'.
        root: the folder; else $CLOCKWORK_MINIATURE/name, else data/miniature/name.
        seed: of all randomness; the same seed gives the same bytes.
        size: (width, height) of the frames in pixels, None for that of the miniature.
        workers: processes that render.
        units: how many units (snippets, images, shots, rooms) of a split, such as train=60. A
            split that holds more already, from an earlier call, keeps them.
    Raises DatasetError for another name or split, and if `root` holds anything else.
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
    if _lacks_nothing(root, manifest):
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked(root.with_name(f".{root.name}.lock")) as alone:
        if not _lacks_nothing(root, manifest):  # else another process rendered it as we waited
            if alone:
                _remove_unfinished(root)
            _render_whole(root, manifest, workers)
    return root


def _lacks_nothing(root, wanted):
    found = _units_found(root, wanted)
    return bool(found) and all(found[split] >= n for split, n in wanted["units"].items())


def _remove_unfinished(root):
    """Remove what a killed rendering of `root` left."""
    for left in root.parent.glob(f".{root.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _render_whole(root, manifest, workers):
    """Render beside `root`, then put it in place: nobody sees half a dataset."""
    found = _units_found(root, manifest)
    manifest["units"] = {
        split: max(n, found.get(split, 0)) for split, n in manifest["units"].items()
    }
    if root.exists() and any(root.iterdir()) and not (root / MANIFEST).is_file():
        raise DatasetError(
            f"{root}: holds files but no {MANIFEST} of a miniature; move them away "
            "or name another root"
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
    if name not in WRITERS:
        raise DatasetError(f"there is no miniature of {name!r}; choose one of {', '.join(WRITERS)}")
    return import_module(WRITERS[name])


def _units_found(root, wanted):
    """Units of each split in `root`, if they were rendered as `wanted` and all files are there."""
    try:
        found = json.loads((root / MANIFEST).read_text())
        alike = all(found[key] == wanted[key] for key in wanted if key != "units")
        whole = alike and found["files"] == _count_files(root)
        return dict(found["units"]) if whole and set(found["units"]) == set(wanted["units"]) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _count_files(root):
    return sum(path.is_file() and path.name != MANIFEST for path in root.rglob("*"))


def _source_digest(name):
    """Identifies the code that draws `name`, so that no cache outlives a change of it."""
    drawn = Path(__file__).parent / "drawn"
    shared = [drawn / f"{tool}.py" for tool in ("render", "sketch", "photo")]
    scenes = sorted((drawn / _writer(name).SCENES).glob("*.py"))
    digest = hashlib.sha256()
    for path in [drawn / f"{name}.py", *shared, *scenes]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _render_all(root, manifest, workers):
    jobs = [
        (root, manifest, split, number)
        for split, units in manifest["units"].items()
        for number in range(units)
    ]
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            _render_unit(*job)
    else:
        # Spawned, not forked: a fork of a process with running torch threads may hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
            for done in [pool.submit(_render_unit, *job) for job in jobs]:
                done.result()
    _writer(manifest["name"]).finish(root, manifest["units"])


def _end_with_parent():
    """Let this worker end when its parent was killed, which a pool alone would never notice."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _render_unit(root, manifest, split, number):
    writer = _writer(manifest["name"])
    writer.render(root, manifest["seed"], split, number, manifest["size"])


def _split_units(text):
    split, _, units = text.partition("=")
    return split, int(units)


def main():
    """Render the miniatures that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=WRITERS, help="all four if not given")
    parser.add_argument("--root", type=Path, help="where to; data/miniature/NAME if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--units", nargs="*", type=_split_units, default=[], metavar="SPLIT=N")
    args = parser.parse_args()
    for name in [args.name] if args.name else WRITERS:
        root = args.root if args.name or not args.root else args.root / name
        print(miniature(name, root, args.seed, workers=args.workers, **dict(args.units)))


if __name__ == "__main__":
    main()
