"""A clock run over frames as they come, in blocks: what it gave for each, and what that took."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from lib.schedule import Schedule, Step
from lib.stages import Net
from lib.video.errors import VideoError
from lib.video.frame import Frame

BLOCK = 24  # frames; with those that wait to be written, a kill loses less than 30
Prepared = tuple[Frame, np.ndarray]  # with what the net takes of it


class Done(NamedTuple):
    """A frame that the net is done with.

    Attributes
    ----------
    frame : Frame
    step : Step
    latency : float
        Seconds from when the net got the frame to its output.
    work : float
        Seconds that the net worked since the last output: `latency`, and what ran after the
        output before.
    age : float
        Seconds from when the frame arrived, decoded, to its output.
    last : bool
        Whether it is the last of its block.
    """

    frame: Frame
    step: Step
    latency: float
    work: float
    age: float
    last: bool


def run_steps(
    net: Net, schedule: Schedule, prepared: Iterable[Prepared], block: int | None = BLOCK
) -> Iterator[Done]:
    """Run a clock over frames; start it anew for each block.

    So a block depends on no other, and no feature is older than one.

    Parameters
    ----------
    net : Net
    schedule : callable
        ``schedule(net, frames)`` yields a Step a frame, see lib.schedule.
    prepared : iterable of (Frame, 3 x H x W float array)
    block : int or None
        Frames, None for one block without an end.

    Yields
    ------
    Done

    Raises
    ------
    VideoError
        With the frame, if the schedule or the net cannot go on.
    """
    frames = iter(prepared)
    while (feed := _Feed(frames, block)).more():
        steps = schedule(net, feed)
        # a clock is not run to its end: what it would do after the last output is not needed
        for _ in iter(lambda: feed.left(), 0):
            start = time.perf_counter()
            step = _next(steps, feed)
            if step is None:
                return
            now = time.perf_counter()
            frame, fed = feed.frame, feed.fed
            yield Done(
                frame,
                step,
                now - fed,
                now - start - feed.waited,
                time.monotonic() - frame.arrived,
                not feed.left(),
            )


class _Feed:
    """The frames of one block for a schedule; knows the latest, and when it was taken."""

    def __init__(self, frames, block):
        self._frames, self._left = frames, block
        self._waiting = self.frame = None
        self.ended = False
        self.fed = self.waited = 0.0

    def more(self):
        """Tell if there is another frame; wait for it."""
        self._waiting = next(self._frames, None)
        return self._waiting is not None

    def left(self):
        """Return how many frames the block may still get, -1 for any number."""
        return -1 if self._left is None else self._left

    def __iter__(self):
        while self.left():
            start = time.perf_counter()
            if self._waiting is None and not self.more():
                self.ended = True
                return
            (self.frame, in_), self._waiting = self._waiting, None
            if self._left is not None:
                self._left -= 1
            self.fed = time.perf_counter()
            self.waited = self.fed - start
            yield in_


def _next(steps, feed):
    """Return the next Step, None at the end of the frames."""
    try:
        return next(steps, None)
    except (ValueError, RuntimeError, FloatingPointError, MemoryError) as error:
        if feed.ended:  # with fewer frames than a pipeline is long: each of them has its output
            return None
        if feed.frame is None:  # the options of the schedule
            raise
        raise VideoError(f"frame {feed.frame.number}: {error}") from error
