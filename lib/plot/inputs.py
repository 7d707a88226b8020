"""What plot helpers take: pictures, label maps, palettes, names and axes, and their common slips.

What can be read in one way only is put right: one picture or label map is a list of one, a grey PIL
image is shown grey, a palette of whole numbers may be a list. The rest is an error that names the
fix.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, to_rgba_array
from numpy.typing import ArrayLike
from PIL import Image

from lib.checks import check_names
from lib.labels import IGNORE, as_label

Picture = np.ndarray | Image.Image  # H x W x 3 uint8 RGB
Palette = ArrayLike | ListedColormap

ROUNDING = 1e-6  # by which shares may leave 0..1
RGB = "give H x W x 3 uint8 RGB or a PIL image"


def as_picture(picture: Picture, what: str = "a picture") -> np.ndarray:
    """Return a picture as an array that matplotlib shows as it is meant.

    Parameters
    ----------
    picture : H x W x 3 or H x W x 4 array or PIL image
        RGB or RGBA: uint8, other integers 0..255, or float 0..1. PIL images may be of any mode of 8
        bits. H x W bool or float 0..1 is grey.
    what : str
        What error messages call it.

    Returns
    -------
    H x W x 3 or H x W x 4 array
        uint8, or float 0..1.

    Raises
    ------
    ValueError
        If it is anything else, such as a label map or an input of a net.
    """
    values = as_grey_or_picture(picture, what)
    return np.dstack([values.astype(float)] * 3) if values.ndim == 2 else values


def as_grey_or_picture(picture: Picture, what: str = "a picture") -> np.ndarray:
    """Return a picture as `as_picture`, but one that is grey as H x W shares 0..1.

    Shares may be nan. Raises ValueError also for H x W integers beyond 0 and 1, as they may be
    classes or grey levels.
    """
    if isinstance(picture, Image.Image):
        return _from_pil(picture)
    values = _array(picture, what)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    elif values.ndim == 3 and len(values) == 1 and values.shape[2] not in (3, 4):
        values = values[0]
    if not values.size:
        raise ValueError(f"{what} has the shape {values.shape}, no pixels: {RGB}")
    if values.ndim == 2:
        return _grey(values, what)
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        net_input = values.ndim in (3, 4) and values.shape[-3] == 3
        hint = "; this is an input of a net, take clip.image(t) or load_image() of the dataset"
        raise ValueError(f"{what} has the shape {values.shape}: {RGB}{hint if net_input else ''}")
    return _coloured(values, what)


def as_pictures(pictures: Any, what: str = "images", single_2d: bool = False) -> list:
    """Return pictures as a list; one picture is a list of one.

    Parameters
    ----------
    pictures : sequence or other iterable of pictures, or one picture
    what : str
        What error messages call them.
    single_2d : bool
        H x W arrays are pictures too.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If there are none, they are a clip of (frame, label) pairs, or a 3 x H x W array, which may
        be three grey pictures or the channels of one.
    """
    shape: tuple[int, ...] = getattr(pictures, "shape", ())
    if len(shape) == 3 and shape[0] == 3 and shape[2] not in (3, 4):
        raise ValueError(
            f"{what} are an array of the shape {shape}: give list(array) if these are three grey "
            "pictures, array.transpose(1, 2, 0) if they are the channels of one; of an input of a "
            "net, clip.image(t) or load_image() of the dataset"
        )
    if isinstance(pictures, Image.Image) or _is_one_picture(pictures, single_2d):
        return [pictures]
    listed = _listed(pictures, what, "picture")
    if isinstance(listed[0], (tuple, list)) and len(listed[0]) == 2:
        raise ValueError(
            f"{what} hold (frame, label) pairs: give the images of the clip, clip.images()"
        )
    return listed


def as_column(labels: Any, rows: int) -> Any:
    """Return the label maps of a column as a sequence; for one row, one map is a list of one.

    Raises ValueError if there are not as many as `rows`.
    """
    one = isinstance(labels, Image.Image) or getattr(labels, "ndim", 0) == 2
    if one and rows == 1 or labels is None and rows == 1:
        return [labels]
    if one:
        raise ValueError(
            f"a single label map, of the shape {np.shape(labels)}, for {rows} images: "
            "give one per row, None for an empty place"
        )
    if isinstance(labels, (str, bytes, Mapping)) or not isinstance(labels, Iterable):
        raise ValueError(f"label maps are {labels!r}: give a list with one per row")
    column = labels if isinstance(labels, (Sequence, np.ndarray)) else list(labels)
    if len(column) != rows:
        raise ValueError(
            f"a column of {len(column)} label maps for {rows} images: "
            "give one per row, None for an empty place"
        )
    return column


def as_names(names: Any, what: str = "class names") -> list[str]:
    """Return names as a list; raise ValueError for None, or one text in their place."""
    if names is None or isinstance(names, str):
        check_names(what, names)
    return [str(name) for name in names]


def as_titles(titles: Any, count: int, what: str, per: str) -> list[str] | None:
    """Return `count` titles as a list, None if none are given; raise ValueError for others."""
    if titles is None:
        return None
    listed = as_names(titles, what)
    if len(listed) != count:
        raise ValueError(f"{len(listed)} {what} for {count} {per}: give one each")
    return listed


def as_colours(palette: Palette) -> np.ndarray:
    """Return a palette as n x 3 uint8.

    Parameters
    ----------
    palette : n x 3 uint8 array, list of (R, G, B) whole numbers 0..255, or ListedColormap

    Returns
    -------
    n x 3 uint8 array

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(palette, ListedColormap):
        colours = palette.colors if np.ndim(palette.colors) == 2 else to_rgba_array(palette.colors)
        return np.rint(255 * np.asarray(colours)[:, :3]).astype(np.uint8)
    if palette is None or isinstance(palette, (str, Colormap)):
        raise ValueError(
            f"the palette is {palette!r:.60}: give n x 3 uint8 or a ListedColormap, such as the "
            "palette of the dataset, segm_cmap, or plt.get_cmap('tab20')"
        )
    try:
        colours = np.asarray(palette)
    except ValueError as error:
        raise ValueError(f"a palette is n x 3 uint8, got {error}: see segm_cmap") from None
    low, high = _range(colours)
    whole = colours.dtype.kind in "iu" and 0 <= low and high <= 255
    if colours.ndim != 2 or colours.shape[1] != 3 or not colours.size or not whole:
        times = "; times 255 and rounded if it is 0..1" if colours.dtype.kind == "f" else ""
        raise ValueError(
            f"a palette is n x 3 uint8 or a ListedColormap, got {colours.shape} "
            f"{colours.dtype}: see segm_cmap{times}"
        )
    return colours.astype(np.uint8)


