"""Train a light net: python -m nets.training.train NET, or make train-NET.

The net and its solvers are nets/training/NET{-train,-solver}.prototxt. The weights are written to
nets/NET.caffemodel, snapshots and loss curves to results/train/. nets/training/recipes.py lists the
training frames and phases of each net. --phase resumes a training of several phases at one of them.

The weights are written at the end of each phase, in one step: after an interruption,
nets/NET.caffemodel has what the last complete phase left, and --phase continues with the next one.
"""

import argparse
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from PIL import Image

import caffe
from datasets.errors import DatasetError
from lib.atomic import write_atomically
from lib.augment import augment, frames_by_class
from lib.labels import IGNORE
from lib.train import batches, drop_vanished, train
from nets.build import WIDTH
from nets.fcn8s import vgg_trunk
from nets.thin import thin
from nets.training.recipes import RECIPES, Dataset, Frame, Recipe
from nets.weights import FOLDER, TABLE, WeightsFileError, find_net, find_weights

LOGS = FOLDER.parent / "results/train"  # loss curves; the solvers write their snapshots there

PRECISIONS = ("bfloat16", "float32")

Sample = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


def sampler(data: Dataset, frames: list[Frame], even: float, **view: Any) -> Sample:
    """Return a function that draws random crops of random frames.

    Parameters
    ----------
    data : Dataset
        Preprocesses the crops.
    frames : list
        (RGB, class map) pairs.
    even : float
        Share of the crops, 0..1, that contain a class drawn uniformly from all classes.
    **view
        Further arguments for lib.augment.augment, such as `crop` and `scale`.

    Returns
    -------
    callable
        sample(rng) -> (input 3 x H x W float32, class map H x W uint8).
    """
    by_class = frames_by_class([label for _, label in frames], 256)
    classes = [c for c, indices in enumerate(by_class) if len(indices) and c != IGNORE]

    def sample(rng):
        show = rng.choice(classes) if rng.random() < even else None
        index = rng.integers(len(frames)) if show is None else rng.choice(by_class[show])
        image, label = augment(*frames[index], rng, focus=0.5, show=show, **view)
        return data.preprocess(Image.fromarray(image)), label

    return sample


def start_from(net: caffe.Net, name: str) -> list[str]:
    """Copy the weights `name` into the layers of `net` that have the same shape.

    Parameters
    ----------
    net : Net
        The net to fill.
    name : str
        A key of nets.weights.TABLE.

    Returns
    -------
    list of str
        The layers that were not filled.
    """
    source = caffe.Net(find_net(TABLE[name].nets[0]), find_weights(name), caffe.TEST)
    new = []
    for layer, blobs in net.params.items():
        theirs = source.params.get(layer)
        if theirs is not None and _shapes(theirs) == _shapes(blobs):
            _copy(theirs, blobs)
        else:
            new.append(layer)
    return new


def start_from_vgg(net: caffe.Net, weights: str | None, images: np.ndarray) -> None:
    """Fill the convolutions of `net` with the most informative channels of VGG-16 (nets.thin).

    Parameters
    ----------
    net : Net
        The net to fill.
    weights : str or None
        Path of VGG-16's weights, None for nets/vgg16_conv_trunk.caffemodel.
    images : ndarray
        N x 3 x H x W float32, preprocessed.
    """
    weights = find_weights(weights or "vgg16_conv_trunk")
    with tempfile.TemporaryDirectory() as folder:
        vgg = caffe.Net(_write_spec(vgg_trunk(), folder), weights, caffe.TEST)
        light = caffe.Net(_write_spec(vgg_trunk(WIDTH), folder), caffe.TEST)
    for layer, share in thin(light, vgg, images).items():
        print(f"{layer}: {share:.0%} of the kept channels' variance reproduced")
    for layer, blobs in light.params.items():
        _copy(blobs, net.params[layer])


def _shapes(blobs):
    """Return the shapes of `blobs`."""
    return [blob.data.shape for blob in blobs]


def _copy(source, target):
    """Copy the values of the blobs `source` to the blobs `target`."""
    for theirs, mine in zip(source, target, strict=True):
        mine.data[...] = theirs.data


def _write_spec(spec, folder):
    """Write `spec` as a prototxt in `folder` and return its path."""
    path = Path(folder) / "net.prototxt"
    path.write_text(text_format.MessageToString(spec))
    return str(path)


