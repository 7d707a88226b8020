"""Frames of a movie file, a camera or a stream, decoded by FFmpeg (PyAV)."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import av
import av.error
import numpy as np

from lib.video.address import Address
from lib.video.errors import VideoError
from lib.video.frame import MOST_PIXELS, Frame, check_size

MARGIN = (
    10  # seconds that decoding starts before a frame: the first ones after a jump may be broken
)
FAR = 500  # frames; up to here decoding from the start is as fast as a jump
PATIENCE = 10.0  # seconds that a stream may be silent
MISSING = 0.5  # seconds that a movie may end before it says so
DAMAGED = ": the source is damaged or cut off here, the frames before it are good"
GUESSED_RATE = 25  # frames a second, of a source that does not say


class Facts(NamedTuple):
    """What a source says of itself.

    Attributes
    ----------
    size : (int, int)
        Height and width of a frame as it is coded, in pixels.
    time_base : Fraction
        Unit of time in seconds.
    rate : Fraction
        Frames a second, on the average.
    duration : float or None
        Seconds, None if it does not say.
    frames : int
        How many it says that it has, 0 if it does not say.
    """

    size: tuple[int, int]
    time_base: Fraction
    rate: Fraction
    duration: float | None
    frames: int


@contextmanager
def opened(source: Address, patience: float = PATIENCE) -> Iterator[av.container.InputContainer]:
    """Open a movie, camera or stream; close it at the end.

    Raises
    ------
    VideoError
        If it cannot be opened, is empty or truncated, or holds no video.
    """
    timeout = None if source.kind == "movie" else patience
    try:
        container = av.open(
            source.name,
            format=source.format,
            container_options=source.options,
            timeout=timeout,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{source.text} cannot be opened: {_said(error)}{_hint(source)}") from None
    with container:
        if not container.streams.video:
            kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise VideoError(f"{source.text} holds no video, only {kinds}: give a movie")
        yield container


def facts(source: Address) -> Facts:
    """Read what a source says of itself; raise VideoError as `opened` does."""
    with opened(source) as container:
        return facts_of(container, source)


def facts_of(container: av.container.InputContainer, source: Address) -> Facts:
    """Return what an open source says of itself."""
    stream = _stream(container)
    context = stream.codec_context
    check_size(source.text, context.width, context.height)
    rate = stream.average_rate or stream.guessed_rate or Fraction(GUESSED_RATE)
    duration = container.duration / av.time_base if container.duration else None
    return Facts(
        (context.height, context.width), stream.time_base, Fraction(rate), duration, stream.frames
    )


def movie_frames(
    source: Address,
    start: int = 0,
    start_pts: int | None = None,
    threads: int = 2,
    lenient: bool = False,
) -> Iterator[Frame]:
    """Yield the frames of a movie, camera or stream.

    Parameters
    ----------
    source : Address
    start : int
        Number of the first frame wanted.
    start_pts : int, optional
        Its time in units of the source; with it, decoding may start near it.
    threads : int
        Of the decoder. With more than one it runs some frames ahead, so a live source gets one.
    lenient : bool
        Leave out what cannot be decoded, as a live stream may lose data.

    Yields
    ------
    Frame
        In the order in which they are shown. Times rise strictly.

    Raises
    ------
    VideoError
        With the number of the frame, if the source is damaged, cut off, or changes its size.
    """
    with opened(source) as container:
        stream = _stream(container)
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        stream.codec_context.thread_count = threads
        stream.thread_type = "FRAME" if threads > 1 else "SLICE"
        known = facts_of(container, source)
        if start_pts is None or start <= FAR or known.duration is None:
            start_pts, first = None, 0
        else:
            first = start
            _seek(container, stream, start_pts, source)
        pictures = _decoded(container, stream, source, first, lenient)
        number = 0
        for frame in _timed(pictures, known, source):
            if start_pts is None or frame.pts >= start_pts:
                if start_pts is not None:
                    number, start_pts = start, None
                if number >= start:
                    yield replace(frame, number=number)
                number += 1
        if source.kind == "movie" and not lenient:
            _check_end(stream, container, known, frame, number, source)


def _stream(container):
    """Return the video stream: the best one, and no cover picture of a song."""
    best = container.streams.best("video")
    return best if best is not None else container.streams.video[0]


def _seek(container, stream, pts, source):
    try:
        container.seek(pts - int(MARGIN / stream.time_base), stream=stream, backward=True)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{source.text}: cannot jump to {pts}: {_said(error)}") from None


def _decoded(container, stream, source, first, lenient):
    """Yield (number, picture); turn errors of the decoder into VideoError with the number.

    What comes before the first picture is left out: a recording may begin in the middle of a
    group of pictures.
    """
    packets, number = container.demux(stream), first
    while True:
        try:
            packet = next(packets, None)
            pictures = packet.decode() if packet is not None else []
        except av.error.EOFError:
            break
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if lenient or number == first:
                continue
            raise VideoError(f"{_place(source, number)}: {_said(error)}{DAMAGED}") from None
        if packet is None:
            break
        for picture in pictures:
            yield number, picture
            number += 1
    if number == first:
        raise VideoError(f"{source.text} has no frames: it is empty or cut off, copy it again")


def _check_end(stream, container, known, last, frames, source):
    """Raise VideoError if a file ends long before it says that it does."""
    promised = None
    if stream.duration:
        promised = float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    elif known.duration and len(container.streams) == 1:
        promised = known.duration + (container.start_time or 0) / av.time_base
    missing = 0.0 if promised is None else promised - last.time
    if missing > MISSING + 10 / known.rate:
        raise VideoError(
            f"{_place(source, frames)}: the source is cut off here, {missing:.1f} s before its "
            "end: copy it again; the frames before it are good"
        )


def _place(source, number):
    return f"{source.text}, frame {number} (the first is 0)"


def _timed(pictures, known, source):
    """Give each picture its time, which a damaged source may lack or repeat, and its rotation."""
    last, size, step = None, None, max(1, round(1 / (known.rate * known.time_base)))
    for number, picture in pictures:
        here = _place(source, number)
        now = picture.width, picture.height
        check_size(here, *now)
        if size not in (None, now):
            raise VideoError(
                f"{here}: its size changes from {size[0]} x {size[1]} to {now[0]} x {now[1]} "
                "pixels: give a video of one size"
            )
        pts = picture.pts
        if pts is None or last is not None and pts <= last:
            pts = 0 if last is None else last + step
        last, size = pts, now
        turn, mirrored = rotation(picture)
        duration = picture.duration or 0
        yield Frame(
            number, pts, known.time_base, picture, turn, mirrored, duration, time.monotonic()
        )


def rotation(picture: av.VideoFrame) -> tuple[int, bool]:
    """Read the display matrix of a frame.

    Parameters
    ----------
    picture : av.VideoFrame

    Returns
    -------
    turn : int
        Degrees against the clock, 0, 90, 180 or 270, that bring it upright. Other angles, which
        no camera writes, count as the nearest of these.
    mirrored : bool
        Whether it is mirrored left to right after that.
    """
    sides: Any = picture.side_data
    data = next((bytes(side) for side in sides if side.type.name == "DISPLAYMATRIX"), b"")
    if len(data) != 36:
        return 0, False
    matrix = np.frombuffer(data, np.int32).reshape(3, 3)[:2, :2].astype(float)
    mirrored = bool(np.linalg.det(matrix) < 0)
    if mirrored:
        matrix = matrix * [[-1.0, 1.0]]  # undo it: what is left is a rotation
    # points (x, y) go to (x, y) @ matrix, y points down
    angle = np.degrees(np.arctan2(-matrix[0, 1], matrix[0, 0]))
    return int(90 * round(angle / 90) % 360), mirrored


def _said(error):
    """Return what an error of FFmpeg says, without the number and the name it repeats."""
    text = getattr(error, "strerror", None) or str(error)
    return re.sub(r"^\[Errno -?\d+\] ", "", text).split(": 'file:")[0]


def _hint(source):
    if source.kind == "movie":
        return (
            ": it is empty, cut off, or not one of the containers that are opened; playlists are "
            "not: name the movie itself"
        )
    if "max_redirects" in source.options:
        return ": check the address; redirections are not followed, name where they lead"
    return ": check the address, and that it is there"
