"""Stages: a net cut into named ranges of layers, the units that a clock runs or skips.

`Net`, `Layer` and `Blob` state all that lib uses of a net. They are public names of pycaffe, so
lib runs on the pycaffe of this repository and on one built with Caffe.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np


class Blob(Protocol):
    """An array of a net: activations or weights."""

    @property
    def data(self) -> np.ndarray:
        """The values, float32; writing into the array writes into the net."""

    def reshape(self, *shape: int) -> None:
        """Change the shape; the values are undefined afterwards."""


class Layer(Protocol):
    """A layer of a net."""

    @property
    def type(self) -> str:
        """The layer type, e.g. 'Convolution'."""


class Net(Protocol):
    """What lib needs of a net, see `caffe.Net`."""

    @property
    def blobs(self) -> Mapping[str, Blob]:
        """Activations by blob name."""

    @property
    def params(self) -> Mapping[str, Sequence[Blob]]:
        """Weights and bias by layer name."""

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers, in order of execution."""

    @property
    def _layer_names(self) -> Sequence[str]: ...

    @property
    def top_names(self) -> Mapping[str, Sequence[str]]:
        """Names of the output blobs by layer name."""

    @property
    def bottom_names(self) -> Mapping[str, Sequence[str]]:
        """Names of the input blobs by layer name."""

    @property
    def blob_loss_weights(self) -> Mapping[str, float]:
        """Weight of each blob in the loss, 0 for blobs that are not a loss."""

    def forward(self, *, start: str | None = None, end: str | None = None) -> object:
        """Run the layers from `start` to `end`, both inclusive; all if not given."""


class Stage(NamedTuple):
    """The layers from `start` to `end` of a net, both inclusive."""

    name: str
    start: str
    end: str


# The cuts of Clockwork Convnets (arXiv 1608.03609, section 4): each stage ends in the scores of
# its pooling level, and the last one fuses the scores of the other three.
FCN8S = (
    Stage("shallow", "conv1_1", "score_pool3"),
    Stage("middle", "conv4_1", "score_pool4"),
    Stage("deep", "conv5_1", "upscore2"),
    Stage("fuse", "score_pool4c", "score"),
)
# For nets that are not cut, such as FCN-pool3 and FCN-pool4.
WHOLE = (Stage("whole", "conv1_1", "score"),)


def run_stage(net: Net, stage: Stage) -> None:
    """Run one stage; the blobs of all other layers keep their values.

    Raises what `forward` raises if the net lacks a layer; call `check_stages` to find out before
    anything runs.
    """
    net.forward(start=stage.start, end=stage.end)


def check_stages(net: Net, stages: Sequence[Stage]) -> None:
    """Raise ValueError, naming stage and layer, unless the stages are ranges of layers of the net.

    Parameters
    ----------
    net : Net
    stages : sequence of Stage

    Raises
    ------
    ValueError
        If the net lacks a layer that a stage names, or a stage starts after its end.
    """
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


def find_stage(stages: Sequence[Stage], name: str) -> int:
    """Return the index of the stage called `name`; raise ValueError if there is none."""
    names = [stage.name for stage in stages]
    if name not in names:
        raise ValueError(f"no stage {name!r}: the stages are {', '.join(names)}")
    return names.index(name)


def split_at(
    stages: Sequence[Stage], gated: str
) -> tuple[tuple[Stage, ...], Stage, tuple[Stage, ...]]:
    """Split the stages at the one to be gated by the scores before it.

    Parameters
    ----------
    stages : sequence of Stage
    gated : str
        Name of the stage that a clock runs or skips.

    Returns
    -------
    before : tuple of Stage
    gate : Stage
        The stage called `gated`.
    after : tuple of Stage

    Raises
    ------
    ValueError
        If there is no such stage, or none before it whose scores tell how much a frame changed.
    """
    at = find_stage(stages, gated)
    if at == 0:
        raise ValueError(
            f"{gated!r} is the first stage and cannot be gated: there are no scores before it "
            "to tell how much the frame changed"
        )
    return tuple(stages[:at]), stages[at], tuple(stages[at + 1 :])
