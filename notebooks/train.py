"""Trains a light net: python -m notebooks.train camvid | miniature

The net and its solver are nets/NAME-fcn8s-light-{train,solver}.prototxt; the weights end up in
nets/NAME-fcn8s-light.caffemodel, snapshots and the loss curve in results/train/. An interrupted run
goes on from its last snapshot with --resume.
"""
import argparse
import tempfile
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image

import caffe
from datasets.camvid import camvid
from datasets.cityscapes import cityscapes
from datasets.miniature import miniature
from lib.augment import augment
from lib.train import batches, train
from nets.fcn8s import vgg_trunk
from nets.thin import thin
from nets.weights import find_weights

ROOT = Path(__file__).resolve().parents[1]
CROPS = {"camvid": (256, 352), "miniature": (160, 288)}
WIDTH = 1 / 4  # of both light nets, as in nets.build


def camvid_samples(root=None, crop=CROPS["camvid"]):
    """(sample(rng) -> (in_, label), images N x 3 x H x W to thin VGG-16 on) from CamVid train."""
    data = camvid(root)
    names = data.get_dset("train")
    frames = [(np.array(data.load_image("train", n)), data.load_label("train", n)) for n in names]

    def sample(rng):
        image, label = frames[rng.integers(len(frames))]
        view, label = augment(image, label, rng, crop, scale=(0.6, 1.6), focus=0.5)
        return data.preprocess(Image.fromarray(view)), label
    shown = names[::max(1, len(names) // 24)]
    return sample, np.stack([data.preprocess(data.load_image("train", n)) for n in shown])


def miniature_samples(root=None, crop=CROPS["miniature"], snippets=60):
    """(sample(rng) -> (in_, label), None) from rendered training streets, every second frame."""
    data = cityscapes(miniature(root, train=snippets))
    frames = [(np.array(clip.image(i)), clip.label(i)) for clip in data.clips("train")
              for i in range(0, len(clip), 2)]

    def sample(rng):
        image, label = frames[rng.integers(len(frames))]
        view, label = augment(image, label, rng, crop, scale=(0.7, 1.6), focus=0.5)
        return data.preprocess(Image.fromarray(view)), label
    return sample, None


SAMPLES = {"camvid": camvid_samples, "miniature": miniature_samples}


def thin_vgg(net, weights, images):
    """Give the convolutions of `net` the channels of VGG-16 that say most (nets.thin).

    weights: path of VGG-16's, None for nets/vgg16_conv_trunk.caffemodel.
    """
    weights = weights or find_weights("vgg16_conv_trunk")
    with tempfile.TemporaryDirectory() as folder:
        vgg = caffe.Net(written(vgg_trunk(), folder), weights, caffe.TEST)
        light = caffe.Net(written(vgg_trunk(WIDTH), folder), caffe.TEST)
    for layer, share in thin(light, vgg, images).items():
        print(f"{layer}: {share:.0%} of the kept channels' variance reproduced")
    for layer, blobs in light.params.items():
        for mine, theirs in zip(net.params[layer], blobs, strict=True):
            mine.data[...] = theirs.data


def written(spec, folder):
    """Path of a prototxt in `folder` that holds `spec`."""
    path = Path(folder) / "net.prototxt"
    path.write_text(text_format.MessageToString(spec))
    return str(path)


def main():
    """Parse the command line, train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SAMPLES)
    parser.add_argument("--root", help="where the dataset is, if not in data/")
    parser.add_argument("--vgg", help="VGG-16 weights to thin as a start, if not in nets/ "
                        "('none' to start from noise)")
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--resume", help="a .solverstate to go on from")
    args = parser.parse_args()
    if args.gpu:
        caffe.set_mode_gpu()
    (ROOT / "results/train").mkdir(parents=True, exist_ok=True)
    name = f"{args.name}-fcn8s-light"
    solver = caffe.get_solver(ROOT / f"nets/{name}-solver.prototxt")
    sample, images = SAMPLES[args.name](args.root)
    if args.resume:
        solver.restore(args.resume)
    elif images is not None and args.vgg != "none":
        thin_vgg(solver.net, args.vgg, images)
    caffe.set_precision(args.precision)
    rng = np.random.default_rng(1337 + solver.iter)
    shape = solver.net.blobs["data"].shape
    losses = train(solver, batches(sample, rng, shape[0]), solver.param.max_iter - solver.iter,
                   snapshot=1000)
    np.save(ROOT / f"results/train/{name}-loss.npy", losses)
    solver.net.save(ROOT / f"nets/{name}.caffemodel")


if __name__ == "__main__":
    main()
