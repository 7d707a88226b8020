"""Losses on classes beside SoftmaxWithLoss: Hinge, MultinomialLogistic and Infogain.

Probabilities are taken as at least 1e-20.
"""

import math

import torch

from caffe.layer_types.base import Geometry, canonical_axis, register, with_gradient
from caffe.layer_types.loss import Loss, check_labels
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import to_array
from caffe.weights.caffemodel import read_message

SMALLEST = 1e-20


class OneEach(Loss):
    """Bottom 0 a row of values for each of N images, bottom 1 one label for each image."""

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where there is not one label for each row."""
        rows, labels = shapes
        if not rows or math.prod(labels) != rows[0]:
            raise self.mismatch(
                f"scores {tuple(rows)}, labels {tuple(labels)}: one label for each of the first axis is "
                "needed"
            )
        return Geometry(((),))

    def rows(self, bottoms):
        """(values N x classes, label of each row, N); LabelRange where one is no class."""
        x, label = bottoms[0].reshape(len(bottoms[0]), -1), bottoms[1].reshape(-1).long()
        check_labels(self, label, x.shape[1], None)
        return x, label, max(1, len(x))


@register("HingeLoss")
class HingeLoss(OneEach):
    """Loss = sum over images and classes of max(0, 1 - s x) (norm: L1) or its square (L2), / N; s
    is 1 for the image's own class and -1 for the others.
    Source: BVLC Caffe, hinge_loss_layer.
    """

    def forward(self, geometry, bottoms, params):
        """See the class."""
        x, label, n = self.rows(bottoms)
        sign = torch.full_like(x, -1).scatter(1, label[:, None], 1)
        short = torch.relu(1 - sign * x)
        squared = self.spec.hinge_loss_param.norm == caffe_pb2.HingeLossParameter.L2
        return ((short * short if squared else short).sum() / n,)


@register("MultinomialLogisticLoss")
class MultinomialLogisticLoss(OneEach):
    """Loss = - sum log p[label] / N, for probabilities p, of a Softmax say.
    Source: BVLC Caffe, multinomial_logistic_loss_layer.
    """

    def forward(self, geometry, bottoms, params):
        """See the class."""
        x, label, n = self.rows(bottoms)
        return (-_log(x.gather(1, label[:, None])).sum() / n,)


@register("InfogainLoss")
class InfogainLoss(Loss):
    """- sum over classes k of H[label, k] log softmax(x)[k], summed over all positions whose label
    is not ignore_label, / normalizer. With the identity as H it is SoftmaxWithLoss.

    Scores outer x classes x inner (infogain_loss_param.axis is the classes'), labels outer x inner
    in any shape. H, classes x classes, comes from bottom 2, which gets no gradient, or from the
    .binaryproto file `source`. A second top gives the softmax, which passes no gradient down.
    Source: BVLC Caffe, infogain_loss_layer.
    """

    bottoms = (2, 3)
    tops = (1, 2)

    def __init__(self, spec, phase):
        super().__init__(spec, phase)
        if spec.loss_param.HasField("normalize"):
            raise self.error("normalize is not for this layer: use normalization")
        self.matrix = None
        if len(spec.bottom) < 3:
            source = spec.infogain_loss_param.source
            if not source:
                raise self.error(
                    "the matrix H is missing: give infogain_loss_param.source, a "
                    ".binaryproto file, or a third bottom"
                )
            blob = read_message(source, caffe_pb2.BlobProto(), "a .binaryproto")
            self.matrix = torch.from_numpy(to_array(blob, source))

    def geometry(self, shapes):
        """Loss () and, as a second top, the scores' shape."""
        scores, labels = shapes[:2]
        axis = canonical_axis(self, self.spec.infogain_loss_param.axis, len(scores))
        classes = scores[axis]
        if math.prod(labels) * classes != math.prod(scores):
            raise self.mismatch(
                f"scores {tuple(scores)}, labels {tuple(labels)}: one label for each position is needed"
            )
        matrix = shapes[2] if len(shapes) > 2 else self.matrix.shape
        if math.prod(matrix) != classes**2:
            raise self.mismatch(
                "H has shape %s, %d classes need %d x %d"
                % (tuple(matrix), classes, classes, classes)
            )
        return Geometry(((), tuple(scores))[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class; LabelRange where a label is neither a class nor ignore_label."""
        x, axis = bottoms[0], geometry.extra["axis"]
        classes, p = x.shape[axis], self.spec.loss_param
        logp = torch.log_softmax(x, axis)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        label = bottoms[1].reshape(outer, inner).long()
        keep = check_labels(
            self, label, classes, p.ignore_label if p.HasField("ignore_label") else None
        )
        matrix = (bottoms[2] if self.matrix is None else self.matrix.to(x)).detach()
        weight = matrix.reshape(classes, classes)[torch.where(keep, label, 0)] * keep[..., None]
        table = logp.reshape(outer, classes, inner).movedim(1, 2)
        # the floor changes the value reported, not the gradient
        table = with_gradient(table.clamp(min=math.log(SMALLEST)), table, torch.ones_like(table))
        loss = -(weight * table).sum() / self.normalizer(outer, inner, int(keep.sum()))
        return (loss, logp.detach().exp())[: len(geometry.tops)]


def _log(p):
    """Log of p, at least 1e-20, with the gradient 1 over that."""
    floor = p.clamp(min=SMALLEST)
    return with_gradient(floor.log(), p, floor)
