"""Label maps as pictures: one, side by side with images, and moving.

A palette is n x 3 uint8 RGB (or what np.asarray turns into that, such as the palettes of the
datasets) or a ListedColormap such as `segm_cmap`. Ignored pixels (255) are black.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FuncAnimation
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike
from PIL import Image

from lib.labels import IGNORE

IGNORED_RGB = (0, 0, 0)
LEGEND_COLUMN = 1.4  # inches that a long class name takes

Picture = np.ndarray | Image.Image  # H x W x 3 uint8 RGB
Palette = ArrayLike | ListedColormap


def class_cmap(n: int, seed: int = 0) -> ListedColormap:
    """Make a colormap of n colours that are far apart from each other and from black.

    Each colour is the one of 4096 random ones that is farthest from all chosen before, with the
    channels weighted by their luminance. The first n colours are the same for every n.

    Parameters
    ----------
    n : int
        Number of classes, at most 4096.
    seed : int
        The same seed gives the same colours.

    Returns
    -------
    ListedColormap
    """
    drawn = np.random.default_rng(seed).random((4096, 3))
    weights = np.sqrt([0.3, 0.59, 0.11])
    chosen: list[np.ndarray] = []
    apart = np.linalg.norm(drawn * weights, axis=1)
    for _ in range(n):
        chosen.append(drawn[apart.argmax()])
        apart = np.minimum(apart, np.linalg.norm((drawn - chosen[-1]) * weights, axis=1))
    return ListedColormap(np.array(chosen), name=f"segmentation of {n} classes")


segm_cmap = class_cmap(256)  # colours for labels whose dataset has no palette


def paint(label: ArrayLike, palette: Palette) -> np.ndarray:
    """Colour a label map.

    Parameters
    ----------
    label : H x W or 1 x H x W integer array
    palette : n x 3 uint8 array or ListedColormap

    Returns
    -------
    H x W x 3 uint8 array
        RGB; ignored pixels (255) are black.

    Raises
    ------
    ValueError
        If the palette has no colour for a class of the label.
    """
    classes = np.asarray(label)
    classes = np.squeeze(classes, 0) if classes.ndim == 3 else classes
    colours, ignored = _colours(palette), classes == IGNORE
    if (top := classes[~ignored].max(initial=0)) >= len(colours):
        raise ValueError(
            f"the label holds the class {top}, the palette has {len(colours)} "
            "colours: give the palette of this dataset, or segm_cmap"
        )
    rgb = colours[np.where(ignored, 0, classes)]
    rgb[ignored] = IGNORED_RGB
    return rgb


def segshow(
    im: Picture, label: Picture, out: Picture, n_cl: int | None = None, palette: Palette = segm_cmap
) -> Figure:
    """Draw an image, its label and the output side by side.

    Parameters
    ----------
    im : H x W x 3 uint8 array or PIL image
        RGB.
    label, out : H x W or 1 x H x W integer arrays, or pictures of them
        Label maps are painted; H x W x 3 arrays are shown as they are.
    n_cl : int, optional
        Number of classes: labels of other classes (except 255) are an error.
    palette : n x 3 uint8 array or ListedColormap

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a label map has a class beyond `n_cl` or beyond the palette.
    """
    colours = _colours(palette)[:n_cl]
    fig, axes = plt.subplots(1, 3, layout="constrained", figsize=(10, 3.4))
    pictures = [im] + [m if _is_picture(m) else paint(np.asarray(m), colours) for m in (label, out)]
    for ax, picture, title in zip(axes, pictures, ("image", "label", "output"), strict=True):
        _show(np.asarray(picture), ax, title)
    return fig


def rows(
    images: Sequence[Picture],
    *labels: Sequence[np.ndarray | None],
    palette: Palette,
    titles: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    row_titles: Sequence[str] | None = None,
    width: float = 10,
) -> Figure:
    """Draw one row per image: the image and its label maps, e.g. truth and outputs.

    Parameters
    ----------
    images : sequence of H x W x 3 uint8 arrays or PIL images
        RGB.
    *labels : sequences of H x W integer arrays
        One per column, each as long as `images`; None leaves a place empty.
    palette : n x 3 uint8 array or ListedColormap
    titles : sequence of str, optional
        One per column, that of the images first.
    class_names : sequence of str, optional
        Adds a legend of the classes that occur.
    row_titles : sequence of str, optional
        One per row, at its left.
    width : float
        Of the figure, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a column is not as long as `images`.
    """
    for column in labels:
        if len(column) != len(images):
            raise ValueError(
                f"a column of {len(column)} label maps for {len(images)} images: "
                "give one per row, None for an empty place"
            )
    high, wide = np.asarray(images[0]).shape[:2]
    cell = width / (1 + len(labels))
    fig, axes = plt.subplots(
        len(images),
        1 + len(labels),
        squeeze=False,
        layout="constrained",
        figsize=(width, len(images) * cell * high / wide + 0.8),
    )
    for i, (line, image, *maps) in enumerate(zip(axes, images, *labels, strict=True)):
        pictures = [np.asarray(image)] + [None if m is None else paint(m, palette) for m in maps]
        for j, (ax, picture) in enumerate(zip(line, pictures, strict=True)):
            _show(picture, ax, titles[j] if titles and i == 0 else None)
        if row_titles:
            line[0].set_ylabel(row_titles[i], fontsize=11)
    if class_names:
        shown = [label for column in labels for label in column if label is not None]
        _legend(fig, shown, palette, class_names)
    return fig


def animate(
    images: Sequence[Picture],
    *labels: Sequence[np.ndarray],
    palette: Palette,
    titles: Sequence[str] | None = None,
    interval: float = 200,
    width: float = 7,
    dpi: float = 60,
) -> FuncAnimation:
    """Animate the images and label maps of a clip side by side, for `embed`.

    Parameters
    ----------
    images, *labels, palette, titles
        As for `rows`, one item per frame.
    interval : float
        Between frames, in ms.
    width : float
        In inches.
    dpi : float
        Pixels per inch.

    Returns
    -------
    FuncAnimation
    """
    panels = 1 + len(labels)
    high, wide = np.asarray(images[0]).shape[:2]
    fig, axes = plt.subplots(
        1,
        panels,
        squeeze=False,
        layout="constrained",
        dpi=dpi,
        figsize=(width, width / panels * high / wide + 0.4),
    )
    clip = [images, *([paint(m, palette) for m in column] for column in labels)]
    shown = [
        _show(np.asarray(column[0]), ax, titles[j] if titles else None).images[0]
        for j, (ax, column) in enumerate(zip(axes[0], clip, strict=True))
    ]

    def draw(t):
        for picture, column in zip(shown, clip, strict=True):
            picture.set_data(np.asarray(column[t]))
        return shown

    animation = FuncAnimation(fig, draw, frames=len(images), interval=interval)
    plt.close(fig)  # or a notebook shows the first frame as well
    return animation


def embed(animation: FuncAnimation, limit_mb: float = 3) -> str:
    """Convert an animation to HTML with controls, with its frames as JPEG inside.

    Parameters
    ----------
    animation : FuncAnimation
    limit_mb : float
        Largest size in MB, as notebooks should stay small.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ValueError
        If the HTML is larger than the limit.
    """
    with rc_context({"animation.embed_limit": 1e3, "animation.frame_format": "jpeg"}):
        html = animation.to_jshtml()
    if len(html) > limit_mb * 1e6:
        raise ValueError(
            f"the animation takes {len(html) / 1e6:.1f} MB, the limit is {limit_mb}: "
            "give animate fewer frames, a smaller width or a lower dpi"
        )
    return html


def _is_picture(label):
    return np.ndim(label) == 3 and np.shape(label)[2] == 3


def _show(picture, ax, title):
    if picture is None:
        ax.axis("off")
    else:
        ax.imshow(picture, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
    if title:
        ax.set_title(title, fontsize=11)
    return ax


def _legend(fig, labels, palette, class_names):
    """Add a legend of the classes that occur in the labels, below the figure."""
    present = sorted(set().union(*(np.unique(label).tolist() for label in labels)))
    colours = _colours(palette) / 255
    patches = [
        Patch(facecolor=colours[c], edgecolor="gray", label=class_names[c])
        for c in present
        if c != IGNORE
    ]
    if IGNORE in present:
        patches.append(Patch(facecolor=IGNORED_RGB, label="ignored"))
    columns = min(len(patches), 7, max(1, int(fig.get_figwidth() / LEGEND_COLUMN)))
    fig.legend(
        handles=patches, loc="outside lower center", ncols=columns, fontsize=10, frameon=False
    )


def _colours(palette):
    """Return a palette as n x 3 uint8."""
    if isinstance(palette, ListedColormap):
        return np.rint(255 * np.asarray(palette.colors)[:, :3]).astype(np.uint8)
    colours = np.asarray(palette)
    if colours.ndim != 2 or colours.shape[1] != 3 or colours.dtype != np.uint8:
        raise ValueError(
            f"a palette is n x 3 uint8 or a ListedColormap, got {colours.shape} "
            f"{colours.dtype}: see segm_cmap"
        )
    return colours