def _initialise(net, recipe, vgg, data, frames):
    """Fill `net` as the recipe says; `vgg` is a path, None, or "none" to start from noise."""
    if recipe.start == "vgg16" and vgg != "none":
        shown = frames[:: max(1, len(frames) // 24)]
        images = np.stack([data.preprocess(Image.fromarray(image)) for image, _ in shown])
        start_from_vgg(net, vgg, images)
    elif recipe.start not in (None, "vgg16"):
        new = start_from(net, recipe.start)
        print(f"features of {recipe.start}; new: {', '.join(new) or 'nothing'}")


def train_net(
    name: str,
    recipe: Recipe,
    root: os.PathLike[str] | str | None = None,
    vgg: str | None = None,
    precision: str = "bfloat16",
    first_phase: int = 1,
    folder: Path = FOLDER,
    logs: Path = LOGS,
) -> None:
    """Train a net phase by phase; each phase starts from the weights of the one before.

    Parameters
    ----------
    name : str
        Name of the net, as in {name}.caffemodel.
    recipe : Recipe
        How to train it.
    root : path, optional
        Folder of the dataset, if not in data/.
    vgg : str, optional
        Path of VGG-16's weights for recipes that start from them, if not in nets/; "none" to start
        from noise instead.
        An error for recipes and phases that do not start from them.
    precision : {"bfloat16", "float32"}
        Precision of the solver steps.
    first_phase : int
        Phase to begin with, from 1. Above 1, {name}.caffemodel holds the weights of the phase
        before.
    folder : Path
        Holds training/{name}{suffix}-solver.prototxt; {name}.caffemodel is written here.
    logs : Path
        Where the loss curves are written.

    Raises
    ------
    ValueError
        If the recipe has no such phase, does not use `vgg`, or the precision is unknown.
    WeightsFileError
        If the weights to start from are missing.
    """
    weights = folder / f"{name}.caffemodel"
    check_options(recipe, vgg, precision, first_phase, weights)
    logs.mkdir(parents=True, exist_ok=True)
    data, frames = recipe.frames(root)
    for number, phase in enumerate(recipe.phases[first_phase - 1 :], first_phase):
        caffe.set_precision("float32")
        solver = caffe.get_solver(folder / f"training/{name}{phase.suffix}-solver.prototxt")
        if number > 1:
            solver.net.copy_from(weights)
        else:
            _initialise(solver.net, recipe, vgg, data, frames)
        if not phase.skips:
            for blob in (*solver.net.params["score_pool3"], *solver.net.params["score_pool4"]):
                blob.data[...] = 0
        caffe.set_precision(precision)
        count, _, *crop = solver.net.blobs["data"].shape
        sample = sampler(data, frames, phase.even, crop=tuple(crop), scale=recipe.scale)
        drawn = batches(sample, np.random.default_rng(1336 + number), count)
        losses = train(solver, drawn, solver.param.max_iter, snapshot=1000)
        print(f"{drop_vanished(solver.net):.0%} of the weights have decayed to zero")
        solver.net.save(weights)
        curve = io.BytesIO()
        np.save(curve, losses)
        write_atomically(logs / f"{name}{phase.suffix}-loss.npy", curve.getvalue())
        if number < len(recipe.phases):
            print(f"phase {number} of {len(recipe.phases)} is in {weights}", flush=True)


def check_options(
    recipe: Recipe, vgg: str | None, precision: str, first_phase: int, weights: Path
) -> None:
    """Raise ValueError or WeightsFileError unless a training can start; see `train_net`."""
    count = len(recipe.phases)
    if not 1 <= first_phase <= count:
        phases = f"its phases are 1 to {count}" if count > 1 else "it has one phase, 1"
        raise ValueError(f"there is no phase {first_phase} to begin with: {phases}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is not known: use {' or '.join(PRECISIONS)}")
    if vgg is not None and (recipe.start != "vgg16" or first_phase > 1):
        why = f"begins from {recipe.start or 'noise'}" if first_phase == 1 else "continues"
        raise ValueError(f"vgg={vgg}: this training {why}, without the weights of VGG-16: leave it")
    if first_phase > 1:
        needed = f"phase {first_phase} continues from the weights of phase {first_phase - 1}"
        if not weights.is_file():
            raise WeightsFileError(f"{weights} is missing: {needed}, begin with phase 1")
    elif recipe.start == "vgg16":
        if vgg != "none":
            find_weights(vgg or "vgg16_conv_trunk")
    elif recipe.start:
        find_weights(recipe.start)


def main() -> None:
    """Parse the command line and train; exit with a message if something is missing or wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m nets.training.train", description=__doc__.splitlines()[0]
    )
    parser.add_argument("net", choices=RECIPES)
    parser.add_argument(
        "--root", help="folder of the dataset, if not in data/; a miniature is rendered there"
    )
    parser.add_argument(
        "--vgg", help="VGG-16 weights to start from, if not in nets/ ('none' to start from noise)"
    )
    parser.add_argument("--precision", default="bfloat16", choices=PRECISIONS)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument(
        "--phase",
        type=int,
        default=1,
        help="phase to begin with, from the weights that the phase before left in nets/",
    )
    args = parser.parse_args()
    try:
        if args.gpu:
            caffe.set_mode_gpu()
        train_net(args.net, RECIPES[args.net], args.root, args.vgg, args.precision, args.phase)
    except (caffe.CaffeError, DatasetError, WeightsFileError, OSError, ValueError) as error:
        parser.exit(1, f"{parser.prog} {args.net}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nStopped. The weights are those of the last complete phase.\n")


if __name__ == "__main__":
    main()
