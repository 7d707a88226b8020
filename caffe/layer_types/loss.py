"""Losses: they end in one number, and take labels that have no gradient."""

import math

import torch

from caffe.errors import LabelRange
from caffe.layer_types.base import UNNAMED, Geometry, LayerType, Precision, canonical_axis, register
from caffe.proto import caffe_pb2

L = caffe_pb2.LossParameter
SMALLEST = torch.finfo(torch.float32).tiny


class Loss(LayerType):
    """Bottom 0 scores, bottom 1 labels; the first top is the loss, of shape (). Where the prototxt
    leaves it out it gets a name of its own, and is no output of the net.

    usual: the normalization where the prototxt gives none.
    """

    bottoms = (2, 2)
    precision = Precision.FLOAT32
    loss = True
    usual = L.VALID

    def check_counts(self):
        if not self.spec.top:
            self.spec.top.append(UNNAMED)
        super().check_counts()

    def takes_gradient(self, i):
        """Labels take none."""
        return i == 0

    def normalizer(self, outer, inner, valid):
        """What the sum is divided by: FULL outer x inner, VALID the labels not ignored, BATCH_SIZE
        outer, NONE 1. The old `normalize` chooses between VALID and BATCH_SIZE. At least 1.
        """
        p = self.spec.loss_param
        mode = p.normalization if p.HasField("normalization") else self.usual
        if not p.HasField("normalization") and p.HasField("normalize"):
            mode = L.VALID if p.normalize else L.BATCH_SIZE
        return max(1, {L.FULL: outer * inner, L.VALID: valid, L.BATCH_SIZE: outer, L.NONE: 1}[mode])


@register("SoftmaxWithLoss")
class SoftmaxWithLoss(Loss):
    """- sum log softmax(x)[label] / normalizer, over all positions whose label is not ignore_label.

    Scores outer x classes x inner (softmax_param.axis is the classes'), labels outer x inner in any
    shape. A second top gives the softmax, which passes no gradient down. Probabilities are taken as
    at least the smallest float.
    Source: BVLC Caffe, softmax_loss_layer.
    """

    tops = (1, 2)

    def geometry(self, shapes):
        """Loss () and, as a second top, the scores' shape."""
        scores, labels = shapes
        axis = canonical_axis(self, self.spec.softmax_param.axis, len(scores))
        positions = math.prod(scores) // max(1, scores[axis])
        if math.prod(labels) != positions:
            raise self.mismatch(
                "scores %s have %d positions, labels %s are %d: one label each"
                % (scores, positions, labels, math.prod(labels))
            )
        return Geometry(((), scores)[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class; LabelRange where a label is neither a class nor ignore_label."""
        x, axis = bottoms[0], geometry.extra["axis"]
        logp = torch.log_softmax(x, axis)
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        table = logp.reshape(outer, x.shape[axis], inner)
        label = bottoms[1].reshape(outer, inner).long()
        p = self.spec.loss_param
        keep = check_labels(
            self, label, x.shape[axis], p.ignore_label if p.HasField("ignore_label") else None
        )
        picked = table.gather(1, torch.where(keep, label, 0)[:, None])[:, 0]
        # the floor changes the value reported, not the gradient
        floor = torch.log(torch.tensor(SMALLEST, device=x.device))
        picked = picked + (picked.detach().clamp(min=floor) - picked.detach())
        loss = -(picked * keep).sum() / self.normalizer(outer, inner, int(keep.sum()))
        return (loss, logp.detach().exp())[: len(geometry.tops)]


def check_labels(layer, label, classes, ignore):
    """Where the labels (whole numbers) count: where they are not `ignore` (None: everywhere).

    LabelRange where one that counts is not in 0..classes-1.
    """
    keep = torch.ones_like(label, dtype=torch.bool) if ignore is None else label != ignore
    bad = label[keep & ((label < 0) | (label >= classes))]
    if len(bad):
        raise layer.error(
            "label %d is outside the classes 0..%d%s: check the labels, or set "
            "ignore_label"
            % (bad[0], classes - 1, "" if ignore is None else " and not ignore_label %d" % ignore),
            LabelRange,
        )
    return keep
