"""Images and arrays on their way into and out of nets; each part is in the module named.

Images as caffe.io has them: H x W x channels, float32 in [0, 1], RGB or one grey channel.

Transformer: from images as one loads them to arrays as a net takes them, and back.

Arrays to and from the protobuf messages BlobProto and Datum, as in caffe.io.
"""

import math

import numpy as np

from caffe.errors import ImageError
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import shape_of, to_blob_proto


def load_image(filename, color=True):
    """The image file as H x W x 3 RGB, or H x W x 1 where `color` is False; float32 in [0, 1].

    Grey files are repeated to three channels; an alpha channel is dropped. ImageError where the
    file is missing or no image.
    """
    from skimage import img_as_float  # slow to import, and few nets are fed from files
    from skimage.io import imread

    try:
        image = img_as_float(imread(filename, as_gray=not color)).astype(np.float32)
    except (OSError, ValueError, SyntaxError) as e:
        raise ImageError(f"{filename} cannot be read as an image: {e}") from e
    if image.ndim not in (2, 3) or image.ndim == 3 and image.shape[2] not in (1, 2, 3, 4):
        raise ImageError(
            f"{filename} holds an array of shape {image.shape}, not one image: save the frame wanted as "
            "a PNG"
        )
    if image.ndim == 2:
        image = image[:, :, None]
    if color and image.shape[2] < 3:  # grey, or grey with alpha
        image = np.repeat(image[:, :, :1], 3, axis=2)
    return image[:, :, :3]


def resize_image(im, new_dims, interp_order=1):
    """`im` (H x W x channels) at size new_dims = (height, width), float32.

    Images of one or three channels go through skimage's resize, which smooths before it shrinks;
    others through a spline of order `interp_order`. Source: caffe.io's function of that name.
    """
    im = np.asarray(im)
    height, width = (int(d) for d in new_dims)
    if im.ndim != 3 or min(height, width, *im.shape) < 1:
        raise ImageError(
            "resize_image takes H x W x channels and a size of 1 x 1 or more; it was "
            f"given shape {im.shape} and size {(height, width)}"
        )
    if im.shape[2] not in (1, 3):
        from scipy.ndimage import zoom

        factors = height / im.shape[0], width / im.shape[1], 1
        return zoom(im, factors, order=interp_order).astype(np.float32)
    low, high = im.min(), im.max()
    if not high > low:  # one value everywhere: nothing to bring into skimage's range
        return np.full((height, width, im.shape[2]), low, np.float32)
    from skimage.transform import resize

    unit = resize((im - low) / (high - low), (height, width), order=interp_order, mode="constant")
    return (unit * (high - low) + low).astype(np.float32)


