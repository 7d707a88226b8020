"""Trains a light net: python -m nets.training.train NET, or make train-NET

The net and its solvers are nets/training/NET{-train,-solver}.prototxt; the weights end up in
nets/NET.caffemodel, snapshots and loss curves in results/train/. nets/training/recipes.py says what
each learns from. A training of several phases goes on from one of them with --phase.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image

import caffe
from lib.augment import augment, frames_by_class
from lib.train import batches, drop_vanished, train
from nets.build import WIDTH
from nets.fcn8s import vgg_trunk
from nets.thin import thin
from nets.training.recipes import RECIPES
from nets.weights import FOLDER, TABLE, find_net, find_weights

LOGS = FOLDER.parent / "results/train"  # loss curves; the solvers write their snapshots there


def sampler(data, frames, even, **view):
    """sample(rng) -> (in_, label): views of random frames, a share `even` of them of frames that
    have a class drawn evenly from all, and showing it.
    """
    having = frames_by_class([label for _, label in frames], 256)
    classes = [c for c, where in enumerate(having) if len(where) and c != 255]

    def sample(rng):
        show = rng.choice(classes) if rng.random() < even else None
        image, label = frames[
            rng.integers(len(frames)) if show is None else rng.choice(having[show])
        ]
        seen, label = augment(image, label, rng, focus=0.5, show=show, **view)
        return data.preprocess(Image.fromarray(seen)), label

    return sample


def start_from(net, name):
    """Give the layers of `net` the weights `name` where the layer is there in the same shape.

    Returns the names of the layers that were given nothing, as they are new.
    """
    old = caffe.Net(find_net(TABLE[name].nets[0]), find_weights(name), caffe.TEST)
    new = []
    for layer, blobs in net.params.items():
        theirs = old.params.get(layer, [])
        if [b.data.shape for b in theirs] == [b.data.shape for b in blobs]:
            for mine, found in zip(blobs, theirs, strict=True):
                mine.data[...] = found.data
        else:
            new.append(layer)
    return new


def start_from_vgg(net, weights, images):
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


def first_weights(net, recipe, vgg, data, frames):
    """Fill `net` as the recipe says; `vgg` is the path of VGG-16's weights, or "none"."""
    if recipe.start == "vgg16" and vgg != "none":
        shown = frames[:: max(1, len(frames) // 24)]
        images = np.stack([data.preprocess(Image.fromarray(image)) for image, _ in shown])
        start_from_vgg(net, vgg, images)
    elif recipe.start not in (None, "vgg16"):
        new = start_from(net, recipe.start)
        print(f"features of {recipe.start}; new: {', '.join(new) or 'nothing'}")


def train_phase(args, data, frames, number):
    """Train one phase, from the first weights or from what the phase before left, and save."""
    recipe, weights = RECIPES[args.net], str(FOLDER / f"{args.net}.caffemodel")
    phase = recipe.phases[number - 1]
    caffe.set_precision("float32")
    solver = caffe.get_solver(FOLDER / f"training/{args.net}{phase.suffix}-solver.prototxt")
    if number > 1:
        solver.net.copy_from(weights)
    else:
        first_weights(solver.net, recipe, args.vgg, data, frames)
    if not phase.skips:
        for blob in (*solver.net.params["score_pool3"], *solver.net.params["score_pool4"]):
            blob.data[...] = 0
    caffe.set_precision(args.precision)
    count, _, *crop = solver.net.blobs["data"].shape
    sample = sampler(data, frames, phase.even, crop=tuple(crop), scale=recipe.scale)
    drawn = batches(sample, np.random.default_rng(1336 + number), count)
    losses = train(solver, drawn, solver.param.max_iter, snapshot=1000)
    np.save(LOGS / f"{args.net}{phase.suffix}-loss.npy", losses)
    print(f"{drop_vanished(solver.net):.0%} of the weights have decayed to nothing")
    solver.net.save(weights)


def main():
    """Parse the command line, train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=RECIPES)
    parser.add_argument("--root", help="where the dataset is, if not in data/")
    parser.add_argument(
        "--vgg",
        help="VGG-16 weights to thin as a start, if not in nets/ ('none' to start from noise)",
    )
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument(
        "--phase",
        type=int,
        default=1,
        help="begin with this phase, from the weights that the one before it left in nets/",
    )
    args = parser.parse_args()
    if args.gpu:
        caffe.set_mode_gpu()
    LOGS.mkdir(parents=True, exist_ok=True)
    data, frames = RECIPES[args.net].frames(args.root)
    for number in range(args.phase, len(RECIPES[args.net].phases) + 1):
        train_phase(args, data, frames, number)


if __name__ == "__main__":
    main()
