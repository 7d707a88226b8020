"""Tables, of evaluation results or anything else, as text, Markdown or HTML."""

from html import escape

import numpy as np

from lib.compare import agreement

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


def results_table(results, form="text", stage="deep", oracle=None, region_title=None):
    """A table with a row for each Result of lib.evaluate; '-' where there is nothing to tell.

    form          'text', 'markdown' or 'html'
    stage         the stage whose share of frames stands under 'fired %'
    oracle        a Result of the same clips: adds the column 'agreement mIU %', the mean IU against
                  its label maps in place of labels (all evaluated with keep=True)
    region_title  adds a column, e.g. 'boundary mIU %', for the mean IU of Result.region_scores

    Raises ValueError for an unknown form, and what lib.agreement.agreement raises.
    """
    more = {}
    if region_title:
        more[region_title] = [result.region_scores for result in results]
    if oracle:
        more[AGREEMENT] = [agreement(result, oracle, result.scores.n_classes) for result in results]
    rows = [
        _row(result, stage) + [_mean_iu(scores[i]) for scores in more.values()]
        for i, result in enumerate(results)
    ]
    return table([*COLUMNS, *more], rows, form)


def region_table(series, form="text", lost=False):
    """A table of mean IU on 'all pixels / in the region', a row a schedule, a column a setting.

    series  {title of a setting: list of Results with region_scores}, the same schedules in each
    lost    show what each loses against the first schedule instead, in percentage points
    """
    first, *others = next(iter(series.values()))
    columns = [
        [_both(result, results[0] if lost else None) for result in results[lost:]]
        for results in series.values()
    ]
    names = [result.name for result in (others if lost else [first, *others])]
    return table(
        ["schedule", *series], [list(row) for row in zip(names, *columns, strict=True)], form
    )


def _both(result, oracle):
    """'all pixels / region' of mean IU, or of what it lacks to that of `oracle`."""
    shares = np.array(
        [scores.summary().mean_iu for scores in (result.scores, result.region_scores)]
    )
    if not oracle:
        return " / ".join(map(_percent, shares))
    best = [scores.summary().mean_iu for scores in (oracle.scores, oracle.region_scores)]
    return " / ".join(f"{100 * share:.1f}" for share in best - shares)


def table(columns, rows, form="text"):
    """A table of str cells, the first column flush left, the others right.

    Raises ValueError where `form` is none of 'text', 'markdown' and 'html'.
    """
    if form not in FORMS:
        raise ValueError(f"no table form {form!r}: choose one of {', '.join(FORMS)}")
    return FORMS[form](columns, rows)


def _row(result, stage):
    shares = [_percent(score) for score in result.scores.summary()[:4]]
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
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (columns, ["-" * w for w in widths], *rows)
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _markdown(columns, rows):
    rule = ["---", *["---:"] * (len(columns) - 1)]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (columns, rule, *cells))


def _html(columns, rows):
    def line(tag, cells):
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f"<table>\n<thead>{line('th', columns)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


FORMS = {"text": _text, "markdown": _markdown, "html": _html}
