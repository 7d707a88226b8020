"""Layers that add and multiply blobs or sum over axes: Eltwise, Scale, Bias, Reduction."""

import abc
import math

import torch

from caffe.blobs.fillers import constant
from caffe.layer_types.base import (
    Geometry,
    LayerType,
    ParamShapes,
    Precision,
    Shape,
    Shapes,
    Tensors,
    Tops,
    canonical_axis,
    register,
)
from caffe.proto import caffe_pb2

E = caffe_pb2.EltwiseParameter
R = caffe_pb2.ReductionParameter
REDUCTIONS = {
    R.SUM: lambda x: x.sum(-1),
    R.ASUM: lambda x: x.abs().sum(-1),
    R.SUMSQ: lambda x: (x * x).sum(-1),
    R.MEAN: lambda x: x.mean(-1),
}


@register("Eltwise")
class Eltwise(LayerType):
    """y = sum of c_i x_i (SUM), product of x_i (PROD) or largest x_i (MAX) of the bottoms x_i.

    All bottoms have one shape; c_i comes from `coeff` and is 1 by default.

    The gradient of PROD is the product of the other bottoms, as with stable_prod_grad, whether that
    is set or not. Without it Caffe divides y by x_i: equal up to rounding, but nan at x_i = 0.
    Of equal maxima the first gets the gradient, except that of the first two bottoms the second
    does (the order in which Caffe compares).
    Source: BVLC Caffe, eltwise_layer.
    """

    any_order = True
    bottoms = (2, None)
    precision = Precision.AS_HELD  # sums of scores stay in float32

    def check_spec(self) -> None:
        """Raise LayerError if `coeff` does not fit the operation or the number of bottoms."""
        super().check_spec()
        p = self.spec.eltwise_param
        if p.coeff and (p.operation != E.SUM or len(p.coeff) != len(self.spec.bottom)):
            raise self.error(
                f"coeff is for SUM, one value per bottom: {len(p.coeff)} given for "
                f"{len(self.spec.bottom)} bottoms"
            )

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the one shape of all bottoms; raise ShapeMismatch if they differ."""
        if any(s != shapes[0] for s in shapes):
            given = ", ".join(f"{b} {s}" for b, s in zip(self.spec.bottom, shapes))
            raise self.mismatch(f"its bottoms differ in shape: {given}")
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the sum, product or maximum of the bottoms."""
        p, y = self.spec.eltwise_param, bottoms[0]
        if p.operation == E.SUM:
            coeff = list(p.coeff) or [1.0] * len(bottoms)
            y = y if coeff[0] == 1 else coeff[0] * y
            for c, x in zip(coeff[1:], bottoms[1:]):
                y = y + (x if c == 1 else c * x)
        elif p.operation == E.PROD:
            for x in bottoms[1:]:
                y = y * x
        else:
            y = torch.where(y > bottoms[1], y, bottoms[1])
            for x in bottoms[2:]:
                y = torch.where(x > y, x, y)
        return (y,)


class Broadcast(LayerType):
    """Base class of layers that broadcast an operand over their bottom.

    The operand is bottom 1. Without it, it is a learned blob with the shape of `num_axes` axes of
    the bottom from `axis` on (-1: to the end, 0: a single number). It is broadcast over the other
    axes.
    """

    bottoms = (1, 2)
    in_place = True

    @abc.abstractmethod
    def settings(self) -> caffe_pb2.ScaleParameter | caffe_pb2.BiasParameter:
        """Return the parameter group with `axis` and `num_axes`."""

    def operand(self, shapes: Shapes) -> tuple[int, Shape]:
        """Return the first axis that the operand covers, and the operand's shape.

        Raises
        ------
        ShapeMismatch
            If bottom 1 does not fit bottom 0 from that axis on.
        """
        p, shape = self.settings(), tuple(shapes[0])
        given = tuple(shapes[1]) if len(shapes) > 1 else None
        if given == () or given is None and p.num_axes == 0:
            return 0, ()
        axis = canonical_axis(self, p.axis, len(shape))
        count = len(given) if given is not None else p.num_axes
        end = len(shape) if count == -1 else axis + count
        if count < -1 or end > len(shape):
            raise self.mismatch(
                f"{count} axes from axis {axis} on are more than its bottom {shape} has"
            )
        if given is not None and given != shape[axis:end]:
            raise self.mismatch(
                f"bottom {self.spec.bottom[1]!r} of shape {given} does not fit {shape} from axis "
                f"{axis} on"
            )
        return axis, shape[axis:end]

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape; extra: the operand's shape padded with axes of length 1."""
        axis, operand = self.operand(shapes)
        broadcast = (1,) * axis + operand + (1,) * (len(shapes[0]) - axis - len(operand))
        return Geometry((tuple(shapes[0]),), extra={"broadcast": broadcast})


@register("Scale")
class Scale(Broadcast):
    """y = a x + b, a the operand; with bias_term b is a learned blob of its shape, else 0.

    Source: BVLC Caffe, scale_layer.
    """

    def settings(self) -> caffe_pb2.ScaleParameter:
        """Return scale_param."""
        return self.spec.scale_param

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return a, which starts at 1 by default, unless bottom 1 gives it; and b."""
        p, (_, shape) = self.settings(), self.operand(shapes)
        filler = p.filler if p.HasField("filler") else constant(1)
        return [(shape, filler)] * (len(shapes) == 1) + [(shape, p.bias_filler)] * p.bias_term

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom times a, plus b."""
        operands = [*bottoms[1:], *params]
        shape = geometry.extra["broadcast"]
        a, *b = [t.to(bottoms[0].dtype).reshape(shape) for t in operands]
        y = bottoms[0] * a
        return (y + b[0] if b else y,)


@register("Bias")
class Bias(Broadcast):
    """y = x + b, b the operand.

    Source: BVLC Caffe, bias_layer.
    """

    def settings(self) -> caffe_pb2.BiasParameter:
        """Return bias_param."""
        return self.spec.bias_param

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return b unless bottom 1 gives it."""
        return [(self.operand(shapes)[1], self.settings().filler)] * (len(shapes) == 1)

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom plus b."""
        (b,) = [*bottoms[1:], *params]
        return (bottoms[0] + b.to(bottoms[0].dtype).reshape(geometry.extra["broadcast"]),)


@register("Reduction")
class Reduction(LayerType):
    """y = coeff times the sum of x (SUM), |x| (ASUM) or x^2 (SUMSQ), or the mean of x (MEAN).

    Reduces all axes from `axis` on and keeps the axes before it. The gradient of |x| at 0 is 0.
    Source: BVLC Caffe, reduction_layer.
    """

    precision = Precision.FLOAT32  # sums

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the axes before `axis`."""
        axis = canonical_axis(self, self.spec.reduction_param.axis, len(shapes[0]))
        return Geometry((tuple(shapes[0][:axis]),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return coeff times the reduced bottom."""
        p, outer = self.spec.reduction_param, geometry.tops[0]
        rows = bottoms[0].reshape(outer + (math.prod(bottoms[0].shape[len(outer) :]),))
        return (p.coeff * REDUCTIONS[p.operation](rows),)
