"""What the data sources have in common: no bottoms, a batch size, tops that each batch fills."""

from contextlib import contextmanager

import numpy as np
import torch

from caffe.blobs.blob import refusal
from caffe.blobs.device import own_random
from caffe.errors import DataError
from caffe.layer_types.base import StatefulLayer
from caffe.layer_types.data.transform import Transform
from caffe.proto import caffe_pb2


class Source(StatefulLayer):
    """Base of the data layers. They read in the thread that runs the net; where they are in their
    source is theirs alone, and no snapshot holds it, as in Caffe.

    parameters: name of the field of LayerParameter that is theirs.
    """

    bottoms = (0, 0)
    parameters = ""

    def __init__(self, spec, phase):
        super().__init__(spec, phase)
        self.given = getattr(spec, self.parameters)
        self.random = own_random()
        if self.given.batch_size < 1:
            raise self.error(
                "%s.batch_size is %d: give 1 or more" % (self.parameters, self.given.batch_size)
            )

    @contextmanager
    def named(self):
        """DataErrors raised inside begin with this layer's name; memory that runs out is one."""
        try:
            yield
        except DataError as e:
            raise self.error(str(e), DataError) from None
        except MemoryError:
            raise self.error(
                "%s.batch_size is %d, and memory ran out: make it smaller"
                % (self.parameters, self.given.batch_size),
                DataError,
            ) from None

    def shape_top(self, blob, shape):
        """Give a top its shape; ShapeMismatch where no blob can have it. Takes no memory."""
        if problem := refusal(shape):
            raise self.mismatch(f"its top {problem}")
        if blob.shape != tuple(shape):
            blob.clear(shape)

    def fill_top(self, blob, array):
        """Put a float32 array in a top, in whatever shape it comes."""
        self.shape_top(blob, array.shape)
        blob.synced_data.put(torch.from_numpy(np.ascontiguousarray(array)))


class ImageSource(Source):
    """Base of the layers that read labelled images one by one: `open` the source, look at the
    `current` one, `advance` round and round.

    Tops: images, batch_size x channels x height x width, and labels, batch_size (may be left out).
    The first image of a batch gives its shape, so with batch_size 1 each image may have its own.
    """

    tops = (1, 2)

    def setup(self, bottom, top):
        with self.named():
            self.transform = Transform(
                self.spec.transform_param, self.phase == caffe_pb2.TRAIN, self.random
            )
            count = self.open()
            if self.given.rand_skip:
                for _ in range(self.random.integers(self.given.rand_skip) % count):
                    self.advance()
            image, _, place = self.current()
            self._shape_tops(top, self.transform.shape(image.shape, place))

    def run(self, bottom, top):
        with self.named():
            for i in range(self.given.batch_size):
                image, label, place = self.current()
                if i == 0:
                    shape = self.transform.shape(image.shape, place)
                    self._shape_tops(top, shape)
                    images = np.empty((self.given.batch_size, *shape), np.float32)
                    labels = np.empty(self.given.batch_size, np.float32)
                if (own := self.transform.shape(image.shape, place)) != shape:
                    raise DataError(
                        f"{place}: has shape {own} where the batch began with {shape}: resize the "
                        "images, give a crop_size (or force_color, where channels "
                        "differ), or a batch_size of 1"
                    )
                images[i], labels[i] = self.transform(image, place), label
                self.advance()
        for blob, array in zip(top, (images, labels)):
            self.fill_top(blob, array)

    def _shape_tops(self, top, shape):
        n = self.given.batch_size
        for blob, wanted in zip(top, ((n, *shape), (n,))):
            self.shape_top(blob, wanted)

    def open(self):
        """Find the first image; the number of images."""
        raise self.error("this layer type reads no source itself")

    def current(self):
        """(uint8 or float32 image, channels x height x width; label; place for errors)."""
        raise self.error("this layer type reads no source itself")

    def advance(self):
        """Go to the next image, from the last to the first."""
        raise self.error("this layer type reads no source itself")
