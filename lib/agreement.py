"""How far a schedule agrees with the per-frame oracle: no labels needed, any video will do.

The oracle's output stands in for the ground truth. What comes out is the price of the clock alone,
without the errors of the net: a schedule that is wrong where the oracle is wrong loses nothing.
"""
from lib.score_util import Scores


def agreement(result, oracle, n_classes, class_names=None):
    """Scores of a schedule's label maps against those of the oracle, on all frames of all clips.

    result     Result of lib.evaluate.evaluate(..., keep=True); where it ran every clip once a
               phase, each run is compared with the one of the oracle
    oracle     the same of lib.schedule.per_frame on the same clips (any other schedule that ran
               them once will do as a reference)

    Raises ValueError where the label maps were not kept or are not of the same clips.
    """
    for given in (result, oracle):
        if given.labels is None:
            raise ValueError(f'{given.name}: its label maps were not kept, call '
                             'evaluate(..., keep=True) for both schedules')
    phases, left = divmod(len(result.labels), len(oracle.labels))
    if left or not phases:
        _differ(result, oracle, f'{len(result.labels)} runs of clips against '
                                f'{len(oracle.labels)}')
    scores = Scores(n_classes, class_names)
    for i, (maps, clip) in enumerate(zip(result.labels, result.clips, strict=True)):
        reference, name = oracle.labels[i // phases], oracle.clips[i // phases]
        if clip != name or len(maps) != len(reference):
            _differ(result, oracle, f'run {i + 1} is of {clip!r}, {len(maps)} frames, against '
                                    f'{name!r}, {len(reference)} frames')
        for out, truth in zip(maps, reference, strict=True):
            scores.add(out, truth)
    return scores


def _differ(result, oracle, how):
    raise ValueError(f'{result.name} and {oracle.name} did not run the same clips: {how}. Evaluate '
                     'both on the same list of clips')
