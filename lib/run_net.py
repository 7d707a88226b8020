"""One frame through a net: in full, or with some stages keeping the scores of earlier frames.

Names, arguments and layer ranges are those of the paper's own code, so cells written for it run
here. `in_` is one frame, 3 x H x W float (BGR, mean-subtracted); every forward returns its label
map, H x W uint8. The state of a clip is in the blobs of the net: run the first frame in full
(`segrun` or a ``pipeline_fill_*``), then one frame after another. lib.schedule does this for whole
clips and for other stages.
"""

import numpy as np

from lib.checks import check_threshold
from lib.labels import changed_share, label_map
from lib.ports import input_blob, output_blob
from lib.stages import FCN8S, Net, run_stage

SHALLOW, MIDDLE, DEEP, FUSE = FCN8S


def feed_net(net: Net, in_: np.ndarray, data: str | None = None) -> None:
    """Copy one frame into the input blob, which takes its size; run nothing.

    Parameters
    ----------
    net : Net
    in_ : 3 x H x W float array
        BGR, mean-subtracted.
    data : str, optional
        The blob that takes the frame; by default `data`, or else the only input of the net.

    Raises
    ------
    ValueError
        If `in_` is not float, or not channels x H x W with the channels of the net, or the net
        has no such blob.
    """
    blob = net.blobs[input_blob(net, data)]
    in_ = _as_frame(in_, blob.data.shape[1])
    blob.reshape(1, *in_.shape)
    blob.data[...] = in_


def get_out_scoremap(net: Net, score: str | None = None) -> np.ndarray:
    """Return the output label map, H x W uint8: the best class of each pixel in the output blob.

    Parameters
    ----------
    net : Net
    score : str, optional
        The blob with a score for each class and pixel; by default `score`, or else the only output
        of the net.

    Returns
    -------
    H x W uint8 array

    Raises
    ------
    ValueError
        If the net has no such blob, or a score is not a number.
    """
    return label_map(net.blobs[output_blob(net, score)].data[0])


def fires(now: np.ndarray, seen: np.ndarray | None, threshold: float) -> bool:
    """Tell if the adaptive clock runs its stage.

    Parameters
    ----------
    now : H x W uint8 array
        Class map of the current frame.
    seen : H x W uint8 array or None
        Class map when the stage last ran, None before the first frame.
    threshold : float
        Share of changed pixels, 0..1, from which the stage runs; above 1 for never.

    Returns
    -------
    bool
        True on the first frame.

    Raises
    ------
    ValueError
        If the threshold is negative, not a number, or a percentage.
    """
    check_threshold("the threshold", threshold)
    # every value of a class map is a class, 255 too
    return seen is None or bool(changed_share(now, seen, ignore=None) >= threshold)


def segrun(net: Net, in_: np.ndarray) -> np.ndarray:
    """Run all stages on a frame (the per-frame oracle) and return its label map."""
    feed_net(net, in_)
    net.forward()
    return get_out_scoremap(net)


def clockwork_forward(net: Net, in_: np.ndarray) -> np.ndarray:
    """Run shallow and middle stage, fuse with older deep scores, and return the label map."""
    return _run(net, in_, (SHALLOW, MIDDLE, FUSE))


def adaptive_clock_forward(net: Net, in_: np.ndarray, clock: bool) -> np.ndarray:
    """Run all stages if the clock ticks, else all but the deep one, and return the label map.

    Parameters
    ----------
    net : Net
    in_ : 3 x H x W float array
    clock : bool
        Run the deep stage on this frame. lib.schedule.adaptive decides this by how much the frame
        changed.

    Returns
    -------
    H x W uint8 array
    """
    return segrun(net, in_) if clock else clockwork_forward(net, in_)


def pipeline_fill_2stage(net: Net, in_: np.ndarray) -> np.ndarray:
    """Fill the 2-stage pipeline: run the first frame in full and return its label map."""
    return segrun(net, in_)


def pipeline_2stage_forward(net: Net, in_: np.ndarray) -> np.ndarray:
    """Run the deep stage on the frame before and shallow and middle on this one.

    The output fuses deep scores one frame old. It does not depend on the deep run of this call, so
    its latency on parallel hardware is that of shallow, middle and fuse.

    Returns
    -------
    H x W uint8 array
    """
    return _run(net, in_, (DEEP, SHALLOW, MIDDLE, FUSE))


def pipeline_fill_3stage(net: Net, in0: np.ndarray, in1: np.ndarray | None = None) -> np.ndarray:
    """Fill the 3-stage pipeline: run `in0` in full, and `in1` through the 2-stage pipeline.

    Without `in1` the next output fuses middle and deep scores that are both of `in0`, as in the
    paper's code.

    Returns
    -------
    H x W uint8 array
        Of the last frame given.
    """
    label = segrun(net, in0)
    return label if in1 is None else pipeline_2stage_forward(net, in1)


def pipeline_3stage_forward(net: Net, in_: np.ndarray) -> np.ndarray:
    """Run deep two frames back, middle one frame back and shallow on this frame.

    On parallel hardware the latency of the output is that of shallow and fuse.

    Returns
    -------
    H x W uint8 array
    """
    return _run(net, in_, (DEEP, MIDDLE, SHALLOW, FUSE))


def _as_frame(in_, channels):
    """Return a frame as an array; raise ValueError, with the way to a frame, if it is none."""
    fix = "give 3 x H x W float, BGR and mean-subtracted, as preprocess() of a dataset returns"
    if (
        in_ is None
        or isinstance(in_, (tuple, list))
        and any(np.ndim(part) == 3 for part in in_[:1])
    ):
        got = "None" if in_ is None else "a frame with its label"
        raise ValueError(f"a frame is an array, got {got}: {fix}; of a clip, [f for f, _ in clip]")
    in_ = np.asarray(in_)
    if in_.ndim != 3:
        one = "; of this batch, in_[0]" if in_.ndim == 4 and len(in_) == 1 else ""
        one = "; for a schedule, a list of frames: [in_]" if in_.ndim == 2 else one
        raise ValueError(f"a frame has 3 dimensions, got the shape {in_.shape}: {fix}{one}")
    if not np.issubdtype(in_.dtype, np.floating):
        raise ValueError(f"a frame is float, got {in_.dtype}: {fix}")
    if in_.shape[0] != channels:
        turn = in_.shape[2] == channels
        raise ValueError(
            f"the net takes {channels} channels, got a frame of shape {in_.shape}: {fix}"
            + ("; channels come first: in_.transpose(2, 0, 1)" if turn else "")
        )
    if not in_.size:
        raise ValueError(f"a frame has pixels, got the shape {in_.shape}: {fix}")
    return in_


def _run(net, in_, stages):
    """Feed the frame and run `stages` in this order, each on the current values of the blobs."""
    feed_net(net, in_)
    for stage in stages:
        run_stage(net, stage)
    return get_out_scoremap(net)
