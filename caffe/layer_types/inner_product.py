"""Layers with dense weights: InnerProduct and Embed."""

import math

from caffe.errors import LabelRange
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


@register("InnerProduct")
class InnerProduct(LayerType):
    """y = W x + b, where x is the bottom flattened from `axis` on.

    W is num_output x inputs or, with `transpose`, inputs x num_output.
    Source: BVLC Caffe, inner_product_layer.
    """

    def split(self, shape: Shape) -> tuple[Shape, int]:
        """Return the shape before `axis`, and the number of inputs from `axis` on."""
        axis = canonical_axis(self, self.spec.inner_product_param.axis, len(shape))
        return tuple(shape[:axis]), math.prod(shape[axis:])

    def check_spec(self) -> None:
        """Raise LayerError if num_output is missing."""
        super().check_spec()
        if not self.spec.inner_product_param.num_output:
            raise self.error("num_output is missing or 0: give the number of outputs")

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the weight, and a bias of length num_output unless bias_term is false."""
        p, (_, inputs) = self.spec.inner_product_param, self.split(shapes[0])
        weight = (inputs, p.num_output) if p.transpose else (p.num_output, inputs)
        return [(weight, p.weight_filler)] + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the axes before `axis`, then num_output."""
        outer, _ = self.split(shapes[0])
        return Geometry((outer + (self.spec.inner_product_param.num_output,),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom's rows times the weights, plus the bias."""
        p, x = self.spec.inner_product_param, bottoms[0]
        outer, inputs = self.split(x.shape)
        weight = params[0].to(x.dtype)
        y = x.reshape(math.prod(outer), inputs) @ (weight if p.transpose else weight.t())
        if p.bias_term:
            y = y + params[1].to(x.dtype)
        return (y.reshape(geometry.tops[0]),)


@register("Embed")
class Embed(LayerType):
    """y = W[x] + b: for each whole number x row x of the table W.

    W is input_dim x num_output; there is no b if bias_term is false.
    Source: BVLC Caffe, embed_layer.
    """

    precision = Precision.FLOAT32  # row numbers

    def check_spec(self) -> None:
        """Raise LayerError if the size of the table is missing."""
        super().check_spec()
        p = self.spec.embed_param
        if not p.num_output or not p.input_dim:
            raise self.error("give num_output and input_dim, both 1 or more")

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the table, and a bias of length num_output unless bias_term is false."""
        p = self.spec.embed_param
        table = (p.input_dim, p.num_output)
        return [(table, p.weight_filler)] + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape, then num_output."""
        return Geometry((tuple(shapes[0]) + (self.spec.embed_param.num_output,),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the rows of the table; raise LabelRange if a number is out of range."""
        rows = bottoms[0].long()
        bad = rows[(rows < 0) | (rows >= len(params[0]))]
        if len(bad):
            raise self.error(
                f"{bad[0]} is not a row of the table, whose input_dim is {len(params[0])}",
                LabelRange,
            )
        y = params[0][rows]
        return (y + params[1] if len(params) > 1 else y,)

    def takes_gradient(self, i: int) -> bool:
        """Return False: row numbers have no gradient."""
        return False
