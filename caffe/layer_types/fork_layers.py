"""Layer types that nets in the wild name and Caffe 1.0 never had: they belong to its forks.

A near match among our own types would mislead there: ReLU6 is no misspelt ReLU.
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
    return name.replace("_", "").lower()


_BY_NAME = {_plain(name): (name, fork) for fork, names in FORKS.items() for name in names.split()}
_BY_NAME["norm"] = _BY_NAME["normalize"]  # SSD's Normalize takes a norm_param


def of_fork(name):
    """What to tell of the layer type `name` (or ROI_POOLING, or roi_pooling); None if no fork's."""
    if _plain(name) not in _BY_NAME:
        return None
    name, fork = _BY_NAME[_plain(name)]
    if "Depthwise" in name:
        return (
            f'{name} comes from a fork of Caffe: write type: "Convolution", and as group the '
            "number of channels"
        )
    return f"{name} comes from a fork of Caffe, {fork}; this package does not offer it"
