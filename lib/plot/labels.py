"""Label maps as pictures: one, side by side with images, and moving. Curves are in plot_curves.

A palette is n x 3 uint8 RGB (anything np.asarray makes that of, such as the palettes of the
datasets) or a ListedColormap such as `segm_cmap`. Ignored pixels (255) are black.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FuncAnimation
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from lib.labels import IGNORE

IGNORED_RGB = (0, 0, 0)
LEGEND_COLUMN = 1.4  # inches that a long class name takes


def class_cmap(n, seed=0):
    """A ListedColormap of n colours far apart from one another and from black; same seed, same map.

    Each colour is that of 4096 random ones that is farthest from all chosen before, the channels
    weighted by how much the eye sees of them: the first n colours are the same for every n.
    """
    drawn = np.random.default_rng(seed).random((4096, 3))
    weights = np.sqrt([0.3, 0.59, 0.11])
    chosen, apart = [], np.linalg.norm(drawn * weights, axis=1)
    for _ in range(n):
        chosen.append(drawn[apart.argmax()])
        apart = np.minimum(apart, np.linalg.norm((drawn - chosen[-1]) * weights, axis=1))
    return ListedColormap(np.array(chosen), name=f"segmentation of {n} classes")


segm_cmap = class_cmap(256)  # colours for labels whose dataset brings no palette


def paint(label, palette):
    """A label map, H x W integer (1 x H x W is taken too), as H x W x 3 uint8 RGB.

    Raises ValueError where the label holds a class that the palette has no colour for.
    """
    label = np.squeeze(np.asarray(label), 0) if np.ndim(label) == 3 else np.asarray(label)
    colours, ignored = _colours(palette), label == IGNORE
    if (top := label[~ignored].max(initial=0)) >= len(colours):
        raise ValueError(
            f"the label holds the class {top}, the palette has {len(colours)} "
            "colours: give the palette of this dataset, or segm_cmap"
        )
    rgb = colours[np.where(ignored, 0, label)]
    rgb[ignored] = IGNORED_RGB
    return rgb


def segshow(im, label, out, n_cl=None, palette=segm_cmap):
    """A figure of an image, its label and the output, side by side. Returns the figure.

    im          H x W x 3 uint8 RGB (a PIL image is taken too)
    label, out  label maps, H x W or 1 x H x W, or pictures of them such as a palette paints
    n_cl        number of classes: labels of others (but 255) are an error

    Raises ValueError where a label map holds a class beyond n_cl or beyond the palette.
    """
    colours = _colours(palette)[:n_cl]
    fig, axes = plt.subplots(1, 3, layout="constrained", figsize=(10, 3.4))
    pictures = [im] + [m if _is_picture(m) else paint(m, colours) for m in (label, out)]
    for ax, picture, title in zip(axes, pictures, ("image", "label", "output"), strict=True):
        _show(np.asarray(picture), ax, title)
    return fig


def rows(images, *labels, palette, titles=None, class_names=None, row_titles=None, width=10):
    """A figure of rows: an image and the label maps that belong to it, e.g. truth and outputs.

    images       H x W x 3 uint8 RGB each (PIL images are taken too)
    labels       one sequence a column, each as long as images; None leaves a place empty
    titles       one str a column, the images' column first
    class_names  gives a legend of the classes that occur
    row_titles   one str a row, written at its left
    width        of the figure, in inches

    Raises ValueError where a column is not as long as images.
    """
    for column in labels:
        if len(column) != len(images):
            raise ValueError(
                f"a column of {len(column)} label maps for {len(images)} images: "
                "give one a row, None where there is none"
            )
    high, wide = np.shape(images[0])[:2]
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


def animate(images, *labels, palette, titles=None, interval=200, width=7, dpi=60):
    """Images and label maps of a clip side by side as a matplotlib animation, for `embed`.

    images, labels as for `rows`, one entry a frame; interval in ms between frames.
    """
    panels = 1 + len(labels)
    high, wide = np.shape(images[0])[:2]
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
    plt.close(fig)  # else a notebook shows the first frame as well
    return animation


def embed(animation, limit_mb=3):
    """An animation as HTML with controls, its frames as JPEG inside.

    Raises ValueError where it is larger than `limit_mb`: a notebook should stay small.
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
    if isinstance(palette, ListedColormap):
        return np.rint(255 * np.asarray(palette.colors)[:, :3]).astype(np.uint8)
    colours = np.asarray(palette)
    if colours.ndim != 2 or colours.shape[1] != 3 or colours.dtype != np.uint8:
        raise ValueError(
            f"a palette is n x 3 uint8 or a ListedColormap, got {colours.shape} "
            f"{colours.dtype}: see segm_cmap"
        )
    return colours
