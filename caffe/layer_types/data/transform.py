"""transform_param: what happens to an image between its source and the net.

    top = (image - mean) * scale, cropped, and randomly mirrored

Source: BVLC Caffe, data_transformer.
"""

import numpy as np

from caffe.errors import DataError, WeightsError
from caffe.layer_types.data.files import check_file
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import to_array
from caffe.weights.caffemodel import read_message


class Transform:
    """The transformation of a data layer; call it with an image and its place.

    Its parameters in the prototxt:

    - scale: a factor, applied after the mean is subtracted
    - mirror: reverse the columns of each image with probability 1/2, in TEST as well
    - crop_size: cut a square of this side, at a random position in TRAIN, from the centre in TEST
    - mean_file: a .binaryproto of the images' size before the crop; the mean is cropped likewise
    - mean_value: one for all channels, or one each; not together with mean_file
    - force_color, force_gray: how encoded records are decoded (see `colour`)

    Parameters
    ----------
    param : TransformationParameter
        The layer's transform_param.
    train : bool
        Whether crops are random.
    random : numpy.random.Generator
        Draws the crops and mirrors.

    Raises
    ------
    DataError
        If the mean file is missing or damaged, or the parameters contradict each other.
    """

    def __init__(
        self, param: caffe_pb2.TransformationParameter, train: bool, random: np.random.Generator
    ) -> None:
        self.param, self.train, self.random = param, train, random
        if param.mean_file and param.mean_value:
            raise DataError("transform_param gives mean_file and mean_value: keep one")
        if param.force_color and param.force_gray:
            raise DataError("transform_param sets force_color and force_gray: keep one")
        self.mean = read_mean(param.mean_file) if param.mean_file else None

    @property
    def colour(self) -> bool | None:
        """How to decode: True to BGR, False to grey, None as the image is (see `images.decode`)."""
        return True if self.param.force_color else False if self.param.force_gray else None

    def shape(self, shape: tuple[int, ...], place: str) -> tuple[int, ...]:
        """Return channels, height and width after the crop.

        Parameters
        ----------
        shape : tuple of int
            Channels, height and width of an image.
        place : str
            The image's file, line or record, to begin the error message with.

        Raises
        ------
        DataError
            If the image is smaller than the crop.
        """
        channels, height, width = shape
        crop = self.param.crop_size
        if crop > min(height, width):
            raise DataError(
                f"{place}: is {height} x {width}, smaller than crop_size {crop}: resize it"
            )
        return (channels, crop, crop) if crop else tuple(shape)

    def __call__(self, image: np.ndarray, place: str) -> np.ndarray:
        """Return the float32 array that the net gets for an image.

        Parameters
        ----------
        image : numpy.ndarray
            Channels x height x width, of any type.
        place : str
            The image's file, line or record, to begin the error message with.

        Raises
        ------
        DataError
            If the image is smaller than the crop, or the mean does not fit it.
        """
        cut = (slice(None), *self._crop(image.shape, self.shape(image.shape, place)))
        out = image[cut].astype(np.float32)
        if self.mean is not None:
            if self.mean.shape != image.shape:
                raise DataError(
                    f"{place}: has shape {image.shape}, the mean {self.param.mean_file} has "
                    f"{self.mean.shape}: compute the mean again, or use mean_value"
                )
            out -= self.mean[cut]
        elif self.param.mean_value:
            out -= self._mean_values(len(out), place)
        if self.param.scale != 1:
            out *= np.float32(self.param.scale)
        if self.param.mirror and self.random.integers(2):
            out = out[:, :, ::-1]
        return out

    def _crop(self, shape, cropped):
        """Yield the slice of rows, then that of columns, for these shapes before and after."""
        for size, length in zip(shape[1:], cropped[1:]):
            start = (size - length) // 2
            if self.train and length < size:
                start = int(self.random.integers(size - length + 1))
            yield slice(start, start + length)

    def _mean_values(self, channels, place):
        """Return mean_value as an array that broadcasts over an image."""
        values = np.array(self.param.mean_value, np.float32)
        if len(values) not in (1, channels):
            raise DataError(
                f"{place}: has {channels} channels, transform_param {len(values)} mean_value: give "
                "one, or one each"
            )
        return values[:, None, None]


def read_mean(path: str) -> np.ndarray:
    """Return the mean image in a .binaryproto file.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    numpy.ndarray of float32
        Channels x height x width.

    Raises
    ------
    DataError
        If the file is missing or damaged, or holds anything but one image.
    """
    check_file(path, "mean file (.binaryproto)")
    try:
        mean = to_array(read_message(path, caffe_pb2.BlobProto(), "a .binaryproto mean"), path)
    except WeightsError as e:
        raise DataError(str(e)) from None
    if mean.ndim == 4 and len(mean) == 1:
        mean = mean[0]
    if mean.ndim != 3:
        raise DataError(
            f"{path}: a mean is one image, channels x height x width, this has shape {mean.shape}"
        )
    return mean
