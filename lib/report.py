"""Tables of evaluation results, as text, Markdown or HTML."""
from html import escape

COLUMNS = ('schedule', 'acc %', 'cl acc %', 'mean IU %', 'fw IU %', 'fired %', 'GMAC/frame',
           'ms/frame', 'latency ms', 'labelled frames')


def results_table(results, form='text', stage='deep'):
    """A table with a row for each Result of lib.evaluate.

    form   'text', 'markdown' or 'html'
    stage  the stage whose share of frames stands under 'fired %'; '-' where a net has no such stage
    """
    if form not in FORMS:
        raise ValueError(f'no table form {form!r}: choose one of {", ".join(FORMS)}')
    return FORMS[form]([_row(result, stage) for result in results])


def _row(result, stage):
    shares = [f'{100 * score:.2f}' for score in result.scores.summary()[:4]]
    fired = f'{100 * result.fired[stage]:.1f}' if stage in result.fired else '-'
    return [result.name, *shares, fired, f'{result.macs_per_frame / 1e9:.4g}',
            f'{result.ms_per_frame:.1f}', f'{result.latency_ms:.1f}', str(result.n_labelled)]


def _text(rows):
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = [[cell.ljust(w) if i == 0 else cell.rjust(w)
              for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
             for row in (COLUMNS, ['-' * w for w in widths], *rows)]
    return '\n'.join('  '.join(line).rstrip() for line in lines)


def _markdown(rows):
    rule = ['---', *['---:'] * (len(COLUMNS) - 1)]
    cells = [[cell.replace('|', r'\|') for cell in row] for row in rows]
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in (COLUMNS, rule, *cells))


def _html(rows):
    def line(tag, cells):
        return '<tr>' + ''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells) + '</tr>'

    body = '\n'.join(line('td', row) for row in rows)
    return f'<table>\n<thead>{line("th", COLUMNS)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>'


FORMS = {'text': _text, 'markdown': _markdown, 'html': _html}
