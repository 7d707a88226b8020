"""Further losses on class labels: HingeLoss, MultinomialLogisticLoss and InfogainLoss.

Probabilities are clamped from below to 1e-20.
"""

import math

import torch

from caffe.layer_types.base import (
    Geometry,
    Shapes,
    Tensors,
    Tops,
    canonical_axis,
    register,
    with_gradient,
)
from caffe.layer_types.loss import Loss, check_labels, ignore_label
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import to_array
from caffe.weights.caffemodel import read_message

SMALLEST = 1e-20


class ImageLoss(Loss):
    """Base class of losses with one row of values and one label for each of N images."""

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss; raise ShapeMismatch unless there is one label per row."""
        rows, labels = shapes
        if not rows or math.prod(labels) != rows[0]:
            raise self.mismatch(
                f"scores {tuple(rows)}, labels {tuple(labels)}: one label for each entry of the "
                "first axis is needed"
            )
        return Geometry(((),))

    def rows(self, bottoms: Tensors) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Return the values (N x classes), the label of each row, and N (at least 1).

        Raises
        ------
        LabelRange
            If a label is not a class.
        """
        x, label = bottoms[0].reshape(len(bottoms[0]), -1), bottoms[1].reshape(-1).long()
        check_labels(self, label, x.shape[1], None)
        return x, label, max(1, len(x))


@register("HingeLoss")
class HingeLoss(ImageLoss):
    """loss = 1 / N sum over N images and the classes of max(0, 1 - s x), or its square.

    The sign s is 1 for the image's own class, -1 for the others. norm: L1 or L2 (the square).
    Source: BVLC Caffe, hinge_loss_layer.
    """

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the mean over images of the hinge loss."""
        x, label, n = self.rows(bottoms)
        sign = torch.full_like(x, -1).scatter(1, label[:, None], 1)
        margin = torch.relu(1 - sign * x)
        squared = self.spec.hinge_loss_param.norm == caffe_pb2.HingeLossParameter.L2
        return ((margin * margin if squared else margin).sum() / n,)


@register("MultinomialLogisticLoss")
class MultinomialLogisticLoss(ImageLoss):
    """loss = - sum log p[label] / N, for probabilities p such as those of Softmax.

    Source: BVLC Caffe, multinomial_logistic_loss_layer.
    """

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the mean over images of the negative log probability of the label."""
        p, label, n = self.rows(bottoms)
        return (-_log(p.gather(1, label[:, None])).sum() / n,)


@register("InfogainLoss")
class InfogainLoss(Loss):
    """loss = - sum over positions and classes k of H[label, k] log softmax(x)[k] / normalizer.

    With the identity as H this is SoftmaxWithLoss. Scores are outer x classes x inner
    (infogain_loss_param.axis is the class axis), labels outer x inner in any shape; positions with
    label ignore_label do not count. H, classes x classes, comes from bottom 2, which gets no
    gradient, or from the .binaryproto file `source`. A second top gives the softmax and propagates
    no gradient.
    Source: BVLC Caffe, infogain_loss_layer.
    """

    bottoms = (2, 3)
    tops = (1, 2)

    def __init__(self, spec: caffe_pb2.LayerParameter, phase: int) -> None:
        super().__init__(spec, phase)
        if spec.loss_param.HasField("normalize"):
            raise self.error("normalize is not for this layer: use normalization")
        self.matrix = None
        if len(spec.bottom) < 3:
            source = spec.infogain_loss_param.source
            if not source:
                raise self.error(
                    "the matrix H is missing: give infogain_loss_param.source, a .binaryproto "
                    "file, or a third bottom"
                )
            blob = read_message(source, caffe_pb2.BlobProto(), "a .binaryproto")
            self.matrix = torch.from_numpy(to_array(blob, source))

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss and, for a second top, the scores' shape."""
        scores, labels = shapes[:2]
        axis = canonical_axis(self, self.spec.infogain_loss_param.axis, len(scores))
        classes = scores[axis]
        if math.prod(labels) * classes != math.prod(scores):
            raise self.mismatch(
                f"scores {tuple(scores)}, labels {tuple(labels)}: one label for each position is "
                "needed"
            )
        matrix = tuple(shapes[2] if self.matrix is None else self.matrix.shape)
        if math.prod(matrix) != classes**2:
            raise self.mismatch(
                f"H has shape {matrix}, {classes} classes need {classes} x {classes}"
            )
        return Geometry(((), tuple(scores))[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the loss and, for a second top, the softmax.

        Raises
        ------
        LabelRange
            If a label is neither a class nor ignore_label.
        """
        x, axis = bottoms[0], geometry.extra["axis"]
        classes = x.shape[axis]
        log_p = torch.log_softmax(x, axis)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        label = bottoms[1].reshape(outer, inner).long()
        valid = check_labels(self, label, classes, ignore_label(self.spec.loss_param))
        matrix = (bottoms[2] if self.matrix is None else self.matrix.to(x)).detach()
        weight = matrix.reshape(classes, classes)[torch.where(valid, label, 0)] * valid[..., None]
        table = log_p.reshape(outer, classes, inner).movedim(1, 2)
        # the floor changes the reported value, not the gradient
        table = with_gradient(table.clamp(min=math.log(SMALLEST)), table, torch.ones_like(table))
        loss = -(weight * table).sum() / self.normalizer(outer, inner, int(valid.sum()))
        return (loss, log_p.detach().exp())[: len(geometry.tops)]


def _log(p):
    """Return log max(p, 1e-20), with gradient 1 / max(p, 1e-20)."""
    floor = p.clamp(min=SMALLEST)
    return with_gradient(floor.log(), p, floor)
