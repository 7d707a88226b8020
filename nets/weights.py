"""Which weights go with which net, where they come from, and whether they are in place.

find_weights("voc-fcn8s-heavy") gives a path that is there and intact, or says how to get it.
nets/README.md holds the same table for people (a test keeps the two equal).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ARCHIVE = "http://dl.caffe.berkeleyvision.org/clockwork-nets.tar.gz"


class NetError(Exception):
    """There is no net of that name."""


class WeightsError(Exception):
    """A weights file is unknown, missing or not the one that the table names."""


@dataclass(frozen=True)
class Weights:
    """One weights file: what it was trained on and by what, and what it scored.

    `how` says how to get it, where the common ways do not. `size` (bytes) and `sha256` are None
    where we have not had the file in hand; `command` is empty for the published ones, which come
    from `source`.
    """

    file: str
    nets: tuple
    data: str
    source: str
    command: str = ""
    score: str = ""
    how: str = ""
    size: int | None = None
    sha256: str | None = None


def made_here(name, data, score, size=None, sha256=None):
    """The row of weights that `make train-NAME` makes; `score` on every frame."""
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
        how="It holds the 13 convolutions of "
        "VGG_ILSVRC_16_layers.caffemodel, which does as well (553 MB, from "
        "http://www.robots.ox.ac.uk/~vgg/research/very_deep/): give its path, "
        "make train-camvid-fcn8s-light VGG=path. Without either: VGG=none",
        size=58859525,
        sha256="c7d4cde5f17e2ff88f12d74a77ef3082fa5227e578bbfacd4a6c109830d77487",
    ),
    "camvid-fcn8s-light": made_here(
        "camvid-fcn8s-light",
        "CamVid train, after ImageNet",
        "60.2 mIU, CamVid val",
        7141374,
        "a2be4a5e0eed9ee8cffc2240ca29dc45c6afb2b80de6e72dea382fe060caaeea",
    ),
    "davis-fcn8s-light": made_here(
        "davis-fcn8s-light",
        "first halves of four DAVIS shots, after CamVid",
        "78.1 mIU, second halves, every 5th frame",
        7181177,
        "e27e0522b583a44793e4891fd22be9b04aceedca8f07f930ac89bbaa4a0e2f8c",
    ),
    "miniature-cityscapes-fcn8s-light": made_here(
        "miniature-cityscapes-fcn8s-light",
        "miniature Cityscapes",
        "45.8 mIU, its val",
        7173217,
        "7ecd558aebf92c0bc023e589d3e1c166f7642ae3c945dff26674ab8ccca9c401",
    ),
    "miniature-nyud-fcn8s-light": made_here(
        "miniature-nyud-fcn8s-light",
        "miniature NYUDv2, after CamVid",
        "29.4 mIU, its test",
        7256806,
        "602fae222228bcb9c4444ffabda56b333b8198bbc7525644490c15527e33e6e2",
    ),
    "miniature-voc-fcn8s-light": made_here(
        "miniature-voc-fcn8s-light",
        "miniature VOC, after CamVid",
        "50.5 mIU, its val",
        7181177,
        "ec7b6fe9a4217c45f85c67c5056a096140444b5eca61f079b7149d410b4e13cf",
    ),
    "miniature-voc-fcn-pool3-light": made_here(
        "miniature-voc-fcn-pool3-light",
        "miniature VOC",
        "18.3 mIU, its val",
        464033,
        "72f839436970a8033ac78db498a2b716236a54a0e479c528893f9b3016cd12ee",
    ),
    "miniature-voc-fcn-pool4-light": made_here(
        "miniature-voc-fcn-pool4-light",
        "miniature VOC",
        "22.8 mIU, its val",
        2010383,
        "745f708b66d2ac4fa7cfa58c683cd11c26e9dd0a2a33b6c15ce8f5e303c514c2",
    ),
    "miniature-youtube-fcn8s-light": made_here(
        "miniature-youtube-fcn8s-light",
        "miniature Youtube-Objects, after VOC",
        "62.1 mIU, its test shots, every 5th frame",
        7181177,
        "04ca9f638a8583e7ff7325f69a74415fe9db458a30d2cb66ea826ab7756f268c",
    ),
}


def find_net(name, folder=FOLDER):
    """Path, a str as real pycaffe wants it, of the net `name` in `folder` or its `training/`;
    NetError names all nets of `folder` if there is none of that name.
    """
    folder = Path(folder)
    for path in (folder / f"{name}.prototxt", folder / "training" / f"{name}.prototxt"):
        if path.is_file():
            return str(path)
    names = sorted(path.stem for path in folder.glob("*.prototxt"))
    raise NetError(
        f"{folder / name}.prototxt is missing; there are the nets {', '.join(names)}, and those of "
        "training/: choose one, or write it with make nets"
    )


def find_weights(name, folder=FOLDER):
    """Path (a str) of the weights `name` (a key of TABLE) in `folder`, checked for size and sha256.

    Raises WeightsError that names the file, where it was looked for and how to get it.
    """
    if name not in TABLE:
        raise WeightsError(f"no weights are called {name!r}; there are: {', '.join(TABLE)}")
    weights = TABLE[name]
    path = Path(folder) / weights.file
    if not path.is_file():
        raise WeightsError(
            f"{path} is missing (weights of {weights.nets[0]}, trained on "
            f"{weights.data}). {how_to_get(weights, path.parent)}"
        )
    size = path.stat().st_size
    if weights.size is not None and size != weights.size:
        raise WeightsError(
            f"{path} has {size} bytes where {weights.size} are due: the download or "
            f"copy was cut short. {how_to_get(weights, path.parent)}"
        )
    if weights.sha256 is not None and sha256(path) != weights.sha256:
        raise WeightsError(
            f"{path} is not the file of the table: its sha256 differs. "
            f"{how_to_get(weights, path.parent)}"
        )
    return str(path)


def how_to_get(weights, folder):
    """One sentence that says how `weights` come to lie in `folder`."""
    if weights.how:
        return weights.how
    if weights.command:
        return f"Make it with: {weights.command}"
    return (
        f"It was published in {ARCHIVE}: unpack that and put {weights.file} into {folder}. "
        "That server is often down; nets/README.md says what else can be done."
    )


def sha256(path):
    """Hex digest of the file at `path`."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def markdown_table():
    """The table of nets/README.md, one line for each weights file."""
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
