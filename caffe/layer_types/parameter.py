"""Parameter: a learned blob that other layers read as a bottom."""
from .affine import constant
from .base import Geometry, LayerType, register


@register('Parameter')
class Parameter(LayerType):
    """y = w, a blob of parameter_param.shape that begins as 0. The top and w are one memory, as in
    Caffe: to write to either is to write to both.
    Source: BVLC Caffe, parameter_layer."""
    bottoms = (0, 0)
    hands_out_params = True

    def param_shapes(self, shapes):
        """The shape that the prototxt gives."""
        return [(tuple(self.spec.parameter_param.shape.dim), constant(0))]

    def geometry(self, shapes):
        """The shape that the prototxt gives."""
        return Geometry((tuple(self.spec.parameter_param.shape.dim),))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        return (params[0],)
