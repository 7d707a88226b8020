"""Scores of a schedule by the number of the frame: how it does as a clip goes on."""
from lib.score_util import Scores


def frame_scores(result, clips, n_classes, class_names=None, region=None):
    """A list of Scores, one for each frame number, over all clips.

    result   Result of lib.evaluate.evaluate(..., keep=True) that ran each clip once
    clips    the clips that it ran, in the same order; their labels may be more than those that were
             scored then, for example those of frames that filled a pipeline
    region   callable, label H x W -> H x W bool: score these pixels only

    A number for which no clip has a label has empty Scores. Raises ValueError where the label maps
    were not kept or are not of these clips.
    """
    if result.labels is None:
        raise ValueError(f'{result.name}: its label maps were not kept, call '
                         'evaluate(..., keep=True)')
    ran, given = [len(kept) for kept in result.labels], [len(clip) for clip in clips]
    if ran != given:
        raise ValueError(f'{result.name} ran clips of {ran} frames, the clips given have {given}: '
                         'give those that it ran, once each')
    by_number = [Scores(n_classes, class_names) for _ in range(max(given, default=0))]
    for kept, clip in zip(result.labels, clips, strict=True):
        for scores, out, (_, label) in zip(by_number, kept, clip, strict=False):
            if label is not None:
                scores.add(out, label, region)
    return by_number
