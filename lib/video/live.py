"""Run a clock on the newest frame of a live source, and say how old what it shows is."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from lib.schedule import Schedule
from lib.stages import FCN8S, Net, Stage
from lib.video.address import Address
from lib.video.ahead import Ahead
from lib.video.errors import VideoError
from lib.video.frame import Frame
from lib.video.movie import Facts
from lib.video.newest import PATIENCE, Newest, paced
from lib.video.outputs import Outputs
from lib.video.run import Look, Summary, Writer
from lib.video.source import AnyAddress, as_source, read_frames
from lib.video.steps import Done, Prepared, run_steps

UNIT = Fraction(1, 1000)  # of times, in seconds: those at which frames arrive
OLDEST = 60_000  # milliseconds, the last bin of the ages


@dataclass
class LiveSummary(Summary):
    """What a live run did.

    Attributes
    ----------
    arrived, dropped : int
        Frames that the source sent, and those of them that the net had no time for.
    interval : float
        Seconds between frames of the source.
    late : int
        Frames whose age at their output was more than the interval and the net's own time.
    ages : array of int
        How many frames had an age of 0, 1, 2 ... ms at their output.
    """

    arrived: int = 0
    dropped: int = 0
    interval: float = 0.0
    late: int = 0
    ages: np.ndarray = field(default_factory=lambda: np.zeros(OLDEST, int))

    def add_age(self, done: Done, interval: float) -> None:
        """Count how old a frame is."""
        self.ages[min(int(1e3 * done.age), OLDEST - 1)] += 1
        self.late += done.age > interval + done.latency
        self.interval = interval

    def age(self, share: float) -> float:
        """Return the age in ms that a share of the frames, 0..1, does not pass."""
        return float(np.searchsorted(np.cumsum(self.ages), share * self.ages.sum()))


def segment_live(
    address: AnyAddress,
    outputs: Outputs | None,
    net: Net,
    schedule: Schedule,
    look: Look,
    stages: Sequence[Stage] = FCN8S,
    rate: float | None = None,
    seconds: float | None = None,
    patience: float = PATIENCE,
    progress: Callable[[Done, LiveSummary], object] = lambda done, summary: None,
    say: Callable[[str], object] = print,
) -> LiveSummary:
    """Run a clock on the newest frame of a camera or stream, until it ends or Ctrl-C.

    A movie or folder is played at its own speed. Times in the outputs are those of arrival.

    Parameters
    ----------
    address : path-like, str or int
    outputs : Outputs or None
        Started; None to write nothing.
    net : Net
    schedule : callable
    look : Look
    stages : sequence of Stage
    rate : float, optional
        Frames a second to take, by default all.
    seconds : float, optional
        When to end.
    patience : float
        Seconds for which to look for a source that has gone away.
    progress : callable
        Called with each frame and the summary so far.
    say : callable
        Gets a line of text when the source goes away and comes back.

    Returns
    -------
    LiveSummary
        Also after Ctrl-C, by which a live run usually ends.

    Raises
    ------
    VideoError
        If the source cannot be opened, or has gone away for good.
    """
    source, summary, started = as_source(address), LiveSummary(), time.perf_counter()
    with ExitStack() as stack:
        connect = _connect(source, rate)
        newest = stack.enter_context(Newest(connect, not source.is_file, patience, say))
        frames = _until(_by_arrival(newest), seconds)
        steps: Iterable[Done] = stack.enter_context(
            Ahead(run_steps(net, schedule, _prepared(look, frames, newest)), 1)
        )
        if outputs is not None:
            # the rate is that of the source; how many frames the net takes of it shows later
            facts = Facts((0, 0), UNIT, Fraction(25), None, 0)
            steps = Writer(outputs, look, [s.name for s in stages], facts).write(steps)
        try:
            for done in steps:
                summary.add(done)
                summary.add_age(done, newest.interval)
                summary.arrived, summary.dropped = newest.arrived, newest.dropped
                progress(done, summary)
        except KeyboardInterrupt:
            pass
        finally:
            if hasattr(steps, "close"):
                steps.close()  # what was on its way to the files goes there
    if not summary.frames:
        raise VideoError(f"{source.text}: no frame was taken: give it more time")
    if outputs is not None:
        outputs.finish()
    summary.close(net, stages, started)
    return summary


def _connect(source: Address, rate: float | None) -> Callable[[], Iterator[Frame]]:
    if source.is_file:
        return lambda: paced(read_frames(source, rate))
    return lambda: read_frames(source, rate)


def _by_arrival(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Give frames the time of their arrival, which goes on when a source comes back."""
    start, last = None, -1
    for frame in frames:
        start = frame.arrived if start is None else start
        pts = max(last + 1, round((frame.arrived - start) / float(UNIT)))
        duration, last = (pts - last if last >= 0 else round(1 / 25 / UNIT)), pts
        yield replace(frame, pts=pts, time_base=UNIT, duration=duration)


def _until(frames: Iterable[Frame], seconds: float | None) -> Iterator[Frame]:
    for frame in frames:
        if seconds is not None and frame.time >= seconds:
            return
        yield frame


def _prepared(look: Look, frames: Iterable[Frame], newest: Newest) -> Iterator[Prepared]:
    """Yield frames with what the net takes of them; tell the source how long that takes."""
    for frame in frames:
        start = time.perf_counter()
        (prepared,) = look.prepare([frame])
        newest.lead(time.perf_counter() - start)
        yield prepared
