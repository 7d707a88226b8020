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
LIGHT_POOL = {"width": WIDTH, "pad": 37, "grouped": True}
TRAIN = {"train": True, "filler": "msra", "batch": 4}

# Light nets: classes, (height, width) of the frames they run on, and of the views they learn from
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

# SolverParameter fields by net and phase (see nets/training/recipes.py); "-deep": without skips
SOLVERS = {
    "camvid-fcn8s-light": {"max_iter": 6000, "base_lr": 7e-4},
    "camvid-fcn8s-light-even": {"max_iter": 1500, "base_lr": 3e-4},
    "davis-fcn8s-light": {"max_iter": 1200, "base_lr": 3e-4},
    "miniature-cityscapes-fcn8s-light": {"max_iter": 3000, "base_lr": 1e-3},
    "miniature-nyud-fcn8s-light-deep": {"max_iter": 1000, "base_lr": 7e-4},
    "miniature-nyud-fcn8s-light": {"max_iter": 700, "base_lr": 5e-4},
    "miniature-nyud-fcn8s-light-again": {"max_iter": 900, "base_lr": 5e-4},
    "miniature-voc-fcn8s-light": {"max_iter": 2000, "base_lr": 7e-4},
    "miniature-voc-fcn8s-light-deep": {"max_iter": 700, "base_lr": 5e-4},
    "miniature-voc-fcn8s-light-again": {"max_iter": 700, "base_lr": 5e-4},
    "miniature-voc-fcn-pool3-light": {"max_iter": 300, "base_lr": 7e-4},
    "miniature-voc-fcn-pool4-light": {"max_iter": 300, "base_lr": 7e-4},
    "miniature-youtube-fcn8s-light": {"max_iter": 600, "base_lr": 5e-4},
}
TRAIN_NETS = {"-even": "", "-again": "", "-deep": "-deep"}  # solver's suffix: that of its net


def light_nets():
    """The light nets as they run, and as they learn: two dicts {name: how to build it}."""
    run, learn = {}, {}
    for name, (classes, frame, view) in LIGHT_NETS.items():
        run[f"stage-{name}-fcn8s-light"] = partial(fcn8s, classes, **LIGHT, size=frame)
        train = learn[f"{name}-fcn8s-light-train"] = partial(
            fcn8s, classes, **LIGHT, **TRAIN, size=view
        )
        if f"{name}-fcn8s-light-deep" in SOLVERS:
            learn[f"{name}-fcn8s-light-deep-train"] = partial(train, skips=False)
    classes, frame, view = LIGHT_NETS["miniature-voc"]
    for pool in (3, 4):
        build = partial(fcn_pool, classes, pool=pool, **LIGHT_POOL)
        run[f"miniature-voc-fcn-pool{pool}-light"] = partial(build, size=frame)
        learn[f"miniature-voc-fcn-pool{pool}-light-train"] = partial(build, **TRAIN, size=view)
    return run, learn


LIGHT_RUN, TRAINED_NETS = light_nets()
NETS |= LIGHT_RUN


def solver(name, max_iter, base_lr):
    """SolverParameter that trains nets/{net}-train.prototxt by Adam."""
    net = name
    for suffix, kept in TRAIN_NETS.items():
        if name.endswith(suffix):
            net = name.removesuffix(suffix) + kept
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


def prototxts():
    """All files as {path in nets/: text}."""
    messages = {name: build() for name, build in NETS.items()}
    messages |= {f"training/{name}": build() for name, build in TRAINED_NETS.items()}
    messages |= {
        f"training/{name}-solver": solver(name, **fields) for name, fields in SOLVERS.items()
    }
    return {f"{name}.prototxt": text_format.MessageToString(m) for name, m in messages.items()}


def main(folder=FOLDER):
    """Writes every prototxt into `folder` and names what changed."""
    for file, text in prototxts().items():
        path = Path(folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not path.exists() or path.read_text() != text
        path.write_text(text)
        print(f"{'wrote' if changed else 'same '} {path}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
