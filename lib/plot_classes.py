"""Figures with one bar a class: how often it occurs, how well it is found."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter

from lib.plot_curves import label_axes


def class_bars(panels, class_names, palette, log=False, width=10):
    """A figure of one panel for each set of values, one bar a class in its colour, side by side.

    panels   {title of the x axis: one value a class}; classes are sorted by the first, largest on
             top, those that have nan there at the bottom; nan leaves a bar out
    palette  n x 3 uint8 RGB, as for lib.plot_util
    log      logarithmic x axis in the first panel, for frequencies that span powers of ten; classes
             of value 0 then have no bar

    Returns the figure. Raises ValueError where the panels or names do not have equally many values.
    """
    colours = np.asarray(palette)[:len(class_names)] / 255
    for title, values in panels.items():
        if not len(values) == len(class_names) == len(colours):
            raise ValueError(f'{title}: {len(values)} values for {len(class_names)} class names '
                             f'and {len(colours)} colours, give one of each a class')
    first = np.asarray(next(iter(panels.values())), float)
    order = np.argsort(-np.where(np.isnan(first), -np.inf, first), kind='stable')
    fig, axes = plt.subplots(1, len(panels), squeeze=False, sharey=True, layout='constrained',
                             figsize=(width, .21 * len(order) + .9))
    for ax, (title, values) in zip(axes[0], panels.items(), strict=True):
        ax.barh(range(len(order)), np.asarray(values, float)[order], color=colours[order],
                edgecolor='0.3', linewidth=.6)
        label_axes(ax, title, '').set_axisbelow(True)
    axes[0, 0].set_yticks(range(len(order)), [class_names[i] for i in order], fontsize=10)
    axes[0, 0].set_ylim(len(order) - .4, -.6)
    if log:
        axes[0, 0].set_xscale('log')
        axes[0, 0].xaxis.set_major_formatter(FuncFormatter('{:g}'.format))
    return fig
