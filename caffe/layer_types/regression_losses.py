"""Losses on real-valued targets: EuclideanLoss, ContrastiveLoss and SigmoidCrossEntropyLoss."""

import math

import torch
import torch.nn.functional as F

from caffe.layer_types.base import Geometry, Shapes, Tensors, Tops, register, with_gradient
from caffe.layer_types.loss import Loss, ignore_label
from caffe.proto import caffe_pb2

L = caffe_pb2.LossParameter
EPSILON = 1e-4  # added to a distance by which a gradient is divided


@register("EuclideanLoss")
class EuclideanLoss(Loss):
    """loss = sum (a - b)^2 / (2 N) of bottoms a and b, N the first axis of a.

    Source: BVLC Caffe, euclidean_loss_layer.
    """

    def takes_gradient(self, i: int) -> bool:
        """Return True: both bottoms have a gradient."""
        return True

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss; raise ShapeMismatch if the bottoms differ in size."""
        a, b = shapes
        if a[:1] != b[:1] or math.prod(a) != math.prod(b):
            raise self.mismatch(f"bottoms of shapes {a} and {b} cannot be compared value by value")
        return Geometry(((),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return half the mean over images of the squared distance."""
        difference = bottoms[0] - bottoms[1].reshape(bottoms[0].shape)
        return ((difference**2).sum() / (2 * max(1, len(bottoms[0]))),)


@register("ContrastiveLoss")
class ContrastiveLoss(Loss):
    """loss = 1 / (2 N) sum over N pairs of y d^2 + (1 - y) max(margin - d, 0)^2.

    d is the distance between the pair's vectors a (bottom 0) and b (bottom 1); y (bottom 2) is 1
    for a pair of the same class, else 0. With legacy_version the second term is
    (1 - y) max(margin - d^2, 0). The gradient of d is (a - b) / (d + 0.0001).
    Sources: BVLC Caffe, contrastive_loss_layer; Hadsell et al., 2006.
    """

    bottoms = (3, 3)

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom `i` holds vectors: y has no gradient."""
        return i < 2

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss; raise ShapeMismatch unless all three bottoms have N entries."""
        a, b, same = shapes
        if tuple(a) != tuple(b) or len(a) < 2 or math.prod(a[2:]) != 1:
            raise self.mismatch(
                f"vectors of shapes {tuple(a)} and {tuple(b)} cannot be compared: both must be "
                "N x C or N x C x 1 x 1"
            )
        if math.prod(same) != a[0]:
            raise self.mismatch(
                f"there are {a[0]} pairs, but bottom {self.spec.bottom[2]!r} has shape "
                f"{tuple(same)}: one number each"
            )
        return Geometry(((),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return half the mean over pairs of the contrastive loss."""
        p, (a, b) = self.spec.contrastive_loss_param, (x.flatten(1) for x in bottoms[:2])
        squared = ((a - b) ** 2).sum(1)
        if p.legacy_version:
            apart = torch.relu(p.margin - squared)
        else:
            distance = squared.detach().sqrt()
            distance = with_gradient(distance, squared, 2 * (distance + EPSILON))
            apart = torch.relu(p.margin - distance) ** 2
        same = bottoms[2].reshape(-1).long() != 0
        return (torch.where(same, squared, apart).sum() / (2 * max(1, len(a))),)


@register("SigmoidCrossEntropyLoss")
class SigmoidCrossEntropyLoss(Loss):
    """loss = - sum (t log s + (1 - t) log(1 - s)) / normalizer, s = 1 / (1 + exp(-x)).

    Targets t are in [0, 1]; those equal to ignore_label do not count. By default the normalizer is
    the batch size.
    Source: BVLC Caffe, sigmoid_cross_entropy_loss_layer.
    """

    default_normalization = L.BATCH_SIZE

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () for the loss; raise ShapeMismatch if scores and targets differ in size."""
        scores, targets = shapes
        if math.prod(scores) != math.prod(targets):
            raise self.mismatch(f"scores {scores} and targets {targets} differ in size")
        return Geometry(((),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the cross entropy summed over the targets that count, / normalizer."""
        x, ignore = bottoms[0], ignore_label(self.spec.loss_param)
        target = bottoms[1].reshape(x.shape)
        valid = torch.ones_like(x, dtype=torch.bool)
        if ignore is not None:
            valid = target.long() != ignore
        loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
        outer = x.shape[0] if x.dim() else 1
        by = self.normalizer(outer, x.numel() // max(1, outer), int(valid.sum()))
        return (torch.where(valid, loss, 0).sum() / by,)
