"""MemoryData: batches of arrays that the user hands over with `net.set_input_arrays`."""

import logging

import numpy as np

from caffe.errors import DataError
from caffe.layer_types.base import register
from caffe.layer_types.data.base import Source

log = logging.getLogger("caffe")
AXES = ("channels", "height", "width")


@register("MemoryData")
class MemoryData(Source):
    """Images and labels in the order of the arrays, round and round.

    memory_data_param: batch_size, channels, height, width. Arrays are taken as they are; a
    transform_param has no effect on them, as in pycaffe.
    Source: BVLC Caffe, memory_data_layer.
    """

    parameters = "memory_data_param"
    tops = (2, 2)

    def setup(self, bottom, top):
        self.arrays, self.row = None, 0
        size = tuple(getattr(self.given, name) for name in AXES)
        if 0 in size:
            raise self.error(
                "memory_data_param needs channels, height and width of 1 or more; it "
                "has %d x %d x %d" % size
            )
        self.shape_top(top[0], (self.given.batch_size, *size))
        self.shape_top(top[1], (self.given.batch_size,))
        self.size = size

    def set_arrays(self, data, labels):
        """Begin anew with these arrays, kept by reference: data, N x channels x height x width;
        labels, N or N x 1 x 1 x 1; float32 in C order, N a multiple of batch_size. DataError.
        """
        if isinstance(labels, np.ndarray) and labels.ndim == 1:
            labels = np.ascontiguousarray(labels[:, None, None, None])
        for array, what, size in ((data, "data", self.size), (labels, "labels", (1, 1, 1))):
            self._check(array, what, size)
        if len(data) != len(labels):
            self._refuse(
                "data and labels must have the same first dimension, have %d and %d"
                % (len(data), len(labels))
            )
        if not len(data) or len(data) % self.given.batch_size:
            self._refuse(
                "first dimensions of input arrays must be a multiple of batch size %d, "
                "are %d" % (self.given.batch_size, len(data))
            )
        if self.spec.HasField("transform_param"):
            log.warning("layer %r (MemoryData): transform_param has no effect on arrays", self.name)
        self.arrays, self.row = (data, labels.reshape(-1)), 0

    def _check(self, array, what, size):
        what += " array"
        if not isinstance(array, np.ndarray) or array.dtype != np.float32:
            self._refuse(
                "{} must be a float32 array, is {}".format(
                    what, getattr(array, "dtype", type(array).__name__)
                )
            )
        if not array.flags.c_contiguous:
            self._refuse(f"{what} must be C contiguous: use np.ascontiguousarray")
        if array.ndim != 4:
            self._refuse(f"{what} must be 4-d, has shape {array.shape}")
        for name, wanted, found in zip(AXES, size, array.shape[1:]):
            if wanted != found:
                self._refuse(
                    "%s has wrong %s: %d, not %d"
                    % (what, name.replace("channels", "number of channels"), found, wanted)
                )

    def _refuse(self, why):
        raise self.error(why, DataError)

    def run(self, bottom, top):
        if self.arrays is None:
            self._refuse("has no arrays yet: call net.set_input_arrays(data, labels) first")
        batch = slice(self.row, self.row + self.given.batch_size)
        for blob, array in zip(top, self.arrays):
            self.fill_top(blob, array[batch].copy())
        self.row = batch.stop % len(self.arrays[0])
