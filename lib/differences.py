"""How much each layer of a net changes from one frame to the next (arXiv 1608.03609, section 4).

Pixels and shallow scores change on every frame, deep scores and semantics far less: this is why a
clock may run the deep stage less often. `frame_differences` measures one shot. `collect` does so
for many and stores each in a folder, and `summary` gives mean and spread per layer.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lib.labels import IGNORE, changed_share, check_lookup, label_map, relabelled
from lib.report import table
from lib.run_net import segrun
from lib.schedule import Clip
from lib.shot_store import load_shot, save_shot, shot_path
from lib.stages import Net

BLOBS = ("data", "score_pool3", "score_pool4", "score_fr", "score")
LABEL = "label"


@dataclass
class Differences:
    """What changed in a shot of T frames.

    Every array has T - 1 entries; entry t is the change from frame t to frame t + 1.

    Attributes
    ----------
    name : str
        Of the shot.
    argmax : dict of str to float array
        {score blob or 'label': share of pixels, 0..1, whose class changed}.
    relative : dict of str to float array
        {blob: relative change of its values, 0..2, see `relative_change`}.
    """

    name: str
    argmax: dict[str, np.ndarray]
    relative: dict[str, np.ndarray]


class LayerSummary(NamedTuple):
    """The changes of one layer over the frame pairs of all shots, nan if none was measured.

    Attributes
    ----------
    layer : str
    argmax_mean, argmax_std : float
        Mean and standard deviation of the share of pixels, 0..1, whose class changed.
    relative_mean, relative_std : float
        Mean and standard deviation of the relative change of values, 0..2.
    pairs : int
        Frame pairs that were measured; for labels, those with both labels.
    """

    layer: str
    argmax_mean: float
    argmax_std: float
    relative_mean: float
    relative_std: float
    pairs: int


class _Frame(NamedTuple):
    values: dict  # {blob: C x H x W}
    classes: dict  # {score blob: H x W uint8}
    label: np.ndarray | None


def frame_differences(
    net: Net, clip: Clip, blobs: Sequence[str] = BLOBS, relabel: np.ndarray | None = None
) -> Differences:
    """Run the net on every frame of a clip and measure what changes from frame to frame.

    Parameters
    ----------
    net : Net
    clip : Clip
    blobs : sequence of str
        Blobs to measure, 1 x C x H x W. All but 'data' are scores, whose class is the argmax.
    relabel : 256 uint8 array, optional
        Classes of the net with the same entry count as one; labels are not mapped.

    Returns
    -------
    Differences

    Raises
    ------
    ValueError
        If the net lacks a blob, the clip has fewer than 2 frames, or frames or labels differ in
        size.
    """
    check_lookup(relabel)
    name = getattr(clip, "name", "a clip without a name")
    if missing := [blob for blob in blobs if blob not in net.blobs]:
        raise ValueError(
            f"the net has no blob {missing[0]!r}, its blobs are {', '.join(net.blobs)}: give blobs "
            "of these"
        )
    if len(clip) < 2:
        raise ValueError(f"{name}: no two frames to compare, got {len(clip)}: take a longer clip")
    scores = [blob for blob in blobs if blob != "data"]
    argmax: dict[str, list[float]] = {layer: [] for layer in (*scores, LABEL)}
    relative: dict[str, list[float]] = {blob: [] for blob in blobs}
    before = None
    for t, (in_, label) in enumerate(clip):
        segrun(net, in_)
        values = {blob: net.blobs[blob].data[0].copy() for blob in blobs}
        classes = {blob: relabelled(label_map(values[blob]), relabel) for blob in scores}
        now = _Frame(values, classes, label)
        if before:
            _check_sizes(f"{name}, frame {t} (the first is 0)", now, before)
            for blob in blobs:
                relative[blob].append(relative_change(values[blob], before.values[blob]))
            for blob in scores:
                argmax[blob].append(changed_share(classes[blob], before.classes[blob]))
            argmax[LABEL].append(label_change(label, before.label))
        before = now
    return Differences(name, _arrays(argmax), _arrays(relative))


def relative_change(now: np.ndarray, before: np.ndarray) -> float:
    """Return the mean over all values of |now - before| / ((|now| + |before|) / 2).

    0 means no change (also if both are 0), 2 is the maximum, for values that change their sign.
    This is the measure of the published figures.
    """
    size = (np.abs(now) + np.abs(before)) / 2
    change = np.divide(np.abs(now - before), size, out=np.zeros_like(size), where=size > 0)
    return float(change.mean(dtype=np.float64))


def label_change(now: np.ndarray | None, before: np.ndarray | None) -> float:
    """Return the share of pixels, 0..1, whose class differs between two ground truths.

    Parameters
    ----------
    now, before : H x W or 1 x H x W uint8 arrays, or None
        Pixels ignored in either (255) do not count.

    Returns
    -------
    float
        nan if no pixel is left or a label is None.
    """
    if now is None or before is None:
        return float("nan")
    known = (now != IGNORE) & (before != IGNORE)
    return float(np.mean(now[known] != before[known])) if known.any() else float("nan")


def collect(
    net: Net,
    clips: Sequence[Clip],
    store: os.PathLike[str] | str,
    key: str,
    blobs: Sequence[str] = BLOBS,
    relabel: np.ndarray | None = None,
    silent: bool = False,
) -> list[Differences]:
    """Measure `frame_differences` of every clip and store each as soon as it is finished.

    Shots that are in the folder already are not run again, so an interruption loses at most the
    current shot. Shots with another key, other blobs or classes, another length or another first
    frame are run again, and so are damaged files; a printed line says how many.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip
        Each with its own `name`, which gives the file its name.
    store : path-like
        The folder, made if missing.
    key : str
        What else the shots depend on: the digest of the weights, how many frames were skipped
        between two, and so on.
    blobs, relabel
        As for `frame_differences`.
    silent : bool
        Show no progress bar.

    Returns
    -------
    list of Differences
        One per clip.

    Raises
    ------
    ValueError
        If names are missing or not unique, the key is empty, or `frame_differences` raises it.
    """
    names = _names(clips)
    if not key or not isinstance(key, str):
        raise ValueError(
            f"the key is {key!r}: give a str that tells the net and its input from "
            "others, such as the digest of its weights"
        )
    paths = [shot_path(store, name) for name in names]
    digests = [_digest(key, blobs, relabel, clip) for clip in clips]
    loaded = [load_shot(path, digest) for path, digest in zip(paths, digests, strict=True)]
    for why in sorted({why for _, why in loaded if why}):
        count = sum(why == other for _, other in loaded)
        tqdm.write(f"{store}: {count} of {len(clips)} shots are {why}, and are run again")
    shots = []
    with tqdm(
        total=len(clips),
        initial=sum(arrays is not None for arrays, _ in loaded),
        desc="differences",
        unit="shot",
        disable=silent,
    ) as bar:
        for clip, name, path, digest, (arrays, _) in zip(
            clips, names, paths, digests, loaded, strict=True
        ):
            if arrays is not None:
                shots.append(_unpack(name, arrays))
                continue
            shots.append(frame_differences(net, clip, blobs, relabel))
            save_shot(path, digest, _pack(shots[-1]))
            bar.update()
    return shots


def summary(collected: Sequence[Differences]) -> list[LayerSummary]:
    """Return a LayerSummary for each layer; raise ValueError if there are no Differences."""
    if not collected:
        raise ValueError("no differences to sum up: collect at least one shot")
    return [
        _layer_summary(layer, collected)
        for layer in dict.fromkeys([*collected[0].relative, *collected[0].argmax])
    ]


def summary_table(rows: Sequence[LayerSummary], form: str = "text") -> str:
    """Format what `summary` returns as a table, in the forms of lib.report.table."""
    columns = ("layer", "argmax changed %", "std %", "relative change", "std", "frame pairs")
    cells = [
        [
            row.layer,
            _number(100 * row.argmax_mean, 2),
            _number(100 * row.argmax_std, 2),
            _number(row.relative_mean, 3),
            _number(row.relative_std, 3),
            str(row.pairs),
        ]
        for row in rows
    ]
    return table(columns, cells, form)


def summary_rows(rows: Sequence[LayerSummary]) -> list[dict[str, str | int | float]]:
    """Return what `summary` returns as flat dicts for JSON, without what was not measured."""
    flat = []
    for row in rows:
        entries: dict[str, str | int | float] = {"layer": row.layer, "frame pairs": row.pairs}
        if not np.isnan(row.argmax_mean):
            entries["argmax changed %"] = 100 * row.argmax_mean
        if not np.isnan(row.relative_mean):
            entries["relative change"] = row.relative_mean
        flat.append(entries)
    return flat


def _check_sizes(place, now, before):
    pairs = [(now.values[blob], before.values[blob]) for blob in now.values]
    if now.label is not None and before.label is not None:
        pairs.append((now.label, before.label))
    for a, b in pairs:
        if a.shape != b.shape:
            raise ValueError(
                f"{place}: {a.shape} after {b.shape}, a clip has one size: resize its "
                "frames and labels alike"
            )


def _arrays(lists):
    return {layer: np.array(shares) for layer, shares in lists.items()}


def _names(clips):
    """Return the names of the clips; raise ValueError if one is missing or not unique."""
    names = [getattr(clip, "name", None) for clip in clips]
    if None in names or len(set(names)) < len(names):
        raise ValueError(f"each clip needs a name of its own, to store its shot: got {names}")
    return names


def _layer_summary(layer, collected):
    argmax, relative = (
        np.concatenate([getattr(shot, kind).get(layer, []) for shot in collected])
        for kind in ("argmax", "relative")
    )
    argmax = argmax[~np.isnan(argmax)]
    return LayerSummary(
        layer, *_mean_and_std(argmax), *_mean_and_std(relative), max(argmax.size, relative.size)
    )


def _mean_and_std(values):
    return (float(values.mean()), float(values.std())) if values.size else (np.nan, np.nan)


def _number(value, digits):
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def _digest(key, blobs, relabel, clip):
    """Return a digest of everything that the shot of a clip depends on."""
    made_of = [key, *blobs], None if relabel is None else np.asarray(relabel).tolist(), len(clip)
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for in_, _ in clip[:1]:
        digest.update(np.ascontiguousarray(in_))
    return digest.hexdigest()


def _pack(shot):
    """Return a shot as {'kind layer': array}, in order."""
    return {
        f"{kind} {layer}": changes
        for kind in ("argmax", "relative")
        for layer, changes in getattr(shot, kind).items()
    }


def _unpack(name, arrays):
    shot = Differences(name, {}, {})
    for entry, changes in arrays.items():
        kind, layer = entry.split(" ", 1)
        getattr(shot, kind)[layer] = changes
    return shot
