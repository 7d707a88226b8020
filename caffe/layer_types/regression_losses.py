"""Losses on numbers: EuclideanLoss, ContrastiveLoss and SigmoidCrossEntropyLoss."""

import math

import torch
import torch.nn.functional as F

from caffe.layer_types.base import Geometry, register, with_gradient
from caffe.layer_types.loss import Loss
from caffe.proto import caffe_pb2

L = caffe_pb2.LossParameter
NEAR = 1e-4  # added to a distance that a gradient is divided by


@register("EuclideanLoss")
class EuclideanLoss(Loss):
    """Loss = sum (a - b)^2 / (2 N) of bottoms a and b, N the first axis of a.
    Source: BVLC Caffe, euclidean_loss_layer.
    """

    def takes_gradient(self, i):
        """Both bottoms do."""
        return True

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where the bottoms differ in size."""
        if shapes[0][:1] != shapes[1][:1] or math.prod(shapes[0]) != math.prod(shapes[1]):
            raise self.mismatch(
                "bottoms of shapes {} and {} cannot be compared value by value".format(
                    *tuple(shapes)
                )
            )
        return Geometry(((),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        difference = bottoms[0] - bottoms[1].reshape(bottoms[0].shape)
        return ((difference**2).sum() / (2 * max(1, len(bottoms[0]))),)


@register("ContrastiveLoss")
class ContrastiveLoss(Loss):
    """Loss = sum of y d^2 + (1 - y) max(margin - d, 0)^2 / (2 N), where d is the distance of the
    vectors a, b that bottoms 0 and 1 have for one of N pairs, and y (bottom 2) is 1 for a pair of a
    kind, 0 for any other. legacy_version: max(margin - d^2, 0) in place of max(margin - d, 0)^2.
    The gradient of d is (a - b) / (d + 0.0001).
    Sources: BVLC Caffe, contrastive_loss_layer; Hadsell et al., 2006.
    """

    bottoms = (3, 3)

    def takes_gradient(self, i):
        """Both vectors do, y does not."""
        return i < 2

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where vectors or kinds do not pair off."""
        a, b, kind = shapes
        if tuple(a) != tuple(b) or len(a) < 2 or math.prod(a[2:]) != 1:
            raise self.mismatch(
                f"vectors of shapes {tuple(a)} and {tuple(b)} cannot be compared: both are N x C or "
                "N x C x 1 x 1"
            )
        if math.prod(kind) != a[0]:
            raise self.mismatch(
                "there are %d pairs, but bottom %r has shape %s: one number each"
                % (a[0], self.spec.bottom[2], tuple(kind))
            )
        return Geometry(((),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, (a, b) = self.spec.contrastive_loss_param, (x.flatten(1) for x in bottoms[:2])
        squared = ((a - b) ** 2).sum(1)
        if p.legacy_version:
            apart = torch.relu(p.margin - squared)
        else:
            distance = squared.detach().sqrt()
            distance = with_gradient(distance, squared, 2 * (distance + NEAR))
            apart = torch.relu(p.margin - distance) ** 2
        alike = bottoms[2].reshape(-1).long() != 0
        return (torch.where(alike, squared, apart).sum() / (2 * max(1, len(a))),)


@register("SigmoidCrossEntropyLoss")
class SigmoidCrossEntropyLoss(Loss):
    """Loss = - sum t log s + (1 - t) log(1 - s), s = 1 / (1 + exp(-x)), over all targets t in [0,
    1] that are not ignore_label, / normalizer, by default the batch size.
    Source: BVLC Caffe, sigmoid_cross_entropy_loss_layer.
    """

    usual = L.BATCH_SIZE

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where targets and bottom differ in size."""
        if math.prod(shapes[0]) != math.prod(shapes[1]):
            raise self.mismatch("scores {} and targets {} differ in size".format(*tuple(shapes)))
        return Geometry(((),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x = self.spec.loss_param, bottoms[0]
        target = bottoms[1].reshape(x.shape)
        keep = torch.ones_like(x, dtype=torch.bool)
        if p.HasField("ignore_label"):
            keep = target.long() != p.ignore_label
        loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
        outer = x.shape[0] if x.dim() else 1
        by = self.normalizer(outer, x.numel() // max(1, outer), int(keep.sum()))
        return (torch.where(keep, loss, 0).sum() / by,)
