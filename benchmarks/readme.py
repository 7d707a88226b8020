"""The table of benchmarks/results in README.md: python -m benchmarks.readme writes it there.

It stands between two comments, which stay. A test holds that it is the table of bench.json.
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.compare import RESULTS
from benchmarks.peers.process import ROOT
from benchmarks.tables import engine_table, machine_line

BEGIN, END = "<!-- benchmarks: python -m benchmarks.readme -->", "<!-- end of benchmarks -->"
BETWEEN = re.compile(f"(?<={BEGIN}\n).*?(?={END})", re.S)


def block(results: dict[str, Any]) -> str:
    """Return the lines for README.md: the engines on FCN-8s, machine and date."""
    result = results["full"]
    lines = (
        f"{result['case']['title']}, on {machine_line(results['machine'])}",
        engine_table(result),
    )
    return "\n" + "\n\n".join(lines) + "\n\n"


def with_block(text: str, results: dict[str, Any]) -> str:
    """Return the text of README.md with the lines of these results.

    Raises
    ------
    ValueError
        If the text lacks the two comments.
    """
    if not BETWEEN.search(text):
        raise ValueError(
            f"README.md has no place for the table: give it the lines {BEGIN} and {END}"
        )
    return BETWEEN.sub(lambda _: block(results), text)


def main() -> None:
    """Write the table of the committed results into README.md."""
    path = Path(ROOT / "README.md")
    results = json.loads((RESULTS / "bench.json").read_text())
    path.write_text(with_block(path.read_text(), results))


if __name__ == "__main__":
    main()
