"""Convolution, Deconvolution and Im2col, dilated, over up to three spatial axes.

Convolution, whose formula is in its class, has along each axis the size
out = floor((in + 2 pad - (dilation (kernel - 1) + 1)) / stride) + 1.

Deconvolution is the gradient of a convolution with respect to its input. It has along each axis the
size out = stride (in - 1) + dilation (kernel - 1) + 1 - 2 pad.

Im2col lays out the patches that a convolution multiplies by its weights, over any number of axes.

Without spatial axes (`axis` is the last) the first two are matrix products. `engine` and
`force_nd_im2col` select implementations in Caffe and have no effect here.
Sources: BVLC Caffe, base_conv_layer, deconv_layer and im2col_layer; Long et al., FCN, 2015, for
upsampling by deconvolution.
"""

import abc
import itertools
import math
from dataclasses import replace

import torch
import torch.nn.functional as F

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
)
from caffe.layer_types.sliding import Window, window_of

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
DECONV = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MOST_AXES = 3


def conv_size(size: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Return the output size of a convolution along one axis; below 1 if the input is too small."""
    return (size + 2 * pad - (dilation * (kernel - 1) + 1)) // stride + 1


def deconv_size(size: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Return the output size of a deconvolution along one axis; below 1 if pad is too large."""
    return stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad


def _output_size(layer, size_along_axis, shape, window):
    """Return the output size over all spatial axes; raise ShapeMismatch if it is empty."""
    axis, *per_axis = window
    size = tuple(size_along_axis(*values) for values in zip(shape[axis + 1 :], *per_axis))
    if any(s < 1 for s in size):
        raise layer.mismatch(
            f"an input of {shape} is too small for kernel {window.kernel} with pad {window.pad}: "
            f"the output would be {size}"
        )
    return size


class ConvolutionBase(LayerType):
    """What Convolution and Deconvolution share. All bottoms are computed with the same weights."""

    bottoms = (1, None)
    tops = (1, None)
    size_along_axis = staticmethod(conv_size)

    def check_spec(self) -> None:
        """Raise LayerError unless there are as many tops as bottoms."""
        super().check_spec()
        n_bottoms, n_tops = len(self.spec.bottom), len(self.spec.top)
        if n_bottoms != n_tops:
            raise self.error(
                f"takes as many tops as bottoms, the prototxt gives {n_bottoms} bottom(s), "
                f"{n_tops} top(s)"
            )

    def window(self, shape: Shape) -> Window:
        """Return the window over a bottom of `shape`, after checking channels and groups.

        Raises
        ------
        ShapeMismatch
            If there are too many spatial axes, or `group` does not divide the channels.
        LayerError
            If a parameter is missing or invalid.
        """
        p = self.spec.convolution_param
        window = window_of(self, shape)
        channels = shape[window.axis]
        if len(shape) - window.axis - 1 > MOST_AXES:
            raise self.mismatch(
                f"takes up to {MOST_AXES} spatial axes after channel axis {window.axis}, its "
                f"bottom has shape {shape}"
            )
        if not p.num_output:
            raise self.error("num_output is missing or 0: give the number of output channels")
        if not p.group or channels % p.group or p.num_output % p.group:
            raise self.mismatch(
                f"group {p.group} does not divide both {channels} input and {p.num_output} output "
                "channels"
            )
        return window

    @abc.abstractmethod
    def weight_shape(self, channels: int, kernel: Shape) -> Shape:
        """Return the shape of the weight for a bottom with this number of channels."""

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the weight, and a bias of length num_output unless bias_term is false."""
        p, window = self.spec.convolution_param, self.window(shapes[0])
        weight = self.weight_shape(shapes[0][window.axis], window.kernel)
        return [(weight, p.weight_filler)] + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return one top per bottom: num_output channels, and sizes by the module's formulas."""
        window = self.window(shapes[0])
        if any(s != shapes[0] for s in shapes):
            raise self.mismatch(f"its bottoms differ in shape: {shapes}")
        size = _output_size(self, self.size_along_axis, shapes[0], window)
        axis, kernel, stride, pad, dilation = window
        top = shapes[0][:axis] + (self.spec.convolution_param.num_output,) + size
        return Geometry((top,) * len(shapes), kernel, stride, pad, dilation, {"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the convolution or deconvolution of each bottom."""
        g, weight = geometry, params[0].to(bottoms[0].dtype)
        bias = params[1].to(bottoms[0].dtype) if len(params) > 1 else None
        axis, flat, tops = g.extra["axis"], not g.kernel, []
        if flat:  # no spatial axis: add one of length 1
            weight = weight[..., None]
            g = replace(g, kernel=(1,), stride=(1,), pad=(0,), dilation=(1,))
        for x, shape in zip(bottoms, g.tops):
            if axis != 1 or flat:  # a reshape to the same shape may lose channels-last strides
                x = x.reshape((math.prod(x.shape[:axis]), *x.shape[axis:], *[1] * flat))
            y = self.compute(x, weight, bias, g)
            tops.append(y if axis == 1 and not flat else y.reshape(shape))
        return tuple(tops)

    @abc.abstractmethod
    def compute(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, g: Geometry
    ) -> torch.Tensor:
        """Return the top for one bottom.

        Parameters
        ----------
        x : torch.Tensor
            The bottom with the axes before the channels folded into one, N x C x spatial axes.
        weight, bias : torch.Tensor
            The learned blobs in the dtype of `x`.
        g : Geometry
            The sliding window, over at least one spatial axis.
        """


@register("Convolution")
class Convolution(ConvolutionBase):
    """y[n, o, i] = b[o] + sum over c, k of w[o, c, k] x[n, c, stride i + dilation k - pad].

    w is num_output x channels / group x kernel; output channel o sees the channels of its group.
    Source: BVLC Caffe, base_conv_layer and conv_layer.
    """

    any_order = True

    def weight_shape(self, channels: int, kernel: Shape) -> Shape:
        """Return num_output x channels / group x kernel."""
        p = self.spec.convolution_param
        return (p.num_output, channels // p.group) + kernel

    def compute(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, g: Geometry
    ) -> torch.Tensor:
        """Return the convolution of one bottom."""
        group = self.spec.convolution_param.group
        convolve = CONV[len(g.kernel)]
        return convolve(quick_order(x, weight), weight, bias, g.stride, g.pad, g.dilation, group)


@register("Deconvolution")
class Deconvolution(ConvolutionBase):
    """y[n, o, stride i + dilation k - pad] = b[o] + sum over c, k, i of w[c, o, k] x[n, c, i].

    The transpose of a convolution: the terms that fall on one output pixel are summed. w is
    channels x num_output / group x kernel.

    Always in float32: in FCNs it upsamples scores, and grouped it is twenty times slower in
    bfloat16.
    Sources: BVLC Caffe, deconv_layer; Long et al., FCN, 2015.
    """

    precision = Precision.FLOAT32
    size_along_axis = staticmethod(deconv_size)

    def weight_shape(self, channels: int, kernel: Shape) -> Shape:
        """Return channels x num_output / group x kernel, as of the transposed convolution."""
        p = self.spec.convolution_param
        return (channels, p.num_output // p.group) + kernel

    def compute(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, g: Geometry
    ) -> torch.Tensor:
        """Return the deconvolution of one bottom."""
        group = self.spec.convolution_param.group
        deconvolve = DECONV[len(g.kernel)]
        return deconvolve(x, weight, bias, g.stride, g.pad, 0, group, g.dilation)


@register("Im2col")
class Im2col(LayerType):
    """y[n, (c, k), o] = x[n, c, stride o + dilation k - pad], and 0 outside the image.

    k runs over the kernel in row-major order: channels become channels x kernel. Sizes are those
    of Convolution; there may be any number of spatial axes after convolution_param.axis.
    Source: BVLC Caffe, im2col_layer.
    """

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return channels times kernel, and the output size of a convolution."""
        shape = tuple(shapes[0])
        axis, kernel, stride, pad, dilation = window = window_of(self, shape)
        size = _output_size(self, conv_size, shape, window)
        top = shape[:axis] + (shape[axis] * math.prod(kernel),) + size
        return Geometry((top,), kernel, stride, pad, dilation, {"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the patches: for each place in the kernel, the strided cut of the image."""
        g, axis = geometry, geometry.extra["axis"]
        size = g.tops[0][axis + 1 :]
        padded = F.pad(bottoms[0], [p for pad in reversed(g.pad) for p in (pad, pad)])
        all_channels, patches = (slice(None),) * (axis + 1), []
        for place in itertools.product(*map(range, g.kernel)):
            cut = tuple(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, n, s in zip(place, g.dilation, size, g.stride)
            )
            patches.append(padded[all_channels + cut])
        return (torch.stack(patches, axis + 1).reshape(g.tops[0]),)


def quick_order(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return `x` in the memory order in which the CPU convolves it faster in float32.

    The order is channels-last for large images, C order if there are many weights. The result of
    the convolution has the same order, and ReLU and pooling preserve it.

    Channels-last spares oneDNN two conversions of the image per layer, and makes max pooling
    several times faster. But then PyTorch reorders the weights in each call: 0.4 s for VGG's fc6.
    By measurement it pays for images of more than 4 times as many values as there are weights.

    Returns `x` unchanged if gradients are recorded, because backward must read the blob's own
    memory, and for anything but a float32 image on the CPU.

    Parameters
    ----------
    x : torch.Tensor
        The input of a convolution.
    weight : torch.Tensor
        Its weights.
    """
    if (
        torch.is_grad_enabled()
        or x.dim() != 4
        or x.dtype != torch.float32
        or x.device.type != "cpu"
    ):
        return x
    large = x.numel() > 4 * weight.numel()
    return x.contiguous(memory_format=torch.channels_last if large else torch.contiguous_format)
