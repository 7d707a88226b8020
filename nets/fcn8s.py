"""FCN-8s and its truncated relatives, as NetSpecs from which every prototxt in nets/ is written.

The net is VGG-16 made convolutional, with scores read from three depths and fused: score_fr (stride
32), score_pool4 (16) and score_pool3 (8). Long, Shelhamer, Darrell, "Fully Convolutional Networks
for Semantic Segmentation" (CVPR 2015). Layer names and weight shapes are those of the published
weights, so that these load by name.

Staged order puts score_pool3 and score_pool4 right after the pools they read. The layers fall into
four ranges that a clock can run one by one ("Clockwork Convnets", arXiv:1608.03609, section 3):
shallow conv1_1..score_pool3, middle conv4_1..score_pool4, deep conv5_1..upscore2, and
fuse score_pool4c..score.
"""

import caffe
from caffe import layers as L
from caffe import params as P
from caffe.coord_map import crop

# (convolutions, channels) of VGG-16's five blocks; each block ends in a 2x2 max pooling
BLOCKS = {1: (2, 64), 2: (2, 128), 3: (3, 256), 4: (3, 512), 5: (3, 512)}
LEARNED = [{"lr_mult": 1, "decay_mult": 1}, {"lr_mult": 2, "decay_mult": 0}]  # weights, bias
FROZEN = [{"lr_mult": 0}]
IGNORE_LABEL = 255


def fcn8s(
    classes,
    width=1,
    pad=100,
    fc_kernel=7,
    fc_dilation=1,
    fc_width=4096,
    staged=True,
    train=False,
    skips=True,
    filler=None,
    size=(500, 500),
    batch=1,
):
    """FCN-8s as a NetParameter: blob `data` (batch x 3 x H x W) in, `score` (classes x H x W) out.

    `width` scales the channels of conv1_1..conv5_3, `fc_width` sets those of fc6 and fc7.
    `pad` (conv1_1) makes up for what fc6 takes off the borders. It must be at least
    16 * fc_dilation * (fc_kernel - 1) - 27: 69 for the published 7x7 kernel (which comes with
    100), 37 for a 3x3 kernel of dilation 2, which covers 5x5 at 9/25 of the weights. With the
    least padding any `size` (H, W) from 57 x 57 on works (below, pool5 is smaller than fc6's
    kernel), with 100 any size at all. A kernel of 3 without dilation (pad 5) fails for some
    sizes: fuse_pool3 outgrows score_pool3.

    `train` adds blob `label` (batch x 1 x H x W, 255 = ignore), dropout after fc6 and fc7, a
    softmax loss averaged over the labelled pixels, and bilinear fillers for the upsampling.
    Without `skips` the training leaves score_pool3 and score_pool4 as they are: held at zero, the
    deep scores have to do all by themselves, as in FCN-32s.
    `filler` names the weight filler of the convolutions for training from scratch ("msra");
    without one they are meant to be copied from trained weights. Scores start at zero.
    """
    n = inputs(train, size, batch)
    skip = LEARNED if skips else FROZEN * 2
    pools = trunk(n, 5, width, pad, filler, classes if staged else None, skip)
    top = conv_relu(n, "fc6", pools[5], fc_width, fc_kernel, 0, filler, dilation=fc_dilation)
    if train:
        top = n.drop6 = L.Dropout(top, dropout_ratio=0.5, in_place=True)
    top = conv_relu(n, "fc7", top, fc_width, 1, 0, filler)
    if train:
        top = n.drop7 = L.Dropout(top, dropout_ratio=0.5, in_place=True)
    n.score_fr = score(top, classes)
    n.upscore2 = upsample(n.score_fr, classes, 2, bilinear=train)
    if not staged:
        n.score_pool4 = score(pools[4], classes, skip)
    n.score_pool4c = crop(n.score_pool4, n.upscore2)
    n.fuse_pool4 = L.Eltwise(n.upscore2, n.score_pool4c, operation=P.Eltwise.SUM)
    n.upscore_pool4 = upsample(n.fuse_pool4, classes, 2, bilinear=train)
    if not staged:
        n.score_pool3 = score(pools[3], classes, skip)
    n.score_pool3c = crop(n.score_pool3, n.upscore_pool4)
    n.fuse_pool3 = L.Eltwise(n.upscore_pool4, n.score_pool3c, operation=P.Eltwise.SUM)
    n.upscore8 = upsample(n.fuse_pool3, classes, 8, bilinear=train)
    n.score = crop(n.upscore8, n.data)
    if train:
        n.loss = labelled_loss(n)
    return n.to_proto()


