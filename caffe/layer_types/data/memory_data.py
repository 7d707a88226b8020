"""MemoryData: batches of arrays that the user passes to `net.set_input_arrays`."""

import logging
from typing import NoReturn

import numpy as np

from caffe.errors import DataError
from caffe.layer_types.base import Blobs, register
from caffe.layer_types.data.base import Source

log = logging.getLogger("caffe")
AXES = ("channels", "height", "width")


@register("MemoryData")
class MemoryData(Source):
    """y = the next batch_size images of the user's arrays, cyclically, and their labels.

    memory_data_param: batch_size, channels, height, width. As in pycaffe the values are used as
    they are; a transform_param has no effect.
    Source: BVLC Caffe, memory_data_layer.
    """

    param_name = "memory_data_param"
    tops = (2, 2)

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Give the tops the shapes that the prototxt states."""
        self.arrays: tuple[np.ndarray, np.ndarray] | None = None
        self.row = 0
        self.size = tuple(getattr(self.param, name) for name in AXES)
        if 0 in self.size:
            raise self.error(
                "memory_data_param needs channels, height and width of 1 or more; it has "
                f"{' x '.join(map(str, self.size))}"
            )
        self.shape_top(top[0], (self.param.batch_size, *self.size))
        self.shape_top(top[1], (self.param.batch_size,))

    def set_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Start again at the beginning of new arrays, of which references are kept.

        Parameters
        ----------
        data : numpy.ndarray of float32
            N x channels x height x width in C order; N a multiple of batch_size.
        labels : numpy.ndarray of float32
            N or N x 1 x 1 x 1.

        Raises
        ------
        DataError
            If an array has another type, memory order or shape; the arrays before it stay.
        """
        if isinstance(labels, np.ndarray) and labels.ndim == 1:
            labels = np.ascontiguousarray(labels[:, None, None, None])
        self._check(data, "data array", self.size)
        self._check(labels, "labels array", (1, 1, 1))
        if len(data) != len(labels):
            self._refuse(
                "data and labels must have the same first dimension, have "
                f"{len(data)} and {len(labels)}"
            )
        if not len(data) or len(data) % self.param.batch_size:
            self._refuse(
                "first dimensions of input arrays must be a multiple of batch size "
                f"{self.param.batch_size}, are {len(data)}"
            )
        if self.spec.HasField("transform_param"):
            log.warning("layer %r (MemoryData): transform_param has no effect on arrays", self.name)
        self.arrays, self.row = (data, labels.reshape(-1)), 0

    def _check(self, array, what, size):
        """Raise DataError unless the array is float32, in C order and N x `size`."""
        if not isinstance(array, np.ndarray) or array.dtype != np.float32:
            given = getattr(array, "dtype", type(array).__name__)
            self._refuse(f"{what} must be a float32 array, is {given}")
        if not array.flags.c_contiguous:
            self._refuse(f"{what} must be C contiguous: use np.ascontiguousarray")
        if array.ndim != 4:
            self._refuse(f"{what} must be 4-d, has shape {array.shape}")
        for name, wanted, given in zip(AXES, size, array.shape[1:]):
            if wanted != given:
                quantity = "number of channels" if name == "channels" else name
                self._refuse(f"{what} has wrong {quantity}: {given}, not {wanted}")

    def _refuse(self, why: str) -> NoReturn:
        """Raise a DataError that begins with this layer's name."""
        raise self.error(why, DataError)

    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Fill the tops with copies of the next rows of the arrays."""
        if self.arrays is None:
            self._refuse("has no arrays yet: call net.set_input_arrays(data, labels) first")
        batch = slice(self.row, self.row + self.param.batch_size)
        for blob, array in zip(top, self.arrays):
            self.fill_top(blob, array[batch].copy())
        self.row = batch.stop % len(self.arrays[0])
