"""transform_param: what happens to an image between its source and the net.

    top = (image - mean) * scale, cropped, and mirrored by chance

Source: BVLC Caffe, data_transformer.
"""

import numpy as np

from caffe.errors import DataError, WeightsError
from caffe.layer_types.data.files import check_file
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import to_array
from caffe.weights.caffemodel import read_message


class Transform:
    """Transform(TransformationParameter, train, random); call it with an image and its place.

    scale: factor, after the mean is taken off.
    mirror: reverse the columns of every second image on average, in TEST as well.
    crop_size: cut a square of that side, at a random place in TRAIN, in the centre in TEST.
    mean_file: a .binaryproto of the images' size before the crop; the mean is cut with the image.
    mean_value: one for all channels, or one each; not beside a mean_file.
    force_color, force_gray: how encoded records are decoded (see colour).

    train: whether crops are random; random: a numpy Generator. DataError where the mean file is
    damaged, or the parameters contradict each other.
    """

    def __init__(self, param, train, random):
        self.param, self.train, self.random = param, train, random
        if param.mean_file and param.mean_value:
            raise DataError("transform_param gives mean_file and mean_value: keep one")
        if param.force_color and param.force_gray:
            raise DataError("transform_param sets force_color and force_gray: keep one")
        self.mean = read_mean(param.mean_file) if param.mean_file else None

    @property
    def colour(self):
        """How to decode: True to BGR, False to grey, None as the image is (images.decode)."""
        return True if self.param.force_color else False if self.param.force_gray else None

    def shape(self, shape, place):
        """(channels, height, width) after the crop; DataError where the image is too small."""
        channels, height, width = shape
        crop = self.param.crop_size
        if crop > min(height, width):
            raise DataError(
                "%s: is %d x %d, smaller than crop_size %d: resize it"
                % (place, height, width, crop)
            )
        return (channels, crop, crop) if crop else tuple(shape)

    def __call__(self, image, place):
        """The float32 array that the net sees of an image (channels x height x width)."""
        cut = (slice(None), *self._window(image.shape, self.shape(image.shape, place)))
        out = image[cut].astype(np.float32)
        if self.mean is not None:
            if self.mean.shape != image.shape:
                raise DataError(
                    f"{place}: has shape {image.shape}, the mean {self.param.mean_file} has {self.mean.shape}: make the mean anew, or use "
                    "mean_value"
                )
            out -= self.mean[cut]
        elif self.param.mean_value:
            out -= self._mean_values(len(out), place)
        if self.param.scale != 1:
            out *= np.float32(self.param.scale)
        if self.param.mirror and self.random.integers(2):
            out = out[:, :, ::-1]
        return out

    def _window(self, whole, cut):
        for size, kept in zip(whole[1:], cut[1:]):
            start = (size - kept) // 2
            if self.train and kept < size:
                start = int(self.random.integers(size - kept + 1))
            yield slice(start, start + kept)

    def _mean_values(self, channels, place):
        values = np.array(self.param.mean_value, np.float32)
        if len(values) not in (1, channels):
            raise DataError(
                "%s: has %d channels, transform_param %d mean_value: give one, or one "
                "each" % (place, channels, len(values))
            )
        return values[:, None, None]


def read_mean(path):
    """The float32 mean image, channels x height x width, in a .binaryproto file; DataError."""
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
