"""The table of weights files: which nets they fit, where they come from, how to verify them.

find_weights("voc-fcn8s-heavy") returns the path of a verified file, or raises an error that says
how to get it. nets/README.md shows the same table; a test keeps the two equal.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ARCHIVE = "http://dl.caffe.berkeleyvision.org/clockwork-nets.tar.gz"


class UnknownNetError(Exception):
    """No net has the given name."""


class WeightsFileError(Exception):
    """A weights file is not in the table, is missing, or differs from its table entry."""


@dataclass(frozen=True)
class Weights:
    """One weights file.

    Attributes
    ----------
    file : str
        File name, in this folder.
    nets : tuple of str
        The nets that the weights fit.
    data : str
        What the weights were trained on.
    source : str
        Who trained the weights.
    command : str
        Command that trains them; empty for published weights.
    score : str
        Mean IU of the net run on every frame.
    how : str
        How to get the file, if neither `command` nor the published archive provides it.
    size, sha256 : int and str, or None
        Bytes and hex digest; None if the file was never available to us.
    """

    file: str
    nets: tuple[str, ...]
    data: str
    source: str
    command: str = ""
    score: str = ""
    how: str = ""
    size: int | None = None
    sha256: str | None = None


def _trained_here(name, data, score, size=None, sha256=None):
    """Return the entry of weights that `make train-NAME` trains."""
    net = name if "-pool" in name else f"stage-{name}"
    return Weights(
        f"{name}.caffemodel",
        (net,),
        data,
        "this repository",
        f"make train-{name}",
        score,
        size=size,
        sha256=sha256,
    )


PUBLISHED = "the paper's authors"
VGG = "Simonyan and Zisserman, CC BY 4.0"
TABLE = {
    "voc-fcn8s-heavy": Weights(
        "voc-fcn8s-heavy.caffemodel",
        ("stage-voc-fcn8s", "voc-fcn8s"),
        "PASCAL VOC 2011 + SBD",
        PUBLISHED,
        score="65.9 mIU, synthetic VOC video (published)",
    ),
    "cityscapes-fcn8s-heavy": Weights(
        "cityscapes-fcn8s-heavy.caffemodel",
        ("stage-cityscapes-fcn8s", "cityscapes-fcn8s"),
        "Cityscapes",
        PUBLISHED,
        score="66.4 mIU, Cityscapes val (published)",
    ),
    "nyud-fcn8s-rgb-heavy": Weights(
        "nyud-fcn8s-rgb-heavy.caffemodel",
        ("stage-nyud-fcn8s", "nyud-fcn8s"),
        "NYUDv2, RGB",
        PUBLISHED,
        score="32.0 mIU, NYUDv2 test (published)",
    ),
    "voc-fcn-pool3": Weights(
        "voc-fcn-pool3.caffemodel",
        ("voc-fcn-pool3",),
        "PASCAL VOC 2011 + SBD",
        PUBLISHED,
        score="9.3 mIU, synthetic VOC video (published)",
    ),
    "voc-fcn-pool4": Weights(
        "voc-fcn-pool4.caffemodel",
        ("voc-fcn-pool4",),
        "PASCAL VOC 2011 + SBD",
        PUBLISHED,
        score="22.5 mIU, synthetic VOC video (published)",
    ),
    "vgg16_conv_trunk": Weights(
        "vgg16_conv_trunk.caffemodel",
        ("camvid-fcn8s-light-train",),
        "ImageNet",
        VGG,
        score="to start training from",
        how="It holds the 13 convolutions of VGG_ILSVRC_16_layers.caffemodel, which works as well "
        "(553 MB, from http://www.robots.ox.ac.uk/~vgg/research/very_deep/): pass its path with "
        "make train-camvid-fcn8s-light VGG=path. Without either file: VGG=none",
        size=58859525,
        sha256="c7d4cde5f17e2ff88f12d74a77ef3082fa5227e578bbfacd4a6c109830d77487",
    ),
    "camvid-fcn8s-light": _trained_here(
        "camvid-fcn8s-light",
        "CamVid train, after ImageNet",
        "60.2 mIU, CamVid val",
        7141374,
        "a2be4a5e0eed9ee8cffc2240ca29dc45c6afb2b80de6e72dea382fe060caaeea",
    ),
    "davis-fcn8s-light": _trained_here(
        "davis-fcn8s-light",
        "first halves of four DAVIS shots, after CamVid",
        "78.1 mIU, second halves, every 5th frame",
        7181177,
        "e27e0522b583a44793e4891fd22be9b04aceedca8f07f930ac89bbaa4a0e2f8c",
    ),
    "miniature-cityscapes-fcn8s-light": _trained_here(
        "miniature-cityscapes-fcn8s-light",
        "miniature Cityscapes",
        "45.8 mIU, its val",
        7173217,
        "7ecd558aebf92c0bc023e589d3e1c166f7642ae3c945dff26674ab8ccca9c401",
    ),
    "miniature-nyud-fcn8s-light": _trained_here(
        "miniature-nyud-fcn8s-light",
        "miniature NYUDv2, after CamVid",
        "29.4 mIU, its test",
        7256806,
        "602fae222228bcb9c4444ffabda56b333b8198bbc7525644490c15527e33e6e2",
    ),
    "miniature-voc-fcn8s-light": _trained_here(
        "miniature-voc-fcn8s-light",
        "miniature VOC, after CamVid",
        "50.5 mIU, its val",
        7181177,
        "ec7b6fe9a4217c45f85c67c5056a096140444b5eca61f079b7149d410b4e13cf",
    ),
    "miniature-voc-fcn-pool3-light": _trained_here(
        "miniature-voc-fcn-pool3-light",
        "miniature VOC",
        "18.3 mIU, its val",
        464033,
        "72f839436970a8033ac78db498a2b716236a54a0e479c528893f9b3016cd12ee",
    ),
    "miniature-voc-fcn-pool4-light": _trained_here(
        "miniature-voc-fcn-pool4-light",
        "miniature VOC",
        "22.8 mIU, its val",
        2010383,
        "745f708b66d2ac4fa7cfa58c683cd11c26e9dd0a2a33b6c15ce8f5e303c514c2",
    ),
    "miniature-youtube-fcn8s-light": _trained_here(
        "miniature-youtube-fcn8s-light",
        "miniature Youtube-Objects, after VOC",
        "62.1 mIU, its test shots, every 5th frame",
        7181177,
        "04ca9f638a8583e7ff7325f69a74415fe9db458a30d2cb66ea826ab7756f268c",
    ),
}


def find_net(name: str, folder: os.PathLike[str] | str = FOLDER) -> str:
    """Return the path of a net's prototxt.

    Parameters
    ----------
    name : str
        File name without .prototxt.
    folder : path, optional
        Searched first, then its subfolder `training`.

    Returns
    -------
    str
        A str, not a Path: the original pycaffe accepts nothing else.

    Raises
    ------
    UnknownNetError
        If no net has that name. The message lists the nets in `folder`.
    """
    folder = Path(folder)
    for path in (folder / f"{name}.prototxt", folder / "training" / f"{name}.prototxt"):
        if path.is_file():
            return str(path)
    names = sorted(path.stem for path in folder.glob("*.prototxt"))
    raise UnknownNetError(
        f"{folder / name}.prototxt is missing. The nets are {', '.join(names)}, and those in "
        "training/: choose one, or write the files with make nets"
    )


def find_weights(name: str, folder: os.PathLike[str] | str = FOLDER) -> str:
    """Return the path of a weights file after checking its size and sha256.

    Parameters
    ----------
    name : str
        A key of `TABLE`.
    folder : path, optional
        Where the file is.

    Returns
    -------
    str
        A str, not a Path: the original pycaffe accepts nothing else.

    Raises
    ------
    WeightsFileError
        If the name is unknown, or the file is missing or damaged. The message names the file and
        says how to get it.
    """
    if name not in TABLE:
        raise WeightsFileError(f"no weights are called {name!r}; choose from: {', '.join(TABLE)}")
    weights = TABLE[name]
    path = Path(folder) / weights.file
    if not path.is_file():
        raise WeightsFileError(
            f"{path} is missing (weights of {weights.nets[0]}, trained on {weights.data}). "
            f"{how_to_get(weights, path.parent)}"
        )
    size = path.stat().st_size
    if weights.size is not None and size != weights.size:
        raise WeightsFileError(
            f"{path} has {size} bytes instead of {weights.size}: the download or copy is "
            f"incomplete. {how_to_get(weights, path.parent)}"
        )
    if weights.sha256 is not None and sha256(path) != weights.sha256:
        raise WeightsFileError(
            f"{path} is not the file in the table: its sha256 differs. "
            f"{how_to_get(weights, path.parent)}"
        )
    return str(path)


def how_to_get(weights: Weights, folder: os.PathLike[str] | str) -> str:
    """Return a sentence that says how to get `weights` into `folder`."""
    if weights.how:
        return weights.how
    if weights.command:
        return f"Train it with: {weights.command}"
    return (
        f"It was published in {ARCHIVE}: unpack the archive and put {weights.file} into {folder}. "
        "The server is often down; nets/README.md lists alternatives."
    )


def sha256(path: os.PathLike[str] | str) -> str:
    """Return the hex digest of the file at `path`."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def markdown_table() -> str:
    """Return the table for nets/README.md, one line per weights file."""
    lines = [
        "| weights | for | trained on | score | from | bytes | sha256 |",
        "|---|---|---|---|---|---|---|",
    ]
    for weights in TABLE.values():
        nets = ", ".join(f"`{net}`" for net in weights.nets)
        source = f"`{weights.command}`" if weights.command else weights.source
        proof = f"{weights.size or ''} | {weights.sha256 or ''}"
        lines.append(
            f"| `{weights.file}` | {nets} | {weights.data} | {weights.score} | {source} | {proof} |"
        )
    return "\n".join(lines)
