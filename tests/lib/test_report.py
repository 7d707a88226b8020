from html.parser import HTMLParser

import numpy as np
import pytest

from lib.evaluate import Result
from lib.report import COLUMNS, region_table, results_table, table
from lib.score_util import Scores


def result(name, hist, fired):
    scores = Scores(2)
    scores.hist += np.array(hist)
    return Result(name, scores, fired, 181e9, 12.345, 6.5, 20, 7)


@pytest.fixture
def results():
    return [
        result("oracle", [[9, 1], [0, 10]], {"deep": 1}),
        result("a|b <c>", [[1, 0], [0, 0]], {"other": 1}),
    ]


ORACLE = ["oracle", "95.00", "95.00", "90.45", "90.45", "100.0", "181", "12.3", "6.5", "7"]


def test_text_columns_line_up(results):
    lines = results_table(results).splitlines()
    assert lines[2].split() == ORACLE
    assert len(set(map(len, lines))) == 1
    assert " - " in lines[3]  # no deep stage


def test_markdown(results):
    head, rule, oracle, odd = results_table(results, "markdown").splitlines()
    assert oracle.strip("| ").split(" | ") == ORACLE
    assert r"a\|b" in odd
    assert rule.count("---") == len(COLUMNS)


def test_html_is_escaped(results):
    cells = []
    parser = HTMLParser()
    parser.handle_data = lambda data: cells.append(data.strip())
    parser.feed(results_table(results, "html"))
    cells = [cell for cell in cells if cell]
    assert cells[: len(COLUMNS)] == list(COLUMNS)
    assert cells[len(COLUMNS) : 2 * len(COLUMNS)] == ORACLE
    assert "a|b <c>" in cells


def test_agreement_and_region_are_columns_at_the_end(results):
    for result, value in zip(results, (0, 1), strict=True):
        result.labels, result.clips = [[np.full((2, 2), value, np.uint8)]], ["a"]
    results[1].region_scores = results[0].scores
    head, _, *rows = results_table(
        results, "markdown", oracle=results[0], region_title="boundary mIU %"
    ).splitlines()
    assert head.endswith("labelled frames | boundary mIU % | agreement mIU % |")
    assert [row.split(" | ")[-2:] for row in rows] == [["-", "100.00 |"], ["90.45", "0.00 |"]]


def test_schedules_on_video_without_labels_have_no_scores(results):
    row = results_table([result("x", [[0, 0], [0, 0]], {})]).splitlines()[-1]
    assert row.split()[:6] == ["x", "-", "-", "-", "-", "-"]


def test_unknown_form(results):
    with pytest.raises(ValueError, match="text, markdown, html"):
        results_table(results, "latex")


def test_settings_side_by_side_all_pixels_and_region(results):
    for result in results:
        result.region_scores = results[1].scores
    head, _, oracle, odd = region_table(
        {"shift 16": results, "shift 32": results[::-1]}, "markdown"
    ).splitlines()
    assert head == "| schedule | shift 16 | shift 32 |"
    assert oracle == "| oracle | 90.45 / 100.00 | 100.00 / 100.00 |"
    _, _, odd = region_table({"shift 16": results}, "markdown", lost=True).splitlines()
    assert odd == "| a\\|b <c> | -9.5 / 0.0 |"


@pytest.mark.parametrize(
    "columns, rows, fix",
    [
        ("schedule", [["a"]], "columns are 'schedule', one text: give a list of names"),
        (["a", 1], [], "columns are .*: give a list of names"),
        (["a", "b"], ["xy"], r"row 0 \(the first is 0\) is 'xy', for 2 columns"),
        (["a", "b"], [["x", "y"], ["x"]], r"row 1 .* is \['x'\], for 2 columns"),
        (["a", "b"], [["x", 2.5]], "the cells of row 0 are .*2.5"),
    ],
)
def test_tables_that_are_none(columns, rows, fix):
    with pytest.raises(ValueError, match=fix):
        table(columns, rows)


def test_one_result_is_a_row_and_names_are_none(results):
    assert results_table(results[0]) == results_table(results[:1])
    assert len(results_table(results[0]).splitlines()) == 3
    for wrong in ("oracle", {"a": results[0]}, 7):
        with pytest.raises(ValueError, match="give a list of Results of lib.evaluate"):
            results_table(wrong)


def test_the_share_of_a_net_that_is_run_whole(results):
    results[0].fired = {"whole": 0.5}
    cells = results_table(results[0], "markdown").splitlines()[-1].strip("| ").split(" | ")
    assert cells[COLUMNS.index("fired %")] == "-"
    cells = results_table(results[0], "markdown", "whole").splitlines()[-1].split(" | ")
    assert cells[COLUMNS.index("fired %")] == "50.0"


def test_settings_that_cannot_stand_side_by_side(results):
    with pytest.raises(ValueError, match="a: oracle was not scored in a region: evaluate"):
        region_table({"a": results})
    for result in results:
        result.region_scores = results[1].scores
    with pytest.raises(ValueError, match="b: 1 Results, the first setting has 2: run the same"):
        region_table({"a": results, "b": results[0]})
    for wrong in ({}, results, None):
        with pytest.raises(ValueError, match="give {title of a setting: Results}"):
            region_table(wrong)
