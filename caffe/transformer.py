"""Transformer: from images as one loads them to arrays as a net takes them, and back."""
import numpy as np

from .errors import ImageError
from .images import resize_image


class Transformer:
    """Transformer({input blob: its shape}): preprocessing for each input of a net.

        t = caffe.io.Transformer({'data': net.blobs['data'].data.shape})
        t.set_transpose('data', (2, 0, 1))         # H x W x channels to channels x H x W
        t.set_channel_swap('data', (2, 1, 0))      # RGB to BGR
        t.set_raw_scale('data', 255)               # [0, 1] to [0, 255]
        t.set_mean('data', np.array([104, 117, 123]))
        net.blobs['data'].data[...] = t.preprocess('data', caffe.io.load_image('cat.jpg'))

    The steps are in that order whatever the order of the calls, after a resize to the blob's
    height and width, and before `input_scale`. ImageError (a ValueError) where a setting does not
    fit the blob.
    """

    def __init__(self, inputs):
        self.inputs = inputs
        self.transpose, self.channel_swap, self.raw_scale = {}, {}, {}
        self.mean, self.input_scale = {}, {}

    def _check(self, in_):
        if in_ not in self.inputs:
            raise ImageError('%r is not one of the net inputs: %s'
                             % (in_, ' '.join(map(str, self.inputs))))

    def preprocess(self, in_, data):
        """`data` (H x W x channels) as the blob takes it, float32; the argument stays as it is."""
        self._check(in_)
        array, size = np.asarray(data, np.float32), tuple(self.inputs[in_][2:])
        if array.ndim != len(self.inputs[in_]) - 1:
            raise ImageError('%r takes images of %d axes (height, width, channels), this one has '
                             'shape %s' % (in_, len(self.inputs[in_]) - 1, array.shape))
        if len(size) == 2 and array.shape[:2] != size:
            array = resize_image(array, size)
        if self.transpose.get(in_) is not None:
            array = array.transpose(self.transpose[in_])
        if self.channel_swap.get(in_) is not None:
            array = array[list(self.channel_swap[in_])]
        array = np.array(array, np.float32)    # the caller's array is not ours to scale
        if self.raw_scale.get(in_) is not None:
            array *= self.raw_scale[in_]
        if self.mean.get(in_) is not None:
            array -= self.mean[in_]
        if self.input_scale.get(in_) is not None:
            array *= self.input_scale[in_]
        return array

    def deprocess(self, in_, data):
        """What `preprocess` was given, but for the size; axes of length 1 are dropped first."""
        self._check(in_)
        array = np.array(data, np.float32).squeeze()
        if self.input_scale.get(in_) is not None:
            array /= self.input_scale[in_]
        if self.mean.get(in_) is not None:
            array += self.mean[in_]
        if self.raw_scale.get(in_) is not None:
            array /= self.raw_scale[in_]
        if self.channel_swap.get(in_) is not None:
            array = array[np.argsort(self.channel_swap[in_])]
        if self.transpose.get(in_) is not None:
            array = array.transpose(np.argsort(self.transpose[in_]))
        return array

    def set_transpose(self, in_, order):
        """Order of the image's axes in the blob, (2, 0, 1) for channels first."""
        self._check(in_)
        if len(order) != len(self.inputs[in_]) - 1:
            raise ImageError('transpose order %s: %r has %d axes besides the batch'
                             % (tuple(order), in_, len(self.inputs[in_]) - 1))
        self.transpose[in_] = order

    def set_channel_swap(self, in_, order):
        """Which channel of the image each channel of the blob is, (2, 1, 0) for BGR."""
        self._check(in_)
        if len(order) != self.inputs[in_][1]:
            raise ImageError('channel swap %s: %r has %d channels'
                             % (tuple(order), in_, self.inputs[in_][1]))
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_, scale):
        """Factor before the mean is subtracted, 255 for nets trained on bytes."""
        self._check(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_, mean):
        """What to subtract: one value a channel, or a channels x H x W image, resized to fit."""
        self._check(in_)
        mean, wanted = np.asarray(mean), tuple(self.inputs[in_][1:])
        if mean.ndim == 1:
            if len(mean) != wanted[0]:
                raise ImageError('the mean has %d values, %r has %d channels: mean.mean(1).mean(1) '
                                 'makes one value a channel' % (len(mean), in_, wanted[0]))
            mean = mean[:, None, None]
        elif mean.ndim not in (2, 3):
            raise ImageError('a mean has one, two or three axes, this one has shape %s'
                             % (mean.shape,))
        elif (1,) * (3 - mean.ndim) + mean.shape != wanted:
            mean = resize_image(np.atleast_3d(mean.transpose(1, 2, 0) if mean.ndim == 3 else mean),
                                wanted[1:]).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_, scale):
        """Factor after the mean is subtracted."""
        self._check(in_)
        self.input_scale[in_] = scale
