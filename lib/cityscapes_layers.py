"""A Caffe data layer that feeds labelled Cityscapes images to a net in training, half by half.

    layer {
      name: "data" type: "Python" top: "data" top: "label"
      python_param { module: "lib.cityscapes_layers" layer: "CityscapesSegDataLayer"
                     param_str: "{'split': 'train', 'seed': 1337}" }
    }

A frame of 2048 x 1024 is more than a full FCN-8s can train on at once. Each half is therefore shown
with `overlap` columns of the other, whose labels are ignored: a labelled pixel counts in exactly
one half, and there sees as much of its surroundings as in the whole image. 210 columns are enough
for VGG-16, whose fc6 sees 404 pixels, 202 to either side.
"""

import ast

import numpy as np

import caffe
from datasets.cityscapes import cityscapes
from datasets.files import IGNORE

OVERLAP = 210  # columns
SYNONYMS = {"cscapes_dir": "cityscapes_dir"}  # keys that prototxts of the paper's nets have


def _splits(value):
    return value if isinstance(value, (list, tuple)) else [value]


# Keys of param_str: what they are if not given, what they must be, and the test for that.
PARAMS = {
    "cityscapes_dir": (
        None,
        "a folder, or None for where datasets.sources.find_root looks",
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
        "a whole number of 0 or more, or None for another order in each run",
        lambda value: value is None or type(value) is int and value >= 0,
    ),
    "overlap": (
        OVERLAP,
        "a whole number of 0 or more columns",
        lambda value: type(value) is int and value >= 0,
    ),
}


def half_image(image, label, side, overlap=OVERLAP):
    """The left (side 0) or right (side 1) half of a pair, and `overlap` columns beyond the middle.

    image is a PIL image of W x H, label a ... x H x W array. Returns a PIL image and an array like
    them, narrower; beyond the middle, labels are 255 (ignored).
    """
    width = label.shape[-1]
    begin, end = (0, width // 2) if side == 0 else (width // 2, width)
    first, last = max(0, begin - overlap), min(width, end + overlap)
    own = np.full_like(label, IGNORE)
    own[..., begin:end] = label[..., begin:end]
    return image.crop((first, 0, last, image.height)), own[..., first:last]


def read_params(text, layer):
    """The settings in a `param_str`, a Python dict literal; what it does not give is as in PARAMS.

    The text is read as data: code in it is refused, not run. Raises ValueError that names `layer`
    (text), the key and the fix.
    """
    try:
        given = ast.literal_eval(text.strip() or "{}")
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(
            f"{layer}: param_str {text!r} is no Python literal ({error}): write a "
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
    """Tops data (1 x 3 x H x W, BGR, mean subtracted) and label (1 x 1 x H x W, train ids, 255 to
    ignore): one half-image after another, see `half_image`; `param_str` as in PARAMS.

    An epoch shows both halves of each labelled image of the split once, with `randomize` in an
    order that is drawn anew for each epoch from (seed, epoch). Tops take the size of each half.
    Raises ValueError for a bad prototxt and DatasetError for bad data.
    """

    def setup(self, bottom, top):
        """Read param_str and list the labelled images."""
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
        # None becomes a random seed here, so that it is one and the same for all epochs
        self.seed = np.random.SeedSequence(self.params["seed"]).entropy
        self.shown = 0  # halves fed so far
        self.loaded = None

    def order(self, epoch):
        """[((split, name), side)] of an epoch: each half of each frame once."""
        halves = [(frame, side) for frame in self.frames for side in (0, 1)]
        if not self.params["randomize"]:
            return halves
        rng = np.random.default_rng([self.seed, epoch])
        return [halves[i] for i in rng.permutation(len(halves))]

    def reshape(self, bottom, top):
        """Load the next half, as its size decides that of the tops."""
        if self.loaded is None:  # reshape may come more than once before a forward
            epoch, number = divmod(self.shown, 2 * len(self.frames))
            self.loaded = self.load(*self.order(epoch)[number])
        for blob, values in zip(top, self.loaded, strict=True):
            blob.reshape(*values.shape)

    def load(self, frame, side):
        """(data 1 x 3 x H x W float32, label 1 x 1 x H x W uint8) of one half of a frame."""
        image, label = half_image(
            self.dataset.load_image(*frame),
            self.dataset.load_label(*frame),
            side,
            self.params["overlap"],
        )
        return self.dataset.preprocess(image)[np.newaxis], label[np.newaxis]

    def forward(self, bottom, top):
        """Hand out what reshape loaded, and step on to the next half."""
        for blob, values in zip(top, self.loaded, strict=True):
            blob.data[...] = values
        self.shown += 1
        self.loaded = None

    def backward(self, top, propagate_down, bottom):
        """Nothing: data has no gradient."""
