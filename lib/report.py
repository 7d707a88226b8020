"""Tables of evaluation results, or of anything else, as text, Markdown or HTML."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from lib.compare import agreement
from lib.evaluate import Result

COLUMNS = (
    "schedule",
    "acc %",
    "cl acc %",
    "mean IU %",
    "fw IU %",
    "fired %",
    "GMAC/frame",
    "ms/frame",
    "latency ms",
    "labelled frames",
)
AGREEMENT = "agreement mIU %"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], form: str = "text") -> str:
    """Format a table; the first column is flush left, the others flush right.

    Parameters
    ----------
    columns : sequence of str
        The heads.
    rows : iterable of sequences of str
        The cells, as many per row as there are columns.
    form : {'text', 'markdown', 'html'}

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `form` is unknown.
    """
    if form not in FORMS:
        raise ValueError(f"no table form {form!r}: choose one of {', '.join(FORMS)}")
    return FORMS[form](columns, list(rows))


def results_table(
    results: Sequence[Result],
    form: str = "text",
    stage: str = "deep",
    oracle: Result | None = None,
    region_title: str | None = None,
) -> str:
    """Format a table with a row per Result; '-' stands for scores of nothing.

    Parameters
    ----------
    results : sequence of Result
    form : {'text', 'markdown', 'html'}
    stage : str
        Name of the stage whose share of frames is given as 'fired %'.
    oracle : Result, optional
        Of the same clips: adds the column 'agreement mIU %', the mean IU against its label maps
        instead of labels (all evaluated with ``keep=True``).
    region_title : str, optional
        Adds a column with this title, e.g. 'boundary mIU %', for the mean IU of
        `Result.region_scores`.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `form` is unknown, or lib.compare.agreement raises it.
    """
    extra = {}
    if region_title:
        extra[region_title] = [result.region_scores for result in results]
    if oracle:
        extra[AGREEMENT] = [agreement(r, oracle, r.scores.n_classes) for r in results]
    rows = [
        _row(result, stage) + [_mean_iu(scores[i]) for scores in extra.values()]
        for i, result in enumerate(results)
    ]
    return table([*COLUMNS, *extra], rows, form)


def region_table(
    series: Mapping[str, Sequence[Result]], form: str = "text", lost: bool = False
) -> str:
    """Format a table of mean IU on 'all pixels / in the region': rows schedules, columns settings.

    Parameters
    ----------
    series : mapping of str to sequence of Result
        {title of a setting: Results with region_scores}, the same schedules in each.
    form : {'text', 'markdown', 'html'}
    lost : bool
        Show what each schedule loses against the first one, in percentage points, instead.

    Returns
    -------
    str
    """
    first = 1 if lost else 0
    names = [result.name for result in next(iter(series.values()))[first:]]
    columns = [
        [_both(result, results[0] if lost else None) for result in results[first:]]
        for results in series.values()
    ]
    rows = [list(row) for row in zip(names, *columns, strict=True)]
    return table(["schedule", *series], rows, form)


def _both(result, oracle):
    """Return 'all pixels / region' of mean IU, or of what it loses against that of `oracle`."""
    shares = _both_mean_iu(result)
    if not oracle:
        return " / ".join(map(_percent, shares))
    return " / ".join(f"{100 * loss:.1f}" for loss in _both_mean_iu(oracle) - shares)


def _both_mean_iu(result):
    return np.array([scores.summary().mean_iu for scores in (result.scores, result.region_scores)])


def _row(result, stage):
    shares = [_percent(score) for score in result.scores.summary()]
    fired = f"{100 * result.fired[stage]:.1f}" if stage in result.fired else "-"
    return [
        result.name,
        *shares,
        fired,
        f"{result.macs_per_frame / 1e9:.4g}",
        f"{result.ms_per_frame:.1f}",
        f"{result.latency_ms:.1f}",
        str(result.n_labelled),
    ]


def _mean_iu(scores):
    return _percent(scores.summary().mean_iu) if scores else "-"


def _percent(score):
    return "-" if np.isnan(score) else f"{100 * score:.2f}"


def _text(columns, rows):
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [
        [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (columns, ["-" * width for width in widths], *rows)
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _markdown(columns, rows):
    rule = ["---", *["---:"] * (len(columns) - 1)]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (columns, rule, *cells))


def _html(columns, rows):
    def line(tag, cells):
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f"<table>\n<thead>{line('th', columns)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


FORMS = {"text": _text, "markdown": _markdown, "html": _html}
