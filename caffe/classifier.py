"""Classifier: a net that is given images as they are loaded, and averages over crops of them."""

import numpy as np

from caffe import io
from caffe.errors import ImageError
from caffe.net import Net
from caffe.proto.caffe_pb2 import TEST


def image_transformer(net, mean=None, input_scale=None, raw_scale=None, channel_swap=None):
    """The Transformer from H x W x channels images to the first input of `net`."""
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
    """Classifier(prototxt, weights, ...): a Net in phase TEST with `predict`.

    image_dims: (height, width) that images are resized to before they are cropped; default: the
    net's own. mean, input_scale, raw_scale, channel_swap: see caffe.io.Transformer.
    """

    def __init__(
        self,
        model_file,
        pretrained_file,
        image_dims=None,
        mean=None,
        input_scale=None,
        raw_scale=None,
        channel_swap=None,
    ):
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = self.crop_dims if image_dims is None else np.array(image_dims)

    def predict(self, inputs, oversample=True):
        """N x classes: the net's first output for each image of `inputs` (H x W x channels).

        oversample: average over ten crops (caffe.io.oversample); else the centre crop alone, with
        the output in its own shape.
        """
        images = [io.resize_image(image, self.image_dims) for image in inputs]
        if not images:
            raise ImageError("predict was given no images")
        if oversample:
            images = io.oversample(images, self.crop_dims)
        else:
            images = [self._centre(image) for image in images]
        in_ = self.inputs[0]
        ready = np.array([self.transformer.preprocess(in_, image) for image in images])
        predictions = self.forward_all(**{in_: ready})[self.outputs[0]]
        if oversample:
            predictions = predictions.reshape(len(predictions) // 10, 10, -1).mean(1)
        return predictions

    def _centre(self, image):
        if any(self.crop_dims > image.shape[:2]):
            raise ImageError(
                f"image_dims {tuple(self.image_dims)} are smaller than the net's input {tuple(self.crop_dims)}"
            )
        y, x = (image.shape[:2] - self.crop_dims) // 2
        return image[y : y + self.crop_dims[0], x : x + self.crop_dims[1]]
