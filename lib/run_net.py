"""One frame through a net: in full, or with some stages as earlier frames left them.

The names, arguments and layer ranges are those of the paper's own code, so that cells written for
it run here. `in_` is one frame as 3 x H x W float (BGR, mean-subtracted); every forward returns its
label map, H x W uint8. The state of a clip is what the blobs of the net hold, nothing is kept here:
run the first frame in full (`segrun` or a `pipeline_fill_*`), then frame after frame. lib.schedule
does this for whole clips and for other stages.
"""

import numpy as np

from lib.labels import changed_share, label_map
from lib.stages import FCN8S, run_stage

SHALLOW, MIDDLE, DEEP, FUSE = FCN8S


def feed_net(net, in_):
    """Put one frame into the blob `data`, which takes its size. Nothing is run.

    Raises ValueError unless in_ is a float array, channels x H x W, of the channels the net takes.
    """
    in_ = np.asarray(in_)
    fix = "give 3 x H x W float, BGR and mean-subtracted, as preprocess() of a dataset returns"
    if in_.ndim != 3:
        raise ValueError(f"a frame has 3 dimensions, got the shape {in_.shape}: {fix}")
    if not np.issubdtype(in_.dtype, np.floating):
        raise ValueError(f"a frame is float, got {in_.dtype}: {fix}")
    data = net.blobs["data"]
    if in_.shape[0] != data.data.shape[1]:
        raise ValueError(
            f"the net takes {data.data.shape[1]} channels, got a frame of shape {in_.shape}: {fix}"
        )
    data.reshape(1, *in_.shape)
    data.data[...] = in_


def get_out_scoremap(net):
    """The label map of the output, H x W uint8: the best class of each pixel of blob `score`."""
    return label_map(net.blobs["score"].data[0])


def fires(now, seen, threshold):
    """Whether the clock that looks runs its stage: on the first frame (`seen` is None), and where
    the share of pixels that differ between the class maps `now` and `seen` reaches `threshold`.
    """
    return seen is None or changed_share(now, seen) >= threshold


def segrun(net, in_):
    """The label map of a frame, all stages run on it (the per-frame oracle)."""
    feed_net(net, in_)
    net.forward()
    return get_out_scoremap(net)


def clockwork_forward(net, in_):
    """Shallow and middle stage on this frame, fused with the deep scores of an earlier one."""
    return _run(net, in_, (SHALLOW, MIDDLE, FUSE))


def adaptive_clock_forward(net, in_, clock):
    """All stages where the clock ticks, else all but the deep one. Returns the label map.

    clock  truth value: whether the deep stage runs on this frame. To decide by how much the frame
           changed, see lib.schedule.adaptive.
    """
    return segrun(net, in_) if clock else clockwork_forward(net, in_)


def pipeline_fill_2stage(net, in_):
    """Fill the 2-stage pipeline: the first frame in full. Returns its label map."""
    return segrun(net, in_)


def pipeline_2stage_forward(net, in_):
    """Two stages at once: the deep one on the frame before, shallow and middle on this one.

    The output fuses deep scores one frame old. It does not depend on the deep run of this frame,
    so that on parallel hardware its latency is that of shallow, middle and fuse.
    """
    return _run(net, in_, (DEEP, SHALLOW, MIDDLE, FUSE))


def pipeline_fill_3stage(net, in0, in1=None):
    """Fill the 3-stage pipeline: frame `in0` in full, `in1` through the 2-stage pipeline.

    Without `in1` the next output fuses middle and deep scores of in0 both, which is what the
    recorded sequences start from. Returns the label map of the last frame given.
    """
    label = segrun(net, in0)
    return label if in1 is None else pipeline_2stage_forward(net, in1)


def pipeline_3stage_forward(net, in_):
    """Three stages at once: deep two frames back, middle one frame back, shallow on this frame.

    On parallel hardware the latency of the output is that of shallow and fuse.
    """
    return _run(net, in_, (DEEP, MIDDLE, SHALLOW, FUSE))


def _run(net, in_, stages):
    """Feed the frame and run `stages` in this order, each on what the blobs hold by then."""
    feed_net(net, in_)
    for stage in stages:
        run_stage(net, stage)
    return get_out_scoremap(net)
