"""The table of weights files: which nets they fit, where they come from, how to verify them.

find_weights("voc-fcn8s-heavy") returns the path of a verified file, or raises an error that says
how to get it; find_net and find_weights also take paths of other files. nets/README.md shows the
same table; a test keeps the two equal.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from nets.paths import NotFoundError, UnfitError, find_file, is_bare, similar, text_of

FOLDER = Path(__file__).resolve().parent
NET_SUFFIX = ".prototxt"
WEIGHTS_SUFFIXES = (".caffemodel", ".caffemodel.h5", ".h5")
ARCHIVE = "http://dl.caffe.berkeleyvision.org/clockwork-nets.tar.gz"


class UnknownNetError(Exception):
    """No net has the given name, or the path is not that of a net."""


class WeightsFileError(Exception):
    """A weights file is unknown or missing, or differs from its table entry."""


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


def find_net(name: os.PathLike[str] | str, folder: os.PathLike[str] | str = FOLDER) -> str:
    """Return the path of a net's prototxt.

    Parameters
    ----------
    name : str or path
        File name or path, with or without .prototxt. A name without a folder is that of a net in
        `folder`; if there is none, of a file in the working folder. So "./net" is always a file in
        the working folder. Other paths are absolute or relative to the working folder.
    folder : path, optional
        Searched first for names, then its subfolder `training`.

    Returns
    -------
    str
        A str, not a Path: the original pycaffe accepts nothing else.

    Raises
    ------
    UnknownNetError
        If no net has that name or path, or it is not a file. The message lists the nets in
        `folder`.
    TypeError
        If `name` is neither str nor path.
    """
    folder = Path(folder)
    try:
        text = text_of(name)
        if text.endswith(WEIGHTS_SUFFIXES):
            raise UnknownNetError(f"{text} holds weights, not a net: find_weights takes it")
        return _find(text, _places(text, folder, folder / "training"), (NET_SUFFIX,))
    except NotFoundError:
        shown = folder / text if is_bare(text) else Path(text)
        names = sorted(path.stem for path in folder.glob(f"*{NET_SUFFIX}"))
        raise UnknownNetError(
            f"{str(shown).removesuffix(NET_SUFFIX)}{NET_SUFFIX} is missing{_looked(text)}. "
            f"{similar(text, names)}The nets are {', '.join(names)}, and those in training/: "
            "choose one, give the path of another, or write the files with make nets"
        ) from None
    except UnfitError as error:
        raise UnknownNetError(str(error)) from None


def find_weights(name: os.PathLike[str] | str, folder: os.PathLike[str] | str = FOLDER) -> str:
    """Return the path of a weights file; if it is in the table, check its size and sha256.

    Parameters
    ----------
    name : str or path
        A key of `TABLE`, or the path of another file, with or without its suffix (.caffemodel,
        .caffemodel.h5 or .h5). A name of the table stands for the file in `folder`, even if the
        working folder has a file of that name: write "./name" for that one. Another name without
        a folder is that of a file in `folder` or else in the working folder. Other paths are
        absolute or relative to the working folder; size and sha256 of such files are not checked.
    folder : path, optional
        Where the files of the table are.

    Returns
    -------
    str
        A str, not a Path: the original pycaffe accepts nothing else.

    Raises
    ------
    WeightsFileError
        If the name is unknown, or the file is missing, damaged or not a file. The message names the
        file and says how to get it.
    TypeError
        If `name` is neither str nor path.
    """
    folder = Path(folder)
    try:
        text = text_of(name)
        if text.endswith(NET_SUFFIX):
            raise WeightsFileError(f"{text} is a net, it holds no weights: find_net takes it")
        key = text.removesuffix(WEIGHTS_SUFFIXES[0])
        if key in TABLE:
            return str(_verified(TABLE[key], folder))
        return _find(text, _places(text, folder), WEIGHTS_SUFFIXES)
    except NotFoundError:
        raise WeightsFileError(
            f"no weights are called {text!r}, and no file has that path{_looked(text)}. "
            f"{similar(text, TABLE)}Choose from: {', '.join(TABLE)}; or give the path of a file"
        ) from None
    except UnfitError as error:
        raise WeightsFileError(str(error)) from None


def _places(text, *folders):
    """Return the paths that `text` may stand for, the first that is there wins."""
    own = [folder / text for folder in folders]
    if is_bare(text):
        return [*own, Path(text)]
    inside = not os.path.isabs(text) and os.pardir not in Path(text).parts
    return [Path(text), *(own[:1] if inside else ())]  # such as training/camvid-fcn8s-light-train


def _find(text, places, suffixes):
    """Return the first of `places` that is a file, as str; raise NotFoundError if none is."""
    unfit = None
    for place in places:
        try:
            return str(find_file(place, suffixes))
        except NotFoundError:
            continue
        except UnfitError as error:
            unfit = unfit or error
    raise unfit or NotFoundError(text)


def _looked(text):
    """Return where else a file was looked for, for messages."""
    return "" if os.path.isabs(text) else f" (also looked in {os.getcwd()})"


def _verified(weights, folder):
    """Return the path of a file of the table; raise WeightsFileError unless it is intact."""
    path = folder / weights.file
    try:
        find_file(path, ())
    except NotFoundError:
        raise WeightsFileError(
            f"{path} is missing (weights of {weights.nets[0]}, trained on {weights.data}). "
            f"{how_to_get(weights, folder)}"
        ) from None
    size = path.stat().st_size
    if weights.size is not None and size != weights.size:
        raise WeightsFileError(
            f"{path} has {size} bytes instead of {weights.size}: the download or copy is "
            f"incomplete, or it is another file. {how_to_get(weights, folder).rstrip('.')}. {OWN}"
        )
    if weights.sha256 is not None and sha256(path) != weights.sha256:
        raise WeightsFileError(
            f"{path} is not the file in the table: its sha256 differs. "
            f"{how_to_get(weights, folder).rstrip('.')}. {OWN}"
        )
    return path


OWN = (
    "If you trained it yourself, give its path instead of the name, or enter its size and sha256 "
    "in TABLE of nets/weights.py"
)


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
