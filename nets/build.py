"""Every net of the repository in one table, and the command that writes it: python -m nets.build

`voc-fcn8s` is the order of the FCN paper, `stage-` the staged order, `-train` the net with label,
dropout and loss, `-solver` how that one is trained.
"""
import sys
from functools import partial
from pathlib import Path

from google.protobuf import text_format

from caffe.proto import caffe_pb2
from nets.fcn8s import fcn8s, fcn_pool

FOLDER = Path(__file__).resolve().parent

WIDTH = 1 / 4  # of the light nets, in channels of VGG-16
# fc6 as 3x3 of dilation 2 sees what 5x5 sees; 37 is the smallest padding that goes with it
LIGHT = {"width": WIDTH, "pad": 37, "fc_kernel": 3, "fc_dilation": 2, "fc_width": 512}
MINIATURE = partial(fcn8s, 19, **LIGHT)
CAMVID = partial(fcn8s, 11, **LIGHT)

NETS = {
    "voc-fcn8s": partial(fcn8s, 21, staged=False),
    "stage-voc-fcn8s": partial(fcn8s, 21),
    "voc-fcn-pool3": partial(fcn_pool, 21, pool=3),
    "voc-fcn-pool4": partial(fcn_pool, 21, pool=4),
    "nyud-fcn8s": partial(fcn8s, 40, staged=False),
    "stage-nyud-fcn8s": partial(fcn8s, 40),
    "cityscapes-fcn8s": partial(fcn8s, 19, staged=False),
    "stage-cityscapes-fcn8s": partial(fcn8s, 19),
    "stage-miniature-cityscapes-fcn8s-light": partial(MINIATURE, size=(192, 384)),
    "miniature-cityscapes-fcn8s-light-train": partial(
        MINIATURE, train=True, filler="msra", size=(160, 288), batch=4),
    "stage-camvid-fcn8s-light": partial(CAMVID, size=(360, 480)),
    "camvid-fcn8s-light-train": partial(
        CAMVID, train=True, filler="msra", size=(256, 352), batch=4),
}

# SolverParameter fields by name; "even" is the second phase of a training (notebooks/train.py)
SOLVERS = {
    "miniature-cityscapes-fcn8s-light": {"max_iter": 3000, "base_lr": 1e-3},
    "camvid-fcn8s-light": {"max_iter": 6000, "base_lr": 7e-4},
    "camvid-fcn8s-light-even": {"max_iter": 1500, "base_lr": 3e-4},
}


def solver(name, max_iter, base_lr):
    """SolverParameter that trains nets/{net}-train.prototxt by Adam."""
    return caffe_pb2.SolverParameter(
        train_net=f"nets/{name.removesuffix('-even')}-train.prototxt", type="Adam",
        base_lr=base_lr, lr_policy="poly", power=0.9, momentum=0.9, momentum2=0.999,
        weight_decay=1e-4, max_iter=max_iter, display=20,
        snapshot_prefix=f"results/train/{name}", random_seed=1337)


def prototxts():
    """All files as {file name: text}."""
    messages = {name: build() for name, build in NETS.items()}
    messages |= {f"{name}-solver": solver(name, **fields) for name, fields in SOLVERS.items()}
    return {f"{name}.prototxt": text_format.MessageToString(m) for name, m in messages.items()}


def main(folder=FOLDER):
    """Writes every prototxt into `folder` and names what changed."""
    for file, text in prototxts().items():
        path = Path(folder) / file
        changed = not path.exists() or path.read_text() != text
        path.write_text(text)
        print(f"{'wrote' if changed else 'same '} {path}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
