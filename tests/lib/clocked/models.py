"""Models that lib.clocked was not written for: random weights, with stages and a frame for each."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn


class Model(NamedTuple):
    """How to build a model, its stages, and how to see a stale deep stage without lib.clocked.

    `crossing` are the modules whose outputs are all that the deep stage passes on.
    """

    build: Callable[[], nn.Module]
    stages: dict[str, str]
    crossing: list[str]
    size: tuple[int, int]  # for timing


def import_torchvision():
    """Import torchvision, also a build for CUDA beside a PyTorch for CPUs.

    Such a build lacks its own operators, and fails as it declares how two of them behave.
    """
    try:
        import torchvision.models.segmentation
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.of_torchvision = library  # it ends with this object
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        import torchvision.models.segmentation
    return torchvision.models.segmentation


def fcn():
    make = import_torchvision().fcn_resnet50
    return make(weights=None, weights_backbone=None, num_classes=5, aux_loss=True)


def deeplab():
    make = import_torchvision().deeplabv3_resnet50
    return make(weights=None, weights_backbone=None, num_classes=5)


def lraspp():
    make = import_torchvision().lraspp_mobilenet_v3_large
    return make(weights=None, weights_backbone=None, num_classes=5)


def unet():
    import segmentation_models_pytorch

    return segmentation_models_pytorch.Unet("resnet18", encoder_weights=None, classes=5)


def segformer():
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    return SegformerForSemanticSegmentation(SegformerConfig(num_labels=5))


MODELS = {
    # the auxiliary classifier sees fresh features of layer3, the classifier those of layer4
    "FCN-ResNet50": Model(
        fcn,
        {"shallow": "backbone", "deep": "backbone.layer4", "fuse": "classifier"},
        ["backbone.layer4"],
        (192, 256),
    ),
    "DeepLabV3": Model(
        deeplab,
        {"shallow": "backbone", "deep": "backbone.layer4", "fuse": "classifier"},
        ["backbone.layer4"],
        (192, 256),
    ),
    "LR-ASPP": Model(
        lraspp,
        {"shallow": "backbone", "deep": "backbone.7", "fuse": "classifier"},
        ["backbone.16"],
        (384, 512),
    ),
    "U-Net": Model(
        unet,
        {"shallow": "encoder", "deep": "encoder.layer3", "fuse": "decoder"},
        ["encoder.layer3", "encoder.layer4"],
        (256, 320),
    ),
    "SegFormer": Model(
        segformer,
        {"shallow": "segformer.stages.0", "deep": "segformer.stages.2", "fuse": "decode_head"},
        ["segformer.stages.2", "segformer.stages.3"],
        (256, 256),
    ),
}


def build(name):
    """Build a model, in eval mode, whose features differ from pixel to pixel as if trained.

    With the statistics that batch normalization starts with, features of random weights fade.
    """
    torch.manual_seed(0)
    import_torchvision()  # the other packages do so too
    model = MODELS[name].build().train()
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0  # take the statistics of one batch
    with torch.no_grad():
        model(torch.randn(2, 3, 64, 96))
    return model.eval()


def leaves(output):
    """The tensors of what a model returns."""
    return [x for x in torch.utils._pytree.tree_leaves(output) if isinstance(x, torch.Tensor)]
