"""What scores say: Accuracy and ArgMax. No gradients."""

import math

import torch

from caffe.layer_types.base import Geometry, LayerType, Precision, canonical_axis, register
from caffe.layer_types.loss import check_labels


class Verdict(LayerType):
    """A layer that passes no gradient and takes its bottoms in float32."""

    precision = Precision.FLOAT32

    def takes_gradient(self, i):
        """None is defined."""
        return False


@register("Accuracy")
class Accuracy(Verdict):
    """y = the share of positions whose label is among the top_k scores; equal scores count against
    it.

    Bottoms: scores with classes along `axis`, labels for each position. Positions of ignore_label
    do not count. A second top gives the share for each class; shares of nothing are 0.
    Source: BVLC Caffe, accuracy_layer.
    """

    bottoms = (2, 2)
    tops = (1, 2)

    def geometry(self, shapes):
        """() and, as a second top, the number of classes."""
        p, (scores, labels) = self.spec.accuracy_param, shapes
        axis = canonical_axis(self, p.axis, len(scores))
        if math.prod(labels) * scores[axis] != math.prod(scores):
            raise self.mismatch(
                f"scores {scores}, labels {labels}: one label for each position is needed"
            )
        if not 1 <= p.top_k <= scores[axis]:
            raise self.error("top_k is %d, there are %d classes" % (p.top_k, scores[axis]))
        return Geometry(((), (scores[axis],))[: len(self.spec.top)], extra={"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class; LabelRange where a label is neither a class nor ignore_label."""
        p, axis = self.spec.accuracy_param, geometry.extra["axis"]
        scores = bottoms[0].movedim(axis, -1)
        classes = scores.shape[-1]
        label = bottoms[1].reshape(scores.shape[:-1]).long()
        keep = check_labels(
            self, label, classes, p.ignore_label if p.HasField("ignore_label") else None
        )
        own = scores.gather(-1, torch.where(keep, label, 0)[..., None])
        right = ((scores >= own).sum(-1) <= p.top_k) & keep
        each = torch.bincount(label[keep], minlength=classes)
        hits = torch.bincount(label[right], minlength=classes)
        share = hits.float() / each.clamp(min=1)
        return (right.sum().float() / keep.sum().clamp(min=1), share)[: len(geometry.tops)]


@register("ArgMax")
class ArgMax(Verdict):
    """Places of the top_k largest values, the largest first; of equal ones the later.

    Along `axis`, which becomes top_k long; without it over each image as a whole, to
    N x 1 x top_k. out_max_val gives the values instead, or, without an axis, beside the places:
    N x 2 x top_k.
    Source: BVLC Caffe, argmax_layer.
    """

    def geometry(self, shapes):
        """See the class; at least three axes where none is given."""
        p, shape = self.spec.argmax_param, shapes[0]
        if p.HasField("axis"):
            axis = canonical_axis(self, p.axis, len(shape))
            length, top = shape[axis], shape[:axis] + (p.top_k,) + shape[axis + 1 :]
        else:
            axis, length = None, math.prod(shape[1:])
            top = (shape[0], 1 + p.out_max_val, p.top_k) + (1,) * (len(shape) - 3)
        if not 1 <= p.top_k <= length:
            raise self.error("top_k is %d, there are %d values" % (p.top_k, length))
        return Geometry((top,), extra={"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x, axis = self.spec.argmax_param, bottoms[0], geometry.extra["axis"]
        x = x.reshape(len(x), -1) if axis is None else x.movedim(axis, -1)
        x = x.flip(-1)  # so that the later of equal values comes first
        if p.top_k == 1:  # without a sort: quicker, and ONNX has no stable one
            places = x.argmax(-1, keepdim=True)
            values = x.gather(-1, places)
        else:
            values, places = x.sort(dim=-1, descending=True, stable=True)
        values, places = values[..., : p.top_k], x.shape[-1] - 1 - places[..., : p.top_k].float()
        if axis is None:
            found = torch.stack([places, values] if p.out_max_val else [places], 1)
            return (found.reshape(geometry.tops[0]),)
        return ((values if p.out_max_val else places).movedim(-1, axis).contiguous(),)


@register("Softmax")
class Softmax(LayerType):
    """y = exp(x) / sum exp(x) along `axis`, computed after subtracting the maximum.
    Source: BVLC Caffe, softmax_layer.
    """

    in_place = True
    precision = Precision.FLOAT32

    def geometry(self, shapes):
        """The bottom's shape."""
        canonical_axis(self, self.spec.softmax_param.axis, len(shapes[0]))
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        return (torch.softmax(bottoms[0], self.spec.softmax_param.axis),)
