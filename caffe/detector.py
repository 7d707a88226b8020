"""Detector: a classifier of image windows, as in R-CNN.

Source of the windows' context: Girshick et al., Rich Feature Hierarchies, 2014, appendix A.
"""

import numpy as np

from caffe import io
from caffe.classifier import image_transformer
from caffe.errors import ImageError, MissingTool
from caffe.net import Net
from caffe.proto.caffe_pb2 import TEST


class Detector(Net):
    """Detector(prototxt, weights, ...): a Net in phase TEST with `detect_windows`.

    context_pad: pixels of context around a window, in the net's input; mean, input_scale,
    raw_scale, channel_swap: see caffe.io.Transformer.
    """

    def __init__(
        self,
        model_file,
        pretrained_file,
        mean=None,
        input_scale=None,
        raw_scale=None,
        channel_swap=None,
        context_pad=None,
    ):
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def detect_windows(self, images_windows):
        """[{'window', 'prediction', 'filename'}] for pairs (image file, its windows).

        A window is (ymin, xmin, ymax, xmax) in pixels; prediction is the net's first output for it.
        """
        images_windows = [(name, list(windows)) for name, windows in images_windows]
        in_, crops = self.inputs[0], []
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

    def detect_selective_search(self, image_fnames):
        """Detect in the windows that Selective Search proposes; MissingTool without it."""
        try:
            import selective_search_ijcv_with_python as selective_search
        except ImportError:
            raise MissingTool(
                "detect_selective_search needs the package selective_search_ijcv_"
                "with_python (and MATLAB) on sys.path: give your own windows to "
                "detect_windows instead"
            ) from None
        image_fnames = list(image_fnames)
        windows = selective_search.get_windows(image_fnames, cmd="selective_search_rcnn")
        return self.detect_windows(zip(image_fnames, windows))

    def configure_crop(self, context_pad):
        """Crop windows with `context_pad` pixels of context (None: without), from now on.

        Context beyond the image is filled with the mean, in the image's own range and order.
        """
        in_, t = self.inputs[0], self.transformer
        height_width_channels = np.argsort(t.transpose[in_])
        self.crop_dims = np.array(self.blobs[in_].shape[1:])[height_width_channels]
        self.context_pad = context_pad
        if not context_pad:
            return
        if 2 * context_pad >= self.crop_dims[:2].min():
            raise ImageError(
                "context_pad %d leaves nothing of the net's input of %d x %d"
                % (context_pad, *self.crop_dims[:2])
            )
        mean = np.zeros(self.crop_dims, np.float32)
        if t.mean.get(in_) is not None:
            found = t.mean[in_]
            if t.channel_swap.get(in_) is not None:
                found = found[np.argsort(t.channel_swap[in_])]
            mean += found.transpose(height_width_channels) / (t.raw_scale.get(in_) or 1)
        self.crop_mean = mean

    def crop(self, im, window):
        """The window of image `im`; with context, it is resized to the net's input around it."""
        window = np.asarray(window)
        if not self.context_pad:
            return im[window[0] : window[2], window[1] : window[3]]
        size = self.crop_dims[:2]
        half = (window[2:] - window[:2] + 1) / 2  # the last pixel belongs to the window
        grown = half * size / (size - 2 * self.context_pad)
        first = np.round(window[:2] + half - grown)
        last = np.round(window[:2] + half + grown)
        ratio = size / (last - first + 1)  # pixels of the input for one of the image
        before = np.round(np.maximum(0, -first) * ratio).astype(int)
        limit = np.array(im.shape[:2])
        first, last = (np.clip(corner, 0, limit).astype(int) for corner in (first, last))
        if (last <= first).any():
            raise ImageError(
                "window %s lies outside the image of %d x %d" % (tuple(window), *limit)
            )
        inside = np.round((last - first + 1) * ratio).astype(int)
        inside = np.minimum(inside, size - before)
        out = self.crop_mean.copy()
        out[before[0] : before[0] + inside[0], before[1] : before[1] + inside[1]] = io.resize_image(
            im[first[0] : last[0], first[1] : last[1]], inside
        )
        return out
