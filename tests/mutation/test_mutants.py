"""The mutants of a few lines, and that each is code that runs and then is taken back."""

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.run import sample

SOURCE = '''
"""A docstring stays."""
import logging
LIMIT = 3

def f(a, b=2):
    """So does this one."""
    if a < LIMIT and not b:
        raise ValueError(f"a is {a + 1}, not 3")
    logging.info("a is %d", a)
    return [max(x, b) for x in range(a, key=1)][b:]
'''
WANTED = """
4: constant: 3 -> 4
6: constant: 2 -> 3
8: condition: a < LIMIT and (not b) -> True
8: condition: a < LIMIT and (not b) -> False
8: boolean: a < LIMIT and (not b) -> a < LIMIT or not b
8: comparison: a < LIMIT -> a <= LIMIT
8: boolean: not b -> b
9: statement left out: raise ValueError(f'a is {a + 1}, not 3') -> pass
11: return value: return [max(x, b) for x in range(a, key=1)][b:] -> return None
11: name: max(x, b) -> min(x, b)
11: argument left out: range(a, key=1) -> range(a)
11: constant: 1 -> 2
11: off by one: b: -> b + 1:
"""


def test_all_mutants_of_a_few_lines():
    found = [str(mutant).removeprefix("x.py:") for mutant in mutants("x.py", SOURCE)]
    assert sorted(found) == sorted(WANTED.strip().split("\n"))


def test_each_changes_what_the_code_does_and_nothing_else():
    source = "def f(a):\n    b = a + 1\n    return b * 2\n"
    results = {}
    for mutant in mutants("x.py", source):
        space = {}
        exec(mutant.code("x.py"), space)
        results[f"{mutant.before} -> {mutant.after}"] = space["f"](3)
    assert results == {
        "a + 1 -> a - 1": 4,
        "1 -> 2": 10,
        "return b * 2 -> return None": None,
        "b * 2 -> b / 2": 2.0,
        "2 -> 3": 12,
    }


@pytest.mark.parametrize("count, per_file", [(0, (1, 5)), (2, (1, 1)), (4, (1, 3)), (99, (1, 5))])
def test_a_sample_takes_as_many_of_each_module_as_it_can(tmp_path, count, per_file):
    sources = ("A = 1\n", "def f(a):\n    b = a + 1\n    return b * 2\n")
    paths = [str(tmp_path / f"{k}.py") for k in range(2)]
    for path, source in zip(paths, sources):
        (tmp_path / path).write_text(source)
    chosen = sample(paths, count, seed=0)
    assert tuple(sum(m.path == path for m in chosen) for path in paths) == per_file
    assert [str(m) for m in chosen] == [str(m) for m in sample(paths, count, seed=0)]
