"""README shows the results that are committed."""

import json

import pytest

from benchmarks import readme
from benchmarks.compare import RESULTS
from benchmarks.tables import markdown

RESULT = json.loads((RESULTS / "bench.json").read_text())


def test_readme_has_the_table_of_the_results(root):
    text = (root / "README.md").read_text()
    assert readme.with_block(text, RESULT) == text, "run: python -m benchmarks.readme"


def test_the_page_is_that_of_the_results():
    assert (RESULTS / "bench.md").read_text() == markdown(RESULT)
    assert (RESULTS / "bench.png").exists()


def test_the_results_name_machine_and_date():
    assert RESULT["machine"]["processor"] in readme.block(RESULT)
    assert RESULT["machine"]["date"] in readme.block(RESULT)


def test_a_readme_without_a_place():
    with pytest.raises(ValueError, match="no place for the table"):
        readme.with_block("# Clockwork", RESULT)
    text = f"a\n{readme.BEGIN}\nold\n{readme.END}\nb\n"
    new = readme.with_block(text, RESULT)
    assert new.startswith(f"a\n{readme.BEGIN}\n") and new.endswith(f"{readme.END}\nb\n")
    assert "old" not in new and "Clockwork" in new
