"""How each light net is trained: on which frames, seen how, in which phases, starting from what."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datasets.camvid import camvid
from datasets.cityscapes import cityscapes
from datasets.miniature import miniature
from datasets.nyud_seg import nyud
from datasets.pascal_voc import pascal
from datasets.sources import DATA
from datasets.youtube import youtube


@dataclass(frozen=True)
class Phase:
    """A run of the solver {net}{suffix}-solver.prototxt; a share `even` of its views shows a class
    drawn evenly from all, so that rare ones are seen often enough to be learned. `skips`:
    False sets the scores of pool3 and pool4 to zero, where a "-deep" solver leaves them. The deep
    stage then has to know the classes, and the skips learn detail afterwards, as FCN-8s does.
    """

    suffix: str = ""
    even: float = 0.0
    skips: bool = True


@dataclass(frozen=True)
class Recipe:
    """frames(root): (dataset, its training frames as (RGB H x W x 3 uint8, label H x W uint8)).

    scale: least and most magnification of a view. start: weights whose features the training begins
    with (layers of the same shape are taken), "vgg16" for channels of VGG-16 (nets.thin), None for
    noise.
    """

    frames: Callable
    scale: tuple = (0.7, 1.6)
    start: str | None = "camvid-fcn8s-light"
    phases: tuple = (Phase(even=0.5),)


def camvid_frames(root=None):
    """CamVid and its 367 labelled training frames."""
    data = camvid(root)
    return data, [
        (np.array(data.load_image("train", name)), data.load_label("train", name)[0])
        for name in data.get_dset("train")
    ]


def cityscapes_frames(root=None, snippets=60):
    """The miniature Cityscapes and every second frame of its training streets."""
    data = cityscapes(miniature("cityscapes", root, train=snippets))
    return data, frames_of(data.clips("train"), step=2)


def voc_frames(root=None, images=1000):
    """The miniature VOC and its training stills."""
    data = pascal(miniature("voc", root, train=images))
    return data, [
        (np.array(data.load_image(idx)), data.load_label(idx)[0]) for idx in data.get_dset("train")
    ]


def youtube_frames(root=None, shots=60):
    """The miniature Youtube-Objects, 21 VOC classes, and every 6th frame of its training shots."""
    data = youtube(miniature("youtube", root, train=shots), side=320)
    return data, frames_of(data.clips(period=6, split="train", warmup=0, ids="voc"))


def davis_frames(root=None):
    """The first halves of the DAVIS shots (datasets/davis.py arranges them), 21 VOC classes."""
    data = youtube(root or DATA / "davis-youtube")
    return data, frames_of(data.clips(period=1, split="train", warmup=0, ids="voc"))


def nyud_frames(root=None, rooms=80):
    """The miniature NYUDv2 and the labelled images of its training rooms."""
    data = nyud(miniature("nyud", root, train=rooms))
    return data, [
        (np.array(data.load_image(idx)), data.load_label(idx)[0]) for idx in data.get_dset("train")
    ]


def frames_of(clips, step=1):
    """The labelled frames of `clips`, every `step`-th of each, as (RGB, label) pairs."""
    return [
        (np.array(clip.image(i)), clip.label(i))
        for clip in clips
        for i in range(0, len(clip), step)
        if clip.label(i) is not None
    ]


RECIPES = {
    "camvid-fcn8s-light": Recipe(
        camvid_frames, (0.6, 1.6), "vgg16", (Phase(), Phase("-even", 0.7))
    ),
    "davis-fcn8s-light": Recipe(davis_frames),
    "miniature-cityscapes-fcn8s-light": Recipe(cityscapes_frames, start=None, phases=(Phase(),)),
    "miniature-nyud-fcn8s-light": Recipe(
        nyud_frames,
        phases=(Phase("-deep", 0.5, skips=False), Phase(even=0.5), Phase("-again", 0.1)),
    ),
    "miniature-voc-fcn8s-light": Recipe(
        voc_frames, phases=(Phase(even=0.5), Phase("-deep", 0.5, skips=False), Phase("-again", 0.5))
    ),
    "miniature-voc-fcn-pool3-light": Recipe(voc_frames, start="miniature-voc-fcn8s-light"),
    "miniature-voc-fcn-pool4-light": Recipe(voc_frames, start="miniature-voc-fcn8s-light"),
    "miniature-youtube-fcn8s-light": Recipe(youtube_frames, start="miniature-voc-fcn8s-light"),
}
