"""From PIL images to the frame inputs of a Caffe net."""
import numpy as np


def preprocess(im, mean_bgr):
    """Turn a PIL image into a net input: 3 x H x W float32, BGR in 0..255, minus `mean_bgr`.

    BGR and a per-channel mean are what the ImageNet VGG nets were trained on in Caffe.
    """
    bgr = np.asarray(im.convert('RGB'), dtype=np.float32)[:, :, ::-1]
    return np.ascontiguousarray((bgr - np.asarray(mean_bgr, np.float32)).transpose(2, 0, 1))
