"""A movie or a folder of images as a Clip, so that evaluate, tuning and plots work on it."""

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import overload

import av.error
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from lib.video.address import Address
from lib.video.errors import VideoError
from lib.video.frame import Frame, fit_size, net_input
from lib.video.label_file import read_label
from lib.video.movie import opened
from lib.video.pictures import RATE, list_pictures
from lib.video.source import AnyAddress, Place, as_source, check_rate, read_frames, source_facts

MOST_FRAMES = 10_000_000  # of a clip: 92 hours at 30 frames a second
Spot = tuple[int, int, Fraction]  # number, time in units of the source, time in seconds
Pair = tuple[np.ndarray, np.ndarray | None]


def open_clip(
    address: AnyAddress,
    size: tuple[int, int],
    mean: ArrayLike,
    labels: os.PathLike[str] | str | None = None,
    rate: float | None = None,
    name: str | None = None,
    exact: bool = False,
) -> "VideoClip":
    """Open a movie or a folder of images as a clip.

    Parameters
    ----------
    address : path-like or str
        A movie file or a folder of images.
    size : (int, int)
        Height and width of what the net takes, in pixels; frames are scaled to fit into it and
        keep their shape.
    mean : array_like
        Of each channel, 3 values in 0..255, BGR.
    labels : path-like, optional
        A folder with a label map for some of the frames: grey or palette images of classes, named
        like the image, or by the number of the frame, such as 000012.png.
    rate : float, optional
        Frames a second that are wanted, by default all.
    name : str, optional
        Of the clip in reports, by default that of the file.
    exact : bool
        Scale frames to exactly `size`.

    Returns
    -------
    VideoClip

    Raises
    ------
    VideoError
        If it cannot be opened, or a label belongs to no frame.
    """
    source = as_source(address)
    if not source.is_file:
        raise VideoError(f"{source.text}: a clip has an end: give a movie or a folder of images")
    check_rate(rate)
    places, stems = _places(source)
    files = _label_files(labels, stems, len(places)) if labels is not None else {}
    if rate is not None:
        places = _thin(places, rate)
    coded = next(read_frames(source)).size
    fitted = (size[0], size[1]) if exact else fit_size(coded, size)
    return VideoClip(name or Path(source.text).stem, source, places, fitted, mean, files)


class VideoClip(Sequence[Pair]):
    """Frames of a movie or folder with the labels that there are, decoded on access.

    Iterating decodes each frame once; access by index decodes the frames before it too.

    Parameters
    ----------
    name : str
    source : Address
        A movie or a folder.
    places : list of (int, int, Fraction)
        Of each frame its number, its time in units of the source, and in seconds.
    size : (int, int)
        Height and width that frames are scaled to.
    mean : array_like
        Of each channel, 3 values in 0..255, BGR.
    files : dict of int to Path
        The label file of each frame that has one, by the number of the frame.

    Attributes
    ----------
    name : str
        In reports.
    times : list of float
        When each frame is shown, in seconds.
    """

    def __init__(
        self,
        name: str,
        source: Address,
        places: list[Spot],
        size: tuple[int, int],
        mean: ArrayLike,
        files: dict[int, Path],
    ) -> None:
        self.name = name
        self._source, self._places, self._size = source, places, size
        self._mean, self._files = mean, files

    @property
    def times(self) -> list[float]:
        """When each frame is shown, in seconds."""
        return [float(time) for _, _, time in self._places]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, i: int) -> Pair: ...

    @overload
    def __getitem__(self, i: slice) -> "VideoClip": ...

    def __getitem__(self, i):
        if isinstance(i, slice):
            return self._of(self._places[i])
        return next(iter(self._of([self._places[i]])))

    def __iter__(self) -> Iterator[Pair]:
        return ((self._in(frame), self._label(frame.number)) for frame in self._frames())

    def __repr__(self) -> str:
        return f"VideoClip({self.name!r}, {len(self)} frames)"

    def image(self, i: int) -> Image.Image:
        """Load frame `i`, upright, at the size of the source."""
        return self._of([self._places[i]]).images()[0]

    def images(self) -> list[Image.Image]:
        """Load all frames, upright, at the size of the source; mind the memory of long clips."""
        return [Image.fromarray(np.ascontiguousarray(f.rgb())) for f in self._frames()]

    def label(self, i: int) -> np.ndarray | None:
        """Load the label of frame `i`, H x W uint8, at the size that the net sees; None if none."""
        return self._label(self._places[i][0])

    def labels(self) -> list[np.ndarray | None]:
        """Load the labels of all frames, None for those without one."""
        return [self.label(i) for i in range(len(self))]

    def _of(self, places):
        return VideoClip(self.name, self._source, places, self._size, self._mean, self._files)

    def _in(self, frame: Frame) -> np.ndarray:
        return net_input(frame, self._size, self._mean)

    def _label(self, number):
        path = self._files.get(number)
        return None if path is None else read_label(path, self._size)

    def _frames(self):
        """Yield the frames of `_places`, which may be in any order: a slice may be reversed."""
        at = 0
        while at < len(self._places):
            run = _rising(self._places, at)
            wanted = [number for number, *_ in self._places[at:run]]
            yield from self._run(wanted, Place(*self._places[at][:2]))
            at = run

    def _run(self, wanted, start):
        found = iter(read_frames(self._source, start=start))
        for number in wanted:
            frame = next((f for f in found if f.number >= number), None)
            if frame is None or frame.number != number:
                raise VideoError(
                    f"{self._source.text}, frame {number} (the first is 0) cannot be decoded: the "
                    "source has fewer frames than its packets: it is damaged, copy it again"
                )
            yield frame


