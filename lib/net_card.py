"""Cards of nets: which files a net is in, what it takes, and the names and colours of its classes.

A card is a JSON file beside the net:

    {"net": "my.prototxt", "weights": "my.caffemodel", "size": [360, 480],
     "mean": [104.0, 116.7, 122.7], "classes": {"road": [128, 64, 128], ...},
     "stages": [["shallow", "conv1_1", "score_pool3"], ...]}

`size` is height and width, `mean` BGR. `stages` may be left out: those of FCN-8s then, if the net
has their layers, else the whole net as one. A card names files of its own folder only.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.reading import read_json
from lib.stages import FCN8S, Net, Stage, check_stages

NETS = Path(__file__).resolve().parents[1] / "nets"  # found by name, so that lib imports none of it
DEFAULT = "camvid-fcn8s-light"
VGG_MEAN = (103.939, 116.779, 123.68)  # BGR, of the ImageNet nets that most FCNs start from
LARGEST = 2**20  # bytes of a card
MOST_CLASSES = 255


class NetCardError(ValueError):
    """A card, or the net that it stands for, is missing or not what it should be."""


@dataclass(frozen=True)
class NetCard:
    """What is known of a net.

    Attributes
    ----------
    net, weights : str
        Paths of the prototxt and of the weights.
    size : (int, int) or None
        Height and width that it was made for; None for that of its input.
    mean : tuple of float
        Of each channel, BGR.
    classes : tuple of str
        Names of the classes; empty if they have none.
    palette : K x 3 uint8 array
        RGB colour of each class.
    stages : tuple of Stage or None
    """

    net: str
    weights: str
    size: tuple[int, int] | None
    mean: tuple[float, ...]
    classes: tuple[str, ...]
    palette: np.ndarray
    stages: tuple[Stage, ...] | None = None

    def stages_of(self, net: Net) -> tuple[Stage, ...]:
        """Return the stages, checked against the loaded net; raise ValueError if they do not fit.

        Without any: those of FCN-8s if the net has their layers, else all layers as one stage.
        """
        if self.stages is not None:
            check_stages(net, self.stages)
            return self.stages
        try:
            check_stages(net, FCN8S)
        except ValueError:
            names = net._layer_names
            return (Stage("whole", names[0], names[-1]),)
        return FCN8S


def find_card(
    name: os.PathLike[str] | str | None = None, weights: os.PathLike[str] | str | None = None
) -> NetCard:
    """Find a net.

    Parameters
    ----------
    name : path-like, optional
        A card (.json), or a net (.prototxt); a name without a folder also of a file in `nets/`.
        By default the CamVid net of this repository.
    weights : path-like, optional
        In place of those of the card; needed for a net without a card.

    Returns
    -------
    NetCard

    Raises
    ------
    NetCardError
        If a file is missing, or the card is damaged.
    """
    path = _find(os.fspath(name or DEFAULT), (".json", ".prototxt"))
    if path.suffix == ".json":
        card = read_card(path)
        return card if weights is None else _with_weights(card, weights)
    card = NetCard(str(path), "", None, VGG_MEAN, (), spread_palette())
    if weights is None:
        raise NetCardError(
            f"{path}: a net needs weights: give --weights, or a card that names both"
        )
    return _with_weights(card, weights)


def read_card(path: Path) -> NetCard:
    """Read a card; raise NetCardError, with the entry, if it is damaged."""
    try:
        card = read_json(path, LARGEST)
    except (OSError, ValueError) as error:
        raise NetCardError(f"{path} cannot be read as a card of a net: {error}") from None
    if not isinstance(card, dict):
        raise NetCardError(f"{path} is no card of a net: it holds no entries")
    net, weights = (_sibling(path, card.get(key), key) for key in ("net", "weights"))
    size = _numbers(path, "size", card.get("size"), 2, 1, 16384, int)
    mean = _numbers(path, "mean", card.get("mean"), 3, 0, 255, (int, float))
    classes = card.get("classes")
    if not isinstance(classes, dict) or not 1 <= len(classes) <= MOST_CLASSES:
        raise NetCardError(
            f'{path}: "classes" is not a colour for each name: {{"road": [0, 0, 0]}}'
        )
    colours = [_numbers(path, name, rgb, 3, 0, 255, int) for name, rgb in classes.items()]
    stages = card.get("stages")
    if stages is not None:
        try:
            stages = tuple(Stage(*map(str, stage)) for stage in stages)
        except TypeError:
            raise NetCardError(
                f'{path}: "stages" are [[name, first layer, last layer], ...]'
            ) from None
    return NetCard(
        net, weights, size, mean, tuple(classes), np.array(colours, np.uint8), stages or None
    )


def spread_palette(n: int = MOST_CLASSES) -> np.ndarray:
    """Return n x 3 uint8 colours, neighbours far apart; the first is black, for background."""
    # bits 0, 1, 2 of the class are the highest of red, green and blue, bits 3, 4, 5 the next
    index = np.arange(n)[:, None] >> np.arange(3)
    bits = [(index >> 3 * level & 1) << 7 - level for level in range(3)]
    return np.sum(bits, 0).astype(np.uint8)


def _find(text, suffixes):
    named = Path(text)
    bare = named.name == text
    for folder in (Path(), NETS) if bare else (Path(),):
        for suffix in ("", *suffixes):
            path = Path(f"{folder / text}{suffix}")
            if path.suffix in suffixes and path.is_file():
                return path
    known = ", ".join(sorted(path.stem for path in NETS.glob("*.json")))
    raise NetCardError(
        f"{text}: no such card (.json) or net (.prototxt): give the path of one, or a name: {known}"
    )


def _with_weights(card, weights):
    path = Path(weights)
    for place in (path, NETS / path, NETS / f"{path}.caffemodel"):
        if place.is_file():
            return NetCard(**{**vars(card), "weights": str(place)})
    raise NetCardError(f"{weights}: there are no such weights: give the path of a file")


def _sibling(path, name, what):
    if not isinstance(name, str) or Path(name).name != name or not (path.parent / name).is_file():
        raise NetCardError(f'{path}: "{what}" is {name!r}: give the name of a file in its folder')
    return str(path.parent / name)


def _numbers(path, what, values, n, least, most, kind):
    good = isinstance(values, list) and len(values) == n
    if not good or not all(
        isinstance(v, kind) and not isinstance(v, bool) and least <= v <= most for v in values
    ):
        raise NetCardError(f'{path}: "{what}" is {values!r}: give {n} numbers, {least} to {most}')
    return tuple(values)
