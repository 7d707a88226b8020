"""Two schedules side by side: on which frames of a clip their outputs differ most."""
import numpy as np

from lib.run_net import changed_share


def largest_difference(maps, others, count=1, apart=3):
    """Frame numbers, in order, where two lists of label maps of one clip differ most.

    count   how many frames
    apart   least distance between two of them, in frames: neighbours would show the same thing
            twice

    Fewer than `count` where the clip is too short for that. Raises ValueError where the lists
    are not equally long.
    """
    shares = [changed_share(a, b) for a, b in zip(maps, others, strict=True)]
    chosen = []
    for t in np.argsort(shares)[::-1].tolist():
        if len(chosen) < count and all(abs(t - c) >= apart for c in chosen):
            chosen.append(t)
    return sorted(chosen)
