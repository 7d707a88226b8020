"""Base classes of the layers that read data: no bottoms, and tops filled batch by batch."""

import abc
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from caffe.blobs import memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.device import own_random
from caffe.errors import DataError
from caffe.layer_types.base import Blobs, Shape, StatefulLayer
from caffe.layer_types.data.transform import Transform
from caffe.proto import caffe_pb2


class Source(StatefulLayer):
    """Base class of the layers that read data.

    They read synchronously, in the thread that runs the net. As in Caffe their position in the data
    is not part of a snapshot.

    Attributes
    ----------
    param_name : str
        The field of LayerParameter with the layer's parameters.
    param : message
        The content of that field.
    random : numpy.random.Generator
        For shuffles and crops; each layer has its own.
    """

    bottoms = (0, 0)
    param_name = ""

    def __init__(self, spec: caffe_pb2.LayerParameter, phase: int) -> None:
        super().__init__(spec, phase)
        self.param = getattr(spec, self.param_name)
        self.random = own_random()
        if self.param.batch_size < 1:
            raise self.error(
                f"{self.param_name}.batch_size is {self.param.batch_size}: give 1 or more"
            )

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Begin the DataErrors raised inside with this layer's name, and make MemoryError one."""
        try:
            yield
        except DataError as e:
            raise self.error(str(e), DataError) from None
        except MemoryError:
            raise self.error(
                f"{self.param_name}.batch_size is {self.param.batch_size}, and memory ran out: "
                "make it smaller",
                DataError,
            ) from None

    def shape_top(self, blob: Blob, shape: Shape) -> None:
        """Give a top its shape without allocating memory.

        Raises
        ------
        ShapeMismatch
            If no blob can have this shape.
        """
        if problem := refusal(shape):
            raise self.mismatch(f"its top {problem}")
        if blob.shape != tuple(shape):
            blob.clear(shape)

    def fill_top(self, blob: Blob, array: np.ndarray) -> None:
        """Put a float32 array into a top, which takes its shape."""
        self.shape_top(blob, array.shape)
        blob.synced_data.put(torch.from_numpy(np.ascontiguousarray(array)))


class ImageSource(Source):
    """Base class of the layers that read labelled images one by one.

    Subclasses `open` the source, return the `current` image and `advance` to the next, cyclically.
    Tops: images, batch_size x channels x height x width, and labels, batch_size (optional). All
    images of a batch have the shape of its first; with batch_size 1 each image may have its own.

    Attributes
    ----------
    transform : Transform
        The layer's transform_param.
    """

    tops = (1, 2)

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Open the source, skip up to rand_skip images, and give the tops their shapes."""
        with self.naming_errors():
            self.transform = Transform(
                self.spec.transform_param, self.phase == caffe_pb2.TRAIN, self.random
            )
            count = self.open()
            if self.param.rand_skip:
                for _ in range(self.random.integers(self.param.rand_skip) % count):
                    self.advance()
            image, _, place = self.current()
            self._shape_tops(top, self.transform.shape(image.shape, place))

    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Fill the tops with the next batch.

        Raises
        ------
        DataError
            If an image cannot be read, or has another shape than the first of the batch.
        """
        n = self.param.batch_size
        with self.naming_errors():
            for i in range(n):
                image, label, place = self.current()
                own_shape = self.transform.shape(image.shape, place)
                if i == 0:
                    shape = own_shape
                    self._shape_tops(top, shape)
                    memory.check(n * math.prod(shape), f"layer {self.name!r}: a batch takes")
                    images = np.empty((n, *shape), np.float32)
                    labels = np.empty(n, np.float32)
                if own_shape != shape:
                    raise DataError(
                        f"{place}: has shape {own_shape} where the batch began with {shape}: "
                        "resize the images, give a crop_size (or force_color if the channels "
                        "differ), or a batch_size of 1"
                    )
                images[i], labels[i] = self.transform(image, place), label
                self.advance()
        for blob, array in zip(top, (images, labels)):
            self.fill_top(blob, array)

    def _shape_tops(self, top, shape):
        """Give the tops the shapes of a batch of images of this shape, and of its labels."""
        n = self.param.batch_size
        for blob, wanted in zip(top, ((n, *shape), (n,))):
            self.shape_top(blob, wanted)

    @abc.abstractmethod
    def open(self) -> int:
        """Open the source at its first image, and return the number of images."""

    @abc.abstractmethod
    def current(self) -> tuple[np.ndarray, int, str]:
        """Return the current image, its label and its place.

        Returns
        -------
        image : numpy.ndarray of uint8 or float32
            Channels x height x width.
        label : int
        place : str
            The image's file, line or record, to begin error messages with.
        """

    @abc.abstractmethod
    def advance(self) -> None:
        """Go to the next image, from the last to the first."""
