"""What a net takes the classes for: a confusion matrix as a picture."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter

WRITTEN = .05  # least share that is written into its cell


def confusion_map(hist, class_names, width=10):
    """A figure of a confusion matrix: a row a true class, in it the shares of its pixels by output.

    hist  n x n counts as Scores.hist of lib.score_util: hist[i, j] pixels of class i labelled j

    Classes that neither occur nor are given are left out. Shares of 5 % or more are written out.
    Returns the figure. Raises ValueError where there are not as many names as classes.
    """
    hist = np.asarray(hist, float)
    if len(class_names) != len(hist):
        raise ValueError(f'{len(class_names)} class names for a matrix of {len(hist)} classes: '
                         'give one a class')
    seen = np.flatnonzero(hist.sum(0) + hist.sum(1))
    hist, names = hist[np.ix_(seen, seen)], [class_names[i] for i in seen]
    shares = hist / np.maximum(hist.sum(1, keepdims=True), 1)
    fig, ax = plt.subplots(figsize=(width, .85 * width), layout='constrained')
    picture = ax.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for i, j in np.argwhere(shares >= WRITTEN):
        ax.text(j, i, f'{100 * shares[i, j]:.0f}', ha='center', va='center', fontsize=8,
                color='white' if shares[i, j] > .5 else 'black')
    ax.set_xticks(range(len(names)), names, rotation=60, ha='right', rotation_mode='anchor')
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(labelsize=10)
    ax.set_xlabel('output', fontsize=12)
    ax.set_ylabel('truth', fontsize=12)
    bar = fig.colorbar(picture, shrink=.6, format=PercentFormatter(1))
    bar.set_label('share of the true class', fontsize=11)
    return fig
