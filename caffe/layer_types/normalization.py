"""Normalization layers: BatchNorm, MVN and LRN."""

import torch
import torch.nn.functional as F

from caffe.blobs.fillers import constant
from caffe.layer_types.base import (
    Geometry,
    LayerType,
    ParamShapes,
    Precision,
    Shape,
    Shapes,
    Tensors,
    Tops,
    register,
    with_gradient,
)
from caffe.proto import caffe_pb2


@register("BatchNorm")
class BatchNorm(LayerType):
    """y = (x - mean) / sqrt(variance + eps) for each channel (axis 1).

    In TRAIN, mean and variance are those of the batch. In TEST they are the running ones: blobs 0
    and 1 divided by the number in blob 2. use_global_stats overrides the phase: true selects the
    running statistics. Each batch whose own statistics are used updates the running ones with
    f = moving_average_fraction and m values per channel: blob 0 = f blob 0 + mean,
    blob 1 = f blob 1 + variance m / (m - 1), blob 2 = f blob 2 + 1. No solver changes these blobs.
    Sources: BVLC Caffe, batch_norm_layer; Ioffe and Szegedy, 2015.
    """

    in_place = True
    precision = Precision.FLOAT32  # sums over a batch

    def __init__(self, spec: caffe_pb2.LayerParameter, phase: int) -> None:
        super().__init__(spec, phase)
        if any(p.lr_mult for p in spec.param):
            raise self.error("its blobs are statistics: set their lr_mult to 0, or leave param out")
        for _ in range(3 - len(spec.param)):
            spec.param.add(lr_mult=0, decay_mult=0)

    @property
    def uses_running_statistics(self) -> bool:
        """True if `forward` uses the running statistics, not those of the batch."""
        p = self.spec.batch_norm_param
        if p.HasField("use_global_stats"):
            return p.use_global_stats
        return self.phase == caffe_pb2.TEST

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the sums of means and of variances per channel, and their divisor; all zero."""
        channels = shapes[0][1] if len(shapes[0]) > 1 else 1
        return [((n,), constant(0)) for n in (channels, channels, 1)]

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape."""
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the normalized bottom and, if the batch's statistics are used, the new blobs."""
        p, x = self.spec.batch_norm_param, bottoms[0]
        params = [t.detach() for t in params]  # statistics have no gradient
        per_channel = (1, -1) + (1,) * (x.dim() - 2) if x.dim() > 1 else (-1,)
        if self.uses_running_statistics:
            factor = torch.where(params[2] == 0, 0, 1 / params[2])
            mean, variance = params[0] * factor, params[1] * factor
            return (self.normalized(x, mean, variance, per_channel),)
        axes = [axis for axis in range(x.dim()) if axis != 1 or x.dim() == 1]
        mean = x.mean(axes)
        variance = ((x - mean.reshape(per_channel)) ** 2).mean(axes)
        m, f = x.numel() // max(1, params[0].numel()), p.moving_average_fraction
        updated = (
            params[0] * f + mean,
            params[1] * f + variance * (m / (m - 1) if m > 1 else 1),
            params[2] * f + 1,
        )
        y = self.normalized(x, mean, variance, per_channel)
        return (y, *(t.detach() for t in updated))

    def normalized(
        self, x: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, per_channel: Shape
    ) -> torch.Tensor:
        """Return (x - mean) / sqrt(variance + eps).

        Parameters
        ----------
        x : torch.Tensor
            The bottom.
        mean, variance : torch.Tensor
            One value per channel.
        per_channel : Shape
            The shape, with -1 for the channels, in which they broadcast over `x`.
        """
        deviation = (variance + self.spec.batch_norm_param.eps).sqrt()
        return (x - mean.reshape(per_channel)) / deviation.reshape(per_channel)


@register("MVN")
class MVN(LayerType):
    """y = (x - mean) / (sqrt(variance) + eps) for each channel of each image.

    With across_channels, mean and variance are those of the whole image; without
    normalize_variance, y = x - mean. The gradient of sqrt(variance) is computed as if it were
    sqrt(variance) + eps, so that it is finite if all values are equal.
    Source: BVLC Caffe, mvn_layer.
    """

    in_place = True
    precision = Precision.FLOAT32  # sums

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape; raise ShapeMismatch unless it has one to four axes."""
        if not 1 <= len(shapes[0]) <= 4:
            raise self.mismatch(f"normalizes N x C x H x W, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom with zero mean and, with normalize_variance, unit variance."""
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
    """y = x / (k + alpha / n sum x^2) ^ beta, summed over the n = local_size channels around x.

    WITHIN_CHANNEL: y = x / (1 + alpha / n^2 sum x^2) ^ beta, summed over an n x n window around x.
    Values outside the image or its channels count as 0.
    Sources: BVLC Caffe, lrn_layer; Krizhevsky et al., 2012.
    """

    precision = Precision.FLOAT32  # sums of squares

    def check_spec(self) -> None:
        """Raise LayerError if local_size is even."""
        super().check_spec()
        if self.spec.lrn_param.local_size % 2 == 0:
            raise self.error(f"local_size is {self.spec.lrn_param.local_size}, must be odd")

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape; raise ShapeMismatch unless it is N x C x H x W."""
        if len(shapes[0]) != 4:
            raise self.mismatch(f"normalizes N x C x H x W, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom divided by the local response."""
        p, x = self.spec.lrn_param, bottoms[0]
        n, k = p.local_size, p.k
        if p.norm_region == caffe_pb2.LRNParameter.WITHIN_CHANNEL:
            k, mean = 1, F.avg_pool2d(x * x, n, 1, n // 2)
        else:
            squares = F.pad(x * x, (0, 0, 0, 0, n // 2, n // 2))
            mean = F.avg_pool3d(squares[:, None], (n, 1, 1), 1)[:, 0]
        return (x * (k + p.alpha * mean) ** -p.beta,)
