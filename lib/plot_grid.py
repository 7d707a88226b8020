"""Pictures side by side with a title each, such as the frames of a video."""
import matplotlib.pyplot as plt
import numpy as np


def grid(pictures, titles=None, columns=None, width=10, white=1):
    """A figure of pictures in rows of `columns` (all in one row if not given).

    pictures  H x W x 3 uint8 RGB or H x W of shares 0..1, shown as grey (PIL images are taken too)
    titles    one str a picture
    width     of the figure, in inches
    white     the share from which on grey is white

    Returns the figure; fig.axes[i] are those of pictures[i]. Raises ValueError where there are not
    as many titles as pictures, or none of them.
    """
    if not len(pictures) or titles is not None and len(titles) != len(pictures):
        raise ValueError(f'{len(titles or ())} titles for {len(pictures)} pictures: give one a '
                         'picture, of at least one picture')
    columns = columns or len(pictures)
    lines = -(-len(pictures) // columns)
    high, wide = np.shape(pictures[0])[:2]
    tall = width / columns * high / wide
    fig, axes = plt.subplots(lines, columns, squeeze=False, layout='constrained',
                             figsize=(width, lines * (tall + (.3 if titles else .05))))
    for i, ax in enumerate(axes.flat):
        if i >= len(pictures):
            ax.axis('off')
            continue
        ax.imshow(np.asarray(pictures[i]), cmap='gray', vmin=0, vmax=white, interpolation='nearest')
        ax.set(xticks=[], yticks=[])
        if titles:
            ax.set_title(titles[i], fontsize=11)
    return fig
