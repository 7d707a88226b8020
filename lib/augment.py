"""Random scale, crop, flip and colour of a labelled image, for training on few frames."""

import numpy as np
from PIL import Image

from lib.labels import IGNORE

MEAN_RGB = (123, 117, 104)  # ImageNet mean: close to zero once the mean is subtracted


def augment(
    image,
    label,
    rng,
    crop,
    scale=(0.75, 1.5),
    flip=True,
    jitter=0.2,
    fill=MEAN_RGB,
    focus=0,
    show=None,
):
    """One random view of `image` and of its `label`, moved alike.

    image   H x W x 3 uint8, RGB (not yet mean-subtracted)
    label   H x W uint8 (1 x H x W is taken too); resized by nearest neighbour
    rng     numpy.random.Generator: the same state gives the same view
    crop    (height, width) of the view in pixels
    scale   (least, most) magnification, drawn log-uniformly: halving is as
            likely as doubling
    flip    mirror left to right every second time
    jitter  strength of the colour change, 0 for none, see `jitter_colour`
    focus   share of views that must show a class drawn evenly from those in the frame, so that
            small ones are seen as often as roads
    show    a class that the view must show, where the frame has it
    fill    RGB of the pixels of a view that reaches past the image; their label is 255 (ignored)

    Returns (view, view_label): crop x 3 uint8 and crop uint8. Raises ValueError on other inputs.
    """
    image, label = _as_images(image, label)
    magnify = np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1])))
    y, x = None, None
    if show is not None or rng.random() < focus:
        y, x = _pixel_of_class(label, rng, show)
    top = _place(image.height, crop[0] / magnify, rng, y)
    left = _place(image.width, crop[1] / magnify, rng, x)
    view = _window(image, top, left, magnify, crop, Image.BILINEAR, fill)
    view_label = _window(label, top, left, magnify, crop, Image.NEAREST, IGNORE)
    if flip and rng.random() < 0.5:
        view, view_label = (seen.transpose(Image.FLIP_LEFT_RIGHT) for seen in (view, view_label))
    if jitter:
        view = jitter_colour(view, rng, jitter)
    return np.array(view), np.array(view_label)


def jitter_colour(image, rng, strength=0.2):
    """Random contrast and brightness of an RGB PIL image, and a slight cast per channel.

    Contrast and brightness vary by up to `strength` (of 1 and of 128), channel gains by a third
    of it.
    """
    contrast = 1 + rng.uniform(-strength, strength)
    brightness = 128 * rng.uniform(-strength, strength)
    gains = contrast * (1 + rng.uniform(-strength, strength, 3) / 3)
    values = gains[:, None] * (np.arange(256) - 128) + 128 + brightness
    table = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    # one table of 256 values a channel: several times quicker than arithmetic on every pixel
    return image.point(table.ravel().tolist())


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


def frames_by_class(labels, n_classes, least=100):
    """For each class the indices of the `labels` that have `least` pixels of it or more."""
    counts = [np.bincount(np.ravel(label), minlength=256)[:n_classes] for label in labels]
    return [np.flatnonzero(column >= least) for column in np.array(counts).T]


def _pixel_of_class(label, rng, show=None):
    """(y, x) of a pixel of class `show`, or of a class drawn evenly from those in the label; None
    where there is none.
    """
    label = np.asarray(label)
    classes = np.setdiff1d(np.unique(label), [IGNORE]) if show is None else [show]
    places = np.flatnonzero(label == rng.choice(classes)) if len(classes) else []
    return divmod(int(rng.choice(places)), label.shape[1]) if len(places) else (None, None)


def _place(size, want, rng, hold=None):
    """First pixel of a window `want` long in `size`, over pixel `hold` where given; a window
    larger than `size` holds it whole.
    """
    least, most = min(0, size - want), max(0, size - want)
    if hold is not None:
        first = hold - max(0, want - 1)  # the pixel is the window's last
        least, most = max(least, min(most, first)), min(most, max(least, hold))
    return rng.uniform(least, most)


def _window(image, top, left, magnify, crop, filter_, fill):
    """`crop` pixels of the `magnify`-ed image from (top, left), which are in its own pixels."""

    def span(start, size, length):  # what of the view the image covers: [first, last)
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
    view.paste(image.resize((x1 - x0, y1 - y0), filter_, box=box), (x0, y0))
    return view
