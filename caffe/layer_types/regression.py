"""Losses on numbers: EuclideanLoss and SigmoidCrossEntropyLoss.

Source: BVLC Caffe's layer of the same name.
"""
import math

import torch
import torch.nn.functional as F

from ..proto import caffe_pb2
from .base import Geometry, register
from .loss import Loss

L = caffe_pb2.LossParameter


@register('EuclideanLoss')
class EuclideanLoss(Loss):
    """Sum of squared differences of the two bottoms / (2 N), N the first axis of bottom 0."""

    def takes_gradient(self, i):
        """Both bottoms do."""
        return True

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where the bottoms differ in size."""
        if shapes[0][:1] != shapes[1][:1] or math.prod(shapes[0]) != math.prod(shapes[1]):
            raise self.mismatch('bottoms of shapes %s and %s cannot be compared value by value'
                                % tuple(shapes))
        return Geometry(((),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        difference = bottoms[0] - bottoms[1].reshape(bottoms[0].shape)
        return ((difference ** 2).sum() / (2 * max(1, len(bottoms[0]))),)


@register('SigmoidCrossEntropyLoss')
class SigmoidCrossEntropyLoss(Loss):
    """- sum t log s + (1 - t) log(1 - s), s = 1 / (1 + exp(-x)), over all targets t in [0, 1] that
    are not ignore_label, / normalizer, by default the batch size."""
    usual = L.BATCH_SIZE

    def geometry(self, shapes):
        """Loss (); ShapeMismatch where targets and bottom differ in size."""
        if math.prod(shapes[0]) != math.prod(shapes[1]):
            raise self.mismatch('scores %s and targets %s differ in size' % tuple(shapes))
        return Geometry(((),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x = self.spec.loss_param, bottoms[0]
        target = bottoms[1].reshape(x.shape)
        keep = torch.ones_like(x, dtype=torch.bool)
        if p.HasField('ignore_label'):
            keep = target.long() != p.ignore_label
        loss = F.binary_cross_entropy_with_logits(x, target, reduction='none')
        outer = x.shape[0] if x.dim() else 1
        by = self.normalizer(outer, x.numel() // max(1, outer), int(keep.sum()))
        return (torch.where(keep, loss, 0).sum() / by,)