def fcn_pool(
    classes,
    pool,
    width=1,
    pad=100,
    grouped=False,
    train=False,
    filler=None,
    size=(500, 500),
    batch=1,
):
    """FCN-pool3 or FCN-pool4: the trunk up to `pool` (3 or 4), scored and upsampled in one step.

    These are the baselines of the pipeline experiments: what the first stages say by themselves.
    As published, the score layer is `score_fr`, and `upscore` is one full (ungrouped)
    deconvolution; `grouped` upsamples class by class instead. `width`, `pad`, `train` and `filler`
    as for `fcn8s`.
    """
    n = inputs(train, size, batch)
    n.score_fr = score(trunk(n, pool, width, pad, filler)[pool], classes)
    n.upscore = upsample(n.score_fr, classes, 2**pool, grouped, bilinear=train)
    n.score = crop(n.upscore, n.data)
    if train:
        n.loss = labelled_loss(n)
    return n.to_proto()


def vgg_trunk(width=1, size=(224, 224), batch=1):
    """VGG-16's convolutions alone, padded to keep the size: to take first weights from (nets.thin).

    Without pool5, so that it ends in conv5_3 and its ReLU.
    """
    n = inputs(False, size, batch)
    trunk(n, 5, width, 1)
    spec = n.to_proto()
    del spec.layer[-1]
    return spec


def inputs(train, size, batch):
    """A NetSpec that holds the input blob `data`, and `label` where `train`."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=[{"dim": [batch, 3, *size]}])
    if train:
        n.label = L.Input(shape=[{"dim": [batch, 1, *size]}])
    return n


def trunk(n, depth, width, pad, filler=None, score_classes=None, score_param=LEARNED):
    """Adds VGG-16's blocks 1..depth to `n`; returns their pooled tops by block.

    With `score_classes`, score_pool3 and score_pool4 follow their pools at once: staged order.
    """
    top, pools = n.data, {}
    for block in range(1, depth + 1):
        convs, channels = BLOCKS[block]
        for i in range(1, convs + 1):
            conv_pad = pad if block == i == 1 else 1
            top = conv_relu(n, f"conv{block}_{i}", top, int(width * channels), 3, conv_pad, filler)
        top = L.Pooling(top, pool=P.Pooling.MAX, kernel_size=2, stride=2)
        n[f"pool{block}"] = pools[block] = top
        if score_classes and block in (3, 4):
            n[f"score_pool{block}"] = score(top, score_classes, score_param)
    return pools


def conv_relu(n, name, bottom, channels, kernel, pad, filler=None, dilation=1):
    """Adds convolution `name` (convX or fcX) and its in-place reluX; returns the ReLU's top."""
    extra = {"weight_filler": {"type": filler}} if filler else {}
    if dilation != 1:
        extra["dilation"] = dilation
    n[name] = L.Convolution(
        bottom, num_output=channels, kernel_size=kernel, stride=1, pad=pad, param=LEARNED, **extra
    )
    relu = "relu" + name.removeprefix("conv").removeprefix("fc")
    n[relu] = L.ReLU(n[name], in_place=True)
    return n[relu]


def score(bottom, classes, param=LEARNED):
    """A 1x1 convolution from features to class scores; zero until trained."""
    return L.Convolution(bottom, num_output=classes, kernel_size=1, pad=0, param=param)


def labelled_loss(n):
    """Softmax loss of `score` against `label`, averaged over the pixels that have a label."""
    return L.SoftmaxWithLoss(
        n.score, n.label, loss_param={"ignore_label": IGNORE_LABEL, "normalization": P.Loss.VALID}
    )


def upsample(bottom, classes, stride, grouped=True, bilinear=False):
    """A frozen deconvolution by `stride`, kernel 2 * stride, no bias; grouped is class by class."""
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
