"""Pooling: MAX (with its argmax as a second top), AVE and STOCHASTIC over two spatial axes.

out = ceil((in + 2 pad - kernel) / stride) + 1, less one where the last window would start in the
padding, of either axis; round_mode FLOOR rounds down. AVE divides by the window clipped to the
padded image, not to the image. Without padding, a stride beyond the kernel can leave the last
window wholly outside: as in Caffe it gives -FLT_MAX (argmax -1), or 0 over its clipped size.
STOCHASTIC takes, at TRAIN time, each value x of its window with probability x / sum x, and at TEST
time gives their mean under it, sum x^2 / sum x (0 where the sum is 0); x is 0 or more.
Sources: BVLC Caffe, pooling_layer (there STOCHASTIC runs on GPUs only); STOCHASTIC: Zeiler and
Fergus, 2013.


SPP: pooling into as many values for an image of any size.
"""

import math

import torch
import torch.nn.functional as F

from caffe.blobs import memory
from caffe.blobs.device import generator
from caffe.layer_types.base import Geometry, LayerType, register
from caffe.layer_types.sliding import check_positive, per_axis
from caffe.proto import caffe_pb2

P = caffe_pb2.PoolingParameter


@register("Pooling")
class Pooling(LayerType):
    """y[n, c, i] = max, mean or one draw of x[n, c, stride i - pad + k] over the kernel's places k
    (see the module).
    Source: BVLC Caffe, pooling_layer.
    """

    any_order = True
    tops = (1, 2)

    def check_counts(self):
        super().check_counts()
        pool = self.spec.pooling_param.pool
        if pool != P.MAX and len(self.spec.top) > 1:
            raise self.error("only MAX pooling has a second top (its argmax)")

    def geometry(self, shapes):
        """See the module's formula; global_pooling takes the whole image as its window."""
        shape = shapes[0]
        if len(shape) != 4:
            raise self.mismatch(f"pools N x C x H x W, its bottom has shape {shape}")
        kernel, stride, pad = self.window(shape[2:])
        check_positive(self, kernel_size=kernel, stride=stride)
        if any(a >= k for a, k in zip(pad, kernel)):
            raise self.error(f"pad {pad} must be smaller than kernel {kernel}")
        if any(pad) and self.spec.pooling_param.pool == P.STOCHASTIC:
            raise self.error("STOCHASTIC pooling takes no pad: remove it, or use MAX or AVE")
        size = tuple(self.out(*v, any(pad)) for v in zip(shape[2:], kernel, stride, pad))
        if any(s < 1 for s in size):
            raise self.mismatch(f"an input of {shape} is too small for kernel {kernel}")
        # what a window has beyond the padding on both sides sees nothing
        kernel = tuple(min(k, d + 2 * a) for k, d, a in zip(kernel, shape[2:], pad))
        inside = tuple(
            min(n, -(-(d + a) // s))  # windows that begin inside the image
            for n, d, a, s in zip(size, shape[2:], pad, stride)
        )
        padded = [d + 2 * a for d, a in zip(shape[2:], pad)]
        memory.check(
            math.prod((*shape[:2], *padded)),
            f"layer {self.name!r}: its padded image {padded} takes",
        )
        return Geometry(
            (shape[:2] + size,) * len(self.spec.top), kernel, stride, pad, extra={"inside": inside}
        )

    def window(self, image):
        """(kernel, stride, pad), each per axis."""
        p = self.spec.pooling_param
        stride, pad = per_axis(self, p, "stride", 2, 1), per_axis(self, p, "pad", 2, 0)
        if not p.global_pooling:
            return per_axis(self, p, "kernel_size", 2, None), stride, pad
        if (
            stride != (1, 1)
            or pad != (0, 0)
            or any(p.HasField(f) for f in ("kernel_size", "kernel_h", "kernel_w"))
        ):
            raise self.error("global_pooling takes the whole image: remove kernel, stride and pad")
        return image, stride, pad

    def out(self, size, kernel, stride, pad, padded):
        """Output size along one axis; padded: whether this axis or the other has padding."""
        span = size + 2 * pad - kernel
        ceil = self.spec.pooling_param.round_mode == P.CEIL
        n = (-(-span // stride) if ceil else span // stride) + 1
        return n - 1 if padded and (n - 1) * stride >= size + pad else n

    def forward(self, geometry, bottoms, params):
        """Windows that stick out are padded by hand, so that any stride and pad will do."""
        x, g = bottoms[0], geometry
        before, after = g.pad, overhang(x.shape[2:], g)
        edges = (before[1], after[1], before[0], after[0])
        rows, columns = (n - i for n, i in zip(g.tops[0][2:], g.extra["inside"]))
        outside = (0, columns, 0, rows)
        # the stride of a single window is nothing, but may be too large for torch
        stride = tuple(s if n > 1 else 1 for s, n in zip(g.stride, g.extra["inside"]))
        if self.spec.pooling_param.pool == P.AVE:
            # a mean, as torch's export to ONNX silently drops divisor_override
            mean = F.pad(F.avg_pool2d(F.pad(x, edges), g.kernel, stride), outside)
            return (mean * window_shares(x.shape[2:], g).to(x),)
        if self.spec.pooling_param.pool == P.STOCHASTIC:
            return (F.pad(self.sampled(F.pad(x, edges), g, stride), outside),)
        padded = F.pad(x, edges, value=float("-inf")) if any(edges) else x
        top, where = F.max_pool2d(padded, g.kernel, stride, return_indices=True)
        if any(outside):
            top = F.pad(top, outside, value=torch.finfo(torch.float32).min)
        if len(g.tops) == 1:
            return (top,)
        row, column = where // padded.shape[3] - before[0], where % padded.shape[3] - before[1]
        return top, F.pad(row * x.shape[3] + column, outside, value=-1).float()

    def sampled(self, x, g, stride):
        """One value from each window at TRAIN time, the mean of them at TEST time."""
        rows = x.unfold(2, g.kernel[0], stride[0])
        windows = rows.unfold(3, g.kernel[1], stride[1]).flatten(4)
        total = windows.cumsum(-1, dtype=torch.promote_types(x.dtype, torch.float32))
        if self.phase == caffe_pb2.TEST:
            whole = total[..., -1]
            mean = (windows * windows).sum(-1) / torch.where(whole > 0, whole, 1)
            return torch.where(whole > 0, mean, 0).to(x.dtype)
        chance = torch.empty_like(total[..., :1]).uniform_(generator=generator(x.device))
        chosen = (total >= chance * total[..., -1:]).int().argmax(-1, keepdim=True)
        return windows.gather(-1, chosen)[..., 0]


def overhang(size, g):
    """Rows and columns to add below and right, so that each window is whole (may be < 0)."""
    return tuple(
        (n - 1) * s + k - p - d
        for n, s, k, p, d in zip(g.extra["inside"], g.stride, g.kernel, g.pad, size)
    )


def window_shares(size, g):
    """Elements of the kernel by those of each window clipped to the image with its padding."""
    rows, columns = (
        torch.tensor([float(k)] * n)
        / torch.tensor([min(i * s - p + k, d + p) - (i * s - p) for i in range(n)])
        for n, s, k, p, d in zip(g.tops[0][2:], g.stride, g.kernel, g.pad, size)
    )
    return rows[:, None] * columns[None, :]


@register("SPP")
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
            raise self.error(
                "pyramid_height is %d, must be 1 or more, and small: level i has 4^i "
                "windows" % self.spec.spp_param.pyramid_height
            )

    def geometry(self, shapes):
        """N x (channels times the windows of all levels)."""
        shape = shapes[0]
        if len(shape) != 4:
            raise self.mismatch(f"pools N x C x H x W, its bottom has shape {tuple(shape)}")
        height = self.spec.spp_param.pyramid_height
        if 2 ** (height - 1) > min(shape[2:]):
            raise self.mismatch(
                "%d levels need %d windows along an axis, its bottom has shape %s: "
                "lower pyramid_height" % (height, 2 ** (height - 1), tuple(shape))
            )
        levels = [self.level(2**i, shape) for i in range(height)]
        pooled = [geometry.tops[0] for _, geometry in levels]
        top = (
            pooled[0]
            if height == 1
            else (shape[0], sum(c * rows * columns for _, c, rows, columns in pooled))
        )
        return Geometry((top,), extra={"levels": levels})

    def level(self, n, shape):
        """(Pooling, its Geometry) of the level with n windows along each axis."""
        spec = caffe_pb2.LayerParameter(name=self.name, type="SPP", bottom=["in"], top=["out"])
        p = spec.pooling_param
        p.pool = self.spec.spp_param.pool
        p.kernel_h, p.kernel_w = kernel = [-(-size // n) for size in shape[2:]]
        p.stride_h, p.stride_w = kernel
        p.pad_h, p.pad_w = ((k * n - size + 1) // 2 for k, size in zip(kernel, shape[2:]))
        layer = Pooling(spec, self.phase)
        return layer, layer.geometry([shape])

    def forward(self, geometry, bottoms, params):
        """See the class."""
        pooled = [layer.forward(g, bottoms, params)[0] for layer, g in geometry.extra["levels"]]
        if len(pooled) == 1:
            return tuple(pooled)
        return (torch.cat([p.flatten(1) for p in pooled], 1),)
