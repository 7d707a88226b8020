"""The examples of README.md run as they stand and print what stands below them."""

import contextlib
import io
import re


def test_examples_print_what_readme_says(root):
    blocks = re.findall(r"```(python)?\n(.*?)```", (root / "README.md").read_text(), re.S)
    code = "\n".join(text for language, text in blocks if language)
    expected = [text for language, text in blocks if not language]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert len(expected) == 1
    # the last digit of a percentage may differ with the CPU's arithmetic
    assert words(printed.getvalue()) == words(expected[0])
    for mine, said in zip(numbers(printed.getvalue()), numbers(expected[0]), strict=True):
        assert abs(mine - said) <= 0.1001


def words(text):
    """The lines of `text` with every number replaced by #."""
    return re.sub(r"\d+(\.\d+)?", "#", text).strip().splitlines()


def numbers(text):
    """All numbers of `text` in order."""
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]
