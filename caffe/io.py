"""caffe.io: images and arrays on their way into and out of nets.

An image is a float32 array H x W x channels with values in [0, 1], RGB or one grey channel.

- `load_image`, `resize_image` and `oversample` read, resize and crop images.
- `Transformer` turns images into the arrays that a net takes, and back.
- The remaining functions convert arrays to the protobuf messages BlobProto and Datum, and back.
"""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from caffe.errors import ImageError
from caffe.image_file import read_image
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import shape_of, to_blob_proto
from caffe.weights.blobproto import values as stored_values
from caffe.weights.files import PathLike

Size = Sequence[int] | np.ndarray  # height, width

# Images


def load_image(filename: PathLike | BinaryIO | bytes, color: bool = True) -> np.ndarray:
    """Read an image file.

    Parameters
    ----------
    filename : path, binary file or bytes
        BMP, GIF, JPEG, JPEG 2000, PNG, PPM, TIFF or WebP on this machine; the content tells which.
    color : bool
        Return RGB, with a grey file's channel repeated; if False, return one grey channel.

    Returns
    -------
    numpy.ndarray
        H x W x 3, or H x W x 1 if `color` is False; float32 in [0, 1]. An alpha channel is dropped;
        a grey image of one with alpha is what it looks like on white, if it has colours.

    Raises
    ------
    ImageError
        If the file is missing, not such an image, damaged or too large.
    """
    from skimage.color import rgb2gray, rgba2rgb  # slow to import, and few nets read image files
    from skimage.util import img_as_float

    image = read_image(filename)
    if image.ndim == 3 and image.shape[2] == 2:  # grey with alpha
        image = image[:, :, 0]
    if image.ndim == 3 and not color:
        image = rgb2gray(rgba2rgb(image) if image.shape[2] == 4 else image)
    image = img_as_float(image).astype(np.float32)
    if image.ndim == 2:
        image = image[:, :, None]
    if color and image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    return image[:, :, :3]


def resize_image(im: npt.ArrayLike, new_dims: Size, interp_order: int = 1) -> np.ndarray:
    """Resize an image.

    Images of one or three channels are resized by skimage, which smooths before it shrinks; others
    by spline interpolation. Source: the function of that name in BVLC's caffe.io.

    Parameters
    ----------
    im : array_like
        H x W x channels, any value range.
    new_dims : (int, int)
        Height and width, 1 or more.
    interp_order : int
        Order of the interpolation: 0 nearest neighbour, 1 linear, 3 cubic.

    Returns
    -------
    numpy.ndarray
        Height x width x channels, float32.

    Raises
    ------
    ImageError
        If `im` does not have three axes, or a size is less than 1.
    """
    im = np.asarray(im)
    height, width = (int(d) for d in new_dims)
    if im.ndim != 3 or min(height, width, *im.shape) < 1:
        raise ImageError(
            "resize_image takes H x W x channels and a size of 1 x 1 or more; it was given shape "
            f"{im.shape} and size {(height, width)}"
        )
    if im.shape[2] not in (1, 3):
        from scipy.ndimage import zoom

        factors = height / im.shape[0], width / im.shape[1], 1
        zoomed = zoom(im, factors, order=interp_order)  # type: ignore[call-overload]  # 0 to 5
        return zoomed.astype(np.float32)
    low, high = im.min(), im.max()
    if not high > low:  # a constant image cannot be scaled to skimage's range
        return np.full((height, width, im.shape[2]), low, np.float32)
    from skimage.transform import resize

    unit = resize((im - low) / (high - low), (height, width), order=interp_order, mode="constant")
    return (unit * (high - low) + low).astype(np.float32)


def oversample(images: Iterable[np.ndarray], crop_dims: Size) -> np.ndarray:
    """Return ten crops of each image: four corners and the centre, then the same five mirrored.

    Parameters
    ----------
    images : iterable of numpy.ndarray
        H x W x channels each.
    crop_dims : (int, int)
        Height and width of the crops.

    Returns
    -------
    numpy.ndarray
        10 n x height x width x channels, float32; the ten crops of an image follow each other.

    Raises
    ------
    ImageError
        If an image is smaller than the crops.
    """
    height, width = (int(d) for d in crop_dims)
    crops = []
    for image in images:
        down, right = image.shape[0] - height, image.shape[1] - width
        if down < 0 or right < 0:
            raise ImageError(
                f"oversample: a crop of {height} x {width} does not fit an image of "
                f"{image.shape[0]} x {image.shape[1]}: resize the image first"
            )
        corners = [(y, x) for y in (0, down) for x in (0, right)]
        centre = down // 2, right // 2  # rounded to the upper left
        five = [image[y : y + height, x : x + width] for y, x in [*corners, centre]]
        crops += five + [crop[:, ::-1] for crop in five]
    return np.array(crops, np.float32)


