"""Find the threshold of the adaptive clock that fires a given share of the time.

When it fires depends on the scores before the gated stage only, so that these are recorded once
and any threshold is then tried without the net.
"""
import numpy as np
from tqdm import tqdm

from lib.run_net import feed_net, fires, label_map
from lib.schedule import per_frame
from lib.stages import FCN8S, check_stages, run_stage, split_at


def record_signatures(net, clips, stages=FCN8S, gated='deep', silent=False):
    """What the adaptive clock looks at: for each clip a list with a map h x w uint8 a frame.

    It is the best class of each pixel of the scores before the gated stage (score_pool4). Runs the
    stages up to there; clips as for lib.evaluate.evaluate.
    """
    check_stages(net, stages)
    before, scores = _watched(net, stages, gated)

    def signature(in_):
        feed_net(net, in_)
        for stage in before:
            run_stage(net, stage)
        return label_map(net.blobs[scores].data[0])

    return [[signature(in_) for in_, _ in clip]
            for clip in tqdm(clips, desc='signatures', unit='clip', disable=silent)]


def per_frame_recording(net, frames, signatures, stages=FCN8S, gated='deep'):
    """The schedule per_frame, which besides appends to the list `signatures` what
    record_signatures records of this clip: spares a run where the oracle is run anyway.
    """
    _, scores = _watched(net, stages, gated)
    signatures.append([])
    for step in per_frame(net, frames, stages):
        signatures[-1].append(label_map(net.blobs[scores].data[0]))
        yield step


def firing_share(signatures, threshold):
    """The share of frames, 0..1, on which lib.schedule.adaptive fires; each first frame does."""
    fired = 0
    for clip in signatures:
        seen = None
        for now in clip:
            if fires(now, seen, threshold):
                fired, seen = fired + 1, now
    return fired / sum(map(len, signatures))


def tune_threshold(signatures, target=0.5, steps=24):
    """(threshold, its firing share): the threshold tried whose share is nearest to `target`.

    Halves the range of thresholds `steps` times. The share falls with the threshold but for small
    jumps (what fired before decides what a frame is compared with), so that the nearest of all
    tried is taken, not the last. Raises ValueError where there are no signatures.
    """
    if not any(map(len, signatures)):
        raise ValueError('no signatures to tune on: record them on at least one clip')
    low, high, tried = 0.0, 1.0, []
    for _ in range(steps):
        threshold = (low + high) / 2
        share = firing_share(signatures, threshold)
        tried.append((abs(share - target), threshold, share))
        low, high = (threshold, high) if share > target else (low, threshold)
    return tuple(np.float64(min(tried)[1:]).tolist())


def _watched(net, stages, gated):
    """The stages before the gated one, and the blob of their scores."""
    before, *_ = split_at(stages, gated)
    return before, net.top_names[before[-1].end][0]
