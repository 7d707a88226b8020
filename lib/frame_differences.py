"""How much each layer of a net changes from one frame to the next (arXiv 1608.03609, section 4).

Pixels and shallow scores change on every frame, deep scores and the semantics they stand for far
less: this is what lets a clock run the deep stage less often.
"""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.relabel import check_lookup, relabelled
from lib.run_net import changed_share, label_map, segrun
from lib.score_util import IGNORE

BLOBS = ('data', 'score_pool3', 'score_pool4', 'score_fr', 'score')
LABEL = 'label'


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
    values: dict   # {blob: C x H x W}
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
    name = getattr(clip, 'name', 'a clip without a name')
    if missing := [blob for blob in blobs if blob not in net.blobs]:
        raise ValueError(f'the net has no blob {missing[0]!r}, its blobs are '
                         f'{", ".join(net.blobs)}: give blobs')
    if len(clip) < 2:
        raise ValueError(f'{name}: no two frames to compare, got {len(clip)}: take a longer clip')
    scores = [blob for blob in blobs if blob != 'data']
    argmax, relative = {layer: [] for layer in (*scores, LABEL)}, {blob: [] for blob in blobs}
    before = None
    for t, (in_, label) in enumerate(clip):
        segrun(net, in_)
        values = {blob: net.blobs[blob].data[0].copy() for blob in blobs}
        classes = {blob: relabelled(label_map(values[blob]), relabel) for blob in scores}
        now = _Seen(values, classes, label)
        if before:
            _check_sizes(f'{name}, frame {t} (the first is 0)', now, before)
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
        return float('nan')
    known = (now != IGNORE) & (before != IGNORE)
    return float(np.mean(now[known] != before[known])) if known.any() else float('nan')


def _check_sizes(where, now, before):
    pairs = [(now.values[blob], before.values[blob]) for blob in now.values]
    if now.label is not None and before.label is not None:
        pairs.append((now.label, before.label))
    for a, b in pairs:
        if a.shape != b.shape:
            raise ValueError(f'{where}: {a.shape} after {b.shape}, one size a clip: resize its '
                             'frames and labels alike')


def _arrays(lists):
    return {layer: np.array(shares) for layer, shares in lists.items()}