def _rising(places, at):
    """Return where the run of rising numbers that begins at `at` ends."""
    end = at + 1
    while end < len(places) and places[end][0] > places[end - 1][0]:
        end += 1
    return end


def _places(source):
    """Return (number, pts, time) of all frames, and the names that their labels may have."""
    if source.kind == "folder":
        paths = list_pictures(source.name)
        if len({path.stem for path in paths}) < len(paths):
            raise VideoError(f"{source.text}: two images differ in their suffixes only: remove one")
        return [(i, i, Fraction(i, RATE)) for i in range(len(paths))], [p.stem for p in paths]
    times = packet_times(source)
    base = source_facts(source).time_base
    if not times:
        raise VideoError(f"{source.text} has no frames: it is empty or cut off, copy it again")
    return [(i, pts, pts * base) for i, pts in enumerate(times)], None


def packet_times(source: Address) -> list[int]:
    """List when the frames of a movie are shown, in its units, without decoding them.

    Raises VideoError if the movie cannot be read, or has more than `MOST_FRAMES`.
    """
    times: list[int] = []
    with opened(source) as container:
        stream = container.streams.best("video")
        try:
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    times.append(len(times) if packet.pts is None else packet.pts)
                if len(times) > MOST_FRAMES:
                    raise VideoError(f"{source.text} has more than {MOST_FRAMES} frames: cut it")
        except av.error.FFmpegError:
            pass  # decoding says which frame is damaged
    return sorted(times)


def _thin(places, rate):
    """Keep of the frames in each 1/rate of a second the first one, as `read_frames` does."""
    ticks = [time * Fraction(rate) // 1 for *_, time in places]
    return [p for i, p in enumerate(places) if i == 0 or ticks[i] != ticks[i - 1]]


def _label_files(folder, stems, frames):
    """Return {number of a frame: its label file}; raise VideoError for a label without a frame."""
    files = {path.stem: path for path in list_pictures(folder)}
    if stems is not None and any(stem in files for stem in stems):
        numbers = {stem: number for number, stem in enumerate(stems)}
    else:
        numbers = {stem: int(stem) for stem in files if stem.isascii() and stem.isdecimal()}
    lost = [stem for stem in sorted(files) if numbers.get(stem, frames) >= frames]
    if lost:
        raise VideoError(
            f"{files[lost[0]]} belongs to no frame: name a label like its image, or by the number "
            "of its frame, such as 000012.png"
        )
    return {numbers[stem]: path for stem, path in files.items()}
