"""A Caffe data layer that feeds labelled Cityscapes images to a net in training, half by half.

    layer {
      name: "data" type: "Python" top: "data" top: "label"
      python_param { module: "lib.cityscapes_layers" layer: "CityscapesSegDataLayer"
                     param_str: "{'split': 'train', 'seed': 1337}" }
    }

A frame of 2048 x 1024 is too large to train a full FCN-8s on. So each half is shown with `overlap`
columns of the other half, whose labels are ignored. A labelled pixel counts in exactly one half,
and has as much context there as in the whole image: 210 columns are enough for VGG-16, as the
receptive field of fc6 is 404 pixels, 202 to either side.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

import caffe
from datasets.cityscapes import cityscapes
from lib.labels import IGNORE
from lib.stages import Blob

OVERLAP = 210  # columns
SYNONYMS = {"cscapes_dir": "cityscapes_dir"}  # keys that prototxts of the paper's nets have

Frame = tuple[str, str]  # split and name


def _splits(value):
    return value if isinstance(value, (list, tuple)) else [value]


# Keys of param_str: default, what the value must be in words, and the test for that.
PARAMS: dict[str, tuple[Any, str, Callable[[Any], object]]] = {
    "cityscapes_dir": (
        None,
        "a folder, or None for the one that datasets.sources.find_root finds",
        lambda value: value is None or isinstance(value, str),
    ),
    "split": (
        "train",
        "the name of a split, such as 'train', or a list of such names",
        lambda value: value and all(isinstance(name, str) and name for name in _splits(value)),
    ),
    "randomize": (True, "True or False", lambda value: isinstance(value, bool)),
    "seed": (
        0,
        "an integer of 0 or more, or None for another order in each run",
        lambda value: value is None or type(value) is int and value >= 0,
    ),
    "overlap": (
        OVERLAP,
        "an integer of 0 or more columns",
        lambda value: type(value) is int and value >= 0,
    ),
}


def half_image(
    image: Image.Image, label: np.ndarray, side: int, overlap: int = OVERLAP
) -> tuple[Image.Image, np.ndarray]:
    """Cut one half of an image and its label, and `overlap` columns beyond the middle.

    Parameters
    ----------
    image : PIL image
        W x H.
    label : ... x H x W array
    side : {0, 1}
        0 for the left half, 1 for the right.
    overlap : int
        In columns.

    Returns
    -------
    image : PIL image
    label : array
        255 (ignored) beyond the middle.
    """
    width = label.shape[-1]
    begin, end = (0, width // 2) if side == 0 else (width // 2, width)
    first, last = max(0, begin - overlap), min(width, end + overlap)
    own = np.full_like(label, IGNORE)
    own[..., begin:end] = label[..., begin:end]
    return image.crop((first, 0, last, image.height)), own[..., first:last]


def read_params(text: str, layer: str) -> dict[str, Any]:
    """Parse a `param_str`, a Python dict literal. Code in it is an error and is not run.

    Parameters
    ----------
    text : str
    layer : str
        What error messages call the layer.

    Returns
    -------
    dict
        All keys of PARAMS, with their defaults if not given.

    Raises
    ------
    ValueError
        If the text is not a dict literal, or a key or value is wrong.
    """
    try:
        given = ast.literal_eval(text.strip() or "{}")
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(
            f"{layer}: param_str {text!r} is not a Python literal ({error}): write a "
            "dict of plain values, such as {'split': 'train', 'seed': 0}"
        ) from None
    if not isinstance(given, dict):
        raise ValueError(
            f"{layer}: param_str is {given!r}: write a dict, such as "
            "{'split': 'train', 'seed': 0}"
        )
    given = {SYNONYMS.get(key, key): value for key, value in given.items()}
    for key, value in given.items():
        if key not in PARAMS:
            raise ValueError(
                f"{layer}: param_str has the unknown key {key!r}: remove it, or give "
                f"one of {', '.join(PARAMS)}"
            )
        _, wanted, fits = PARAMS[key]
        if not fits(value):
            raise ValueError(f"{layer}: {key!r} in param_str is {value!r}: give {wanted}")
    return {key: given.get(key, default) for key, (default, *_) in PARAMS.items()}


class CityscapesSegDataLayer(caffe.Layer):
    """Feed one half-image after another, see `half_image`; `param_str` has the keys of PARAMS.

    The tops are data (1 x 3 x H x W, BGR, mean subtracted) and label (1 x 1 x H x W, train ids,
    255 to ignore). They take the size of each half. An epoch shows both halves of each labelled
    image of the split once. With `randomize` the order is drawn from (seed, epoch).

    Raises ValueError for a bad prototxt and DatasetError for bad data.
    """

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Parse param_str and list the labelled images."""
        # a real pycaffe does not tell a Python layer its name
        place = f"layer {getattr(self, 'name', '')!r} ({type(self).__name__})"
        if bottom or len(top) != 2:
            raise ValueError(
                f"{place}: has {len(bottom)} bottoms and {len(top)} tops: give it no "
                'bottom and the tops "data" and "label"'
            )
        self.params = read_params(self.param_str, place)
        self.dataset = cityscapes(self.params["cityscapes_dir"])
        self.frames = [
            (split, name)
            for split in _splits(self.params["split"])
            for name in self.dataset.list_label_frames(split)
        ]
        # draws a seed for None, the same for all epochs
        self.seed: Any = np.random.SeedSequence(self.params["seed"]).entropy
        self.shown = 0  # halves fed so far
        self.loaded: tuple[np.ndarray, ...] = ()  # data and label of the next half

    def order(self, epoch: int) -> list[tuple[Frame, int]]:
        """List ((split, name), side) of an epoch: each half of each frame once."""
        halves = [(frame, side) for frame in self.frames for side in (0, 1)]
        if not self.params["randomize"]:
            return halves
        rng = np.random.default_rng([self.seed, epoch])
        return [halves[i] for i in rng.permutation(len(halves))]

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Load the next half, as its size is that of the tops."""
        if not self.loaded:  # there may be several reshapes before a forward
            epoch, number = divmod(self.shown, 2 * len(self.frames))
            self.loaded = self.load(*self.order(epoch)[number])
        for blob, values in zip(top, self.loaded, strict=True):
            blob.reshape(*values.shape)

    def load(self, frame: Frame, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Load one half of a frame.

        Returns
        -------
        data : 1 x 3 x H x W float32 array
        label : 1 x 1 x H x W uint8 array
        """
        image, label = half_image(
            self.dataset.load_image(*frame),
            self.dataset.load_label(*frame),
            side,
            self.params["overlap"],
        )
        return self.dataset.preprocess(image)[np.newaxis], label[np.newaxis]

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Copy the half that reshape loaded to the tops, and go on to the next one."""
        for blob, values in zip(top, self.loaded, strict=True):
            blob.data[...] = values
        self.shown += 1
        self.loaded = ()

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Do nothing: data has no gradient."""
