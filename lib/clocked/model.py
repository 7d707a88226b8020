"""`Clocked`: a PyTorch model that runs its stages by a clock."""

import difflib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from lib import schedule
from lib.checks import check_names, check_whole
from lib.clocked.net import StagedNet
from lib.clocked.plan import Plan, flatten, kind, prepare
from lib.clocked.stream import Stream
from lib.schedule import Schedule

MOST_PLANS = 8  # sizes of frames whose stages are kept ready


class Clocked(nn.Module):
    """A PyTorch model cut into stages, and a clock that decides which of them run on a frame.

    Call it as the model, one frame of a video after the other. Stages that do not run keep what
    they computed on an earlier frame. With a clock that always fires it returns, bit for bit, what
    the model returns. In training mode it is the model itself, without a clock.

    The model is recorded by torch.export at the first frame of each size, which takes seconds.

    Attributes
    ----------
    model : torch.nn.Module
        The model as it was given; its weights may be trained, loaded and moved as ever.
    clock : callable
        As given.

    Examples
    --------
    >>> model = Clocked(net, {"shallow": "encoder", "deep": "encoder.layer3", "fuse": "decoder"})
    >>> outputs = [model(frame) for frame in video]
    """

    def __init__(
        self,
        model: nn.Module,
        stages: Mapping[str, str] | Sequence[str] | str = "auto",
        clock: Schedule = schedule.alternating,
        n: int = 3,
    ) -> None:
        """Wrap a model; nothing runs yet.

        Parameters
        ----------
        model : torch.nn.Module
        stages : mapping of str to str, sequence of str, or "auto"
            The module with which each stage starts, such as ``"backbone.layer4"``, by the name of
            the stage; of a plain list the modules are the names. They come in the order in which
            the model runs them. What runs before the first of them belongs to the first stage.
            "auto" cuts the model into stages of about equal time, measured on the first frame.
        clock : callable
            One of lib.schedule, or your own: ``clock(net, frames, stages=...)`` yields a Step for
            each frame. Bind options with ``functools.partial``. By default the stage "deep" runs
            on every other frame.
        n : int
            Number of stages for "auto". They are called shallow, middle, deep and fuse (3: shallow,
            deep and fuse).

        Raises
        ------
        ValueError
            If a stage is not a module of the model, or something else than a model is given.
        """
        super().__init__()
        if not isinstance(model, nn.Module):
            raise ValueError(f"model is a {type(model).__name__}: give a torch.nn.Module")
        if not callable(clock):
            raise ValueError(f"clock is {clock!r}: give a schedule, such as schedule.alternating")
        self._stages = _as_stages(model, stages, n)
        self.model = model
        self.clock = clock
        self._forget()
        self.training = model.training
        self.register_state_dict_post_hook(_without_prefix)
        self.register_load_state_dict_pre_hook(_with_prefix)
        self.register_load_state_dict_post_hook(_loaded)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the stages that are due on the next frame of the one stream that this object has.

        In training mode the whole model runs. See `Stream` for arguments and errors.
        """
        if self.model.training:
            return self.model(*args, **kwargs)
        return self._own(*args, **kwargs)

    def stream(self, clock: Schedule | None = None, labels: bool = False) -> Stream:
        """Return a new stream, with a state and a clock of its own.

        Parameters
        ----------
        clock : callable, optional
            By default that of this object.
        labels : bool
            Also make label maps, see `Stream.label`. Needed for a clock that looks at the scores.
        """
        what = f"Clocked({type(self.model).__name__})"
        stream = Stream(self._plan, clock or self.clock, what, labels)
        self._streams.add(stream)
        return stream

    def net(self, *args: Any, **kwargs: Any) -> StagedNet:
        """Return the model as a net that all functions of lib take, such as ``evaluate``.

        Parameters
        ----------
        *args, **kwargs
            What the model is called with, with a frame of the size to come.

        Returns
        -------
        StagedNet
            With its stages as attribute `stages`.
        """
        return StagedNet(self._plan, args, kwargs)

    def reset(self) -> None:
        """Forget all frames: the next one runs in full. For a cut, a seek or another video.

        Streams from `stream` have a `reset` of their own and go on.
        """
        self._own.reset()

    @property
    def stages(self) -> dict[str, str]:
        """The module with which each stage starts, by the name of the stage.

        Raises ValueError before the first frame if they are cut by measured cost.
        """
        if isinstance(self._stages, int):
            raise ValueError(
                "the stages are cut by measured cost at the first frame: give the model a frame, "
                "or name the modules with which stages start"
            )
        return dict(self._stages)

    @property
    def ran(self) -> tuple[str, ...]:
        """The stages that ran for the output of the last frame."""
        return self._own.ran

    @property
    def fired(self) -> dict[str, float]:
        """The share of frames since the last reset, 0..1, on which each stage ran."""
        return self._own.fired

    def train(self, mode: bool = True) -> "Clocked":
        """Set training mode, in which the whole model runs; all streams start anew after it."""
        super().train(mode)
        if mode:
            self._restart()
        return self

    def extra_repr(self) -> str:
        """Return stages and clock for print."""
        stages = f"auto, n={self._stages}" if isinstance(self._stages, int) else self._stages
        return f"stages={stages}, clock={getattr(self.clock, '__name__', self.clock)}"

    def _plan(self, args: tuple, kwargs: Mapping[str, Any]) -> Plan:
        """Return the stages for inputs of this kind, from those that are kept or new."""
        if self.model.training:
            raise ValueError(
                f"{type(self.model).__name__} is in training mode: call eval() before you run it "
                "under a clock"
            )
        leaves, spec = flatten((args, dict(kwargs)))
        key = (str(spec), tuple(map(kind, leaves)), _setting(self.model))
        with self._lock:
            if key not in self._plans:
                plan = prepare(self.model, args, kwargs, self._stages)
                self._stages, self._plans[key] = plan.stages, plan
            self._plans.move_to_end(key)
            while len(self._plans) > MOST_PLANS:
                self._plans.popitem(last=False)
            return self._plans[key]

    def _forget(self):
        """Begin with no streams and no plans."""
        self._lock = threading.Lock()
        self._plans: OrderedDict[Any, Plan] = OrderedDict()
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        self._own = self.stream()

    def _restart(self):
        """Start all streams anew, as what they keep was computed with other weights."""
        for stream in list(self._streams):
            stream.reset()

    def _apply(self, fn, recurse=True):
        """Move or cast the model: what was recorded and kept does not fit any more."""
        super()._apply(fn, recurse)
        self._plans.clear()
        self._restart()
        return self

    def __getstate__(self):
        """Copy and pickle the model, its stages and its clock; streams stay behind."""
        left = ("_lock", "_plans", "_streams", "_own")
        return {name: value for name, value in self.__dict__.items() if name not in left}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._forget()


def _as_stages(model, stages, n):
    """Return stages as a dict, or their number; raise ValueError if a module does not exist."""
    if isinstance(stages, str) and stages == "auto":
        check_whole("n, the number of stages,", n, least=1)
        return int(n)
    if not isinstance(stages, Mapping):
        check_names("stages", stages)
        names = list(stages)
        if len(set(names)) < len(names):
            raise ValueError(f"stages are {names}: name each module once")
        stages = dict(zip(names, names, strict=True))
    check_names("names of stages", stages)
    check_names("the modules of stages", stages.values())
    if not stages:
        raise ValueError('there are no stages: name at least one module, or give "auto"')
    modules = [name for name, _ in model.named_modules()]
    for name, module in stages.items():
        if module not in modules:
            near = difflib.get_close_matches(module, modules, n=3, cutoff=0)
            raise ValueError(
                f"stage {name!r} starts with {module!r}, which is no module of "
                f"{type(model).__name__}: near to it are {', '.join(map(repr, near))}; "
                "named_modules() lists all"
            )
    return dict(stages)


def _setting(model):
    """Return what else a recording depends on: kind of the weights, autocast."""
    weight = next(model.parameters(), None)
    on = tuple(
        (name, torch.get_autocast_dtype(name))
        for name in {"cpu", weight.device.type if weight is not None else "cpu"}
        if torch.is_autocast_enabled(name)
    )
    return (None if weight is None else (weight.dtype, weight.device)), on


def _without_prefix(module, state, prefix, _):
    """Name weights in a state_dict as the model does."""
    old = f"{prefix}model."
    for name in [name for name in state if name.startswith(old)]:
        state[prefix + name.removeprefix(old)] = state.pop(name)


def _with_prefix(module, state, prefix, *_):
    """Find weights by the names that the model has for them."""
    module._prefix = prefix
    for name in [name for name in state if name.startswith(prefix)]:
        state[f"{prefix}model.{name.removeprefix(prefix)}"] = state.pop(name)


def _loaded(module, incompatible):
    """Start anew with new weights; say what did not fit by the names that were given."""
    old = f"{module._prefix}model."
    for names in incompatible:
        names[:] = [module._prefix + n.removeprefix(old) if n.startswith(old) else n for n in names]
    module._restart()
