"""How much each layer of a net changes from one frame to the next (arXiv 1608.03609, section 4).

Pixels and shallow scores change on every frame, deep scores and the semantics they stand for far
less: this is what lets a clock run the deep stage less often.


Frame differences of many shots: collected in a folder, summed up per layer.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lib.labels import IGNORE, changed_share, check_lookup, label_map, relabelled
from lib.report import table
from lib.run_net import segrun
from lib.shot_store import load_shot, save_shot, shot_path

BLOBS = ("data", "score_pool3", "score_pool4", "score_fr", "score")
LABEL = "label"


@dataclass
class Differences:
    """What changed in a shot of T frames. Every array has T - 1 entries; entry t is the change from
    frame t to frame t + 1.

    argmax    {score blob or 'label': share of pixels, 0..1, whose class changed}
    relative  {blob: relative change of its values, 0..2, see relative_change}
    """

    name: str
    argmax: dict
    relative: dict


class _Seen(NamedTuple):
    values: dict  # {blob: C x H x W}
    classes: dict  # {score blob: H x W uint8}
    label: np.ndarray


def frame_differences(net, clip, blobs=BLOBS, relabel=None):
    """Run the net on every frame of a clip and measure what changed between consecutive frames.

    clip     sequence of (in_, label or None), as for lib.evaluate.evaluate
    blobs    blobs to look at, 1 x C x H x W; all but 'data' are scores, whose class is the argmax
    relabel  256 uint8: classes that it maps to the same one count as one (labels are not mapped)

    Returns Differences. Raises ValueError for blobs the net lacks, a clip of fewer than 2 frames,
    and frames or labels of different sizes.
    """
    check_lookup(relabel)
    name = getattr(clip, "name", "a clip without a name")
    if missing := [blob for blob in blobs if blob not in net.blobs]:
        raise ValueError(
            f"the net has no blob {missing[0]!r}, its blobs are {', '.join(net.blobs)}: give blobs"
        )
    if len(clip) < 2:
        raise ValueError(f"{name}: no two frames to compare, got {len(clip)}: take a longer clip")
    scores = [blob for blob in blobs if blob != "data"]
    argmax, relative = {layer: [] for layer in (*scores, LABEL)}, {blob: [] for blob in blobs}
    before = None
    for t, (in_, label) in enumerate(clip):
        segrun(net, in_)
        values = {blob: net.blobs[blob].data[0].copy() for blob in blobs}
        classes = {blob: relabelled(label_map(values[blob]), relabel) for blob in scores}
        now = _Seen(values, classes, label)
        if before:
            _check_sizes(f"{name}, frame {t} (the first is 0)", now, before)
            for blob in blobs:
                relative[blob].append(relative_change(values[blob], before.values[blob]))
            for blob in scores:
                argmax[blob].append(changed_share(classes[blob], before.classes[blob]))
            argmax[LABEL].append(label_change(label, before.label))
        before = now
    return Differences(name, _arrays(argmax), _arrays(relative))


def relative_change(now, before):
    """Mean over all values of |now - before| / ((|now| + |before|) / 2).

    0 is the same, 2 the most, for values that change their sign; 0 where both are 0. The measure
    of the published figures.
    """
    size = (np.abs(now) + np.abs(before)) / 2
    change = np.divide(np.abs(now - before), size, out=np.zeros_like(size), where=size > 0)
    return float(change.mean(dtype=np.float64))


def label_change(now, before):
    """The share of pixels whose class differs in two ground truths, H x W (or 1 x H x W) uint8.

    Pixels ignored in either (255) do not count; nan where none is left or a label is None.
    """
    if now is None or before is None:
        return float("nan")
    known = (now != IGNORE) & (before != IGNORE)
    return float(np.mean(now[known] != before[known])) if known.any() else float("nan")


def _check_sizes(where, now, before):
    pairs = [(now.values[blob], before.values[blob]) for blob in now.values]
    if now.label is not None and before.label is not None:
        pairs.append((now.label, before.label))
    for a, b in pairs:
        if a.shape != b.shape:
            raise ValueError(
                f"{where}: {a.shape} after {b.shape}, one size a clip: resize its "
                "frames and labels alike"
            )


def _arrays(lists):
    return {layer: np.array(shares) for layer, shares in lists.items()}


def collect(net, clips, store, key, blobs=BLOBS, relabel=None, silent=False):
    """frame_differences of every clip, each kept in the folder `store` as soon as it is finished.

    What the folder holds already is not run again, so that an interruption loses at most the shot
    under way. Shots that were made with another key, other blobs or classes, of another length or
    with another first frame are run again, as are damaged files; a line says how many.

    clips   as for lib.evaluate.evaluate, each with a `name` of its own, which names its file
    key     str that tells what the shots depend on besides: the digest of the weights, the frames
            that were left out between two, ...
    silent  no progress bar

    Returns a list of Differences. Raises ValueError for clips without names of their own, an empty
    key, and what frame_differences raises.
    """
    names = [getattr(clip, "name", None) for clip in clips]
    if None in names or len(set(names)) < len(names):
        raise ValueError(f"each clip needs a name of its own, to keep its shot under: got {names}")
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
    found = [
        _unpack(name, arrays) if arrays else None
        for name, (arrays, _) in zip(names, loaded, strict=True)
    ]
    with tqdm(
        total=len(found),
        initial=len(found) - found.count(None),
        desc="differences",
        unit="shot",
        disable=silent,
    ) as bar:
        for i, clip in enumerate(clips):
            if found[i] is None:
                found[i] = frame_differences(net, clip, blobs, relabel)
                save_shot(paths[i], digests[i], _pack(found[i]))
                bar.update()
    return found


class LayerSummary(NamedTuple):
    """Mean and standard deviation over the frame pairs of all shots, nan where none was measured.

    Shares 0..1 of pixels whose class changed, and relative changes 0..2 of values. `pairs` counts
    the frame pairs; of the labels, those where both frames have one.
    """

    layer: str
    argmax_mean: float
    argmax_std: float
    relative_mean: float
    relative_std: float
    pairs: int


def summary(collected):
    """A LayerSummary for each layer of a list of Differences. Raises ValueError if it is empty."""
    if not collected:
        raise ValueError("no differences to sum up: collect at least one shot")
    return [
        _layer_summary(layer, collected)
        for layer in dict.fromkeys([*collected[0].relative, *collected[0].argmax])
    ]


def summary_table(rows, form="text"):
    """What `summary` returns as a table, in the forms of lib.report: text, markdown, html."""
    columns = ("layer", "argmax changed %", "std %", "relative change", "std", "frame pairs")
    return table(
        columns,
        [
            [
                row.layer,
                _number(100 * row.argmax_mean, 2),
                _number(100 * row.argmax_std, 2),
                _number(row.relative_mean, 3),
                _number(row.relative_std, 3),
                str(row.pairs),
            ]
            for row in rows
        ],
        form,
    )


def summary_rows(rows):
    """What `summary` returns as flat dicts, for JSON: without what was not measured."""
    return [
        {"layer": row.layer, "frame pairs": row.pairs}
        | {
            name: value
            for name, value in (
                ("argmax changed %", 100 * row.argmax_mean),
                ("relative change", row.relative_mean),
            )
            if not np.isnan(value)
        }
        for row in rows
    ]


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
    made_of = [key, *blobs], None if relabel is None else np.asarray(relabel).tolist(), len(clip)
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for in_, _ in clip[:1]:
        digest.update(np.ascontiguousarray(in_))
    return digest.hexdigest()


def _pack(shot):
    """A shot as {'kind layer': array}, in order."""
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
