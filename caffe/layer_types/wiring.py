"""Layers that only connect blobs: Input, Parameter, Split, Silence."""

from caffe.blobs.fillers import constant
from caffe.layer_types.base import (
    NO_SHAPE,
    Geometry,
    LayerType,
    ParamShapes,
    Shapes,
    Tensors,
    Tops,
    register,
)


@register("Input")
class Input(LayerType):
    """Tops that the user fills; input_param gives one shape per top, one for all, or none.

    Without a shape the tops are empty until the user reshapes them.
    Source: BVLC Caffe, input_layer.
    """

    bottoms = (0, 0)
    tops = (1, None)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the shapes of the prototxt; a blob that the user reshapes keeps its new shape."""
        given, n = [tuple(s.dim) for s in self.spec.input_param.shape], len(self.spec.top)
        given = given or [NO_SHAPE]
        if len(given) not in (1, n):
            raise self.error(
                f"input_param has {len(given)} shapes for {n} tops: give one each, or one for all"
            )
        return Geometry(tuple(given * n if len(given) == 1 else given))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return nothing: the user wrote the tops."""
        return ()


@register("Parameter")
class Parameter(LayerType):
    """y = w, a learned blob of parameter_param.shape that starts at 0.

    As in Caffe the top and w share their memory: writing to one writes to both.
    Source: BVLC Caffe, parameter_layer.
    """

    bottoms = (0, 0)
    hands_out_params = True

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the shape of the prototxt, filled with zeros."""
        return [(tuple(self.spec.parameter_param.shape.dim), constant(0))]

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the shape of the prototxt."""
        return Geometry((tuple(self.spec.parameter_param.shape.dim),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the learned blob itself."""
        return (params[0],)


@register("Split")
class Split(LayerType):
    """y_j = x for each top j; the gradients of the tops add up.

    Nets do not need it here, because any number of layers may read a blob.
    Source: BVLC Caffe, split_layer.
    """

    tops = (1, None)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape for each top."""
        return Geometry((shapes[0],) * len(self.spec.top))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return a copy of the bottom for each top."""
        return tuple(bottoms[0].clone() for _ in geometry.tops)


@register("Silence")
class Silence(LayerType):
    """No top; the gradient is 0.

    Consumes any number of blobs, so that they do not count as outputs of the net.
    Source: BVLC Caffe, silence_layer.
    """

    bottoms = (1, None)
    tops = (0, 0)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return a Geometry without tops."""
        return Geometry(())

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return nothing: there are no tops."""
        return ()
