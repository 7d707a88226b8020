"""FCN-8s and its truncated variants as NetSpecs, from which every prototxt in nets/ is written.

The net is VGG-16 made fully convolutional. It reads scores at three depths and fuses them: score_fr
(stride 32), score_pool4 (stride 16) and score_pool3 (stride 8). Long, Shelhamer, Darrell, "Fully
Convolutional Networks for Semantic Segmentation" (CVPR 2015). Layer names and weight shapes match
the published weights, which therefore load by name.

Staged order puts score_pool3 and score_pool4 directly after the pooling layers that they read. The
layers then form four consecutive ranges that a clock can run separately ("Clockwork Convnets",
arXiv:1608.03609, section 3): shallow conv1_1..score_pool3, middle conv4_1..score_pool4, deep
conv5_1..upscore2, and fuse score_pool4c..score.
"""

import caffe
from caffe import layers as L
from caffe import params as P
from caffe.coord_map import crop
from caffe.proto import caffe_pb2
from lib.labels import IGNORE

# (convolutions, channels) of VGG-16's five blocks; each block ends in a 2x2 max pooling
BLOCKS = {1: (2, 64), 2: (2, 128), 3: (3, 256), 4: (3, 512), 5: (3, 512)}
LEARNED = [{"lr_mult": 1, "decay_mult": 1}, {"lr_mult": 2, "decay_mult": 0}]  # weights, bias
FROZEN = [{"lr_mult": 0}]
Size = tuple[int, int]  # height, width


def fcn8s(
    classes: int,
    width: float = 1,
    pad: int = 100,
    fc_kernel: int = 7,
    fc_dilation: int = 1,
    fc_width: int = 4096,
    staged: bool = True,
    train: bool = False,
    skips: bool = True,
    filler: str | None = None,
    size: Size = (500, 500),
    batch: int = 1,
) -> caffe_pb2.NetParameter:
    """Return FCN-8s: blob `data` (batch x 3 x H x W) to `score` (batch x classes x H x W).

    Parameters
    ----------
    classes : int
        Number of classes.
    width : float
        Factor on the channels of conv1_1..conv5_3.
    pad : int
        Padding of conv1_1, which compensates for the borders that fc6 cuts off. It must be at least
        16 * fc_dilation * (fc_kernel - 1) - 27: 69 for the published 7x7 kernel (which uses 100),
        37 for a 3x3 kernel with dilation 2 (a 5x5 receptive field with 9/25 of the weights). With
        the minimum, any size from 57 x 57 works; below, pool5 is smaller than fc6's kernel. With
        100, any size works. A 3x3 kernel without dilation (pad 5) fails for some sizes, because
        fuse_pool3 becomes larger than score_pool3.
    fc_kernel, fc_dilation : int
        Kernel size and dilation of fc6.
    fc_width : int
        Channels of fc6 and fc7.
    staged : bool
        Staged order; False for the order of the FCN paper.
    train : bool
        Add blob `label` (batch x 1 x H x W, 255 = ignore), dropout after fc6 and fc7, a softmax
        loss averaged over the labelled pixels, and bilinear fillers for the upsampling.
    skips : bool
        False freezes score_pool3 and score_pool4. Held at zero, they leave all of the prediction
        to the deep scores, as in FCN-32s.
    filler : str, optional
        Weight filler of the convolutions for training from scratch ("msra"). Without one they
        are expected to be copied from trained weights. The score layers start at zero.
    size : (int, int)
        Height and width of `data`.
    batch : int
        Number of images in `data`.

    Returns
    -------
    NetParameter
    """
    n = _inputs(train, size, batch)
    skip = LEARNED if skips else FROZEN * 2
    pools = _trunk(n, 5, width, pad, filler, classes if staged else None, skip)
    top = _conv_relu(n, "fc6", pools[5], fc_width, fc_kernel, 0, filler, dilation=fc_dilation)
    if train:
        top = n.drop6 = L.Dropout(top, dropout_ratio=0.5, in_place=True)
    top = _conv_relu(n, "fc7", top, fc_width, 1, 0, filler)
    if train:
        top = n.drop7 = L.Dropout(top, dropout_ratio=0.5, in_place=True)
    n.score_fr = _score(top, classes)
    n.upscore2 = _upsample(n.score_fr, classes, 2, bilinear=train)
    if not staged:
        n.score_pool4 = _score(pools[4], classes, skip)
    n.score_pool4c = crop(n.score_pool4, n.upscore2)
    n.fuse_pool4 = L.Eltwise(n.upscore2, n.score_pool4c, operation=P.Eltwise.SUM)
    n.upscore_pool4 = _upsample(n.fuse_pool4, classes, 2, bilinear=train)
    if not staged:
        n.score_pool3 = _score(pools[3], classes, skip)
    n.score_pool3c = crop(n.score_pool3, n.upscore_pool4)
    n.fuse_pool3 = L.Eltwise(n.upscore_pool4, n.score_pool3c, operation=P.Eltwise.SUM)
    n.upscore8 = _upsample(n.fuse_pool3, classes, 8, bilinear=train)
    n.score = crop(n.upscore8, n.data)
    if train:
        n.loss = _labelled_loss(n)
    return n.to_proto()


