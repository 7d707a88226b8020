"""Layers that stretch, shift or bend along some axes by learned amounts: Scale, Bias, PReLU."""
import torch

from ..proto import caffe_pb2
from .base import Geometry, LayerType, canonical_axis, register


def constant(value):
    """The FillerParameter of a constant."""
    return caffe_pb2.FillerParameter(type='constant', value=value)


class Broadcast(LayerType):
    """Operand: bottom 1, or without one a learned blob with the shape of `num_axes` of the bottom's
    axes from `axis` on (-1: to the end, 0: a single number). It is spread over the other axes."""
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
            raise self.mismatch('%d axes from axis %d on are more than its bottom %s has'
                                % (count, axis, shape))
        if given is not None and given != shape[axis:end]:
            raise self.mismatch('bottom %r of shape %s does not fit %s from axis %d on'
                                % (self.spec.bottom[1], given, shape, axis))
        return axis, shape[axis:end]

    def geometry(self, shapes):
        """The bottom's shape."""
        axis, operand = self.place(shapes)
        ones = (1,) * axis + operand + (1,) * (len(shapes[0]) - axis - len(operand))
        return Geometry((tuple(shapes[0]),), extra={'spread': ones})


@register('Scale')
class Scale(Broadcast):
    """y = a x + b, a the operand; with bias_term b is a learned blob of its shape, else 0.
    Source: BVLC Caffe, scale_layer."""

    def settings(self):
        """The parameters with axis and num_axes."""
        return self.spec.scale_param

    def param_shapes(self, shapes):
        """The operand (1 unless filled otherwise) where no bottom gives it, and the bias."""
        p, (_, shape) = self.settings(), self.place(shapes)
        filler = p.filler if p.HasField('filler') else constant(1)
        return [(shape, filler)] * (len(shapes) == 1) + [(shape, p.bias_filler)] * p.bias_term

    def forward(self, geometry, bottoms, params):
        """See the class."""
        operands = [*bottoms[1:], *params]
        spread = [t.to(bottoms[0].dtype).reshape(geometry.extra['spread']) for t in operands]
        y = bottoms[0] * spread[0]
        return (y + spread[1] if len(spread) > 1 else y,)


@register('Bias')
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
        operand, = [*bottoms[1:], *params]
        return (bottoms[0] + operand.to(bottoms[0].dtype).reshape(geometry.extra['spread']),)


@register('PReLU')
class PReLU(LayerType):
    """y = max(0, x) + a min(0, x), a learned for each channel (axis 1), or one for all with
    channel_shared.
    Sources: BVLC Caffe, prelu_layer; He et al., 2015."""
    in_place = True

    def param_shapes(self, shapes):
        """a, 0.25 unless filled otherwise."""
        p = self.spec.prelu_param
        filler = p.filler if p.HasField('filler') else constant(.25)
        return [(() if p.channel_shared else (shapes[0][1],), filler)]

    def geometry(self, shapes):
        """The bottom's shape."""
        if len(shapes[0]) < 2:
            raise self.mismatch('needs a channel axis 1, its bottom has shape %s' % (shapes[0],))
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        x, slope = bottoms[0], params[0].to(bottoms[0].dtype)
        slope = slope.reshape((1, -1) + (1,) * (x.dim() - 2))
        return (torch.where(x > 0, x, slope * x),)
