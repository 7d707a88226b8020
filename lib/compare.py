"""Two schedules side by side: on which frames their outputs differ most."""
import numpy as np

from lib.run_net import changed_share


def largest_difference(maps, others, count=1, apart=3, among=None):
    """Frame numbers, in order, where two lists of label maps of one clip differ most.

    count   how many frames
    apart   least distance between two of them, in frames: neighbours would show the same thing
            twice
    among   frame numbers to choose from, such as those with labels; all if not given

    Fewer than `count` where the clip is too short for that. Raises ValueError where the lists
    are not equally long.
    """
    shares = [changed_share(a, b) for a, b in zip(maps, others, strict=True)]
    chosen = []
    for t in np.argsort(shares)[::-1].tolist():
        allowed = (among is None or t in among) and all(abs(t - c) >= apart for c in chosen)
        if allowed and len(chosen) < count:
            chosen.append(t)
    return sorted(chosen)


def largest_differences(result, other, count=1, first=0):
    """[(clip number, frame number)] where two schedules differ most, in at most one frame a clip.

    result, other  Results of lib.evaluate.evaluate(..., keep=True) on the same clips
    first          the first frame of each clip that counts, all of which are longer

    The clip with the largest difference comes first. Raises ValueError where label maps were not
    kept or are not of the same clips.
    """
    for given in (result, other):
        if given.labels is None:
            raise ValueError(f'{given.name}: its label maps were not kept, call '
                             'evaluate(..., keep=True) for both schedules')
    found = []
    for number, (maps, others) in enumerate(zip(result.labels, other.labels, strict=True)):
        t = first + largest_difference(maps[first:], others[first:])[0]
        found.append((-changed_share(maps[t], others[t]), number, t))
    return [(number, t) for _, number, t in sorted(found)[:count]]
