"""Layers that combine or hand on blobs: Input, Split, Eltwise, Crop, Softmax, Silence."""
import torch

from ..proto import caffe_pb2
from .base import Geometry, LayerType, canonical_axis, register

E = caffe_pb2.EltwiseParameter


@register('Input')
class Input(LayerType):
    """Tops that the user fills; input_param gives one shape each, or one for all.
    Source: BVLC Caffe, input_layer."""
    bottoms = (0, 0)
    tops = (1, None)

    def geometry(self, shapes):
        """The shapes of the prototxt; a blob reshaped by hand keeps the user's shape (Net)."""
        given = [tuple(s.dim) for s in self.spec.input_param.shape]
        if len(given) not in (1, len(self.spec.top)):
            raise self.error('input_param has %d shapes for %d tops: give one each, or one for all'
                             % (len(given), len(self.spec.top)))
        return Geometry(tuple(given * len(self.spec.top) if len(given) == 1 else given))

    def forward(self, geometry, bottoms, params):
        """Nothing: the user wrote the tops."""
        return ()


@register('Split')
class Split(LayerType):
    """y_j = x for each top j; the gradients add up. Nets need none here, as a blob may feed any
    number of layers.
    Source: BVLC Caffe, split_layer."""
    tops = (1, None)

    def geometry(self, shapes):
        """Each top has the bottom's shape."""
        return Geometry((shapes[0],) * len(self.spec.top))

    def forward(self, geometry, bottoms, params):
        """The bottom, once per top."""
        return tuple(bottoms[0].clone() for _ in geometry.tops)


@register('Silence')
class Silence(LayerType):
    """No top; the gradient is 0. Takes any blobs, so that they do not count as outputs of the net.
    Source: BVLC Caffe, silence_layer."""
    bottoms = (1, None)
    tops = (0, 0)

    def geometry(self, shapes):
        """No tops."""
        return Geometry(())

    def forward(self, geometry, bottoms, params):
        """Nothing."""
        return ()


@register('Eltwise')
class Eltwise(LayerType):
    """y = sum of c_i x_i (SUM, c_i from `coeff` or 1), product of x_i (PROD) or the largest x_i
    (MAX) of bottoms x_i of one shape. The gradient of PROD is the product of the others, as with
    stable_prod_grad, whether that is set or not: without it Caffe divides y by x_i, to the same but
    for rounding, and to nan at 0.
    Source: BVLC Caffe, eltwise_layer."""
    any_order = True
    bottoms = (2, None)
    exact = None

    def check_counts(self):
        super().check_counts()
        p = self.spec.eltwise_param
        if p.coeff and (p.operation != E.SUM or len(p.coeff) != len(self.spec.bottom)):
            raise self.error('coeff is for SUM, one value per bottom: %d given for %d bottoms'
                             % (len(p.coeff), len(self.spec.bottom)))

    def geometry(self, shapes):
        """The one shape of all bottoms."""
        if any(s != shapes[0] for s in shapes):
            raise self.mismatch('its bottoms differ in shape: %s' % ', '.join(
                '%s %s' % (b, s) for b, s in zip(self.spec.bottom, shapes)))
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class. Of equal maxima the first takes the gradient, but the second of the first
        two (Caffe's order of comparing)."""
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


@register('Crop')
class Crop(LayerType):
    """y[i] = x[i + offset] for i in the size of bottom 1, from `axis` on; `offset` is 0 unless
    given, one for all axes or one each, and never centres. Bottom 1 only gives its shape.
    Sources: BVLC Caffe, crop_layer; Long et al., FCN, 2015."""
    any_order = True
    bottoms = (2, 2)
    exact = None

    def geometry(self, shapes):
        """ShapeMismatch where the cut would reach outside bottom 0."""
        p, (whole, like) = self.spec.crop_param, shapes
        axis = canonical_axis(self, p.axis, len(whole))
        if len(like) != len(whole):
            raise self.mismatch('bottoms have %d and %d axes' % (len(whole), len(like)))
        given, n = list(p.offset), len(whole) - axis
        if len(given) not in (0, 1, n):
            raise self.error('offset has %d values for the %d axes from axis %d'
                             % (len(given), n, axis))
        offsets = [0] * axis + (given if len(given) == n else (given or [0]) * n)
        size = whole[:axis] + like[axis:]
        for i in range(axis, len(whole)):
            if offsets[i] + size[i] > whole[i]:
                raise self.mismatch('axis %d: offset %d + size %d is more than the %d of bottom %r'
                                    % (i, offsets[i], size[i], whole[i], self.spec.bottom[0]))
        return Geometry((size,), extra={'offsets': tuple(offsets)})

    def forward(self, geometry, bottoms, params):
        """The cut, copied."""
        cut = tuple(slice(o, o + d) for o, d in zip(geometry.extra['offsets'], geometry.tops[0]))
        return (bottoms[0][cut].contiguous(),)

    def takes_gradient(self, i):
        """Bottom 1 gives only its shape."""
        return i == 0


@register('Softmax')
class Softmax(LayerType):
    """y = exp(x) / sum exp(x) along `axis`, computed after subtracting the maximum.
    Source: BVLC Caffe, softmax_layer."""
    in_place = True
    exact = True

    def geometry(self, shapes):
        """The bottom's shape."""
        canonical_axis(self, self.spec.softmax_param.axis, len(shapes[0]))
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        return (torch.softmax(bottoms[0], self.spec.softmax_param.axis),)
