"""Stages: a net cut into named layer ranges, the unit that a clock runs or leaves."""

from typing import NamedTuple


class Stage(NamedTuple):
    """The layers from `start` to `end` of a net, both inclusive."""

    name: str
    start: str
    end: str


# The cuts of Clockwork Convnets (arXiv 1608.03609, section 4): each stage ends in the scores that
# its pooling level gives, and the last one fuses the scores of the other three.
FCN8S = (
    Stage("shallow", "conv1_1", "score_pool3"),
    Stage("middle", "conv4_1", "score_pool4"),
    Stage("deep", "conv5_1", "upscore2"),
    Stage("fuse", "score_pool4c", "score"),
)
# A net that is not cut, such as FCN-pool3 and FCN-pool4, the first stages' own nets.
WHOLE = (Stage("whole", "conv1_1", "score"),)


def run_stage(net, stage):
    """Run one stage; the blobs of all other layers keep what they hold.

    Where the net lacks a layer, `forward` raises; `check_stages` says so before anything runs.
    """
    net.forward(start=stage.start, end=stage.end)


def check_stages(net, stages):
    """Raise ValueError, naming stage and layer, unless the net has all layers the stages name."""
    names = list(net._layer_names)
    for stage in stages:
        for layer in (stage.start, stage.end):
            if layer not in names:
                raise ValueError(
                    f"stage {stage.name!r} names the layer {layer!r}, which the net "
                    "does not have: give stages that cut this net"
                )
        if names.index(stage.start) > names.index(stage.end):
            raise ValueError(
                f"stage {stage.name!r} is empty: in the net {stage.start!r} comes "
                f"after {stage.end!r}, swap them"
            )


def find_stage(stages, name):
    """The index of the stage called `name`. Raises ValueError where there is none."""
    names = [stage.name for stage in stages]
    if name not in names:
        raise ValueError(f"no stage {name!r}: the stages are {', '.join(names)}")
    return names.index(name)


def split_at(stages, gated):
    """(stages before, the stage, stages after) of the stage called `gated`, to gate it by scores.

    Raises ValueError where there is no such stage, or none before it whose scores could tell how
    much a frame changed.
    """
    at = find_stage(stages, gated)
    if at == 0:
        raise ValueError(
            f"{gated!r} is the first stage and cannot be gated: no scores before it "
            "could tell how much the frame changed"
        )
    return tuple(stages[:at]), stages[at], tuple(stages[at + 1 :])
