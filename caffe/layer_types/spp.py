"""SPP: pooling into as many values for an image of any size."""
import torch

from ..proto import caffe_pb2
from .base import Geometry, LayerType, register
from .pooling import Pooling


@register('SPP')
class SPP(LayerType):
    """Levels 0 to pyramid_height - 1 pool the image into 2^level x 2^level windows each; flattened
    they follow each other along axis 1. A single level stays N x C x 1 x 1.

    Level with n windows along an axis of `size`: kernel and stride k = ceil(size / n), pad
    ceil((k n - size) / 2), and from there as Pooling counts them.
    Sources: BVLC Caffe, spp_layer; He et al., 2014.
    """

    def check_counts(self):
        super().check_counts()
        if not 1 <= self.spec.spp_param.pyramid_height <= 31:
            raise self.error('pyramid_height is %d, must be 1 or more, and small: level i has 4^i '
                             'windows' % self.spec.spp_param.pyramid_height)

    def geometry(self, shapes):
        """N x (channels times the windows of all levels)."""
        shape = shapes[0]
        if len(shape) != 4:
            raise self.mismatch('pools N x C x H x W, its bottom has shape %s' % (tuple(shape),))
        height = self.spec.spp_param.pyramid_height
        if 2 ** (height - 1) > min(shape[2:]):
            raise self.mismatch('%d levels need %d windows along an axis, its bottom has shape %s: '
                                'lower pyramid_height' % (height, 2 ** (height - 1), tuple(shape)))
        levels = [self.level(2 ** i, shape) for i in range(height)]
        pooled = [geometry.tops[0] for _, geometry in levels]
        top = pooled[0] if height == 1 else (
            shape[0], sum(c * rows * columns for _, c, rows, columns in pooled))
        return Geometry((top,), extra={'levels': levels})

    def level(self, n, shape):
        """(Pooling, its Geometry) of the level with n windows along each axis."""
        spec = caffe_pb2.LayerParameter(name=self.name, type='SPP', bottom=['in'], top=['out'])
        p = spec.pooling_param
        p.pool = self.spec.spp_param.pool
        p.kernel_h, p.kernel_w = kernel = [-(-size // n) for size in shape[2:]]
        p.stride_h, p.stride_w = kernel
        p.pad_h, p.pad_w = ((k * n - size + 1) // 2 for k, size in zip(kernel, shape[2:]))
        layer = Pooling(spec, self.phase)
        return layer, layer.geometry([shape])

    def forward(self, geometry, bottoms, params):
        """See the class."""
        pooled = [layer.forward(g, bottoms, params)[0] for layer, g in geometry.extra['levels']]
        if len(pooled) == 1:
            return tuple(pooled)
        return (torch.cat([p.flatten(1) for p in pooled], 1),)
