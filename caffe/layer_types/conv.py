"""Convolution and Deconvolution, grouped, dilated, over up to three spatial axes.

Convolution: out[n, o, y] = b[o] + sum_{c, k} w[o, c, k] in[n, c, stride y + dilation k - pad],
size out = floor((in + 2 pad - (dilation (kernel - 1) + 1)) / stride) + 1.
Deconvolution is its gradient with respect to the input: size
out = stride (in - 1) + dilation (kernel - 1) + 1 - 2 pad.
With no spatial axis (`axis` is the last) both are products of matrices. `engine` and
`force_nd_im2col` choose between ways to the same values, so neither changes anything here.
Source: BVLC Caffe, base_conv_layer and deconv_layer; Long et al., FCN, 2015 for the upsampling use.


Im2col: the patches that a convolution multiplies by its weights, laid out as channels.
"""

import itertools
import math
from dataclasses import replace

import torch
import torch.nn.functional as F

from caffe.layer_types.base import Geometry, LayerType, Precision, register
from caffe.layer_types.sliding import slide

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
DECONV = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MOST_AXES = 3


class Sliding(LayerType):
    """What Convolution and Deconvolution share. Every bottom goes through the same weights."""

    bottoms = (1, None)
    tops = (1, None)

    def check_counts(self):
        super().check_counts()
        if len(self.spec.bottom) != len(self.spec.top):
            raise self.error(
                "takes as many tops as bottoms, the prototxt gives %d bottom(s), "
                "%d top(s)" % (len(self.spec.bottom), len(self.spec.top))
            )

    def slide(self, shape):
        """(axis, kernel, stride, pad, dilation) for a bottom of `shape`."""
        p = self.spec.convolution_param
        axis, *how = slide(self, shape)
        if len(shape) - axis - 1 > MOST_AXES:
            raise self.mismatch(
                "takes up to %d spatial axes after channel axis %d, its bottom has "
                "shape %s" % (MOST_AXES, axis, shape)
            )
        if not p.num_output:
            raise self.error("num_output is missing or 0: give the number of output channels")
        if not p.group or shape[axis] % p.group or p.num_output % p.group:
            raise self.mismatch(
                "group %d does not divide both %d input and %d output channels"
                % (p.group, shape[axis], p.num_output)
            )
        return axis, *how

    def param_shapes(self, shapes):
        """Weight, and bias of num_output unless bias_term is false."""
        p = self.spec.convolution_param
        axis, kernel, *_ = self.slide(shapes[0])
        made = [(self.weight_shape(shapes[0][axis], kernel), p.weight_filler)]
        return made + [((p.num_output,), p.bias_filler)] * p.bias_term

    def geometry(self, shapes):
        """See the module's formulas."""
        axis, kernel, stride, pad, dilation = self.slide(shapes[0])
        if any(s != shapes[0] for s in shapes):
            raise self.mismatch(f"its bottoms differ in shape: {shapes}")
        size = tuple(
            self.out(*v) for v in zip(shapes[0][axis + 1 :], kernel, stride, pad, dilation)
        )
        if any(s < 1 for s in size):
            raise self.mismatch(
                f"an input of {shapes[0]} is too small for kernel {kernel} with pad {pad}: the output "
                f"would be {size}"
            )
        top = shapes[0][:axis] + (self.spec.convolution_param.num_output,) + size
        return Geometry((top,) * len(shapes), kernel, stride, pad, dilation, {"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the module's formulas."""
        g, weight = geometry, params[0].to(bottoms[0].dtype)
        bias = params[1].to(bottoms[0].dtype) if len(params) > 1 else None
        axis, flat, tops = g.extra["axis"], not g.kernel, []
        if flat:  # no spatial axis: one with a single place
            weight = weight[..., None]
            g = replace(g, kernel=(1,), stride=(1,), pad=(0,), dilation=(1,))
        for x, shape in zip(bottoms, g.tops):
            if axis != 1 or flat:  # a reshape to the same shape may lose channels-last strides
                x = x.reshape((math.prod(x.shape[:axis]), *x.shape[axis:], *[1] * flat))
            y = self.compute(x, weight, bias, g)
            tops.append(y if axis == 1 and not flat else y.reshape(shape))
        return tuple(tops)


@register("Convolution")
class Convolution(Sliding):
    """y[n, o, i] = b[o] + sum over c, k of w[o, c, k] x[n, c, stride i + dilation k - pad] (see the
    module); w is num_output x channels / group x kernel.
    Source: BVLC Caffe, base_conv_layer and conv_layer.
    """

    any_order = True

    def weight_shape(self, channels, kernel):
        """num_output x channels / group x kernel."""
        p = self.spec.convolution_param
        return (p.num_output, channels // p.group) + kernel

    @staticmethod
    def out(size, kernel, stride, pad, dilation):
        """Output size along one axis."""
        return (size + 2 * pad - (dilation * (kernel - 1) + 1)) // stride + 1

    def compute(self, x, weight, bias, g):
        """One bottom, with its leading axes folded into one."""
        return CONV[len(g.kernel)](
            quick_order(x, weight),
            weight,
            bias,
            g.stride,
            g.pad,
            g.dilation,
            self.spec.convolution_param.group,
        )


@register("Deconvolution")
class Deconvolution(Sliding):
    """y[n, o, stride i + dilation k - pad] sums w[c, o, k] x[n, c, i], plus b[o]: the transpose of
    a convolution; w is channels x num_output / group x kernel.

    Always in float32: it makes scores, and grouped it is twenty times slower in bfloat16.
    Sources: BVLC Caffe, deconv_layer; Long et al., FCN, 2015.
    """

    precision = Precision.FLOAT32

    def weight_shape(self, channels, kernel):
        """Channels x num_output / group x kernel: the shape of the convolution it transposes."""
        p = self.spec.convolution_param
        return (channels, p.num_output // p.group) + kernel

    @staticmethod
    def out(size, kernel, stride, pad, dilation):
        """Output size along one axis."""
        return stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad

    def compute(self, x, weight, bias, g):
        """One bottom, with its leading axes folded into one."""
        return DECONV[len(g.kernel)](
            x, weight, bias, g.stride, g.pad, 0, self.spec.convolution_param.group, g.dilation
        )


def quick_order(x, weight):
    """`x` in the memory order in which the CPU convolves it sooner in float32: channels-last, or C
    order where there are many weights. The result is in that order too, and ReLU and pooling hand
    it on.

    Channels-last spares oneDNN rearranging the image twice a layer, and max pooling is several
    times faster; but PyTorch then reorders the weights too, in each call: 0.4 s for VGG's fc6.
    Measured, it pays for images of 4 times as many values as there are weights. Where a gradient
    will be asked for, x stays as it is, because backward has to read the blob's own memory.
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


@register("Im2col")
class Im2col(LayerType):
    """y[n, (c, k), o] = x[n, c, stride o + dilation k - pad], 0 outside the image, with k running
    over the kernel in row-major order: channels become channels x kernel. Any number of spatial
    axes after convolution_param.axis; sizes as in Convolution.
    Source: BVLC Caffe, im2col_layer.
    """

    def geometry(self, shapes):
        """Channels times kernel, and a convolution's output size."""
        shape = tuple(shapes[0])
        axis, kernel, stride, pad, dilation = slide(self, shape)
        size = tuple(
            Convolution.out(*v) for v in zip(shape[axis + 1 :], kernel, stride, pad, dilation)
        )
        if any(s < 1 for s in size):
            raise self.mismatch(
                f"an input of {shape} is too small for kernel {kernel} with pad {pad}: the output "
                f"would be {size}"
            )
        top = shape[:axis] + (shape[axis] * math.prod(kernel),) + size
        return Geometry((top,), kernel, stride, pad, dilation, {"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class."""
        g, axis = geometry, geometry.extra["axis"]
        size = g.tops[0][axis + 1 :]
        padded = F.pad(bottoms[0], [p for pad in reversed(g.pad) for p in (pad, pad)])
        patches = []
        for place in itertools.product(*map(range, g.kernel)):
            cut = tuple(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, n, s in zip(place, g.dilation, size, g.stride)
            )
            patches.append(padded[(Ellipsis, *cut)])
        return (torch.stack(patches, axis + 1).reshape(g.tops[0]),)
