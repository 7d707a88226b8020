"""Reduction: one number for all that lies from an axis on."""
import math

from ..proto import caffe_pb2
from .base import Geometry, LayerType, canonical_axis, register

R = caffe_pb2.ReductionParameter
OPERATIONS = {R.SUM: lambda x: x.sum(-1), R.ASUM: lambda x: x.abs().sum(-1),
              R.SUMSQ: lambda x: (x * x).sum(-1), R.MEAN: lambda x: x.mean(-1)}


@register('Reduction')
class Reduction(LayerType):
    """y = coeff times the sum of x (SUM), |x| (ASUM), x^2 (SUMSQ), or their mean (MEAN), over all
    axes from `axis` on; the axes before it stay. The gradient of |x| at 0 is 0.
    Source: BVLC Caffe, reduction_layer."""
    exact = True    # sums

    def geometry(self, shapes):
        """The axes before `axis`."""
        axis = canonical_axis(self, self.spec.reduction_param.axis, len(shapes[0]))
        return Geometry((tuple(shapes[0][:axis]),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, kept = self.spec.reduction_param, geometry.tops[0]
        rows = bottoms[0].reshape(kept + (math.prod(bottoms[0].shape[len(kept):]),))
        return (p.coeff * OPERATIONS[p.operation](rows),)
