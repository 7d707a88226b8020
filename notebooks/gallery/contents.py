"""Write notebooks/README.md: python -m notebooks.gallery.contents [--repository OWNER/NAME].

Each notebook gets a row with a thumbnail, its title, a description, and a link to nbviewer, which
renders notebooks from any public GitHub repository. Without --repository the links go to the remote
`origin` if it is on GitHub.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from lib.atomic import write_atomically
from notebooks.gallery.thumbnail import ThumbnailError, picture_of, png, scaled
from notebooks.results import FOLDER, ROOT

REPOSITORY = "clockwork-convnets/clockwork"  # for the links, if nothing else is known

# Every notebook with its description, under the headings of the page.
SECTIONS = {
    "Your own": {
        "new-movie": "A movie of your own: labels in three lines, what a clock measures on it, and "
        "what a budget costs."
    },
    "Experiments": {
        "cityscapes-clockwork-exp": "Clocks on street video: what each saves and loses.",
        "youtube-differences": "How much pixels, layers and labels change between frames.",
        "youtube-clockwork-exp": "Fixed-rate and adaptive clocks on shots of one object.",
        "youtube-pipeline-exp": "Pipelines of two and three stages: outputs that do not wait for "
        "the deep stage.",
        "pascal-translate-exp": "Pipelines and truncated nets on translated still images, also "
        "scored near boundaries.",
        "nyud-clockwork-exp": "Clocks on indoor video, with rates chosen on unlabelled video.",
        "camvid-clockwork-exp": "Real video with a label on every frame: how fast outputs and "
        "features become stale.",
    },
    "Datasets": {
        "data-youtube": "Shots and masks, motion, clock periods, and the scores of a net.",
        "data-nyud": "40 classes, the raw video around each labelled image, and the scores of a "
        "net.",
        "data-cityscapes": "19 classes, boundaries, the frames before each label, and the scores "
        "of a net.",
    },
}

HEAD = """# Notebooks

`make run` executes the notebooks that need no download, `make lab` opens them. Each notebook states
at the top which data and weights produced its outputs, and has a parameters cell for other data and
nets. [real-video.md](real-video.md) has the results of three notebooks on real video.

The links open on [nbviewer](https://nbviewer.org) once the repository is public; `make contents
REPOSITORY=OWNER/NAME` rewrites them for a repository of another name."""

FOOT = """## Files

| file | contents |
|---|---|
| `run.py`, `runner/` | `python -m notebooks.run [NAME ...]` executes notebooks, several at once |
| `results.py` | `write_results` and `write_figures` put a notebook's figures into `results/` |
| `gallery/contents.py`, `gallery/thumbnail.py` | `make contents`: this page, the thumbnails |
| `gallery/check.py` | `python -m notebooks.gallery.check`: notebooks are executed and small |
| `davis.json` | parameters for three notebooks on DAVIS, see [real-video.md](real-video.md) |

Notebooks import `caffe`, `datasets`, `lib`, `nets.weights` and `notebooks.results`, and plots only
from `lib.plot_util`.

## Add a notebook

1. Start with a heading and a paragraph that states in bold which data and weights **the outputs**
   come from. Add a `## Parameters` section whose cell is tagged `parameters`, tag the cell of the
   most telling picture `thumbnail`, write the figures with `write_results` or `write_figures`, and
   end with a comparison to the published figures.
2. Keep cells short: a median of at most 5 lines, none above 12 lines except imports.
3. Add the notebook to `NOTEBOOKS` in `run.py`, its description to `SECTIONS` in
   `gallery/contents.py`, and parameters for a short run to `SMALL` in
   `tests/notebooks/test_experiments.py`.
4. Execute it with `python -m notebooks.run NAME`, copy `results/NAME.ipynb` here, and run `make
   contents`."""


def find_repository(root: Path = ROOT) -> str:
    """Return OWNER/NAME of a clone's remote `origin` if it is on GitHub, otherwise REPOSITORY."""
    try:
        shown = subprocess.run(
            ["git", "remote", "get-url", "origin"], cwd=root, text=True, capture_output=True
        )
    except OSError:  # git is not installed
        return REPOSITORY
    return github_name(shown.stdout.strip()) or REPOSITORY


def github_name(address: str) -> str | None:
    """Return OWNER/NAME from a GitHub address (https or ssh), None for any other address."""
    found = re.search(r"(?:^|[/@])github\.com(?::\d+)?[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", address)
    return found[1] if found else None


def link(name: str, repository: str) -> str:
    """Return the nbviewer address of the notebook `name`."""
    return f"https://nbviewer.org/github/{repository}/blob/main/notebooks/{name}.ipynb"


def title_of(notebook: nbformat.NotebookNode) -> str:
    """Return the text of the first heading of a notebook, "" if it has none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if found := re.search(r"^#+ +(.+?) *$", cell.source, re.MULTILINE):
                return found[1]
    return ""


def page(notebooks: Mapping[str, nbformat.NotebookNode], repository: str) -> str:
    """Return the text of README.md.

    Parameters
    ----------
    notebooks : mapping
        Name -> notebook. Names that are not in `SECTIONS` are left out.
    repository : str
        OWNER/NAME for the links.

    Returns
    -------
    str
        Markdown.
    """
    parts = [HEAD]
    for heading, descriptions in SECTIONS.items():
        rows = [
            _row(name, title_of(notebooks[name]) or name, description, link(name, repository))
            for name, description in descriptions.items()
            if name in notebooks
        ]
        parts.append("\n".join([f"## {heading}", "", "| | |", "|---|---|", *rows]))
    return "\n\n".join([*parts, FOOT]) + "\n"


def _row(name, title, description, address):
    """Return one table row of the page."""
    title = title.replace("|", r"\|")
    return (
        f'| [<img src="thumbnails/{name}.png" width="240" alt="{name}">]({address}) '
        f"| [**{title}**]({address})<br>{description} |"
    )


def read_notebooks(folder: Path = FOLDER) -> dict[str, nbformat.NotebookNode]:
    """Return all notebooks in `folder` by name."""
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}


def write_thumbnails(notebooks: Mapping[str, nbformat.NotebookNode], folder: Path) -> list[str]:
    """Write `folder`/NAME.png for each notebook; return the problems of those that have none."""
    folder.mkdir(exist_ok=True)
    problems = []
    for name, notebook in notebooks.items():
        try:
            write_atomically(folder / f"{name}.png", png(scaled(picture_of(notebook, name))))
        except ThumbnailError as error:
            problems.append(str(error))
    return problems


def _owner_and_name(text):
    """Return `text` if it has the form OWNER/NAME; ArgumentTypeError otherwise."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form OWNER/NAME")
    return text


def main(argv: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Run the command line; return the exit status, 1 if a notebook cannot be listed."""
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.gallery.contents", description=__doc__
    )
    parser.add_argument("--repository", type=_owner_and_name, metavar="OWNER/NAME")
    args = parser.parse_args(argv)
    notebooks = read_notebooks(folder)
    listed = {name for descriptions in SECTIONS.values() for name in descriptions}
    problems = [
        f"{name}: add a description to SECTIONS in notebooks/gallery/contents.py"
        for name in notebooks
        if name not in listed
    ]
    problems += write_thumbnails(notebooks, folder / "thumbnails")
    text = page(notebooks, args.repository or find_repository())
    write_atomically(folder / "README.md", text)
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
