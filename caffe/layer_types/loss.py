"""Loss layers: the base class, and SoftmaxWithLoss with its check of the labels.

A loss reduces its bottoms to one number. Labels have no gradient.
"""

import math

import torch

from caffe.errors import LabelRange
from caffe.layer_types.base import (
    UNNAMED,
    Geometry,
    LayerType,
    Precision,
    Shapes,
    Tensors,
    Tops,
    canonical_axis,
    register,
)
from caffe.proto import caffe_pb2

L = caffe_pb2.LossParameter
SMALLEST = torch.finfo(torch.float32).tiny


class Loss(LayerType):
    """Base class of the losses: bottom 0 holds scores, bottom 1 labels, top 0 is the loss.

    The loss has shape (). If the prototxt leaves the top out, it gets an automatic name and is not
    an output of the net.

    Attributes
    ----------
    default_normalization : int
        The NormalizationMode if the prototxt gives none.
    """

    bottoms = (2, 2)
    precision = Precision.FLOAT32  # labels, and sums over many positions
    loss = True
    default_normalization = L.VALID

    def check_spec(self) -> None:
        """Name a top that the prototxt leaves out, then check as the base class does."""
        if not self.spec.top:
            self.spec.top.append(UNNAMED)
        super().check_spec()

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom `i` is the scores: labels have no gradient."""
        return i == 0

    def normalizer(self, outer: int, inner: int, valid: int) -> int:
        """Return the number, at least 1, by which the summed loss is divided.

        FULL: outer x inner; VALID: the labels that are not ignored; BATCH_SIZE: outer; NONE: 1. The
        deprecated field `normalize` selects VALID if true, BATCH_SIZE if false.

        Parameters
        ----------
        outer, inner : int
            Number of positions before and after the class axis.
        valid : int
            Number of positions whose label is not ignored.
        """
        p = self.spec.loss_param
        mode = p.normalization if p.HasField("normalization") else self.default_normalization
        if not p.HasField("normalization") and p.HasField("normalize"):
            mode = L.VALID if p.normalize else L.BATCH_SIZE
        return max(1, {L.FULL: outer * inner, L.VALID: valid, L.BATCH_SIZE: outer, L.NONE: 1}[mode])


@register("SoftmaxWithLoss")
class SoftmaxWithLoss(Loss):
    """loss = - sum log softmax(x)[label] / normalizer, over the positions that are not ignored.

    Scores are outer x classes x inner (softmax_param.axis is the class axis), labels outer x inner
    in any shape; positions with label ignore_label do not count. Probabilities are clamped from
    below to the smallest normal float. A second top gives the softmax and propagates no gradient.
    Source: BVLC Caffe, softmax_loss_layer.
    """

    tops = (1, 2)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss and, for a second top, the scores' shape."""
        scores, labels = shapes
        axis = canonical_axis(self, self.spec.softmax_param.axis, len(scores))
        positions = math.prod(scores) // max(1, scores[axis])
        if math.prod(labels) != positions:
            raise self.mismatch(
                f"scores {scores} have {positions} positions, labels {labels} are "
                f"{math.prod(labels)}: one label each"
            )
        return Geometry(((), scores)[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the loss and, for a second top, the softmax.

        Raises
        ------
        LabelRange
            If a label is neither a class nor ignore_label.
        """
        x, axis = bottoms[0], geometry.extra["axis"]
        log_p = torch.log_softmax(x, axis)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        table = log_p.reshape(outer, x.shape[axis], inner)
        label = bottoms[1].reshape(outer, inner).long()
        valid = check_labels(self, label, x.shape[axis], ignore_label(self.spec.loss_param))
        picked = table.gather(1, torch.where(valid, label, 0)[:, None])[:, 0]
        # the floor changes the reported value, not the gradient
        floor = torch.log(torch.tensor(SMALLEST, device=x.device))
        picked = picked + (picked.detach().clamp(min=floor) - picked.detach())
        loss = -(picked * valid).sum() / self.normalizer(outer, inner, int(valid.sum()))
        return (loss, log_p.detach().exp())[: len(geometry.tops)]


def ignore_label(param: caffe_pb2.LossParameter | caffe_pb2.AccuracyParameter) -> int | None:
    """Return the ignore_label of a loss_param or accuracy_param, or None if all labels count."""
    return param.ignore_label if param.HasField("ignore_label") else None


def check_labels(
    layer: LayerType, label: torch.Tensor, classes: int, ignore: int | None
) -> torch.Tensor:
    """Return a mask that is True for the labels that count.

    Parameters
    ----------
    layer : LayerType
        The layer to name in the error message.
    label : torch.Tensor of int64
        Labels in any shape.
    classes : int
        The number of classes.
    ignore : int or None
        The label that does not count.

    Returns
    -------
    torch.Tensor of bool
        In the shape of `label`.

    Raises
    ------
    LabelRange
        If a label that counts is not in 0..classes-1.
    """
    valid = torch.ones_like(label, dtype=torch.bool) if ignore is None else label != ignore
    bad = label[valid & ((label < 0) | (label >= classes))]
    if len(bad):
        besides = "" if ignore is None else f" and not ignore_label {ignore}"
        raise layer.error(
            f"label {bad[0]} is outside the classes 0..{classes - 1}{besides}: check the labels, "
            "or set ignore_label",
            LabelRange,
        )
    return valid
