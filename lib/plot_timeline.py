"""Which frames of a video a clip takes, and which of them are scored, drawn along time."""
import matplotlib.pyplot as plt

from lib.plot_curves import STYLES, label_axes


def timeline(clips, last, ax=None):
    """One line a clip: open circles are frames that are run, filled ones are scored besides.

    clips  {name: [(frame number, whether it has a label), ...]}, the first on top
    last   number of the last frame of the video; all are marked by small dots

    Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(9, .45 * len(clips) + 1.3), layout='constrained')[1]
    colour = STYLES[0][0]
    for y, frames in enumerate(clips.values()):
        for there, face, what in ((False, 'white', 'run'), (True, colour, 'run and scored')):
            shown = [number for number, labelled in frames if labelled == there]
            ax.plot(shown, [y] * len(shown), 'o', color=colour, markerfacecolor=face, markersize=9,
                    label=what if y == 0 else None, zorder=2)
        ax.plot(range(1, last + 1), [y] * last, '.', color='.4', markersize=3, zorder=3,
                label='frame of the shot' if y == 0 else None)
    ax.set_yticks(range(len(clips)), clips)
    ax.set_ylim(len(clips) - .4, -.6)
    ax.legend(loc='upper left', bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    return label_axes(ax, 'number of the frame', '')
