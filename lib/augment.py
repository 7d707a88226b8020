"""Random scale, crop, flip and colour of a labelled image, for training on few frames."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from lib.labels import IGNORE

MEAN_RGB = (123, 117, 104)  # ImageNet mean: close to zero once the mean is subtracted


def augment(
    image: np.ndarray,
    label: np.ndarray,
    rng: np.random.Generator,
    crop: tuple[int, int],
    scale: tuple[float, float] = (0.75, 1.5),
    flip: bool = True,
    jitter: float = 0.2,
    fill: tuple[int, int, int] = MEAN_RGB,
    focus: float = 0,
    show: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a random view of an image and the same view of its label.

    Parameters
    ----------
    image : H x W x 3 uint8 array
        RGB, mean not subtracted.
    label : H x W or 1 x H x W uint8 array
        Resized by nearest neighbour.
    rng : numpy.random.Generator
        The same state gives the same view.
    crop : (int, int)
        Height and width of the view in pixels.
    scale : (float, float)
        Least and largest magnification, drawn log-uniformly: halving is as likely as doubling.
    flip : bool
        Mirror left to right with probability 1/2.
    jitter : float
        Strength of the colour change, see `jitter_colour`; 0 for none.
    fill : (int, int, int)
        RGB of pixels beyond the image; their label is 255 (ignored).
    focus : float
        Share of views, 0..1, that must show a class drawn uniformly from those in the frame. Small
        classes are then seen as often as large ones.
    show : int, optional
        A class that the view must show, if the frame has it.

    Returns
    -------
    view : crop x 3 uint8 array
    view_label : crop uint8 array

    Raises
    ------
    ValueError
        If image or label are not of these types or differ in size.
    """
    picture, label_picture = _as_images(image, label)
    magnify = np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1])))
    y, x = None, None
    if show is not None or rng.random() < focus:
        y, x = _pixel_of_class(label_picture, rng, show)
    top = _place(picture.height, crop[0] / magnify, rng, y)
    left = _place(picture.width, crop[1] / magnify, rng, x)
    view = _window(picture, top, left, magnify, crop, Image.Resampling.BILINEAR, fill)
    view_label = _window(label_picture, top, left, magnify, crop, Image.Resampling.NEAREST, IGNORE)
    if flip and rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        view_label = view_label.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if jitter:
        view = jitter_colour(view, rng, jitter)
    return np.array(view), np.array(view_label)


def jitter_colour(
    image: Image.Image, rng: np.random.Generator, strength: float = 0.2
) -> Image.Image:
    """Change contrast, brightness and colour balance of an image randomly.

    Parameters
    ----------
    image : PIL image
        RGB.
    rng : numpy.random.Generator
    strength : float
        Contrast varies by up to this factor, brightness by up to this share of 128, and the gain
        of each channel by a third of it.

    Returns
    -------
    PIL image
    """
    contrast = 1 + rng.uniform(-strength, strength)
    brightness = 128 * rng.uniform(-strength, strength)
    gains = contrast * (1 + rng.uniform(-strength, strength, 3) / 3)
    values = gains[:, None] * (np.arange(256) - 128) + 128 + brightness
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    # one table of 256 values per channel: several times faster than arithmetic on every pixel
    return image.point(table.ravel().tolist())


def frames_by_class(
    labels: Sequence[np.ndarray], n_classes: int, least: int = 100
) -> list[np.ndarray]:
    """List for each class the frames that show it.

    Parameters
    ----------
    labels : sequence of uint8 arrays
        One per frame.
    n_classes : int
    least : int
        Pixels of the class from which a frame counts.

    Returns
    -------
    list of int arrays
        For each class the indices of frames.
    """
    counts = [np.bincount(np.ravel(label), minlength=256)[:n_classes] for label in labels]
    return [np.flatnonzero(column >= least) for column in np.array(counts).T]


def _as_images(image, label):
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"image must be H x W x 3 uint8 RGB, got {image.shape} {image.dtype}: "
            "augment before subtracting the mean"
        )
    label = label[0] if label.ndim == 3 and len(label) == 1 else label
    if label.dtype != np.uint8 or label.shape != image.shape[:2]:
        raise ValueError(
            f"label must be uint8 of the image size {image.shape[:2]}, "
            f"got {label.shape} {label.dtype}"
        )
    return Image.fromarray(image), Image.fromarray(label)


def _pixel_of_class(label, rng, show=None):
    """Draw the (y, x) of a pixel of class `show`, or of a random class; (None, None) if absent."""
    label = np.asarray(label)
    classes = np.setdiff1d(np.unique(label), [IGNORE]) if show is None else [show]
    places = np.flatnonzero(label == rng.choice(classes)) if len(classes) else []
    return divmod(int(rng.choice(places)), label.shape[1]) if len(places) else (None, None)


def _place(size, length, rng, hold=None):
    """Draw the start of a window of `length` within `size`, with pixel `hold` inside if given.

    A window longer than `size` contains all of it.
    """
    least, most = min(0, size - length), max(0, size - length)
    if hold is not None:
        least, most = max(least, min(most, hold - length)), min(most, max(least, hold))
    return rng.uniform(least, most)


def _window(image, top, left, magnify, crop, resampling, fill):
    """Cut a view of size `crop` from the magnified image; top and left are in image pixels."""

    def span(start, size, length):  # the pixels of the view that the image covers: [first, last)
        first = min(length - 1, max(0, round(-start * magnify)))
        last = min(length, round((size - start) * magnify))
        return first, max(last, first + 1)

    (y0, y1), (x0, x1) = span(top, image.height, crop[0]), span(left, image.width, crop[1])
    box = (
        max(left + x0 / magnify, 0),
        max(top + y0 / magnify, 0),
        min(left + x1 / magnify, image.width),
        min(top + y1 / magnify, image.height),
    )
    view = Image.new(image.mode, crop[::-1], fill)
    view.paste(image.resize((x1 - x0, y1 - y0), resampling, box=box), (x0, y0))
    return view