# Images as inputs of nets


class Transformer:
    """Preprocessing for each input of a net.

        t = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
        t.set_transpose("data", (2, 0, 1))         # H x W x channels to channels x H x W
        t.set_channel_swap("data", (2, 1, 0))      # RGB to BGR
        t.set_raw_scale("data", 255)               # [0, 1] to [0, 255]
        t.set_mean("data", np.array([104, 117, 123]))
        net.blobs["data"].data[...] = t.preprocess("data", caffe.io.load_image("cat.jpg"))

    The steps are: resize to the blob's height and width, transpose, channel swap, raw scale, mean,
    input scale. The order of the setter calls does not matter; a step that is not set is skipped.
    All methods raise ImageError (a ValueError) if the input is unknown or a setting does not fit
    its shape.

    Parameters
    ----------
    inputs : mapping of str to tuple of int
        Shape of each input blob by name, (batch, channels, height, width) for images.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]):
        self.inputs = inputs
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def _check(self, in_):
        if in_ not in self.inputs:
            names = " ".join(map(str, self.inputs))
            raise ImageError(f"{in_!r} is not one of the net inputs: {names}")

    def preprocess(self, in_: str, data: npt.ArrayLike) -> np.ndarray:
        """Return `data` as the input blob takes it.

        Parameters
        ----------
        in_ : str
            Name of the input.
        data : array_like
            An image, H x W x channels. It is not modified.

        Returns
        -------
        numpy.ndarray
            Float32; channels x height x width with the usual transpose.
        """
        self._check(in_)
        array, size = np.asarray(data, np.float32), tuple(self.inputs[in_][2:])
        axes = len(self.inputs[in_]) - 1
        if array.ndim != axes:
            raise ImageError(
                f"{in_!r} takes images of {axes} axes (height, width, channels), this one has "
                f"shape {array.shape}"
            )
        if len(size) == 2 and array.shape[:2] != size:
            array = resize_image(array, size)
        if self.transpose.get(in_) is not None:
            array = array.transpose(self.transpose[in_])
        if self.channel_swap.get(in_) is not None:
            array = array[list(self.channel_swap[in_])]
        array = np.array(array, np.float32)  # a copy: the next steps work in place
        if self.raw_scale.get(in_) is not None:
            array *= self.raw_scale[in_]
        if self.mean.get(in_) is not None:
            array -= self.mean[in_]
        if self.input_scale.get(in_) is not None:
            array *= self.input_scale[in_]
        return array

    def deprocess(self, in_: str, data: npt.ArrayLike) -> np.ndarray:
        """Invert `preprocess`, except for the resize.

        Parameters
        ----------
        in_ : str
            Name of the input.
        data : array_like
            What `preprocess` returned, or a batch of one of it. Axes of length 1 may be missing.

        Returns
        -------
        numpy.ndarray
            H x W x channels, float32.
        """
        self._check(in_)
        array = self._without_batch(in_, np.array(data, np.float32))
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

    def _without_batch(self, in_, array):
        """Return an array with the axes of the input but the first, whichever axes of 1 it has."""
        axes = len(self.inputs[in_]) - 1
        while array.ndim > axes and array.shape[0] == 1:
            array = array[0]
        if array.ndim < axes and self.transpose.get(in_) is not None:
            wanted = tuple(self.inputs[in_][1:])
            if [d for d in array.shape if d > 1] == [d for d in wanted if d > 1]:
                return array.reshape(wanted)
        if array.ndim != axes and self.transpose.get(in_) is not None:
            raise ImageError(
                f"deprocess takes one row of {in_!r}, {axes} axes without the batch, and was given "
                f"shape {array.shape}: give data[i]"
            )
        return array

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Set the order of the image's axes in the blob, (2, 0, 1) for channels first."""
        self._check(in_)
        axes = len(self.inputs[in_]) - 1
        if len(order) != axes:
            raise ImageError(
                f"transpose order {tuple(order)}: {in_!r} has {axes} axes without the batch"
            )
        if sorted(order) != list(range(axes)):
            raise ImageError(
                f"transpose order {tuple(order)}: give each of the axes 0 to {axes - 1} once"
            )
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Set the image channel of each channel of the blob, (2, 1, 0) for BGR."""
        self._check(in_)
        channels = self.inputs[in_][1]
        if len(order) != channels:
            raise ImageError(f"channel swap {tuple(order)}: {in_!r} has {channels} channels")
        if not all(c in range(channels) for c in order):
            raise ImageError(f"channel swap {tuple(order)}: channels are 0 to {channels - 1}")
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Set the factor applied before the mean is subtracted, 255 for nets trained on bytes."""
        self._check(in_)
        self.raw_scale[in_] = _finite(scale, "raw scale")

    def set_mean(self, in_: str, mean: npt.ArrayLike) -> None:
        """Set the mean to subtract.

        Parameters
        ----------
        in_ : str
            Name of the input.
        mean : array_like
            One value per channel, or an image of channels x H x W or, for one channel, H x W, which
            is resized to the blob's size. Its range and channel order are those of the blob.
        """
        self._check(in_)
        if isinstance(mean, str | os.PathLike):
            raise ImageError(
                f"the mean is an array, not the path {os.fspath(mean)!r}: give np.load(path) of a "
                ".npy, or caffe.io.blobproto_to_array of a .binaryproto"
            )
        mean, wanted = np.asarray(mean), tuple(self.inputs[in_][1:])
        if mean.ndim == 1:
            if len(mean) != wanted[0]:
                raise ImageError(
                    f"the mean has {len(mean)} values, {in_!r} has {wanted[0]} channels: "
                    "mean.mean(1).mean(1) gives one value per channel"
                )
            mean = mean.reshape(-1, *[1] * (len(wanted) - 1))
        elif mean.ndim not in (2, 3):
            raise ImageError(f"a mean has one, two or three axes, this one has shape {mean.shape}")
        elif (1,) * (3 - mean.ndim) + mean.shape != wanted:
            image = np.atleast_3d(mean.transpose(1, 2, 0) if mean.ndim == 3 else mean)
            mean = resize_image(image, wanted[1:]).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Set the factor applied after the mean is subtracted."""
        self._check(in_)
        self.input_scale[in_] = _finite(scale, "input scale")


def _finite(number, what):
    """Return a factor; raise ImageError if it is no finite number."""
    if not isinstance(number, Real | np.ndarray) or not np.isfinite(number).all():
        raise ImageError(f"the {what} is {number!r:.60}: give a finite number")
    return number


# Arrays and protobuf messages


def blobproto_to_array(blob: caffe_pb2.BlobProto, return_diff: bool = False) -> np.ndarray:
    """Return the values of a BlobProto, or its gradients.

    Parameters
    ----------
    blob : BlobProto
        With its shape in `shape`, or in the four axes of older files. Without a shape it is a
        single number.
    return_diff : bool
        Return the gradients.

    Raises
    ------
    ValueError
        If the number of values does not fit the shape.
    """
    of = "diff" if return_diff else "data"
    if getattr(blob, f"raw_{of}"):
        values = stored_values(blob, of)
    else:
        values = np.array(getattr(blob, of) or getattr(blob, f"double_{of}"))
    shape = shape_of(blob)
    if values.size != math.prod(shape):
        raise ValueError(f"a BlobProto with {values.size} values cannot have shape {shape}")
    return values.reshape(shape)


def array_to_blobproto(
    arr: npt.ArrayLike, diff: npt.ArrayLike | None = None
) -> caffe_pb2.BlobProto:
    """Return a BlobProto of values and, optionally, gradients.

    Parameters
    ----------
    arr : array_like
        The values.
    diff : array_like, optional
        The gradients, of the same shape.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    arr = np.asarray(arr)
    if diff is not None:
        diff = np.asarray(diff)
        if diff.shape != arr.shape:
            raise ValueError(f"the gradients have shape {diff.shape}, the values {arr.shape}")
    return to_blob_proto(caffe_pb2.BlobProto(), arr, diff)


def arraylist_to_blobprotovector_str(arraylist: Iterable[npt.ArrayLike]) -> bytes:
    """Return arrays as the bytes of a BlobProtoVector."""
    blobs = [array_to_blobproto(arr) for arr in arraylist]
    return caffe_pb2.BlobProtoVector(blobs=blobs).SerializeToString()


def blobprotovector_str_to_arraylist(str: bytes) -> list[np.ndarray]:
    """Return the arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(b) for b in caffe_pb2.BlobProtoVector.FromString(str).blobs]


def array_to_datum(arr: npt.ArrayLike, label: int | None = None) -> caffe_pb2.Datum:
    """Return a Datum of an array.

    Parameters
    ----------
    arr : array_like
        Channels x height x width. Uint8 is stored as bytes, any other type as floats.
    label : int, optional

    Raises
    ------
    ValueError
        If the array does not have three axes.
    """
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


def datum_to_array(datum: caffe_pb2.Datum) -> np.ndarray:
    """Return the array of a Datum.

    Returns
    -------
    numpy.ndarray
        Channels x height x width; uint8, or float if the Datum holds floats.

    Raises
    ------
    ValueError
        If the number of values does not fit the shape, or they are an encoded image.
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
