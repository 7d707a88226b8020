"""Detector: a net that classifies windows of images, as in R-CNN.

Source of the context around windows: Girshick et al., Rich Feature Hierarchies, 2014, appendix A.
"""

from collections.abc import Iterable, Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from caffe import io
from caffe.classifier import image_transformer
from caffe.errors import ImageError, MissingTool
from caffe.net import Net
from caffe.proto.caffe_pb2 import TEST
from caffe.weights.files import PathLike

Window = Sequence[float] | np.ndarray


class Detection(TypedDict):
    """A classified window."""

    window: Window
    prediction: np.ndarray
    filename: PathLike


class Detector(Net):
    """A Net in phase TEST that classifies windows of images.

    Parameters
    ----------
    model_file, pretrained_file : path
        The prototxt and the weights.
    mean, input_scale, raw_scale, channel_swap : optional
        See `caffe.io.Transformer`.
    context_pad : int, optional
        See `configure_crop`.

    Attributes
    ----------
    transformer : caffe.io.Transformer
    crop_dims : numpy.ndarray
        Height, width and channels of the net's input.
    context_pad : int or None
    crop_mean : numpy.ndarray
        What fills context outside the image, of shape `crop_dims`; set if there is context.
    """

    def __init__(
        self,
        model_file: PathLike,
        pretrained_file: PathLike,
        mean: npt.ArrayLike | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        context_pad: int | None = None,
    ):
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def detect_windows(
        self, images_windows: Iterable[tuple[PathLike, Iterable[Window]]]
    ) -> list[Detection]:
        """Classify windows of image files.

        Parameters
        ----------
        images_windows : iterable of (path, iterable of window)
            Windows of each file; a window is (ymin, xmin, ymax, xmax) in pixels.

        Returns
        -------
        list of dict
            Per window, in order: 'window', 'filename', and 'prediction', the net's first output.
        """
        images_windows = [(name, list(windows)) for name, windows in images_windows]
        in_ = self.inputs[0]
        crops: list[np.ndarray] = []
        for name, windows in images_windows:
            image = io.load_image(name)
            crops += [self.transformer.preprocess(in_, self.crop(image, w)) for w in windows]
        if not crops:
            return []
        predictions = iter(self.forward_all(**{in_: np.array(crops)})[self.outputs[0]])
        return [
            {"window": window, "prediction": next(predictions), "filename": name}
            for name, windows in images_windows
            for window in windows
        ]

    def detect_selective_search(self, image_fnames: Iterable[PathLike]) -> list[Detection]:
        """Classify the windows that Selective Search proposes.

        Parameters
        ----------
        image_fnames : iterable of path

        Returns
        -------
        list of dict
            See `detect_windows`.

        Raises
        ------
        MissingTool
            If the package selective_search_ijcv_with_python is not installed.
        """
        try:
            import selective_search_ijcv_with_python as selective_search
        except ImportError:
            raise MissingTool(
                "detect_selective_search needs the package selective_search_ijcv_with_python (and "
                "MATLAB) on sys.path: pass your own windows to detect_windows instead"
            ) from None
        image_fnames = list(image_fnames)
        windows = selective_search.get_windows(image_fnames, cmd="selective_search_rcnn")
        return self.detect_windows(zip(image_fnames, windows))

    def configure_crop(self, context_pad: int | None) -> None:
        """Set how much context `crop` includes.

        Parameters
        ----------
        context_pad : int or None
            Pixels of context on each side of the window, counted in the net's input; None or 0 for
            none. Context outside the image is filled with the mean, in the image's own value range
            and channel order.

        Raises
        ------
        ImageError
            If the context leaves no room for the window.
        """
        in_, t = self.inputs[0], self.transformer
        height_width_channels = np.argsort(t.transpose[in_])
        self.crop_dims = np.array(self.blobs[in_].shape[1:])[height_width_channels]
        self.context_pad = context_pad
        if not context_pad:
            return
        height, width = self.crop_dims[:2]
        if 2 * context_pad >= min(height, width):
            raise ImageError(
                f"context_pad {context_pad} leaves nothing of the net's input of {height} x {width}"
            )
        self.crop_mean = np.zeros(self.crop_dims, np.float32)
        if t.mean.get(in_) is not None:
            mean = t.mean[in_]
            if t.channel_swap.get(in_) is not None:
                mean = mean[np.argsort(t.channel_swap[in_])]
            self.crop_mean += mean.transpose(height_width_channels) / (t.raw_scale.get(in_) or 1)

    def crop(self, im: np.ndarray, window: Window) -> np.ndarray:
        """Return a window of an image, with context if `configure_crop` has set some.

        Parameters
        ----------
        im : numpy.ndarray
            H x W x channels.
        window : (int, int, int, int)
            (ymin, xmin, ymax, xmax) in pixels.

        Returns
        -------
        numpy.ndarray
            The window in its own size; with context, resized to `crop_dims`.

        Raises
        ------
        ImageError
            If a window with context is outside the image.
        """
        window = np.asarray(window)
        if not self.context_pad:
            return im[window[0] : window[2], window[1] : window[3]]
        size = self.crop_dims[:2]
        half = (window[2:] - window[:2] + 1) / 2  # the last pixel belongs to the window
        grown = half * size / (size - 2 * self.context_pad)
        first = np.round(window[:2] + half - grown)
        last = np.round(window[:2] + half + grown)
        ratio = size / (last - first + 1)  # pixels of the input per pixel of the image
        before = np.round(np.maximum(0, -first) * ratio).astype(int)
        limit = np.array(im.shape[:2])
        first, last = (np.clip(corner, 0, limit).astype(int) for corner in (first, last))
        if (last <= first).any():
            raise ImageError(
                f"window {tuple(window)} lies outside the image of {limit[0]} x {limit[1]}"
            )
        inside = np.round((last - first + 1) * ratio).astype(int)
        inside = np.minimum(inside, size - before)
        out = self.crop_mean.copy()
        out[before[0] : before[0] + inside[0], before[1] : before[1] + inside[1]] = io.resize_image(
            im[first[0] : last[0], first[1] : last[1]], inside
        )
        return out
