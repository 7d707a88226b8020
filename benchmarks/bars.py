"""The bars: ratios that the engine is held to, computed from the results of one run.

A ratio is of medians. Where something was not measured (an engine failed, the quick form left it
out), the bar is not judged.
"""

from collections.abc import Mapping
from statistics import median
from typing import Any, NamedTuple

OURS = "clockwork"
PEERS = ("onnxruntime", "openvino", "opencv", "ncnn", "mnn", "eager", "compiled")  # in float32
ERROR = 2e-5  # of the largest score, for float32
GIGABYTE = 1e9


class Bar(NamedTuple):
    """A measured value beside what it must be."""

    what: str
    value: float | None  # None: not measured
    bound: float
    at_least: bool  # else at most

    @property
    def met(self) -> bool | None:
        """True or False, or None if it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def rows_by_engine(result: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the rows of a result of `benchmarks.measure` that have times, by engine."""
    rows = result["rows"] if result else ()
    return {row["engine"]: row for row in rows if "failed" not in row}


def seconds(result: Mapping[str, Any] | None, engine: str, call: str = "frame") -> float | None:
    """Return the median seconds of a call, None if it was not measured."""
    times = rows_by_engine(result).get(engine, {}).get("seconds", {}).get(call)
    return median(times) if times else None


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Return a quotient, None if one of its parts is."""
    return None if numerator is None or not denominator else numerator / denominator


def best_peer(result: Mapping[str, Any] | None) -> tuple[str | None, float | None]:
    """Return the fastest of the peers in float32 within the error bar, and its seconds."""
    rows = rows_by_engine(result)
    good = [name for name in PEERS if name in rows and rows[name]["error"] <= ERROR]
    if not good:
        return None, None
    name = min(good, key=lambda name: seconds(result, name) or float("inf"))
    return rows[name]["title"], seconds(result, name)


def bars(results: Mapping[str, Any]) -> list[Bar]:
    """Return all bars, from the results of `benchmarks.compare`.

    Parameters
    ----------
    results : mapping
        As written to bench.json; entries may be missing.

    Returns
    -------
    list of Bar
    """
    return [
        *_full(results.get("full")),
        *_light(results.get("light")),
        *_changed(results.get("changed")),
        *_memory(results.get("memory", {})),
        *_around(results.get("loop"), results.get("solver")),
    ]


def _full(full):
    frame = seconds(full, OURS)
    for engine, title, bound in (
        ("eager", "PyTorch eager", 3.3),
        ("onnxruntime", "ONNX Runtime", 2),
        ("openvino", "OpenVINO", 2),
        ("ncnn", "ncnn, whole net", 1.25),
    ):
        yield Bar(f"float32, times {title}", ratio(seconds(full, engine), frame), bound, True)
    error = rows_by_engine(full).get(OURS, {}).get("error")
    yield Bar("float32, error as a share of the largest score", error, ERROR, False)
    low = [seconds(full, "clockwork_bfloat16"), frame]  # float32 may be the faster one
    fastest = min((s for s in low if s), default=None)
    peer = seconds(full, "openvino_bfloat16")
    yield Bar("bfloat16 allowed, times OpenVINO bfloat16", ratio(peer, fastest), 1, True)
    in_turn = ratio(seconds(full, OURS, "in turn"), frame)
    yield Bar("stages in turn, share of a full frame", in_turn, 1.03, False)
    clock = ratio(seconds(full, OURS, "clockwork"), frame)
    yield Bar("shallow, middle and fuse, share of a full frame", clock, 0.7, False)


def _light(light):
    title, best = best_peer(light)
    named = f"the best peer ({title})" if title else "the best peer"
    value = ratio(best, seconds(light, OURS))
    yield Bar(f"light net, float32, times {named}", value, 1.3, True)


def _changed(changed):
    """Return those of a static camera, by the share of changed pixels."""
    by_share = {point["share"]: point for point in changed["points"]} if changed else {}
    small, all_ = by_share.get(0.05, {}), by_share.get(1.0, {})
    yield Bar("5 % of the pixels changed, times a full frame", small.get("speedup"), 2.5, True)
    deep = small.get("speedup_without_deep")
    yield Bar("the same without the deep stage, times a full frame", deep, 8, True)
    bound = small.get("time_over_bound")
    yield Bar("5 % changed, time as a share of the counted bound", bound, 1.25, False)
    yield Bar("everything changed, times a full frame", all_.get("speedup"), 0.95, True)


def _memory(memory):
    for size, bound in (("500 x 500", 1.0), ("1024 x 2048", 4.0)):
        peak = memory.get(size, {}).get("peak")
        yield Bar(f"GB of one frame, {size}", ratio(peak, GIGABYTE), bound, False)


def _around(loop, solver):
    share = loop["around"] if loop else None
    yield Bar("light net, the loop around the net, share of its forward", share, 0.05, False)
    for row in solver["rows"] if solver else ():
        yield Bar(f"solver step, {row['net']}, times as long as before", row["ratio"], 1.0, False)
