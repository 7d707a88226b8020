"""Layer types that nets in the wild name and Caffe 1.0 never had: they belong to its forks.

Two tables to extend: FORKS has the types by fork, INSTEAD what to write for those that Caffe 1.0
can express. A near match among our own types would mislead there: ReLU6 is no misspelt ReLU.
"""

FORKS = {
    "SSD's": "AnnotatedData DetectionEvaluate DetectionOutput MultiBoxLoss Normalize Permute "
    "PriorBox VideoData",
    "Fast R-CNN's": "ROIPooling SmoothL1Loss",
    "Faster R-CNN's": "Proposal AnchorTarget ProposalTarget AnchorTargetLayer ProposalLayer",
    "R-FCN's": "PSROIPooling BoxAnnotatorOHEM SoftmaxWithLossOHEM SmoothL1LossOHEM PSROIAlign",
    "Mask R-CNN's": "ROIAlign ROIAlignment",
    "MNC's": "ROIWarping MaskPooling MaskResize",
    "Deformable ConvNets'": "DeformableConvolution DeformablePSROIPooling",
    "SegNet's": "DenseImageData",
    "SegNet's or PSPNet's": "BN Upsample",
    "ENet's": "SpatialDropout",
    "DeepLab's": "DenseCRF ImageSegData Interp MatRead MatWrite SegAccuracy DomainTransform "
    "BiasChannel AdaptiveBiasChannel DominantChannel UniqueLabel",
    "CRF-RNN's": "MultiStageMeanfield",
    "HED's": "ImageLabelmapData",
    "DeconvNet's": "Unpooling WindowSegData EltwiseAccuracy",
    "PixelNet's": "RandCatConv",
    "FlowNet's": "Correlation Correlation1D FlowWarp Resample Downsample LpqLoss CustomData "
    "DataAugmentation FlowAugmentation GenerateAugmentationParameters ChannelNorm ImgReader "
    "ImgWriter FLOReader FLOWriter FloatReader FloatWriter",
    "FlowNet's or NVIDIA's": "L1Loss",
    "NVIDIA's": "DetectNetTransformation",
    "Intel's": "ContinuationIndicator MnActivation MnParamGradCompress",
    "a YOLO port's": "Reorg Region RegionLoss RegionOutput DetectionLoss EvalDetection BoxData "
    "YoloDetectionOutput YoloEvalDetection YoloSeg Yolov3 Yolov3DetectionOutput "
    "SegmentationEvaluate",
    "OpenPose's": "OPData CPMData ImResize Nms",
    "C3D's": "Convolution3D Pooling3D Deconvolution3D NdConvolution NdPooling",
    "a spatial transformer's": "SpatialTransformer SpatialTransform STLoss",
    "SENet's": "Axpy",
    "ShuffleNet's": "ShuffleChannel",
    "MobileNet v2's": "ReLU6",
    "MobileNet's": "ConvolutionDepthwise DepthwiseConvolution",
    "face recognition's": "CenterLoss TripletLoss CoupledClusterLoss MarginInnerProduct "
    "LargeMarginInnerProduct LabelSpecificAdd LabelSpecificRescale NormalizedInnerProduct",
    "metric learning's": "LiftedStructSimilaritySoftmaxLoss NPairMCLoss",
    "a speech or text recogniser's": "CTCLoss WarpCTC WarpCTCLoss CTCGreedyDecoder CTCDecoder "
    "Lstm BLSTM Transpose Reverse ReverseTime",
    "bilinear pooling's": "CompactBilinear BilinearPooling",
    "neural style transfer's": "Gram GramMatrix",
    "": "Local LocalConvolution Maxout Insanity RReLU CReLU SELU SReLU RandomReLU MaxUnpooling "
    "PixelShuffle SubPixel InstanceNorm LayerNorm GroupNorm FocalLoss SoftmaxWithFocalLoss "
    "DiceLoss DiceCoefLoss WeightedSoftmaxWithLoss WeightedEuclideanLoss L2Normalization "
    "Resize CropCenter CenterCrop EltwiseAffine SubRegion SigmoidWeightedCrossEntropyLoss "
    "MultiLabelImageData ImageDataMultiLabel Remap RemapLabels ElementwiseScalarComparison "
    "BilinearInterpolation NormalizedSoftmaxLoss",
}

