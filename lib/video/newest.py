"""The newest frame of a live source: those that nobody had time for are dropped and counted."""

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lib.video.errors import VideoError
from lib.video.frame import Frame

PATIENCE = 30.0  # seconds for which a source that has gone away is looked for
PAUSE = 0.5  # seconds between tries, twice as long after each up to ten times that
GAPS = 31  # arrivals that the usual interval is worked out of
LOOK = 0.1  # seconds between looks at whether the consumer is gone


class Newest:
    """Iterates over the newest frames of a live source, which a thread reads without a pause.

    A frame that has waited for nearly as long as frames are apart is passed over for the next one,
    which is about to come. So a frame is younger than one interval when it is taken.

    Parameters
    ----------
    connect : callable
        Opens the source and returns its frames; called again if it has gone away.
    again : bool
        Whether to connect again at the end; False for a file, whose end is its end.
    patience : float
        Seconds to try for.
    say : callable
        Gets a line of text when the source goes away and comes back.

    Attributes
    ----------
    arrived, taken : int
        Frames so far.
    """

    def __init__(
        self,
        connect: Callable[[], Iterable[Frame]],
        again: bool = True,
        patience: float = PATIENCE,
        say: Callable[[str], object] = print,
    ) -> None:
        self._connect, self._again, self._patience, self._say = connect, again, patience, say
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: BaseException | None = None
        self._ended = self._closed = False
        self._times: deque[float] = deque(maxlen=GAPS)
        self._lead = 0.0  # seconds that were lost between taking a frame and feeding it
        self.arrived = self.taken = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that arrived and were not taken, but for one that still may be."""
        return self.arrived - self.taken - (self._frame is not None)

    @property
    def interval(self) -> float:
        """Seconds between frames, by the median of the last ones; 0 if that is not known yet."""
        times = list(self._times)
        return statistics.median(b - a for a, b in zip(times, times[1:])) if len(times) > 1 else 0.0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._ended)
            self._wait_if_stale()
            frame, self._frame = self._frame, None
            if frame is None:
                raise self._error or StopIteration
            self.taken += 1
            return frame

    def __enter__(self) -> "Newest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread at its next frame."""
        self._closed = True
        self._thread.join(2 * LOOK)  # a silent source is not waited for

    def lead(self, seconds: float) -> None:
        """Say how long preparing a frame takes, so that it is taken so much younger."""
        self._lead = max(seconds, 0.9 * self._lead)

    def _wait_if_stale(self):
        interval, frame = self.interval, self._frame
        oldest = max(interval - self._lead, interval / 2)
        if frame is not None and time.monotonic() - frame.arrived > oldest > 0:
            self._changed.wait_for(lambda: self._frame is not frame or self._ended, interval)

    def _read(self):
        try:
            self._read_again_and_again()
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_again_and_again(self):
        pause, lost = PAUSE, None
        while not self._closed:
            before, why = self.arrived, "it has ended"
            try:
                for frame in self._connect():
                    if self._closed:
                        return
                    if lost is not None:
                        self._say(f"the source is back after {time.monotonic() - lost:.1f} s")
                        lost = None
                    self._put(frame)
            except VideoError as error:
                if not self.arrived or not self._again:
                    raise
                why = str(error)
            if not self._again:
                return
            now = time.monotonic()
            if self.arrived > before:
                pause = PAUSE
            if lost is None:
                lost = now
                self._say(f"frame {self.arrived - 1} was the last for now: {why}; trying again")
            if now - lost > self._patience:
                raise VideoError(
                    f"after frame {self.arrived - 1} the source went away, and was not back after "
                    f"{self._patience:.0f} s: {why}"
                )
            self._sleep(pause)
            pause = min(2 * pause, 10 * PAUSE)

    def _put(self, frame):
        with self._changed:
            self._times.append(frame.arrived)
            self._frame = replace(frame, number=self.arrived)
            self.arrived += 1
            self._changed.notify_all()

    def _sleep(self, seconds):
        end = time.monotonic() + seconds
        while not self._closed and time.monotonic() < end:
            time.sleep(LOOK)


def paced(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the frames of a file at the times at which they are shown, as a camera would."""
    start = None
    for frame in frames:
        if start is None:
            start = time.monotonic() - frame.time
        time.sleep(max(0.0, start + frame.time - time.monotonic()))
        yield replace(frame, arrived=time.monotonic())
