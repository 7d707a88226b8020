"""Trains a light net: python -m notebooks.train camvid | miniature

The net and its solvers are nets/NAME-fcn8s-light-{train,solver}.prototxt; the weights end up in
nets/NAME-fcn8s-light.caffemodel, snapshots and loss curves in results/train/. CamVid's training has
a second phase, which draws the classes evenly: bicyclists fill 0.3 % of the frames, and those that
are there must be seen often enough to be learned. A run goes on from a phase with --phase.
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
from lib.augment import augment, frames_by_class
from lib.train import batches, train
from nets.build import WIDTH
from nets.fcn8s import vgg_trunk
from nets.thin import thin
from nets.weights import find_weights

ROOT = Path(__file__).resolve().parents[1]
VIEWS = {"camvid": {"crop": (256, 352), "scale": (0.6, 1.6)},
         "miniature": {"crop": (160, 288), "scale": (0.7, 1.6)}}
# What follows the name of the net in the solver of each phase, and the share of views that show a
# class drawn evenly from all classes.
PHASES = {"camvid": (("", 0), ("-even", 0.7)), "miniature": (("", 0),)}


def camvid_frames(root=None):
    """(camvid, its train frames as (RGB H x W x 3 uint8, label) pairs)."""
    data = camvid(root)
    return data, [(np.array(data.load_image("train", name)), data.load_label("train", name)[0])
                  for name in data.get_dset("train")]


def miniature_frames(root=None, snippets=60):
    """(cityscapes, frames as (RGB, label) pairs) of rendered training streets, every second one."""
    data = cityscapes(miniature(root, train=snippets))
    return data, [(np.array(clip.image(i)), clip.label(i)) for clip in data.clips("train")
                  for i in range(0, len(clip), 2)]


FRAMES = {"camvid": camvid_frames, "miniature": miniature_frames}


def sampler(data, frames, even, **view):
    """sample(rng) -> (in_, label): views of random frames, a share `even` of them of frames that
    have a class drawn evenly from all, and showing it."""
    having = frames_by_class([label for _, label in frames], len(data.classes))
    classes = [c for c, where in enumerate(having) if len(where)]

    def sample(rng):
        show = rng.choice(classes) if rng.random() < even else None
        image, label = frames[rng.integers(len(frames)) if show is None else
                              rng.choice(having[show])]
        seen, label = augment(image, label, rng, focus=0.5, show=show, **view)
        return data.preprocess(Image.fromarray(seen)), label
    return sample


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
    parser.add_argument("name", choices=FRAMES)
    parser.add_argument("--root", help="where the dataset is, if not in data/")
    parser.add_argument("--vgg", help="VGG-16 weights to thin as a start, if not in nets/ "
                        "('none' to start from noise)")
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--phase", type=int, default=1, help="begin with this phase, from the "
                        "weights that the one before it left in nets/")
    args = parser.parse_args()
    if args.gpu:
        caffe.set_mode_gpu()
    (ROOT / "results/train").mkdir(parents=True, exist_ok=True)
    data, frames = FRAMES[args.name](args.root)
    for number, (suffix, even) in enumerate(PHASES[args.name], 1):
        if number >= args.phase:
            train_phase(args, data, frames, number, suffix, even)


def train_phase(args, data, frames, number, suffix, even):
    """Train one phase, from VGG-16 or noise or the phase before, and write the weights."""
    net = f"{args.name}-fcn8s-light"
    weights = str(ROOT / f"nets/{net}.caffemodel")
    caffe.set_precision("float32")
    solver = caffe.get_solver(ROOT / f"nets/{net}{suffix}-solver.prototxt")
    if number > 1:
        solver.net.copy_from(weights)
    elif args.name == "camvid" and args.vgg != "none":
        shown = frames[::max(1, len(frames) // 24)]
        images = np.stack([data.preprocess(Image.fromarray(image)) for image, _ in shown])
        thin_vgg(solver.net, args.vgg, images)
    caffe.set_precision(args.precision)
    sample = sampler(data, frames, even, **VIEWS[args.name])
    drawn = batches(sample, np.random.default_rng(1336 + number), solver.net.blobs["data"].shape[0])
    losses = train(solver, drawn, solver.param.max_iter, snapshot=1000)
    np.save(ROOT / f"results/train/{net}{suffix}-loss.npy", losses)
    solver.net.save(weights)


if __name__ == "__main__":
    main()