DEPTHWISE = 'type: "Convolution", and set group to the number of channels'
SOFTMAX_LOSS = 'type: "SoftmaxWithLoss"'
INSTEAD = {  # written in other ways, mostly by habit of another framework
    "ConvolutionDepthwise": DEPTHWISE,
    "DepthwiseConvolution": DEPTHWISE,
    "SoftmaxLoss": SOFTMAX_LOSS,
    "SoftmaxCrossEntropyLoss": SOFTMAX_LOSS,
    "FullyConnected": 'type: "InnerProduct"',
    "FullyConnect": 'type: "InnerProduct"',
    "FC": 'type: "InnerProduct"',
    "Dense": 'type: "InnerProduct"',
    "Linear": 'type: "InnerProduct", or "Power" for scale and shift',
    "Conv": 'type: "Convolution"',
    "Conv2D": 'type: "Convolution"',
    "Deconv": 'type: "Deconvolution"',
    "ConvolutionTranspose": 'type: "Deconvolution"',
    "TransposedConvolution": 'type: "Deconvolution"',
    "BatchNormalization": 'type: "BatchNorm", and after it type: "Scale" with bias_term: true',
    "LeakyReLU": 'type: "ReLU" with relu_param { negative_slope: ... }',
    "MaxPooling": 'type: "Pooling" with pooling_param { pool: MAX }',
    "AveragePooling": 'type: "Pooling" with pooling_param { pool: AVE }',
    "GlobalPooling": 'type: "Pooling" with pooling_param { global_pooling: true }',
    "Add": 'type: "Eltwise"',
    "Sum": 'type: "Eltwise"',
    "Concatenate": 'type: "Concat"',
    "Abs": 'type: "AbsVal"',
    "MSELoss": 'type: "EuclideanLoss"',
    "L2Loss": 'type: "EuclideanLoss"',
}


def _plain(name):
    """Return the name in lower case, without underscores."""
    return name.replace("_", "").lower()


_BY_NAME = {_plain(name): (name, fork) for fork, names in FORKS.items() for name in names.split()}
_INSTEAD = {_plain(name): fix for name, fix in INSTEAD.items()}
# Fields with the settings of a type that are not called as the type is.
_SETTINGS = {
    "norm": "Normalize",
    "st": "SpatialTransformer",
    "cpmtransform": "CPMData",
    "optransform": "OPData",
    "detectnetgroundtruth": "DetectNetTransformation",
    "detectnetaugmentation": "DetectNetTransformation",
    "augmentation": "DataAugmentation",
    "coeffschedule": "DataAugmentation",
    "writer": "ImgWriter",
    "reader": "ImgReader",
    "ctcdecoder": "CTCDecoder",
    "mngradcompress": "MnParamGradCompress",
    "eltwisescalarcomparison": "ElementwiseScalarComparison",
}


def of_fork(name: str) -> str | None:
    """Return the error message for a layer type of a fork, or None if no fork has this type.

    Parameters
    ----------
    name : str
        A layer type in any spelling: ROIPooling, ROI_POOLING, roi_pooling.
    """
    plain = _plain(name)
    if plain in _INSTEAD:
        fork = " comes from a fork of Caffe" if plain in _BY_NAME else " is not a type of Caffe 1.0"
        return f"{_BY_NAME.get(plain, [name])[0]}{fork}: write {_INSTEAD[plain]}"
    if plain not in _BY_NAME:
        return None
    name, fork = _BY_NAME[plain]
    whose = f", {fork}" if fork else ""
    return f"{name} comes from a fork of Caffe{whose}; this package does not offer it"


def of_fork_settings(field: str) -> str | None:
    """Return the error message for a field of LayerParameter that a fork has, or None.

    Parameters
    ----------
    field : str
        The settings of a layer type, such as roi_pooling_param.
    """
    stem = _plain(field.removesuffix("_param"))
    name = _SETTINGS.get(stem, stem)
    return of_fork(name) if field.endswith("_param") and _plain(name) in _BY_NAME else None