def as_axes(ax: Axes | None, **options: Any) -> Axes:
    """Return `ax`, or new axes of a figure with these options if it is None."""
    if ax is None:
        return plt.subplots(layout="constrained", **options)[1]
    if not isinstance(ax, Axes):
        raise ValueError(
            f"ax is a {type(ax).__name__}: give one Axes, such as axes[0] of "
            "fig, axes = plt.subplots(1, 2)"
        )
    return ax


def as_results(results: Any, what: str) -> list:
    """Return Results as a list, at least one; one Result is a list of one."""
    if hasattr(results, "scores"):
        return [results]
    listed = _listed(results, what, "Result")
    for result in listed:
        if not hasattr(result, "scores"):
            raise ValueError(f"{what} hold a {type(result).__name__}: give Results of lib.evaluate")
    return listed


def check_mapping(what: str, given: Any, example: str) -> None:
    """Raise ValueError unless it is a mapping with at least one item."""
    if not isinstance(given, Mapping) or not given:
        got = "empty" if isinstance(given, Mapping) else f"a {type(given).__name__}"
        raise ValueError(f"{what} are {got}: give a dict, {example}")


def check_film(what: str, pictures: Iterable[Any]) -> None:
    """Raise ValueError unless all pictures of a film have one size."""
    first = None
    for number, picture in enumerate(pictures):
        size = as_grey_or_picture(picture, f"{what} {number} (the first is 0)").shape[:2]
        first = first or size
        if size != first:
            raise ValueError(
                f"{what} {number} (the first is 0) has the size {size}, the first {first}: a film "
                "has one size, resize them"
            )


def _is_one_picture(pictures, single_2d):
    shape: tuple[int, ...] = getattr(pictures, "shape", ())
    return len(shape) == 3 and shape[2] in (3, 4) or len(shape) == 2 and single_2d


def _listed(items, what, kind):
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise ValueError(f"{what} are {items!r:.60}: give a list of {kind}s")
    listed = list(items)
    if not listed:
        raise ValueError(f"there are no {what}: give at least one {kind}")
    return listed


def _array(picture, what):
    if picture is None:
        raise ValueError(f"{what} is None: {RGB}")
    try:
        return np.asarray(picture)
    except ValueError as error:
        raise ValueError(f"{what} is not an array ({error}): {RGB}") from None


def _from_pil(image):
    """Return a PIL image of any mode as RGB or RGBA, a grey one as shares."""
    if image.mode in ("RGB", "RGBA"):
        return np.asarray(image)
    if image.mode in ("1", "L"):
        return np.asarray(image, float) / (1 if image.mode == "1" else 255)
    if image.mode.startswith("I") or image.mode == "F":
        raise ValueError(f"a PIL image of the mode {image.mode!r} has no 8-bit colours: {RGB}")
    return np.asarray(image.convert("RGB"))


def _grey(values, what):
    """Return H x W values, unless they are no shares."""
    low, high = _range(values)
    if values.dtype.kind not in "biuf" or low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f"{what} has the shape {values.shape} and holds {values.dtype} from {low:g} to "
            f"{high:g}: give paint(label, palette) of a label map, grey / 255 of a grey picture"
        )
    return values


def _coloured(values, what):
    """Return colours as uint8 or float 0..1; raise ValueError for what would be clipped."""
    if values.dtype == np.uint8:
        return values
    kind, (low, high) = values.dtype.kind, _range(values)
    if kind in "iu" and 0 <= low and high <= 255:
        return values.astype(np.uint8)
    if kind == "b" or kind == "f" and -ROUNDING <= low and high <= 1 + ROUNDING:
        return values.astype(float) if kind == "b" else np.clip(values, 0, 1)
    raise ValueError(
        f"{what} holds {values.dtype} from {low:g} to {high:g}: give uint8 0..255 or float 0..1; "
        "of a preprocessed frame, the image that it was made of"
    )


def _range(values):
    """Return least and largest value; nan counts as neither, infinite ones do."""
    if values.dtype.kind not in "biuf":
        return 0, 0
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return (float(known.min()), float(known.max())) if known.size else (0, 0)


def shown_classes(labels: Iterable[Any]) -> list[int]:
    """List the classes of label maps in order, the ignored one last if it occurs."""
    present = sorted(set().union(*(np.unique(as_label(label)).tolist() for label in labels)))
    return [c for c in present if c != IGNORE] + [IGNORE] * (IGNORE in present)
