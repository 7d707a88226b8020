"""Clips: frames in time order with the labels that exist for them, loaded on access."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.errors import DatasetError

FrameId = TypeVar("FrameId", bound=Hashable)
Pair = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8] | None]


class Clip(Generic[FrameId]):
    """A sequence of `(in_, label)` pairs in time order that loads each pair on access.

    `in_` is the 3 x H x W float32 BGR net input, `label` the H x W uint8 label, or None if the
    frame has no label. Supports len, indexing, slicing (to a shorter Clip) and iteration.

    Parameters
    ----------
    name : str
        Name of the clip in reports.
    frames : iterable of hashable
        Identifiers of the frames, in time order.
    load_image : callable
        Maps an identifier to a PIL RGB image.
    load_label : callable
        Maps an identifier to a 1 x H x W uint8 label, or to None if there is no label.
    preprocess : callable
        Maps a PIL image to a net input.

    Attributes
    ----------
    name : str
        Name of the clip.
    frames : list
        Identifiers of the frames.
    """

    def __init__(
        self,
        name: str,
        frames: Iterable[FrameId],
        load_image: Callable[[FrameId], Image.Image],
        load_label: Callable[[FrameId], npt.NDArray[np.uint8] | None],
        preprocess: Callable[[Image.Image], npt.NDArray[np.float32]],
    ) -> None:
        self.name = name
        self.frames = list(frames)
        self._load_image = load_image
        self._load_label = load_label
        self._preprocess = preprocess

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, i: int) -> Pair: ...

    @overload
    def __getitem__(self, i: slice) -> "Clip[FrameId]": ...

    def __getitem__(self, i: int | slice) -> "Pair | Clip[FrameId]":
        if isinstance(i, slice):
            return Clip(
                self.name, self.frames[i], self._load_image, self._load_label, self._preprocess
            )
        return self._preprocess(self.image(i)), self.label(i)

    def __iter__(self) -> Iterator[Pair]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Clip({self.name!r}, {len(self)} frames)"

    def image(self, i: int) -> Image.Image:
        """Load frame `i` as a PIL RGB image."""
        return self._load_image(self.frames[i])

    def label(self, i: int) -> npt.NDArray[np.uint8] | None:
        """Load the label of frame `i`, H x W with 255 = ignore; None if it has none."""
        label = self._load_label(self.frames[i])
        return None if label is None else label[0]

    def images(self) -> list[Image.Image]:
        """Load all frames as PIL RGB images."""
        return [self.image(i) for i in range(len(self))]

    def labels(self) -> list[npt.NDArray[np.uint8] | None]:
        """Load the labels of all frames, None for frames without one; loads no frame."""
        return [self.label(i) for i in range(len(self))]


def check_length(length: int) -> None:
    """Raise DatasetError if `length`, the number of frames of a clip, is below 1."""
    if length < 1:
        raise DatasetError(f"clips of {length} frames requested: give a length of at least 1")


def without_contained(clips: Sequence[Clip[FrameId]]) -> list[Clip[FrameId]]:
    """Drop clips whose frames are all in another clip.

    Their frames would otherwise be run and their labels scored twice.

    Parameters
    ----------
    clips : sequence of Clip
        The clips to filter.

    Returns
    -------
    list of Clip
        The remaining clips, in order; of clips with equal frames, the first.
    """
    frames = [set(clip.frames) for clip in clips]
    return [
        clip
        for i, clip in enumerate(clips)
        if not any(
            frames[i] < other or frames[i] == other and j < i for j, other in enumerate(frames)
        )
    ]
