"""One stream of frames through a model under a clock: pushed in one by one, outputs come back.

The clocks of lib.schedule are generators that take frames and yield Steps. A stream hands such a
generator one frame at a time and waits for its Step.
"""

import inspect
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from lib.clocked.net import StagedNet
from lib.clocked.plan import copied, flatten, frame_of, kind
from lib.schedule import Schedule, Step


class Stream:
    """The state of a model on one stream: what each stage computed last, and its clock.

    Get one from `lib.clocked.Clocked.stream`. Call it with what the model is called with, one frame
    after the other; it returns what the model returns. Two streams share nothing but the weights.
    """

    def __init__(self, planner: Any, clock: Schedule, what: str, labels: bool = False) -> None:
        self._planner, self._clock, self._what, self._labels = planner, clock, what, labels
        self.reset()

    def reset(self) -> None:
        """Forget all frames: the next one runs in full. For a cut, a seek or another video."""
        if isinstance(steps := getattr(self, "_steps", None), Generator):
            steps.close()
        self._steps: Iterator[Step] = iter(())
        self._net: StagedNet | None = None
        self._kinds: list | None = None
        self._frame: np.ndarray | None = None
        self._step = Step(np.zeros((0, 0), np.uint8), ())
        self._counts: Counter[str] = Counter()
        self.frames = 0

    @property
    def ran(self) -> tuple[str, ...]:
        """The stages that ran for the output of the last frame."""
        return self._step.ran

    @property
    def then(self) -> tuple[str, ...]:
        """The stages that run before the next frame, of a pipeline."""
        return self._step.then

    @property
    def label(self) -> np.ndarray:
        """The label map that the clock made of the last frame, H x W uint8.

        Most clocks take the best class of each pixel; some, such as those that move an older
        output, do more. Raises ValueError if the stream was made without `labels`.
        """
        if not self._labels:
            raise ValueError(
                "this stream makes no label maps, which take time: make it with "
                "Clocked.stream(labels=True)"
            )
        return self._step.label

    @property
    def fired(self) -> dict[str, float]:
        """The share of frames since the last reset, 0..1, on which each stage ran."""
        if self._net is None or not self.frames:
            return {}
        return {s.name: self._counts[s.name] / self.frames for s in self._net.stages}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the stages that are due on a frame.

        Parameters
        ----------
        *args, **kwargs
            What the model is called with. The first N x C x H x W float tensor is the frame.

        Returns
        -------
        What the model returns. Parts of it may be kept for later frames: clone a tensor before you
        change it in place.

        Raises
        ------
        ValueError
            If the inputs differ from the last ones in more than their values, or an error of the
            clock. The first leaves the stream as it was; after others the next frame runs in full.
        """
        leaves, spec = flatten((args, kwargs))
        kinds = [spec, *map(kind, leaves)]
        if self._kinds is not None and kinds != self._kinds:
            raise ValueError(self._mismatch(leaves))
        try:
            if self._net is None:
                self._net = StagedNet(self._planner, args, kwargs, self._labels)
                self._kinds = kinds
                self._steps = _start(self._clock, self._net, self._feed())
            self._frame = _for_the_clock(leaves[frame_of(leaves)])
            self._net.push(self._frame, copied(leaves))
            self._step = next(self._steps)
            output = self._net.output()
        except StopIteration:
            at = self.frames
            self.reset()
            raise ValueError(
                f"the clock ended after {at} frames: a clock yields a Step for each frame"
            ) from None
        except BaseException:
            self.reset()
            raise
        self.frames += 1
        self._counts.update(dict.fromkeys((*self._step.ran, *self._step.then), 1))
        return output

    def _feed(self) -> Iterator[np.ndarray]:
        while True:
            frame, self._frame = self._frame, None
            if frame is None:
                raise ValueError(
                    "the clock takes a second frame before it yields the Step of the first: yield "
                    "one Step for each frame"
                )
            yield frame

    def _mismatch(self, leaves):
        """Say how inputs differ from those that the stream began with."""
        assert self._kinds is not None and self._net is not None
        before, now = self._kinds[1:], [kind(leaf) for leaf in leaves]
        differ = [pair for pair in zip(before, now) if pair[0] != pair[1]]
        if differ and len(before) == len(now):
            was, is_ = map(_say, differ[0])
        else:
            was, is_ = f"given as {len(before)} inputs", f"given as {len(now)}, or by other names"
        stages = ", ".join(f"{s.name!r} (from {s.start})" for s in self._net.stages)
        return (
            f"frame {self.frames} of a stream of {self._what} is {is_}; the frames before it were "
            f"{was}. Its stages {stages} keep what they computed from those; call reset() before "
            "frames of another size, or give each video a stream of its own"
        )


def _start(clock, net, frames):
    """Start a schedule on the stages of the net, unless it is bound to stages of its own."""
    bound: Mapping[str, Any] = {}
    inner = clock
    while isinstance(inner, partial):
        bound, inner = {**inner.keywords, **bound}, inner.func
    parameters = inspect.signature(inner).parameters
    takes_stages = "stages" in parameters or any(
        p.kind is p.VAR_KEYWORD for p in parameters.values()
    )
    if "stages" in bound or not takes_stages:
        return iter(clock(net, frames))
    return iter(clock(net, frames, stages=net.stages))


def _for_the_clock(frame):
    """Return a frame as schedules take it, C x H x W float; on a GPU its shape only, all nan."""
    first = frame[0].detach()
    if first.device.type == "cpu":
        return first.float().numpy()
    return np.broadcast_to(np.float32(np.nan), tuple(first.shape))


def _say(kind_):
    if isinstance(kind_, tuple) and len(kind_) == 3:
        shape, dtype, device = kind_
        size = " x ".join(map(str, shape)) or "one number"
        return f"{size} ({str(dtype).removeprefix('torch.')}, {device})"
    return repr(kind_)
