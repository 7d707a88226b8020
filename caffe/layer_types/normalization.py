"""BatchNorm, MVN and LRN."""

import torch
import torch.nn.functional as F

from caffe.blobs.fillers import constant
from caffe.layer_types.base import Geometry, LayerType, Precision, register, with_gradient
from caffe.proto import caffe_pb2

R = caffe_pb2.LRNParameter


@register("BatchNorm")
class BatchNorm(LayerType):
    """(x - mean) / sqrt(variance + eps) for each channel (axis 1).

    Mean and variance are those of the batch at TRAIN time, and at TEST time, or with
    use_global_stats, the kept ones: blobs 0 and 1 divided by the number in blob 2. Each batch is
    added to these after they have faded by moving_average_fraction f: blob 2 = f blob 2 + 1,
    blob 0 = f blob 0 + mean, blob 1 = f blob 1 + variance m / (m - 1), m values per channel.
    They are statistics and do not learn.
    Sources: BVLC Caffe, batch_norm_layer; Ioffe and Szegedy, 2015.
    """

    in_place = True
    precision = Precision.FLOAT32  # sums over a batch

    def __init__(self, spec, phase):
        super().__init__(spec, phase)
        if any(p.lr_mult for p in spec.param):
            raise self.error("its blobs are statistics: set their lr_mult to 0, or leave param out")
        for _ in range(3 - len(spec.param)):
            spec.param.add(lr_mult=0, decay_mult=0)

    @property
    def use_kept(self):
        """Whether the kept statistics are used, not the batch's."""
        p = self.spec.batch_norm_param
        return (
            p.use_global_stats if p.HasField("use_global_stats") else self.phase == caffe_pb2.TEST
        )

    def param_shapes(self, shapes):
        """Sums of means and of variances for each channel, and what to divide them by."""
        channels = shapes[0][1] if len(shapes[0]) > 1 else 1
        return [((n,), constant(0)) for n in (channels, channels, 1)]

    def geometry(self, shapes):
        """The bottom's shape."""
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """The top, and at TRAIN time the new statistics."""
        p, x = self.spec.batch_norm_param, bottoms[0]
        params = [t.detach() for t in params]  # statistics have no gradient
        spread = (1, -1) + (1,) * (x.dim() - 2) if x.dim() > 1 else (-1,)
        if self.use_kept:
            by = torch.where(params[2] == 0, 0, 1 / params[2])
            mean, variance = params[0] * by, params[1] * by
            return (self.normalized(x, mean, variance, spread),)
        axes = [axis for axis in range(x.dim()) if axis != 1 or x.dim() == 1]
        mean = x.mean(axes)
        variance = ((x - mean.reshape(spread)) ** 2).mean(axes)
        m, f = x.numel() // max(1, params[0].numel()), p.moving_average_fraction
        kept = (
            params[0] * f + mean,
            params[1] * f + variance * (m / (m - 1) if m > 1 else 1),
            params[2] * f + 1,
        )
        return (self.normalized(x, mean, variance, spread), *(t.detach() for t in kept))

    def normalized(self, x, mean, variance, spread):
        """(x - mean) / sqrt(variance + eps), spread over the other axes."""
        deviation = (variance + self.spec.batch_norm_param.eps).sqrt()
        return (x - mean.reshape(spread)) / deviation.reshape(spread)


@register("MVN")
class MVN(LayerType):
    """y = (x - mean) / (sqrt(variance) + eps) over each image's channels one by one, or over each
    image as a whole with across_channels; without normalize_variance y = x - mean. The gradient
    takes sqrt(variance) + eps for sqrt(variance), so that it is defined where all values are equal.
    Source: BVLC Caffe, mvn_layer.
    """

    in_place = True
    precision = Precision.FLOAT32  # sums

    def geometry(self, shapes):
        """The bottom's shape, of up to four axes."""
        if not 1 <= len(shapes[0]) <= 4:
            raise self.mismatch(f"normalizes N x C x H x W, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x = self.spec.mvn_param, bottoms[0]
        centred = x.reshape((*x.shape[: 1 if p.across_channels else 2], -1))
        centred = centred - centred.mean(-1, keepdim=True)
        if p.normalize_variance:
            variance = (centred * centred).mean(-1, keepdim=True)
            deviation = variance.detach().sqrt() + p.eps
            centred = centred / with_gradient(deviation, variance, 2 * deviation)
        return (centred.reshape(x.shape),)


@register("LRN")
class LRN(LayerType):
    """y = x / (k + alpha / n sum x^2) ^ beta, the sum over n = local_size channels about x's own;
    or, WITHIN_CHANNEL, x / (1 + alpha / n^2 sum x^2) ^ beta over n x n places. Outside all is 0.
    Sources: BVLC Caffe, lrn_layer; Krizhevsky et al., 2012.
    """

    precision = Precision.FLOAT32  # sums of squares

    def check_counts(self):
        super().check_counts()
        if self.spec.lrn_param.local_size % 2 == 0:
            raise self.error("local_size is %d, must be odd" % self.spec.lrn_param.local_size)

    def geometry(self, shapes):
        """The bottom's shape, N x C x H x W."""
        if len(shapes[0]) != 4:
            raise self.mismatch(f"normalizes N x C x H x W, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        p, x = self.spec.lrn_param, bottoms[0]
        n = p.local_size
        if p.norm_region == R.WITHIN_CHANNEL:
            k, mean = 1, F.avg_pool2d(x * x, n, 1, n // 2)
        else:
            squares = F.pad(x * x, (0, 0, 0, 0, n // 2, n // 2))
            k, mean = p.k, F.avg_pool3d(squares[:, None], (n, 1, 1), 1)[:, 0]
        return (x * (k + p.alpha * mean) ** -p.beta,)
