"""Layers of dense weights: InnerProduct and Embed."""

import math

from caffe.errors import LabelRange
from caffe.layer_types.base import Geometry, LayerType, Precision, canonical_axis, register


@register("InnerProduct")
class InnerProduct(LayerType):
    """y = W x + b, where x is all that lies from `axis` on; W num_output x inputs, or, with
    `transpose`, inputs x num_output.
    Source: BVLC Caffe, inner_product_layer.
    """

    def split(self, shape):
        """(shape before the axis, number of inputs from the axis on)."""
        axis = canonical_axis(self, self.spec.inner_product_param.axis, len(shape))
        return tuple(shape[:axis]), math.prod(shape[axis:])

    def check_counts(self):
        super().check_counts()
        if not self.spec.inner_product_param.num_output:
            raise self.error("num_output is missing or 0: give the number of outputs")

    def param_shapes(self, shapes):
        """Weight, and bias of num_output unless bias_term is false."""
        p, (_, inputs) = self.spec.inner_product_param, self.split(shapes[0])
        weight = (inputs, p.num_output) if p.transpose else (p.num_output, inputs)
        return [(weight, p.weight_filler)] + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes):
        """The axes before `axis`, then num_output."""
        outer, _ = self.split(shapes[0])
        return Geometry((outer + (self.spec.inner_product_param.num_output,),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x = self.spec.inner_product_param, bottoms[0]
        outer, inputs = self.split(x.shape)
        weight = params[0].to(x.dtype)
        y = x.reshape(math.prod(outer), inputs) @ (weight if p.transpose else weight.t())
        if p.bias_term:
            y = y + params[1].to(x.dtype)
        return (y.reshape(geometry.tops[0]),)


@register("Embed")
class Embed(LayerType):
    """y = W[x] + b: row x of a table W of input_dim x num_output for each whole number x, and
    unless bias_term is false a bias.
    Source: BVLC Caffe, embed_layer.
    """

    precision = Precision.FLOAT32  # numbers of rows

    def check_counts(self):
        super().check_counts()
        p = self.spec.embed_param
        if not p.num_output or not p.input_dim:
            raise self.error("give num_output and input_dim, both 1 or more")

    def param_shapes(self, shapes):
        """The table, and bias of num_output unless bias_term is false."""
        p = self.spec.embed_param
        table = ((p.input_dim, p.num_output), p.weight_filler)
        return [table] + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes):
        """The bottom's shape, then num_output."""
        return Geometry((tuple(shapes[0]) + (self.spec.embed_param.num_output,),))

    def forward(self, geometry, bottoms, params):
        """See the class; LabelRange where a number is no row of the table."""
        rows = bottoms[0].long()
        bad = rows[(rows < 0) | (rows >= len(params[0]))]
        if len(bad):
            raise self.error(
                "%d is no row of the table of input_dim %d" % (bad[0], len(params[0])), LabelRange
            )
        y = params[0][rows]
        return (y + params[1] if len(params) > 1 else y,)

    def takes_gradient(self, i):
        """Numbers of rows have none."""
        return False
