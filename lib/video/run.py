"""Run a clock over a video, and write labels, overlay and a row a frame as it goes."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from numpy.typing import ArrayLike

from lib.cost import stage_cost
from lib.schedule import Schedule
from lib.stages import FCN8S, Net, Stage
from lib.video.ahead import Ahead, Behind
from lib.video.audio import AudioTracks, audio_of
from lib.video.errors import VideoError
from lib.video.frame import Frame, fit_size, net_input
from lib.video.label_file import label_png
from lib.video.movie import Facts
from lib.video.mp4 import Block, Mp4Blocks
from lib.video.outputs import Outputs, Row
from lib.video.overlay import Overlay, even
from lib.video.source import AnyAddress, Place, as_source, read_frames, source_facts
from lib.video.steps import BLOCK, Done, Prepared, run_steps

WAITING = 4  # frames that are decoded ahead
UNWRITTEN = 2  # Steps that may wait to be written


@dataclass
class Summary:
    """What a run did.

    Attributes
    ----------
    frames : int
    seconds : float
        From the first frame to the last file.
    net_seconds : float
        In which the net worked.
    ran : Counter
        How often each stage ran, by name.
    share : float
        Multiply-adds, of those that all stages on every frame take, 0..1.
    """

    frames: int = 0
    seconds: float = 0.0
    net_seconds: float = 0.0
    ran: Counter = field(default_factory=Counter)
    share: float = 1.0

    def add(self, done: Done) -> None:
        """Count a frame."""
        self.frames += 1
        self.net_seconds += done.work
        self.ran.update([*done.step.ran, *done.step.then])

    def close(self, net: Net, stages: Sequence[Stage], started: float) -> None:
        """Work out the share of multiply-adds and the time since `started`."""
        self.seconds = time.perf_counter() - started
        costs = stage_cost(net, stages)
        whole = self.frames * sum(costs.values())
        self.share = sum(costs[name] * n for name, n in self.ran.items()) / whole if whole else 0.0


@dataclass
class Look:
    """How labels are made and shown.

    Attributes
    ----------
    size : (int, int)
        Height and width of what the net takes.
    mean : array_like
        Of each channel, 3 values in 0..255, BGR.
    palette : K x 3 array_like
        RGB colour of each class.
    exact : bool
        Scale frames to exactly `size`; by default to fit into it, in their own shape.
    """

    size: tuple[int, int]
    mean: ArrayLike
    palette: ArrayLike
    exact: bool = False

    def size_of(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """Return the size that a frame of (height, width) is scaled to."""
        return (self.size[0], self.size[1]) if self.exact else fit_size(frame_size, self.size)

    def prepare(self, frames: Iterable[Frame]) -> Iterator[Prepared]:
        """Yield each frame with what the net takes of it."""
        for frame in frames:
            yield frame, net_input(frame, self.size_of(frame.size), self.mean)


def segment_video(
    address: AnyAddress,
    outputs: Outputs,
    net: Net,
    schedule: Schedule,
    look: Look,
    stages: Sequence[Stage] = FCN8S,
    rate: float | None = None,
    audio: bool = True,
    progress: Callable[[Done], object] = lambda done: None,
) -> Summary:
    """Run a clock over every frame of a movie or a folder of images.

    Decoding, the net, and writing each have a thread. Frames that wait are few, so memory does not
    grow with the video.

    Parameters
    ----------
    address : path-like or str
    outputs : Outputs
        Started or resumed; a run that goes on begins after its last complete block.
    net : Net
    schedule : callable
    look : Look
    stages : sequence of Stage
        Those that the schedule runs.
    rate : float, optional
        Frames a second that are wanted, by default all.
    audio : bool
        Copy the audio tracks.
    progress : callable
        Called with each frame when it is written.

    Returns
    -------
    Summary
        Of the frames that this call ran.

    Raises
    ------
    VideoError
        With the frame. All frames before it are in the files.
    """
    source, summary, started = as_source(address), Summary(), time.perf_counter()
    state = outputs.state
    place = Place(state["frame"] + 1, state["end"]) if state["blocks"] else None
    facts = source_facts(source)
    frames = with_durations(read_frames(source, rate, place), facts)
    with audio_of(source, audio) as tracks:
        writer = Writer(outputs, look, [stage.name for stage in stages], facts, tracks)

        def write(steps):
            for done in writer.write(steps):
                summary.add(done)
                progress(done)

        # the net stays in this thread, for which PyTorch has its threads ready
        with Ahead(look.prepare(frames), WAITING) as prepared, Behind(write, UNWRITTEN) as written:
            for done in run_steps(net, schedule, prepared):
                written.put(done)
    outputs.finish()
    summary.close(net, stages, started)
    return summary


def with_durations(frames: Iterable[Frame], facts: Facts) -> Iterator[Frame]:
    """Yield frames with the time to the next one as their duration."""
    before, error = None, None
    step = max(1, round(1 / (facts.rate * facts.time_base)))
    try:
        for frame in frames:
            if before is not None:
                step = frame.pts - before.pts
                yield replace(before, duration=step)
            before = frame
    except VideoError as raised:
        error = raised
    if before is not None:
        yield replace(before, duration=before.duration or step)
    if error is not None:
        raise error


class Writer:
    """Writes what a clock gives to the files of a run, block by block.

    Parameters
    ----------
    outputs : Outputs
    look : Look
    stages : sequence of str
        Names of the stages, to mark them.
    facts : Facts
        Of the source.
    tracks : AudioTracks, optional
    """

    def __init__(
        self,
        outputs: Outputs,
        look: Look,
        stages: Sequence[str],
        facts: Facts,
        tracks: AudioTracks | None = None,
    ) -> None:
        self._outputs, self._look, self._facts, self._tracks = outputs, look, facts, tracks
        self._overlay = Overlay(look.palette, stages)
        self._movie: Mp4Blocks | None = None
        self._block: Block | None = None
        self._rows: list[Row] = []
        self._pts, self._end, self._full = 0, 0, False
        if outputs.state["blocks"]:
            self._end = outputs.state["end"]
            if tracks:
                tracks.skip(self._time(self._end))

    def write(self, steps: Iterable[Done]) -> Iterator[Done]:
        """Write each frame, then yield it.

        Whatever ends it, the frames that came before are in the files: also if `steps` raises, or
        if the consumer goes away. Only a file that cannot be written ends it at once.
        """
        writable = True
        try:
            for done in steps:
                writable = False
                if self._rows and self._full:
                    self._commit(self._time(self._end))
                self._add(done)
                writable = True
                yield done
            writable = False
            if self._rows:
                self._commit(None)
        except BaseException:
            if writable and self._rows:
                self._commit(self._time(self._end), whole=self._full)
            elif self._block:
                self._block.drop()
            raise

    def _add(self, done):
        frame, step = done.frame, done.step
        if self._movie is None:
            state = self._outputs.state
            first = state["first"] if state["blocks"] else None
            size, base, rate = even(frame.size), self._facts.time_base, self._facts.rate
            self._movie = Mp4Blocks(size, base, rate, BLOCK, self._tracks, first)
        if self._block is None:
            self._block = self._movie.begin(self._outputs.state["blocks"])
        self._outputs.write_label(frame.number, label_png(step.label, self._look.palette))
        self._block.add(self._overlay.draw(frame, step.label, step.ran), frame.pts, frame.duration)
        change = "" if step.change is None else f"{step.change:.6f}"
        latency = f"{1e3 * done.latency:.2f}"
        ran, then = " ".join(step.ran), " ".join(step.then)
        self._rows.append((frame.number, f"{frame.time:.6f}", ran, then, change, latency))
        self._pts, self._end, self._full = frame.pts, frame.pts + frame.duration, done.last

    def _commit(self, end, whole=True):
        video = self._block.finish(end)
        state = {"pts": self._pts, "end": self._end, "first": self._movie.first}
        self._outputs.add_block(video, self._rows, state, whole)
        self._block, self._rows = None, []

    def _time(self, pts):
        return pts * self._facts.time_base
