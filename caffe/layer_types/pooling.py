"""Pooling and SPP: maximum, average or random choice over windows of an image.

Pooling slides over two spatial axes. Its size along an axis is
out = ceil((in + 2 pad - kernel) / stride) + 1 (round_mode FLOOR rounds down). If either axis has
padding, a last window that would start beyond the image is dropped.

MAX gives the largest value and, as a second top, its index in the image. AVE divides by the size of
the window clipped to the padded image, not to the image. Without padding, a stride greater than the
kernel can leave the last window wholly outside the image: as in Caffe it gives -FLT_MAX (index -1)
for MAX, and 0 for AVE. STOCHASTIC takes each value x >= 0 of a window with probability x / sum x in
TRAIN, and in TEST gives the mean under these probabilities, sum x^2 / sum x (0 if the sum is 0).

SPP pools an image of any size into a fixed number of values.
Sources: BVLC Caffe, pooling_layer (whose STOCHASTIC runs on GPUs only); Zeiler and Fergus, 2013,
for STOCHASTIC; He et al., 2014, for SPP.
"""

import math

import torch
import torch.nn.functional as F

from caffe.blobs import memory
from caffe.blobs.device import generator
from caffe.layer_types.base import Geometry, LayerType, Shape, Shapes, Tensors, Tops, register
from caffe.layer_types.sliding import check_positive, per_axis
from caffe.proto import caffe_pb2

P = caffe_pb2.PoolingParameter


@register("Pooling")
class Pooling(LayerType):
    """y[n, c, i] = max, mean or one draw of x[n, c, stride i - pad + k] over k in the kernel.

    The module's docstring gives sizes, borders and STOCHASTIC. global_pooling takes the whole image
    as its window.
    Source: BVLC Caffe, pooling_layer.
    """

    any_order = True
    tops = (1, 2)

    def check_spec(self) -> None:
        """Raise LayerError if a method other than MAX has a second top."""
        super().check_spec()
        pool = self.spec.pooling_param.pool
        if pool != P.MAX and len(self.spec.top) > 1:
            raise self.error("only MAX pooling has a second top (its argmax)")

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the top's shape by the module's formula.

        `kernel` is clipped to the padded image. extra: "inside" is the number of windows per axis
        that begin inside the image.
        """
        shape = shapes[0]
        if len(shape) != 4:
            raise self.mismatch(f"pools N x C x H x W, its bottom has shape {tuple(shape)}")
        kernel, stride, pad = self.window(shape[2:])
        check_positive(self, kernel_size=kernel, stride=stride)
        if any(a >= k for a, k in zip(pad, kernel)):
            raise self.error(f"pad {pad} must be smaller than kernel {kernel}")
        if any(pad) and self.spec.pooling_param.pool == P.STOCHASTIC:
            raise self.error("STOCHASTIC pooling takes no pad: remove it, or use MAX or AVE")
        size = tuple(
            self.size_along_axis(*v, any(pad)) for v in zip(shape[2:], kernel, stride, pad)
        )
        if any(s < 1 for s in size):
            raise self.mismatch(f"an input of {shape} is too small for kernel {kernel}")
        kernel = tuple(min(k, d + 2 * a) for k, d, a in zip(kernel, shape[2:], pad))
        inside = tuple(min(n, -(-(d + a) // s)) for n, d, a, s in zip(size, shape[2:], pad, stride))
        padded = [d + 2 * a for d, a in zip(shape[2:], pad)]
        memory.check(
            math.prod((*shape[:2], *padded)),
            f"layer {self.name!r}: its padded image {padded} takes",
        )
        tops = (shape[:2] + size,) * len(self.spec.top)
        return Geometry(tops, kernel, stride, pad, extra={"inside": inside})

    def window(self, image: Shape) -> tuple[Shape, Shape, Shape]:
        """Return kernel, stride and pad, each for both axes, for an image of this height and width.

        Raises
        ------
        LayerError
            If a parameter is missing or contradicts global_pooling.
        """
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

    def size_along_axis(self, size: int, kernel: int, stride: int, pad: int, padded: bool) -> int:
        """Return the output size along one axis.

        Parameters
        ----------
        size, kernel, stride, pad : int
            The image and the window along this axis.
        padded : bool
            Whether this axis or the other has padding.
        """
        span = size + 2 * pad - kernel
        ceil = self.spec.pooling_param.round_mode == P.CEIL
        n = (-(-span // stride) if ceil else span // stride) + 1
        return n - 1 if padded and (n - 1) * stride >= size + pad else n

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the pooled image and, for a second top, the index of each maximum in the image.

        Pads explicitly until every window that begins inside the image is whole, because PyTorch
        allows neither this much padding nor Caffe's rounding. The windows that begin outside are
        added afterwards with their constant value.
        """
        x, g = bottoms[0], geometry
        before, after = g.pad, overhang(x.shape[2:], g)
        edges = (before[1], after[1], before[0], after[0])
        rows, columns = (n - i for n, i in zip(g.tops[0][2:], g.extra["inside"]))
        outside = (0, columns, 0, rows)
        # a single window has no stride, but the number may be too large for torch
        stride = tuple(s if n > 1 else 1 for s, n in zip(g.stride, g.extra["inside"]))
        if self.spec.pooling_param.pool == P.AVE:
            # rescale the mean: torch's export to ONNX silently drops divisor_override
            mean = F.pad(F.avg_pool2d(F.pad(x, edges), g.kernel, stride), outside)
            return (mean * clipped_share(x.shape[2:], g).to(x),)
        if self.spec.pooling_param.pool == P.STOCHASTIC:
            return (F.pad(self.stochastic(F.pad(x, edges), g.kernel, stride), outside),)
        padded = F.pad(x, edges, value=float("-inf")) if any(edges) else x
        top, index = F.max_pool2d(padded, g.kernel, stride, return_indices=True)
        if any(outside):
            top = F.pad(top, outside, value=torch.finfo(torch.float32).min)
        if len(g.tops) == 1:
            return (top,)
        row, column = index // padded.shape[3] - before[0], index % padded.shape[3] - before[1]
        return top, F.pad(row * x.shape[3] + column, outside, value=-1).float()

    def stochastic(self, x: torch.Tensor, kernel: Shape, stride: Shape) -> torch.Tensor:
        """Return a random value of each window in TRAIN, the mean under its probabilities in TEST.

        Parameters
        ----------
        x : torch.Tensor
            The image, N x C x H x W, in which all windows are whole; values of 0 or more.
        kernel, stride : tuple of int
            For both axes.
        """
        rows = x.unfold(2, kernel[0], stride[0])
        windows = rows.unfold(3, kernel[1], stride[1]).flatten(4)
        total = windows.cumsum(-1, dtype=torch.promote_types(x.dtype, torch.float32))
        if self.phase == caffe_pb2.TEST:
            whole = total[..., -1]
            mean = (windows * windows).sum(-1) / torch.where(whole > 0, whole, 1)
            return torch.where(whole > 0, mean, 0).to(x.dtype)
        threshold = torch.empty_like(total[..., :1]).uniform_(generator=generator(x.device))
        chosen = (total >= threshold * total[..., -1:]).int().argmax(-1, keepdim=True)
        return windows.gather(-1, chosen)[..., 0]


