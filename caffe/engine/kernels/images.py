"""Image: channels x height x width in ncnn's memory order, shared with PyTorch without a copy.

ncnn keeps 16 (or 8, 4, 1) channels of a pixel together: element (c, y, x) is at
[c // pack, y, x, c % pack]. `Image.view` is that memory as a tensor of four axes, to cut and paste.

Two traps of ncnn's Python module are kept in this file. A Mat over an array does not keep the array
alive, and its memory must begin at a multiple of 64 bytes, which PyTorch's does. NumPy must not see
a packed Mat, whose elements it takes for numbers: `view` describes it as an unpacked one.
"""

from typing import Any

import numpy as np
import torch

from caffe.engine.kernels.choice import ncnn

Mat = Any  # ncnn.Mat: the module has no types


class Image:
    """An image that ncnn can read, and the memory behind it.

    Parameters
    ----------
    mat : ncnn.Mat
    memory : torch.Tensor, optional
        What the Mat lies in, if ncnn did not allocate it.

    Attributes
    ----------
    mat : ncnn.Mat
    """

    __slots__ = ("_memory", "mat")

    def __init__(self, mat: Mat, memory: torch.Tensor | None = None):
        self.mat, self._memory = mat, memory

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.mat.h, self.mat.w

    @property
    def view(self) -> torch.Tensor:
        """The memory, channels / pack x height x width x pack; it must not outlive the image."""
        mat, pack = self.mat, self.mat.elempack
        plain = ncnn().Mat(mat)  # shares the memory and counts as a reference to it
        plain.elempack, plain.elemsize = 1, 4
        plain.w, plain.cstep = mat.w * pack, mat.cstep * pack
        array = np.array(plain, copy=False)
        return torch.from_numpy(array).view(mat.c, mat.h, mat.w, pack)

    def plain(self) -> torch.Tensor:
        """Return the image as channels x height x width; a copy if it is packed."""
        mat = self.mat
        if mat.elempack > 1:
            mat = ncnn().convert_packing(mat, 1)
        return torch.from_numpy(np.array(mat, copy=False))


def image_of(tensor: torch.Tensor) -> Image:
    """Return channels x height x width of float32 as an Image over the same memory.

    Parameters
    ----------
    tensor : torch.Tensor
        In C order; it is copied if it is not.
    """
    tensor = tensor.contiguous()
    if tensor.data_ptr() % 64:
        tensor = tensor.clone()
    return Image(ncnn().Mat(tensor.numpy()), tensor)


def packed_of(tensor: torch.Tensor) -> Image:
    """Return channels / pack x height x width x pack as an Image over the same memory."""
    groups, height, width, pack = tensor.shape
    mat = ncnn().Mat(tensor.view(groups, height, width * pack).numpy())
    mat.w, mat.cstep = width, mat.cstep // pack
    mat.elempack, mat.elemsize = pack, 4 * pack
    return Image(mat, tensor)


def packed_like(image: Image, size: tuple[int, int]) -> Image:
    """Return an image of another height and width with the channels of `image`; not filled."""
    height, width = size
    mat, module = image.mat, ncnn()
    pack = mat.elempack
    new = module.Mat(
        width, height, mat.c, elemsize=4 * pack, elempack=pack, allocator=mat.allocator
    )
    return Image(new)
