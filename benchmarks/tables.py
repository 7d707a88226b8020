"""The results as Markdown: a table of engines for each case, growth, memory, and the bars."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import Any

from benchmarks.bars import Bar, bars, rows_by_engine, seconds

INSTRUCTION_NAMES = {"avx512f": "AVX-512", "avx2": "AVX2", "avx512_bf16": "AVX-512 BF16"}


def markdown(results: Mapping[str, Any]) -> str:
    """Return everything of a run, with the machine, as one page."""
    parts = ["# Benchmarks", machine_line(results["machine"])]
    for key in ("full", "light"):
        if key in results:
            result = results[key]
            parts += [f"## {result['case']['title']}", engine_table(result)]
            parts += [stage_table(result)] if stage_table(result) else []
            parts.append(f"Errors are against {result['against']}.")
    for key, title in (("size", "Frame size"), ("channels", "Width of the net")):
        if key in results:
            parts += [f"## {title}", growth_table(results[key])]
    if "changed" in results:
        parts += ["## Share of changed pixels", changed_table(results["changed"])]
    parts += ["## Bars", bar_table(bars(results))]
    return "\n\n".join(parts) + "\n"


def machine_line(machine: Mapping[str, Any]) -> str:
    """Return one sentence that names the machine, the versions and the date."""
    able = ", ".join(INSTRUCTION_NAMES.get(name, name) for name in machine["instructions"])
    return (
        f"{machine['processor']} ({able}), {machine['threads']} threads, "
        f"{machine['memory'] / 2**30:.0f} GiB, {machine['system']}, PyTorch {machine['torch']}, "
        f"{machine['date']}."
    )


def engine_table(result: Mapping[str, Any]) -> str:
    """Return the engines of a case, the fastest first.

    Spread is the distance between the quartiles as a share of the median. The rate is that of the
    multiply-adds that the net counts, as a share of the measured matrix rate of that precision: it
    can exceed 100 %, as Winograd needs fewer, and what no pixel reaches is computed once.
    """
    rows = rows_by_engine(result)
    eager, macs = seconds(result, "eager"), sum(result["multiply_adds"].values())
    rates = result["matrix_rates"]
    lines = []
    for row in sorted(rows.values(), key=lambda row: median(row["seconds"]["frame"])):
        times = row["seconds"]["frame"]
        middle = median(times)
        lines.append(
            (
                row["title"],
                milliseconds(middle),
                f"{spread(times):.0%}",
                f"{eager / middle:.2f}" if eager else "",
                f"{macs / middle / rates[row['precision']]:.0%}",
                f"{row['error']:.0e}",
                f"{row['resident'] / 1e9:.2f}",
            )
        )
    lines += [
        (row["title"], "failed", *[""] * 5) for row in result["rows"] if row["engine"] not in rows
    ]
    head = ("engine", "ms", "spread", "times eager", "matrix rate", "error", "GB")
    return table(head, lines)


def stage_table(result: Mapping[str, Any]) -> str:
    """Return our stages, as shares of a full frame, and of its multiply-adds; "" if not timed."""
    full = seconds(result, "clockwork")
    calls = rows_by_engine(result).get("clockwork", {}).get("seconds", {})
    if not full or len(calls) < 2:
        return ""
    macs = result["multiply_adds"]
    total = sum(macs.values())
    lines = [
        (
            call,
            milliseconds(median(times)),
            f"{median(times) / full:.0%}",
            f"{macs[call] / total:.0%}" if call in macs else "",
        )
        for call, times in calls.items()
        if call != "frame"
    ]
    return table(("Clockwork, stage", "ms", "share of a frame", "of the multiply-adds"), lines)


def growth_table(points: Sequence[Mapping[str, Any]]) -> str:
    """Return milliseconds of the engines, a line for each case."""
    names = {row["engine"]: row["title"] for point in points for row in point["rows"]}
    lines = []
    for point in points:
        times = [seconds(point, name) for name in names]
        macs = sum(point["multiply_adds"].values()) / 1e9
        cells = [milliseconds(s) if s else "" for s in times]
        lines.append((point["case"]["title"], f"{macs:.3g}", *cells))
    return table(("milliseconds", "10^9 multiply-adds", *names.values()), lines)


def changed_table(changed: Mapping[str, Any]) -> str:
    """Return what incremental frames cost, by the share of pixels that changed."""
    lines = [
        (
            f"{point['share']:.0%}",
            milliseconds(point["seconds"]),
            f"{point['speedup']:.2f}",
            milliseconds(point["seconds_without_deep"]),
            f"{point['speedup_without_deep']:.2f}",
            f"{point['reached']:.0%}",
        )
        for point in changed["points"]
    ]
    head = ("changed", "ms", "times a full frame", "ms without deep", "times a full frame")
    return table((*head, "multiply-adds reached"), lines)


def bar_table(all_bars: Iterable[Bar]) -> str:
    """Return the bars with the measured values beside them."""
    words = {True: "yes", False: "no", None: "not measured"}
    lines = [
        (
            bar.what,
            "" if bar.value is None else f"{bar.value:.3g}",
            f"{'at least' if bar.at_least else 'at most'} {bar.bound:g}",
            words[bar.met],
        )
        for bar in all_bars
    ]
    return table(("bar", "measured", "bound", "met"), lines)


def milliseconds(seconds: float) -> str:
    """Return seconds as milliseconds, with three digits or, above 100, without decimals."""
    return f"{1000 * seconds:.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"


def spread(times: Sequence[float]) -> float:
    """Return the distance between the quartiles as a share of the median, 0 for one value."""
    if len(times) < 2:
        return 0.0
    low, middle, high = quantiles(times, n=4, method="inclusive")
    return (high - low) / middle


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; columns after the first are right-aligned."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))