def overhang(size: Shape, g: Geometry) -> Shape:
    """Return the rows and columns by which the last windows inside exceed the image (may be < 0).

    Parameters
    ----------
    size : tuple of int
        Height and width of the image.
    g : Geometry
        The geometry of a Pooling layer.
    """
    return tuple(
        (n - 1) * s + k - p - d
        for n, s, k, p, d in zip(g.extra["inside"], g.stride, g.kernel, g.pad, size)
    )


def clipped_share(size: Shape, g: Geometry) -> torch.Tensor:
    """Return, per window, the kernel's size over that of the window clipped to the padded image.

    Parameters
    ----------
    size : tuple of int
        Height and width of the image.
    g : Geometry
        The geometry of a Pooling layer.

    Returns
    -------
    torch.Tensor
        Rows x columns of the top: the factors that turn means over whole windows into AVE.
    """
    rows, columns = (
        torch.tensor([float(k)] * n)
        / torch.tensor([min(i * s - p + k, d + p) - (i * s - p) for i in range(n)])
        for n, s, k, p, d in zip(g.tops[0][2:], g.stride, g.kernel, g.pad, size)
    )
    return rows[:, None] * columns[None, :]


@register("SPP")
class SPP(LayerType):
    """y = the image pooled into 2^level x 2^level windows, for level 0 to pyramid_height - 1.

    The levels are flattened and concatenated along axis 1; a single level stays N x C x 1 x 1. A
    level with n windows along an axis of length `size` has kernel and stride k = ceil(size / n) and
    pad ceil((k n - size) / 2); from these Pooling derives the number of windows.
    Sources: BVLC Caffe, spp_layer; He et al., 2014.
    """

    def check_spec(self) -> None:
        """Raise LayerError if pyramid_height is not in 1..31."""
        super().check_spec()
        height = self.spec.spp_param.pyramid_height
        if not 1 <= height <= 31:
            raise self.error(
                f"pyramid_height is {height}, must be 1 or more, and small: level i has 4^i windows"
            )

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return N x (channels times the windows of all levels); extra: the Pooling of each level.

        Raises
        ------
        ShapeMismatch
            If the image has fewer rows or columns than the last level has windows.
        """
        shape = shapes[0]
        if len(shape) != 4:
            raise self.mismatch(f"pools N x C x H x W, its bottom has shape {tuple(shape)}")
        height = self.spec.spp_param.pyramid_height
        if 2 ** (height - 1) > min(shape[2:]):
            raise self.mismatch(
                f"{height} levels need {2 ** (height - 1)} windows along an axis, its bottom has "
                f"shape {tuple(shape)}: lower pyramid_height"
            )
        levels = [self.level(2**i, shape) for i in range(height)]
        top = levels[0][1].tops[0]
        if height > 1:
            top = shape[0], sum(math.prod(geometry.tops[0][1:]) for _, geometry in levels)
        return Geometry((top,), extra={"levels": levels})

    def level(self, n: int, shape: Shape) -> tuple[Pooling, Geometry]:
        """Return the Pooling with `n` windows along each axis of a bottom, and its Geometry."""
        spec = caffe_pb2.LayerParameter(name=self.name, type="SPP", bottom=["in"], top=["out"])
        p = spec.pooling_param
        p.pool = self.spec.spp_param.pool  # type: ignore[assignment]  # enums with equal values
        p.kernel_h, p.kernel_w = kernel = [-(-size // n) for size in shape[2:]]
        p.stride_h, p.stride_w = kernel
        p.pad_h, p.pad_w = ((k * n - size + 1) // 2 for k, size in zip(kernel, shape[2:]))
        layer = Pooling(spec, self.phase)
        return layer, layer.geometry([shape])

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the pooled levels, concatenated."""
        pooled = [layer.forward(g, bottoms, params)[0] for layer, g in geometry.extra["levels"]]
        if len(pooled) == 1:
            return tuple(pooled)
        return (torch.cat([p.flatten(1) for p in pooled], 1),)
