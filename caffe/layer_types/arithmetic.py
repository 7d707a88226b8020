"""Layers that add, multiply and sum blobs: Eltwise, Scale, Bias, Reduction."""

import math

import torch

from caffe.blobs.fillers import constant
from caffe.layer_types.base import Geometry, LayerType, Precision, canonical_axis, register
from caffe.proto import caffe_pb2

E = caffe_pb2.EltwiseParameter
R = caffe_pb2.ReductionParameter
OPERATIONS = {
    R.SUM: lambda x: x.sum(-1),
    R.ASUM: lambda x: x.abs().sum(-1),
    R.SUMSQ: lambda x: (x * x).sum(-1),
    R.MEAN: lambda x: x.mean(-1),
}


@register("Eltwise")
class Eltwise(LayerType):
    """y = sum of c_i x_i (SUM, c_i from `coeff` or 1), product of x_i (PROD) or the largest x_i
    (MAX) of bottoms x_i of one shape. The gradient of PROD is the product of the others, as with
    stable_prod_grad, whether that is set or not: without it Caffe divides y by x_i, to the same but
    for rounding, and to nan at 0.
    Source: BVLC Caffe, eltwise_layer.
    """

    any_order = True
    bottoms = (2, None)
    precision = Precision.AS_HELD

    def check_counts(self):
        super().check_counts()
        p = self.spec.eltwise_param
        if p.coeff and (p.operation != E.SUM or len(p.coeff) != len(self.spec.bottom)):
            raise self.error(
                "coeff is for SUM, one value per bottom: %d given for %d bottoms"
                % (len(p.coeff), len(self.spec.bottom))
            )

    def geometry(self, shapes):
        """The one shape of all bottoms."""
        if any(s != shapes[0] for s in shapes):
            raise self.mismatch(
                "its bottoms differ in shape: {}".format(
                    ", ".join(f"{b} {s}" for b, s in zip(self.spec.bottom, shapes))
                )
            )
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class. Of equal maxima the first takes the gradient, but the second of the first
        two (Caffe's order of comparing).
        """
        p, total = self.spec.eltwise_param, bottoms[0]
        if p.operation == E.SUM:
            coeff = list(p.coeff) or [1] * len(bottoms)
            total = total if coeff[0] == 1 else coeff[0] * total
            for c, x in zip(coeff[1:], bottoms[1:]):
                total = total + (x if c == 1 else c * x)
        elif p.operation == E.PROD:
            for x in bottoms[1:]:
                total = total * x
        else:
            total = torch.where(total > bottoms[1], total, bottoms[1])
            for x in bottoms[2:]:
                total = torch.where(x > total, x, total)
        return (total,)


class Broadcast(LayerType):
    """Operand: bottom 1, or without one a learned blob with the shape of `num_axes` of the bottom's
    axes from `axis` on (-1: to the end, 0: a single number). It is spread over the other axes.
    """

    bottoms = (1, 2)
    in_place = True

    def place(self, shapes):
        """(first axis, shape) of the operand; ShapeMismatch where bottom 1 does not fit there."""
        p, shape = self.settings(), tuple(shapes[0])
        given = tuple(shapes[1]) if len(shapes) > 1 else None
        if given == () or given is None and p.num_axes == 0:
            return 0, ()
        axis = canonical_axis(self, p.axis, len(shape))
        count = len(given) if given is not None else p.num_axes
        end = len(shape) if count == -1 else axis + count
        if count < -1 or end > len(shape):
            raise self.mismatch(
                "%d axes from axis %d on are more than its bottom %s has" % (count, axis, shape)
            )
        if given is not None and given != shape[axis:end]:
            raise self.mismatch(
                "bottom %r of shape %s does not fit %s from axis %d on"
                % (self.spec.bottom[1], given, shape, axis)
            )
        return axis, shape[axis:end]

    def geometry(self, shapes):
        """The bottom's shape."""
        axis, operand = self.place(shapes)
        ones = (1,) * axis + operand + (1,) * (len(shapes[0]) - axis - len(operand))
        return Geometry((tuple(shapes[0]),), extra={"spread": ones})


@register("Scale")
class Scale(Broadcast):
    """y = a x + b, a the operand; with bias_term b is a learned blob of its shape, else 0.
    Source: BVLC Caffe, scale_layer.
    """

    def settings(self):
        """The parameters with axis and num_axes."""
        return self.spec.scale_param

    def param_shapes(self, shapes):
        """The operand (1 unless filled otherwise) where no bottom gives it, and the bias."""
        p, (_, shape) = self.settings(), self.place(shapes)
        filler = p.filler if p.HasField("filler") else constant(1)
        return [(shape, filler)] * (len(shapes) == 1) + [(shape, p.bias_filler)] * p.bias_term

    def forward(self, geometry, bottoms, params):
        """See the class."""
        operands = [*bottoms[1:], *params]
        spread = [t.to(bottoms[0].dtype).reshape(geometry.extra["spread"]) for t in operands]
        y = bottoms[0] * spread[0]
        return (y + spread[1] if len(spread) > 1 else y,)


@register("Bias")
class Bias(Broadcast):
    """y = x + b, b the operand. Source: BVLC Caffe, bias_layer."""

    def settings(self):
        """The parameters with axis and num_axes."""
        return self.spec.bias_param

    def param_shapes(self, shapes):
        """The operand where no bottom gives it."""
        return [(self.place(shapes)[1], self.settings().filler)] * (len(shapes) == 1)

    def forward(self, geometry, bottoms, params):
        """See the class."""
        (operand,) = [*bottoms[1:], *params]
        return (bottoms[0] + operand.to(bottoms[0].dtype).reshape(geometry.extra["spread"]),)


@register("Reduction")
class Reduction(LayerType):
    """y = coeff times the sum of x (SUM), |x| (ASUM), x^2 (SUMSQ), or their mean (MEAN), over all
    axes from `axis` on; the axes before it stay. The gradient of |x| at 0 is 0.
    Source: BVLC Caffe, reduction_layer.
    """

    precision = Precision.FLOAT32  # sums

    def geometry(self, shapes):
        """The axes before `axis`."""
        axis = canonical_axis(self, self.spec.reduction_param.axis, len(shapes[0]))
        return Geometry((tuple(shapes[0][:axis]),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, kept = self.spec.reduction_param, geometry.tops[0]
        rows = bottoms[0].reshape(kept + (math.prod(bottoms[0].shape[len(kept) :]),))
        return (p.coeff * OPERATIONS[p.operation](rows),)
