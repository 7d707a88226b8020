"""Layer types of forks of Caffe that prototxts on the web name but Caffe 1.0 never had.

The error message names the fork. The nearest name among our own types would mislead: ReLU6 is not
a misspelling of ReLU.
"""

FORKS = {
    "SSD's": "AnnotatedData DetectionEvaluate DetectionOutput MultiBoxLoss Normalize Permute "
    "PriorBox VideoData",
    "Fast R-CNN's": "ROIPooling SmoothL1Loss",
    "R-FCN's": "PSROIPooling",
    "SegNet's or PSPNet's": "BN Upsample",
    "DeepLab's": "DenseCRF ImageSegData Interp",
    "HED's": "ImageLabelmapData",
    "DeconvNet's": "Unpooling",
    "SENet's": "Axpy",
    "ShuffleNet's": "ShuffleChannel",
    "MobileNet v2's": "ReLU6",
    "face recognition's": "CenterLoss TripletLoss",
    "a speech recogniser's": "CTCLoss",
    "MobileNet's": "ConvolutionDepthwise DepthwiseConvolution",
}


def _plain(name):
    """Return the name in lower case, without underscores."""
    return name.replace("_", "").lower()


_BY_NAME = {_plain(name): (name, fork) for fork, names in FORKS.items() for name in names.split()}
_BY_NAME["norm"] = _BY_NAME["normalize"]  # SSD's Normalize takes a norm_param


def of_fork(name: str) -> str | None:
    """Return the error message for a layer type of a fork, or None if no fork has this type.

    Parameters
    ----------
    name : str
        A layer type in any spelling: ROIPooling, ROI_POOLING, roi_pooling.
    """
    if _plain(name) not in _BY_NAME:
        return None
    name, fork = _BY_NAME[_plain(name)]
    if "Depthwise" in name:
        return (
            f'{name} comes from a fork of Caffe: write type: "Convolution", and set group to the '
            "number of channels"
        )
    return f"{name} comes from a fork of Caffe, {fork}; this package does not offer it"
