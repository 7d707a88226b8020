"""The table of all nets, and the command that writes their prototxt: python -m nets.build.

`voc-fcn8s` has the layer order of the FCN paper, `stage-*` is in staged order. `*-train` adds
label, dropout and loss; `*-solver` trains that net.
"""

import argparse
import os
from functools import partial
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from caffe.proto import caffe_pb2
from lib.atomic import write_atomically
from nets.fcn8s import fcn8s, fcn_pool
from nets.weights import FOLDER

WIDTH = 1 / 4  # of the light nets, relative to VGG-16's channels
# fc6 as 3x3 with dilation 2 covers 5x5; 37 is the smallest padding that allows it
LIGHT = {"width": WIDTH, "pad": 37, "fc_kernel": 3, "fc_dilation": 2, "fc_width": 512}
LIGHT_POOL = {"width": WIDTH, "pad": 37, "grouped": True}
TRAIN = {"train": True, "filler": "msra", "batch": 4}

# Light nets: classes, (height, width) of the frames they run on and of their training crops
LIGHT_NETS = {
    "camvid": (11, (360, 480), (256, 352)),
    "davis": (21, (281, 500), (240, 320)),
    "miniature-cityscapes": (19, (192, 384), (160, 288)),
    "miniature-nyud": (40, (212, 280), (192, 256)),
    "miniature-voc": (21, (288, 384), (224, 288)),
    "miniature-youtube": (21, (240, 320), (208, 272)),
}

NETS = {
    "voc-fcn8s": partial(fcn8s, 21, staged=False),
    "stage-voc-fcn8s": partial(fcn8s, 21),
    "voc-fcn-pool3": partial(fcn_pool, 21, pool=3),
    "voc-fcn-pool4": partial(fcn_pool, 21, pool=4),
    "nyud-fcn8s": partial(fcn8s, 40, staged=False),
    "stage-nyud-fcn8s": partial(fcn8s, 40),
    "cityscapes-fcn8s": partial(fcn8s, 19, staged=False),
    "stage-cityscapes-fcn8s": partial(fcn8s, 19),
}

# (max_iter, base_lr) by net and training phase (see nets/training/recipes.py)
SOLVERS = {
    "camvid-fcn8s-light": (6000, 7e-4),
    "camvid-fcn8s-light-even": (1500, 3e-4),
    "davis-fcn8s-light": (1200, 3e-4),
    "miniature-cityscapes-fcn8s-light": (3000, 1e-3),
    "miniature-nyud-fcn8s-light-deep": (1000, 7e-4),
    "miniature-nyud-fcn8s-light": (700, 5e-4),
    "miniature-nyud-fcn8s-light-again": (900, 5e-4),
    "miniature-voc-fcn8s-light": (2000, 7e-4),
    "miniature-voc-fcn8s-light-deep": (700, 5e-4),
    "miniature-voc-fcn8s-light-again": (700, 5e-4),
    "miniature-voc-fcn-pool3-light": (300, 7e-4),
    "miniature-voc-fcn-pool4-light": (300, 7e-4),
    "miniature-youtube-fcn8s-light": (600, 5e-4),
}
# suffix of a solver -> suffix of its train net; "-deep" is the net without trained skips
TRAIN_NETS = {"-even": "", "-again": "", "-deep": "-deep"}


def _light_nets():
    """Return the light nets for inference and for training: two dicts {name: build function}."""
    test, train = {}, {}
    for name, (classes, frame, crop) in LIGHT_NETS.items():
        test[f"stage-{name}-fcn8s-light"] = partial(fcn8s, classes, **LIGHT, size=frame)
        build = partial(fcn8s, classes, **LIGHT, **TRAIN, size=crop)
        train[f"{name}-fcn8s-light-train"] = build
        if f"{name}-fcn8s-light-deep" in SOLVERS:
            train[f"{name}-fcn8s-light-deep-train"] = partial(build, skips=False)
    classes, frame, crop = LIGHT_NETS["miniature-voc"]
    for pool in (3, 4):
        build = partial(fcn_pool, classes, pool=pool, **LIGHT_POOL)
        test[f"miniature-voc-fcn-pool{pool}-light"] = partial(build, size=frame)
        train[f"miniature-voc-fcn-pool{pool}-light-train"] = partial(build, **TRAIN, size=crop)
    return test, train


LIGHT_TEST_NETS, TRAINED_NETS = _light_nets()
NETS |= LIGHT_TEST_NETS


def solver(name: str, max_iter: int, base_lr: float) -> caffe_pb2.SolverParameter:
    """Return an Adam solver.

    Parameters
    ----------
    name : str
        Net and phase, a key of `SOLVERS`. Its train net is found by `TRAIN_NETS`.
    max_iter, base_lr : int and float
        Fields of the SolverParameter.

    Returns
    -------
    SolverParameter
    """
    net = name
    for suffix, net_suffix in TRAIN_NETS.items():
        if name.endswith(suffix):
            net = name.removesuffix(suffix) + net_suffix
    return caffe_pb2.SolverParameter(
        train_net=f"nets/training/{net}-train.prototxt",
        type="Adam",
        base_lr=base_lr,
        lr_policy="poly",
        power=0.9,
        momentum=0.9,
        momentum2=0.999,
        weight_decay=1e-4,
        max_iter=max_iter,
        display=20,
        snapshot_prefix=f"results/train/{name}",
        random_seed=1337,
    )


def prototxts() -> dict[str, str]:
    """Return the text of every prototxt by its path in nets/."""
    messages: dict[str, Message] = {name: build() for name, build in NETS.items()}
    messages |= {f"training/{name}": build() for name, build in TRAINED_NETS.items()}
    messages |= {
        f"training/{name}-solver": solver(name, *fields) for name, fields in SOLVERS.items()
    }
    return {f"{name}.prototxt": text_format.MessageToString(m) for name, m in messages.items()}


def main(folder: os.PathLike[str] | str = FOLDER) -> None:
    """Write every prototxt into `folder` and print which ones changed."""
    for file, text in prototxts().items():
        path = Path(folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not path.exists() or path.read_text() != text
        write_atomically(path, text)
        print(f"{'wrote' if changed else 'same '} {path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m nets.build", description=__doc__)
    parser.add_argument("folder", nargs="?", default=FOLDER, help="default: nets/ of the clone")
    main(parser.parse_args().folder)
