"""Layers that only connect: Input, Parameter, Split, Silence."""

from caffe.blobs.fillers import constant
from caffe.layer_types.base import Geometry, LayerType, register


@register("Input")
class Input(LayerType):
    """Tops that the user fills; input_param gives one shape each, or one for all.
    Source: BVLC Caffe, input_layer.
    """

    bottoms = (0, 0)
    tops = (1, None)

    def geometry(self, shapes):
        """The shapes of the prototxt; a blob reshaped by hand keeps the user's shape (Net)."""
        given = [tuple(s.dim) for s in self.spec.input_param.shape]
        if len(given) not in (1, len(self.spec.top)):
            raise self.error(
                "input_param has %d shapes for %d tops: give one each, or one for all"
                % (len(given), len(self.spec.top))
            )
        return Geometry(tuple(given * len(self.spec.top) if len(given) == 1 else given))

    def forward(self, geometry, bottoms, params):
        """Nothing: the user wrote the tops."""
        return ()


@register("Parameter")
class Parameter(LayerType):
    """y = w, a blob of parameter_param.shape that begins as 0. The top and w are one memory, as in
    Caffe: to write to either is to write to both.
    Source: BVLC Caffe, parameter_layer.
    """

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


@register("Split")
class Split(LayerType):
    """y_j = x for each top j; the gradients add up. Nets need none here, as a blob may feed any
    number of layers.
    Source: BVLC Caffe, split_layer.
    """

    tops = (1, None)

    def geometry(self, shapes):
        """Each top has the bottom's shape."""
        return Geometry((shapes[0],) * len(self.spec.top))

    def forward(self, geometry, bottoms, params):
        """The bottom, once per top."""
        return tuple(bottoms[0].clone() for _ in geometry.tops)


@register("Silence")
class Silence(LayerType):
    """No top; the gradient is 0. Takes any blobs, so that they do not count as outputs of the net.
    Source: BVLC Caffe, silence_layer.
    """

    bottoms = (1, None)
    tops = (0, 0)

    def geometry(self, shapes):
        """No tops."""
        return Geometry(())

    def forward(self, geometry, bottoms, params):
        """Nothing."""
        return ()
