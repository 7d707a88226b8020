"""The classes of a dataset as a picture: one swatch each, to look colours up in."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle


def swatches(class_names, palette, columns=4, width=10):
    """A figure of one swatch a class with its number and name, in rows of `columns`.

    palette  n x 3 uint8 RGB, as for lib.plot_util

    Returns the figure. Raises ValueError where the palette has too few colours.
    """
    colours = np.asarray(palette)[:len(class_names)] / 255
    if len(colours) < len(class_names):
        raise ValueError(f'{len(class_names)} class names for {len(colours)} colours: give the '
                         'palette of this dataset')
    lines = -(-len(class_names) // columns)
    fig, ax = plt.subplots(figsize=(width, .34 * lines), layout='constrained')
    for number, (name, colour) in enumerate(zip(class_names, colours, strict=True)):
        x, y = number % columns, lines - 1 - number // columns
        ax.add_patch(Rectangle((x, y + .12), .16, .76, facecolor=colour, edgecolor='0.3'))
        ax.text(x + .2, y + .5, f'{number}  {name}', va='center', fontsize=11)
    ax.set(xlim=(-.01, columns), ylim=(0, lines))
    ax.axis('off')
    return fig
