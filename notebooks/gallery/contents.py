"""Writes notebooks/README.md: python -m notebooks.gallery.contents [--repository OWNER/NAME]

One row for each notebook: a thumbnail, its title, what it shows, and a link to nbviewer, which
shows notebooks of any public repository on GitHub. Without --repository the links go to the remote
`origin` where that is on GitHub.
"""

import argparse
import re
import subprocess
import sys

import nbformat

from notebooks.gallery.thumbnail import ThumbnailError, picture_of, png, scaled
from notebooks.results import ROOT, write_atomically

FOLDER = ROOT / "notebooks"
REPOSITORY = "clockwork-convnets/clockwork"  # for the links, where nothing says otherwise

# Every notebook and what it shows, under the headings of the page.
SECTIONS = {
    "Experiments": {
        "cityscapes-clockwork-exp": "Clocks on video of streets: what each saves and what it loses.",
        "youtube-differences": "How much pixels, layers and labels change from one frame to the next.",
        "youtube-clockwork-exp": "Oracle, baseline, alternating and adaptive clocks on video of one object a shot.",
        "youtube-pipeline-exp": "Pipelines of two and three stages: outputs that do not wait for the deep stage.",
        "pascal-translate-exp": "Windows moved over stills: pipelines beside truncated nets, scored at boundaries too.",
        "nyud-clockwork-exp": "Video of rooms: clocks whose rates are chosen on video without labels.",
        "camvid-clockwork-exp": "Real video with every frame labelled: how fast outputs and features grow stale.",
    },
    "Datasets": {
        "data-youtube": "Shots and masks, how fast the truth grows old, what a clock sees, a net's scores.",
        "data-nyud": "40 classes, the raw video behind each labelled image, a net's scores.",
        "data-cityscapes": "19 classes, their boundaries, the frames before a labelled one, a net's scores.",
    },
}

HEAD = """# Notebooks

`make run` executes those that need no download, `make lab` opens them. Each says in its first lines
which data and weights its outputs come from, and has a cell of parameters to set others.
[real-video.md](real-video.md) has the figures of three of them on filmed objects.

The links open on [nbviewer](https://nbviewer.org) once the repository is public; `make contents
REPOSITORY=OWNER/NAME` rewrites them for a repository of another name."""


def find_repository(root=ROOT):
    """OWNER/NAME of the remote `origin` of a clone if that is on GitHub, else REPOSITORY."""
    try:
        shown = subprocess.run(
            ["git", "remote", "get-url", "origin"], cwd=root, text=True, capture_output=True
        )
    except OSError:  # no git
        return REPOSITORY
    return github_name(shown.stdout.strip()) or REPOSITORY


def github_name(address):
    """OWNER/NAME of the address of a repository on GitHub (https or ssh), None of any other."""
    found = re.search(r"(?:^|[/@])github\.com(?::\d+)?[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", address)
    return found and found[1]


def link(name, repository):
    """Where nbviewer shows the notebook `name`."""
    return f"https://nbviewer.org/github/{repository}/blob/main/notebooks/{name}.ipynb"


def title_of(notebook):
    """The text of the first heading of a notebook, "" if there is none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if found := re.search(r"^#+ +(.+?) *$", cell.source, re.MULTILINE):
                return found[1]
    return ""


def page(notebooks, repository):
    """The text of README.md for {name: notebook}; those that are not in SECTIONS are left out."""
    parts = [HEAD]
    for heading, lines in SECTIONS.items():
        rows = [
            row(name, title_of(notebooks[name]) or name, line, link(name, repository))
            for name, line in lines.items()
            if name in notebooks
        ]
        parts.append("\n".join([f"## {heading}", "", "| | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def row(name, title, line, address):
    title = title.replace("|", r"\|")
    return (
        f'| [<img src="thumbnails/{name}.png" width="240" alt="{name}">]({address}) '
        f"| [**{title}**]({address})<br>{line} |"
    )


def read_notebooks(folder=FOLDER):
    """{name: notebook} of all notebooks in `folder`."""
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}


def write_thumbnails(notebooks, folder):
    """Write `folder`/NAME.png for {name: notebook}; returns what is wrong with the others."""
    folder.mkdir(exist_ok=True)
    faults = []
    for name, notebook in notebooks.items():
        try:
            (folder / f"{name}.png").write_bytes(png(scaled(picture_of(notebook, name))))
        except ThumbnailError as error:
            faults.append(str(error))
    return faults


def owner_and_name(text):
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form OWNER/NAME")
    return text


def main(argv=None, folder=FOLDER):
    """Command line; returns the exit status: 1 if a notebook is not fit to be listed."""
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.gallery.contents", description=__doc__
    )
    parser.add_argument("--repository", type=owner_and_name, metavar="OWNER/NAME")
    args = parser.parse_args(argv)
    notebooks, known = read_notebooks(folder), set().union(*SECTIONS.values())
    faults = [
        f"{name}: say in SECTIONS of notebooks/gallery/contents.py what it shows"
        for name in notebooks
        if name not in known
    ]
    faults += write_thumbnails(notebooks, folder / "thumbnails")
    text = page(notebooks, args.repository or find_repository())
    write_atomically(folder / "README.md", text)
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
