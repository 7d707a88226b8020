"""Our engine on a static camera: frames of which only a square in the middle changes."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch

import caffe
from benchmarks.peers.engines import Engine
from lib.stages import FCN8S

SHARES = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)  # of the pixels
WITHOUT_DEEP = tuple(stage for stage in FCN8S if stage.name != "deep")
Window = tuple[tuple[int, int], tuple[int, int]]


def changing(folder: Path, threads: int) -> Engine:
    """Return calls "frame" (a full forward), "changed S" and "changed S without deep".

    S is a share of `SHARES`. The facts are the multiply-adds that such a change reaches, by call.
    A turn has to begin with two calls that are not timed: after a full forward all is computed
    once, and kernels for a window of a new size are chosen by a probe.
    """
    torch.set_num_threads(threads)
    caffe.set_kernels("auto")
    net = caffe.Net(folder / "net.prototxt", folder / "net.caffemodel", caffe.TEST)
    data = net.blobs["data"].data

    def feed(frame):
        data[0] = frame

    def feed_square(window, frame):
        (top, bottom), (left, right) = window
        data[0, :, top:bottom, left:right] = frame[:, top:bottom, left:right]

    def all_stages():
        return net.forward_incremental()["score"]

    def without_deep():
        for stage in WITHOUT_DEEP:
            net.forward_incremental(start=stage.start, end=stage.end)

    calls, feeds, facts = {"frame": lambda: net.forward()["score"]}, {}, {}
    for share in SHARES:
        window = square(share, *data.shape[2:])
        reached = net.multiply_adds(changed=window)
        for name, call, layers in (
            (f"changed {share:g}", all_stages, set(reached)),
            (f"changed {share:g} without deep", without_deep, _layers_without_deep(net)),
        ):
            calls[name], feeds[name] = call, partial(feed_square, window)
            facts[name] = sum(count for layer, count in reached.items() if layer in layers)
    return Engine(caffe.__version__, feed, calls, feeds, facts)


def square(share: float, height: int, width: int) -> Window:
    """Return a window of this share of the pixels in the middle of a frame, in its proportions."""
    spans = []
    for size in (height, width):
        side = round(size * math.sqrt(share))
        start = (size - side) // 2
        spans.append((start, start + side))
    return spans[0], spans[1]


def points(seconds: Mapping[str, float], reached: Mapping[str, int], total: int) -> list[dict]:
    """Return what incremental frames cost, for the tables.

    Parameters
    ----------
    seconds : mapping of str to float
        Median seconds by call, as `changing` names them.
    reached : mapping of str to int
        Its facts.
    total : int
        Multiply-adds of the net.

    Returns
    -------
    list of dict
        For each share: share, seconds, speedup (a full frame's time over this), the same without
        the deep stage, reached (share of all multiply-adds), and time_over_bound. The bound is the
        time of a full frame times the multiply-adds that the change reaches, as a share of those
        that a whole new frame reaches.
    """
    found = []
    full, whole = seconds["frame"], reached["changed 1"]
    for share in SHARES:
        name = f"changed {share:g}"
        took, shallow = seconds[name], seconds[f"{name} without deep"]
        bound = full * reached[name] / whole
        found.append(
            {
                "share": share,
                "seconds": took,
                "speedup": full / took,
                "seconds_without_deep": shallow,
                "speedup_without_deep": full / shallow,
                "reached": reached[name] / total,
                "bound": bound,
                "time_over_bound": took / bound if bound else None,
            }
        )
    return found


def _layers_without_deep(net: caffe.Net) -> set[str]:
    names = list(net.layer_dict)
    return {
        name
        for stage in WITHOUT_DEEP
        for name in names[names.index(stage.start) : names.index(stage.end) + 1]
    }
