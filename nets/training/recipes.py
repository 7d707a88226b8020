"""How each light net is trained: frames, crops, phases, and initial weights."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from datasets.camvid import camvid
from datasets.cityscapes import cityscapes
from datasets.clips import Clip
from datasets.miniature import miniature
from datasets.nyud_seg import nyud
from datasets.pascal_voc import pascal
from datasets.sources import DATA
from datasets.youtube import youtube


class Dataset(Protocol):
    """What the training needs from a dataset."""

    def preprocess(self, image: Image.Image, /) -> np.ndarray:
        """Return `image` as a net input, 3 x H x W float32."""


Frame = tuple[np.ndarray, np.ndarray]  # RGB H x W x 3 uint8, class map H x W uint8
Root = os.PathLike[str] | str | None


@dataclass(frozen=True)
class Phase:
    """One run of the solver {net}{suffix}-solver.prototxt.

    Attributes
    ----------
    suffix : str
        Names the solver.
    even : float
        Share of the crops that contain a class drawn uniformly from all classes, so that the net
        sees enough of the rare ones.
    skips : bool
        False sets score_pool3 and score_pool4 to zero; a "-deep" solver keeps them there. The deep
        stage then has to predict all classes alone. A later phase trains the skips, as in FCN-8s.
    """

    suffix: str = ""
    even: float = 0.0
    skips: bool = True


@dataclass(frozen=True)
class Recipe:
    """How one light net is trained.

    Attributes
    ----------
    frames : callable
        frames(root) -> (dataset, list of its training frames).
    scale : (float, float)
        Smallest and largest magnification of a crop.
    start : str or None
        Weights to start from: layers of the same shape are copied. "vgg16" takes channels of VGG-16
        (nets.thin), None starts from noise.
    phases : tuple of Phase
        Runs of the solver, in order.
    """

    frames: Callable[[Root], tuple[Dataset, list[Frame]]]
    scale: tuple[float, float] = (0.7, 1.6)
    start: str | None = "camvid-fcn8s-light"
    phases: tuple[Phase, ...] = (Phase(even=0.5),)


def camvid_frames(root: Root = None) -> tuple[Dataset, list[Frame]]:
    """Return CamVid and its 367 labelled training frames."""
    data = camvid(root)
    return data, [
        (np.array(data.load_image("train", name)), data.load_label("train", name)[0])
        for name in data.get_dset("train")
    ]


def cityscapes_frames(root: Root = None, snippets: int = 60) -> tuple[Dataset, list[Frame]]:
    """Return the miniature Cityscapes and every second frame of its training snippets."""
    data = cityscapes(miniature("cityscapes", root, train=snippets))
    return data, labelled_frames(data.clips("train"), step=2)


def voc_frames(root: Root = None, images: int = 1000) -> tuple[Dataset, list[Frame]]:
    """Return the miniature VOC and its training images."""
    data = pascal(miniature("voc", root, train=images))
    return data, _labelled_images(data)


def youtube_frames(root: Root = None, shots: int = 60) -> tuple[Dataset, list[Frame]]:
    """Return the miniature Youtube-Objects (21 VOC classes) and every 6th training frame."""
    data = youtube(miniature("youtube", root, train=shots), side=320)
    return data, labelled_frames(data.clips(period=6, split="train", warmup=0, ids="voc"))


def davis_frames(root: Root = None) -> tuple[Dataset, list[Frame]]:
    """Return the first halves of the DAVIS shots arranged by datasets/davis.py (21 VOC classes)."""
    data = youtube(root or DATA / "davis-youtube")
    return data, labelled_frames(data.clips(period=1, split="train", warmup=0, ids="voc"))


def nyud_frames(root: Root = None, rooms: int = 80) -> tuple[Dataset, list[Frame]]:
    """Return the miniature NYUDv2 and the labelled images of its training rooms."""
    data = nyud(miniature("nyud", root, train=rooms))
    return data, _labelled_images(data)


def labelled_frames(clips: Iterable[Clip], step: int = 1) -> list[Frame]:
    """Return the labelled ones among every `step`-th frame of each clip, as (RGB, class map)."""
    return [
        (np.array(clip.image(i)), label)
        for clip in clips
        for i in range(0, len(clip), step)
        if (label := clip.label(i)) is not None
    ]


def _labelled_images(data):
    """Return the training images of a dataset of single images, as (RGB, class map)."""
    return [
        (np.array(data.load_image(idx)), data.load_label(idx)[0]) for idx in data.get_dset("train")
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
