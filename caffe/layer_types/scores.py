"""What is done with scores: Softmax, and ArgMax and Accuracy, which have no gradient."""

import math

import torch

from caffe.layer_types.base import (
    Geometry,
    LayerType,
    Precision,
    Shapes,
    Tensors,
    Tops,
    canonical_axis,
    register,
)
from caffe.layer_types.loss import check_labels, ignore_label


@register("Softmax")
class Softmax(LayerType):
    """y = exp(x) / sum exp(x) along `axis`, computed after subtracting the maximum.

    Source: BVLC Caffe, softmax_layer.
    """

    in_place = True
    precision = Precision.FLOAT32  # sums of exponentials

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape."""
        canonical_axis(self, self.spec.softmax_param.axis, len(shapes[0]))
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the softmax of the bottom."""
        return (torch.softmax(bottoms[0], self.spec.softmax_param.axis),)


class NotDifferentiable(LayerType):
    """Base class of layers without a gradient, whose bottoms hold scores and labels."""

    precision = Precision.FLOAT32  # labels; and rounded scores would tie

    def takes_gradient(self, i: int) -> bool:
        """Return False: no gradient is defined."""
        return False


@register("ArgMax")
class ArgMax(NotDifferentiable):
    """y = indices of the top_k largest values, in descending order; of equal values the later.

    Along `axis`, whose length becomes top_k; without an axis over each whole image, to
    N x 1 x top_k. With out_max_val the values replace the indices along an axis; without an axis
    they are added to them: N x 2 x top_k.
    Source: BVLC Caffe, argmax_layer.
    """

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the top's shape, which without `axis` has at least three axes."""
        p, shape = self.spec.argmax_param, shapes[0]
        top: tuple[int, ...]
        axis: int | None
        if p.HasField("axis"):
            axis = canonical_axis(self, p.axis, len(shape))
            length, top = shape[axis], shape[:axis] + (p.top_k,) + shape[axis + 1 :]
        else:
            axis, length = None, math.prod(shape[1:])
            top = (shape[0], 1 + p.out_max_val, p.top_k) + (1,) * (len(shape) - 3)
        if not 1 <= p.top_k <= length:
            raise self.error(f"top_k is {p.top_k}, there are {length} values")
        return Geometry((top,), extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the indices of the largest values, the values, or both."""
        p, x, axis = self.spec.argmax_param, bottoms[0], geometry.extra["axis"]
        x = x.reshape(len(x), -1) if axis is None else x.movedim(axis, -1)
        x = x.flip(-1)  # the later of equal values comes first
        if p.top_k == 1:  # argmax is faster than sort, and ONNX has no stable sort
            indices = x.argmax(-1, keepdim=True)
            values = x.gather(-1, indices)
        else:
            values, indices = x.sort(dim=-1, descending=True, stable=True)
        values, indices = values[..., : p.top_k], x.shape[-1] - 1 - indices[..., : p.top_k].float()
        if axis is None:
            y = torch.stack([indices, values] if p.out_max_val else [indices], 1)
            return (y.reshape(geometry.tops[0]),)
        return ((values if p.out_max_val else indices).movedim(-1, axis).contiguous(),)


@register("Accuracy")
class Accuracy(NotDifferentiable):
    """y = the fraction of positions whose label is among the top_k scores.

    Other scores equal to that of the label rank above it. Bottoms: scores with the classes along
    `axis`, and one label per position; positions with label ignore_label do not count. A second top
    gives the fraction for each class. A fraction of no positions is 0.
    Source: BVLC Caffe, accuracy_layer.
    """

    bottoms = (2, 2)
    tops = (1, 2)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return () and, for a second top, the number of classes."""
        p, (scores, labels) = self.spec.accuracy_param, shapes
        axis = canonical_axis(self, p.axis, len(scores))
        if math.prod(labels) * scores[axis] != math.prod(scores):
            raise self.mismatch(
                f"scores {scores}, labels {labels}: one label for each position is needed"
            )
        if not 1 <= p.top_k <= scores[axis]:
            raise self.error(f"top_k is {p.top_k}, there are {scores[axis]} classes")
        return Geometry(((), (scores[axis],))[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the accuracy and, for a second top, that of each class.

        Raises
        ------
        LabelRange
            If a label is neither a class nor ignore_label.
        """
        p, axis = self.spec.accuracy_param, geometry.extra["axis"]
        scores = bottoms[0].movedim(axis, -1)
        classes = scores.shape[-1]
        label = bottoms[1].reshape(scores.shape[:-1]).long()
        valid = check_labels(self, label, classes, ignore_label(p))
        own = scores.gather(-1, torch.where(valid, label, 0)[..., None])
        correct = ((scores >= own).sum(-1) <= p.top_k) & valid
        count = torch.bincount(label[valid], minlength=classes)
        hits = torch.bincount(label[correct], minlength=classes)
        per_class = hits.float() / count.clamp(min=1)
        accuracy = correct.sum().float() / valid.sum().clamp(min=1)
        return (accuracy, per_class)[: len(geometry.tops)]
