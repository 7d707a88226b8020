"""Im2col: the patches that a convolution multiplies by its weights, laid out as channels."""
import itertools
import math

import torch
import torch.nn.functional as F

from .base import Geometry, LayerType, register
from .conv import Convolution, slide


@register('Im2col')
class Im2col(LayerType):
    """y[n, (c, k), o] = x[n, c, stride o + dilation k - pad], 0 outside the image, with k running
    over the kernel in row-major order: channels become channels x kernel. Any number of spatial
    axes after convolution_param.axis; sizes as in Convolution.
    Source: BVLC Caffe, im2col_layer."""

    def geometry(self, shapes):
        """Channels times kernel, and a convolution's output size."""
        shape = tuple(shapes[0])
        axis, kernel, stride, pad, dilation = slide(self, shape)
        size = tuple(Convolution.out(*v)
                     for v in zip(shape[axis + 1:], kernel, stride, pad, dilation))
        if any(s < 1 for s in size):
            raise self.mismatch('an input of %s is too small for kernel %s with pad %s: the output '
                                'would be %s' % (shape, kernel, pad, size))
        top = shape[:axis] + (shape[axis] * math.prod(kernel),) + size
        return Geometry((top,), kernel, stride, pad, dilation, {'axis': axis})

    def forward(self, geometry, bottoms, params):
        """See the class."""
        g, axis = geometry, geometry.extra['axis']
        size = g.tops[0][axis + 1:]
        padded = F.pad(bottoms[0], [p for pad in reversed(g.pad) for p in (pad, pad)])
        patches = []
        for place in itertools.product(*map(range, g.kernel)):
            cut = tuple(slice(k * d, k * d + (n - 1) * s + 1, s)
                        for k, d, n, s in zip(place, g.dilation, size, g.stride))
            patches.append(padded[(Ellipsis, *cut)])
        return (torch.stack(patches, axis + 1).reshape(g.tops[0]),)