def oversample(images, crop_dims):
    """Ten crops of each image: four corners and the centre, then the same five mirrored.

    images: H x W x channels each, all of one size; crop_dims: (height, width). Returns
    10 n x height x width x channels float32, the ten of an image together.
    """
    height, width = (int(d) for d in crop_dims)
    crops = []
    for image in images:
        down, right = image.shape[0] - height, image.shape[1] - width
        if down < 0 or right < 0:
            raise ImageError(
                "oversample: a crop of %d x %d does not fit an image of %d x %d: "
                "resize the image first" % (height, width, *image.shape[:2])
            )
        corners = [(y, x) for y in (0, down) for x in (0, right)]
        # a centre between two pixels goes to the upper left one
        five = [
            image[y : y + height, x : x + width] for y, x in [*corners, (down // 2, right // 2)]
        ]
        crops += five + [crop[:, ::-1] for crop in five]
    return np.array(crops, np.float32)


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
            raise ImageError(
                "{!r} is not one of the net inputs: {}".format(in_, " ".join(map(str, self.inputs)))
            )

    def preprocess(self, in_, data):
        """`data` (H x W x channels) as the blob takes it, float32; the argument stays as it is."""
        self._check(in_)
        array, size = np.asarray(data, np.float32), tuple(self.inputs[in_][2:])
        if array.ndim != len(self.inputs[in_]) - 1:
            raise ImageError(
                "%r takes images of %d axes (height, width, channels), this one has "
                "shape %s" % (in_, len(self.inputs[in_]) - 1, array.shape)
            )
        if len(size) == 2 and array.shape[:2] != size:
            array = resize_image(array, size)
        if self.transpose.get(in_) is not None:
            array = array.transpose(self.transpose[in_])
        if self.channel_swap.get(in_) is not None:
            array = array[list(self.channel_swap[in_])]
        array = np.array(array, np.float32)  # the caller's array is not ours to scale
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
            raise ImageError(
                "transpose order %s: %r has %d axes besides the batch"
                % (tuple(order), in_, len(self.inputs[in_]) - 1)
            )
        self.transpose[in_] = order

    def set_channel_swap(self, in_, order):
        """Which channel of the image each channel of the blob is, (2, 1, 0) for BGR."""
        self._check(in_)
        if len(order) != self.inputs[in_][1]:
            raise ImageError(
                "channel swap %s: %r has %d channels" % (tuple(order), in_, self.inputs[in_][1])
            )
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
                raise ImageError(
                    "the mean has %d values, %r has %d channels: mean.mean(1).mean(1) "
                    "makes one value a channel" % (len(mean), in_, wanted[0])
                )
            mean = mean[:, None, None]
        elif mean.ndim not in (2, 3):
            raise ImageError(f"a mean has one, two or three axes, this one has shape {mean.shape}")
        elif (1,) * (3 - mean.ndim) + mean.shape != wanted:
            mean = resize_image(
                np.atleast_3d(mean.transpose(1, 2, 0) if mean.ndim == 3 else mean), wanted[1:]
            ).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_, scale):
        """Factor after the mean is subtracted."""
        self._check(in_)
        self.input_scale[in_] = scale


def blobproto_to_array(blob, return_diff=False):
    """The values of a BlobProto, or its gradients, in its shape: today's, or four axes in old ones.

    A blob without a shape is a single number. ValueError where the values do not fill the shape.
    """
    single, double = (blob.diff, blob.double_diff) if return_diff else (blob.data, blob.double_data)
    values = np.array(single or double)
    shape = shape_of(blob)
    if values.size != math.prod(shape):
        raise ValueError("a BlobProto with %d values cannot have shape %s" % (values.size, shape))
    return values.reshape(shape)


def array_to_blobproto(arr, diff=None):
    """A BlobProto of the values `arr` and, where given, the gradients `diff`."""
    arr = np.asarray(arr)
    if diff is not None and np.shape(diff) != arr.shape:
        raise ValueError(f"the gradients have shape {np.shape(diff)}, the values {arr.shape}")
    return to_blob_proto(caffe_pb2.BlobProto(), arr, diff)


def arraylist_to_blobprotovector_str(arraylist):
    """A list of arrays as the bytes of a BlobProtoVector."""
    blobs = [array_to_blobproto(arr) for arr in arraylist]
    return caffe_pb2.BlobProtoVector(blobs=blobs).SerializeToString()


def blobprotovector_str_to_arraylist(str):
    """The list of arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(b) for b in caffe_pb2.BlobProtoVector.FromString(str).blobs]


def array_to_datum(arr, label=None):
    """A Datum of a channels x height x width array: bytes where it is uint8, else floats."""
    arr = np.asarray(arr)
    if arr.ndim != 3:
        raise ValueError(f"a Datum holds channels x height x width, not shape {arr.shape}")
    datum = caffe_pb2.Datum(channels=arr.shape[0], height=arr.shape[1], width=arr.shape[2])
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).ravel())
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum):
    """Channels x height x width: uint8, or float where the Datum holds floats.

    ValueError where the values do not fill the shape, or are an encoded image.
    """
    if datum.encoded:
        raise ValueError(
            "this Datum holds an encoded image (JPEG or PNG): decode datum.data with "
            "PIL.Image.open(io.BytesIO(datum.data))"
        )
    values = (
        np.frombuffer(datum.data, np.uint8) if datum.data else np.array(datum.float_data, float)
    )
    return values.reshape(datum.channels, datum.height, datum.width)
