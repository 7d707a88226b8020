"""Classifier: a net for whole images, which averages its scores over crops."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from caffe import io
from caffe.errors import CaffeError, ImageError
from caffe.net import Net
from caffe.proto.caffe_pb2 import TEST
from caffe.weights.files import PathLike


def image_transformer(
    net: Net,
    mean: npt.ArrayLike | None = None,
    input_scale: float | None = None,
    raw_scale: float | None = None,
    channel_swap: Sequence[int] | None = None,
) -> io.Transformer:
    """Return the Transformer from H x W x channels images to the first input of `net`.

    Parameters
    ----------
    net : Net
    mean, input_scale, raw_scale, channel_swap : optional
        See `caffe.io.Transformer`; steps that are not given are skipped.
    """
    if isinstance(mean, int):
        raise CaffeError(
            f"mean is {mean}, one whole number: give a value for each channel, or an image; phase "
            "is no argument here, as the net is always in phase TEST"
        )
    in_ = net.inputs[0]
    transformer = io.Transformer({in_: net.blobs[in_].shape})
    transformer.set_transpose(in_, (2, 0, 1))
    if mean is not None:
        transformer.set_mean(in_, mean)
    if input_scale is not None:
        transformer.set_input_scale(in_, input_scale)
    if raw_scale is not None:
        transformer.set_raw_scale(in_, raw_scale)
    if channel_swap is not None:
        transformer.set_channel_swap(in_, channel_swap)
    return transformer


class Classifier(Net):
    """A Net in phase TEST that classifies images.

    Parameters
    ----------
    model_file, pretrained_file : path
        The prototxt and the weights.
    image_dims : (int, int), optional
        Height and width to which images are resized before they are cropped to the net's input;
        the input's own if not given.
    mean, input_scale, raw_scale, channel_swap : optional
        See `caffe.io.Transformer`.

    Attributes
    ----------
    transformer : caffe.io.Transformer
    crop_dims, image_dims : numpy.ndarray
        Height and width of the crops and of the resized images.
    """

    def __init__(
        self,
        model_file: PathLike,
        pretrained_file: PathLike,
        image_dims: Sequence[int] | None = None,
        mean: npt.ArrayLike | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
    ):
        if image_dims is not None and np.shape(image_dims) != (2,):
            raise CaffeError(
                f"Classifier: image_dims, the third argument, is {image_dims!r}: give height and "
                "width, or leave it out; phase is no argument here, as it is always TEST"
            )
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = self.crop_dims if image_dims is None else np.array(image_dims)

    def predict(self, inputs: Iterable[np.ndarray], oversample: bool = True) -> np.ndarray:
        """Return the net's first output for each image.

        Parameters
        ----------
        inputs : iterable of numpy.ndarray
            Images as `caffe.io.load_image` returns them, H x W x channels.
        oversample : bool
            Average over ten crops, see `caffe.io.oversample`; if False, use the centre crop only.

        Returns
        -------
        numpy.ndarray
            Images x classes; without `oversample`, in the output's own shape.

        Raises
        ------
        ImageError
            If there are no images, or `image_dims` is smaller than the net's input.
        """
        images = [io.resize_image(image, self.image_dims) for image in inputs]
        if not images:
            raise ImageError("predict was given no images")
        crops = (
            io.oversample(images, self.crop_dims)
            if oversample
            else [self._centre(image) for image in images]
        )
        in_ = self.inputs[0]
        batch = np.array([self.transformer.preprocess(in_, crop) for crop in crops])
        predictions = self.forward_all(**{in_: batch})[self.outputs[0]]
        if oversample:
            predictions = predictions.reshape(len(predictions) // 10, 10, -1).mean(1)
        return predictions

    def _centre(self, image):
        if any(self.crop_dims > image.shape[:2]):
            raise ImageError(
                f"image_dims {tuple(self.image_dims)} are smaller than the net's input "
                f"{tuple(self.crop_dims)}"
            )
        y, x = (image.shape[:2] - self.crop_dims) // 2
        return image[y : y + self.crop_dims[0], x : x + self.crop_dims[1]]
