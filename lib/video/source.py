"""Frames from anywhere: `read_frames` of a movie, a folder, a camera or a stream."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from lib.video.address import Address, find_source
from lib.video.errors import VideoError
from lib.video.frame import Frame
from lib.video.movie import Facts, facts, movie_frames
from lib.video.pictures import RATE, folder_frames, list_pictures, load_picture

AnyAddress = os.PathLike[str] | str | int | Address


class Place(NamedTuple):
    """A frame to go on with: its number, and its time in units of the source."""

    number: int
    pts: int


def as_source(address: AnyAddress) -> Address:
    """Return what an address names, see `lib.video.address.find_source`."""
    return address if isinstance(address, Address) else find_source(address)


def read_frames(
    address: AnyAddress,
    rate: float | None = None,
    start: Place | None = None,
    folder_rate: Fraction | int = RATE,
) -> Iterator[Frame]:
    """Yield the frames of a movie, a folder of images, a camera or a stream.

    One frame at a time is held, and nothing is decoded before the first is asked for.

    Parameters
    ----------
    address : path-like, str or int
        See `lib.video.address.find_source`.
    rate : float, optional
        Frames a second that are wanted: of those in each 1/rate of a second the first one is
        kept. By default all.
    start : Place, optional
        The first frame wanted, by default the first that there is.
    folder_rate : Fraction or int
        Frames a second that a folder of images is shown at.

    Yields
    ------
    Frame
        With its number among all frames of the source.

    Raises
    ------
    VideoError
        With the number of the frame, if the source cannot be opened or is damaged.
    """
    source = as_source(address)
    check_rate(rate)
    number, pts = start or (0, None)
    if number and rate is not None:  # which frames are kept depends on the one before
        number, pts = 0, None
    if source.kind == "folder":
        frames = folder_frames(source.name, folder_rate, number)
    else:
        live = not source.is_file
        frames = movie_frames(source, number, pts, threads=1 if live else 2, lenient=live)
    chosen = frames if rate is None else thinned(frames, rate)
    if start is None or number == start.number:
        yield from chosen
    else:
        yield from (frame for frame in chosen if frame.number >= start.number)


def thinned(frames: Iterator[Frame], rate: float) -> Iterator[Frame]:
    """Yield of the frames in each 1/rate of a second the first one."""
    exact, last = Fraction(rate), None
    for frame in frames:
        tick = frame.pts * frame.time_base * exact // 1
        if tick != last:
            yield frame
        last = tick


def check_rate(rate: float | None) -> None:
    """Raise VideoError unless it is None or a finite number above 0."""
    if rate is not None and not 0 < rate < float("inf"):
        raise VideoError(f"a rate of {rate} frames a second: give a number above 0")


def source_facts(address: AnyAddress, folder_rate: Fraction | int = RATE) -> Facts:
    """Read size, unit of time, rate and length of a source; raise VideoError if it is none."""
    source = as_source(address)
    if source.kind != "folder":
        return facts(source)
    paths = list_pictures(source.name)
    picture, rate = load_picture(Path(paths[0])), Fraction(folder_rate)
    return Facts(
        (picture.height, picture.width),
        Fraction(1, rate.numerator),
        rate,
        float(len(paths) / rate),
        len(paths),
    )


def expected_frames(address: AnyAddress, rate: float | None = None) -> int | None:
    """Estimate how many frames `read_frames` yields of a file; None if the source does not say."""
    found = source_facts(address)
    if rate is not None and found.duration:
        return max(1, round(found.duration * min(rate, float(found.rate))))
    guess = found.duration and round(found.duration * found.rate)
    return found.frames or guess or None