def fcn_pool(
    classes: int,
    pool: int,
    width: float = 1,
    pad: int = 100,
    grouped: bool = False,
    train: bool = False,
    filler: str | None = None,
    size: Size = (500, 500),
    batch: int = 1,
) -> caffe_pb2.NetParameter:
    """Return FCN-pool3 or FCN-pool4: the trunk up to `pool`, scored and upsampled in one step.

    These nets are the baselines of the pipeline experiments: what the first stages predict alone.

    Parameters
    ----------
    pool : {3, 4}
        Last pooling layer of the trunk.
    grouped : bool
        Upsample class by class. The published nets use one full deconvolution, `upscore`, after the
        score layer `score_fr`.
    classes, width, pad, train, filler, size, batch
        As for `fcn8s`.

    Returns
    -------
    NetParameter
    """
    n = _inputs(train, size, batch)
    n.score_fr = _score(_trunk(n, pool, width, pad, filler)[pool], classes)
    n.upscore = _upsample(n.score_fr, classes, 2**pool, grouped, bilinear=train)
    n.score = crop(n.upscore, n.data)
    if train:
        n.loss = _labelled_loss(n)
    return n.to_proto()


def vgg_trunk(width: float = 1, size: Size = (224, 224), batch: int = 1) -> caffe_pb2.NetParameter:
    """Return VGG-16's convolutions, padded to keep the size, up to conv5_3 and its ReLU.

    nets.thin takes initial weights from this net. Parameters as for `fcn8s`.
    """
    n = _inputs(False, size, batch)
    _trunk(n, 5, width, 1)
    spec = n.to_proto()
    del spec.layer[-1]
    return spec


def _inputs(train, size, batch):
    """Return a NetSpec with the input blob `data`, and `label` if `train`."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=[{"dim": [batch, 3, *size]}])
    if train:
        n.label = L.Input(shape=[{"dim": [batch, 1, *size]}])
    return n


def _trunk(n, depth, width, pad, filler=None, score_classes=None, score_param=LEARNED):
    """Add VGG-16's blocks 1..depth to `n` and return their pooled tops by block.

    With `score_classes`, score_pool3 and score_pool4 directly follow their pools: staged order.
    """
    top, pools = n.data, {}
    for block in range(1, depth + 1):
        convs, channels = BLOCKS[block]
        for i in range(1, convs + 1):
            conv_pad = pad if block == i == 1 else 1
            top = _conv_relu(n, f"conv{block}_{i}", top, int(width * channels), 3, conv_pad, filler)
        top = L.Pooling(top, pool=P.Pooling.MAX, kernel_size=2, stride=2)
        n[f"pool{block}"] = pools[block] = top
        if score_classes and block in (3, 4):
            n[f"score_pool{block}"] = _score(top, score_classes, score_param)
    return pools


def _conv_relu(n, name, bottom, channels, kernel, pad, filler=None, dilation=1):
    """Add convolution `name` (convX or fcX) and its in-place reluX; return the ReLU's top."""
    extra = {"weight_filler": {"type": filler}} if filler else {}
    if dilation != 1:
        extra["dilation"] = dilation
    n[name] = L.Convolution(
        bottom, num_output=channels, kernel_size=kernel, stride=1, pad=pad, param=LEARNED, **extra
    )
    relu = "relu" + name.removeprefix("conv").removeprefix("fc")
    n[relu] = L.ReLU(n[name], in_place=True)
    return n[relu]


def _score(bottom, classes, param=LEARNED):
    """Return a 1x1 convolution from features to class scores, initialised to zero."""
    return L.Convolution(bottom, num_output=classes, kernel_size=1, pad=0, param=param)


def _labelled_loss(n):
    """Return the softmax loss of `score` against `label`, averaged over the labelled pixels."""
    return L.SoftmaxWithLoss(
        n.score, n.label, loss_param={"ignore_label": IGNORE, "normalization": P.Loss.VALID}
    )


def _upsample(bottom, classes, stride, grouped=True, bilinear=False):
    """Return a frozen deconvolution by `stride`: kernel 2 * stride, no bias, grouped by class."""
    settings = {
        "num_output": classes,
        "kernel_size": 2 * stride,
        "stride": stride,
        "bias_term": False,
    }
    if grouped:
        settings["group"] = classes
    if bilinear:
        settings["weight_filler"] = {"type": "bilinear"}
    return L.Deconvolution(bottom, convolution_param=settings, param=FROZEN)
