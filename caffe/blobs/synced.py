"""SyncedTensor: a NumPy array for the host and a tensor for the engine, synced lazily.

The host side is a float32 tensor on the CPU whose memory `numpy` hands out as a view. The engine
side is a tensor of any dtype on any device. `head` names the side that holds the current content,
as in Caffe's SyncedMemory:

- "host": the host side is current, and there is no engine side;
- "engine": the engine side is current, the host side is missing or out of date;
- "both": the two agree.

Asking for a side copies the content to it if the other one is current. A NumPy view can be written
to at any time without notice, so handing one out makes the host side current and drops the engine
side. float32 on the CPU needs no engine side: the engine uses the host's memory.

A third state spares work that nobody may ask for. `rest` takes a `Resting` content, which can give
the values but has not yet: a layer's result in a kernel's own memory order, or one that was skipped
and can be computed again. Whoever asks for a side gets the values and ends that state.

Views are known by weak references: while none is alive, nothing but the engine can write to the
memory, and a result may take the place of the memory instead of being copied into it. `version`
counts what changed: the engine's writes, and those through views, which are found by a hash of the
memory. It costs nothing unless a view was out since the last call.

Writes go through `Tensor.data`, which autograd's version counters do not see. A backward pass reads
what memory holds then, as in Caffe; it does not fail because a blob was written to since forward.
"""

import math
import weakref
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
import xxhash

from caffe.blobs import memory
from caffe.blobs.device import CPU
from caffe.errors import CaffeError


class Resting(Protocol):
    """Content of a SyncedTensor that is in no side yet."""

    def tensor(self) -> torch.Tensor:
        """Return the values: float32 on the CPU, in C order, memory that nobody else writes to."""


class SyncedTensor:
    """An array with a host side and an engine side; zeroed memory is allocated on first use.

    Parameters
    ----------
    shape : sequence of int

    Attributes
    ----------
    shape : tuple of int
    head : str
        The side that holds the current content: "host", "engine" or "both".
    """

    shape: tuple[int, ...]
    head: str
    _host: torch.Tensor | None
    _engine: torch.Tensor | None
    _resting: Resting | None

    def __init__(self, shape: Sequence[int] = ()):
        self._version, self._hash, self._tracked, self._exposed = 0, None, False, False
        self._reset(shape)

    def _reset(self, shape):
        """Drop both sides and take `shape`; views that are out keep the old memory."""
        self.shape = tuple(shape)
        self._host = None  # float32 on the CPU, in C order once a view is out
        self._engine = None  # what the engine put last, or a copy made for it
        self._views = []  # weak references to arrays over the host side's memory
        self._resting = None
        self.head = "host"
        self._wrote()

    def _wrote(self):
        """Record that the engine changed the content."""
        self._version += 1
        self._hash = None

    def reshape(self, shape: Sequence[int]) -> None:
        """Take a new shape; the content stays in memory order, cut or filled up with zeros."""
        shape = tuple(int(d) for d in shape)
        if shape == self.shape:
            return
        self._to_host()
        old, count = self._host, math.prod(shape)
        self._wrote()
        if old is not None:
            if count <= old.numel():
                self._host = old.reshape(-1)[:count].view(shape)
            else:
                larger = _zeros((count,))
                larger[: old.numel()] = old.reshape(-1)
                self._host, self._views = larger.view(shape), []
        self.shape, self._engine, self.head = shape, None, "host"

    def clear(self, shape: Sequence[int]) -> None:
        """Zero the content and take `shape`.

        Views stay connected if the shape is the same; else they keep the old memory.
        """
        if self.viewed and self._host is not None and self.shape == tuple(shape):
            self._host.data.zero_()
            self._engine, self._resting, self.head = None, None, "host"
            self._wrote()
        else:
            self._reset(shape)

    def numpy(self) -> np.ndarray:
        """Return a float32 view that writes through; the host side becomes the current one."""
        host = self._host = self._allocate_host().contiguous()
        if self._tracked and self._hash is None:
            self._hash = _hash(host)
        self._exposed, self.head, self._engine = True, "host", None
        alive = [array for view in self._views if (array := view()) is not None]
        for array in alive:
            if array.shape == self.shape and array.ctypes.data == host.data_ptr():
                break
        else:
            array = host.numpy()
            self._views = [weakref.ref(a) for a in (*alive, array)]
        return array.view()  # keeps `array` alive; what its user does to it stays with the view

    def version(self) -> int:
        """Return a number that changes whenever the content does.

        Writes through views are found by a hash of the memory, taken if a view was out since the
        last call.
        """
        self._tracked = True
        if self._exposed:
            self._exposed = self.viewed
            if self.head != "engine" and self._host is not None and self._resting is None:
                now = _hash(self._host)
                if self._hash is not None and now != self._hash:
                    self._version += 1
                self._hash = now
        return self._version

    def rest(self, content: Resting, shape: Sequence[int]) -> None:
        """Take a content whose values are computed or converted when somebody asks for them."""
        if self.viewed:
            self.put(content.tensor())
            return
        self._reset(shape)
        self._resting = content

    @property
    def resting(self) -> Resting | None:
        """What `rest` took, if nobody has asked for the values or replaced them since."""
        return self._resting

    def settle(self) -> None:
        """Lay the host side out in C order, so that a later NumPy view shares its memory."""
        if self._host is not None:
            self._host = self._host.contiguous()

    def tensor(self, device: torch.device, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Return the content as a tensor on `device` in `dtype`.

        The engine may write to a float32 tensor on the CPU, which is the host side itself. Images
        are channels-last in bfloat16, and in float32 if a layer left them so.
        """
        if device.type == "cpu" and dtype == torch.float32:
            host = self._allocate_host()
            self._engine, self.head = None, "host"
            return host
        # A local name: another thread, whose net shares these weights, may drop self._engine.
        held = self._engine
        outdated = self.head == "host"
        if held is None or outdated or held.device != device or held.dtype != dtype:
            source = held if held is not None and self.head == "engine" else self.tensor(CPU)
            converted = _engine_order(source.to(device=device, dtype=dtype))
            self._engine, self.head = converted, "engine" if source is held else "both"
            return converted
        return held

    def put(self, tensor: torch.Tensor) -> None:
        """Take the engine's result as the new content, and its shape."""
        tensor = tensor.detach()
        self._resting = None
        self._wrote()
        if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
            if tuple(tensor.shape) != self.shape:
                self.reshape(tensor.shape)
            self._engine, self.head = _engine_order(tensor), "engine"
            return
        if self.viewed and self._host is not None and tuple(tensor.shape) == self.shape:
            if self._host.data_ptr() != tensor.data_ptr():
                self._host.data.copy_(tensor)
        else:
            before = self._host.data_ptr() if self._host is not None else 0
            self._host = tensor if _channels_last(tensor) else tensor.contiguous()
            if self.shape != tuple(tensor.shape) or self._host.data_ptr() != before:
                self._views = []
            self.shape = tuple(tensor.shape)
        self._engine, self.head = None, "host"

    def paste(self, place: tuple, part: torch.Tensor) -> None:
        """Take the engine's result for a part of the content.

        Parameters
        ----------
        place : tuple of slice and Ellipsis
            Which part.
        part : torch.Tensor
            Its values; views that are out see them.
        """
        if self._resting is not None:
            self._to_host()
        self._wrote()
        if self.head == "host":
            self._allocate_host().data[place].copy_(part)
            self._engine = None
        elif self._engine is not None:
            self._engine[place].copy_(part)
            self.head = "engine"

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the content: the engine side's if only that is current."""
        engine = self._engine
        return engine.dtype if engine is not None and self.head == "engine" else torch.float32

    @property
    def viewed(self) -> bool:
        """Whether a NumPy view is out, so that results must be written into its memory."""
        return any(view() is not None for view in self._views)

    @property
    def held(self) -> bool:
        """Whether memory is allocated for the content."""
        return any(c is not None for c in (self._host, self._engine, self._resting))

    @property
    def blank(self) -> bool:
        """Whether nothing was written here: no memory yet, or only zeros in the host side."""
        if self.head == "engine" or self._resting is not None:
            return False
        return self._host is None or not bool(self._host.any())

    def _to_host(self):
        """Copy the content to the host side if only the engine side, or neither, is current."""
        if self._resting is not None:
            self._host = self._resting.tensor()
            self._resting = None
        if self.head == "engine":
            content = self._engine.to(device="cpu", dtype=torch.float32).contiguous()
            if self.viewed and self._host is not None and self._host.shape == content.shape:
                self._host.data.copy_(content)
            else:
                self._host = content
            self.head = "both"

    def _allocate_host(self):
        """Bring the host side up to date, allocate it if it is missing, and return it."""
        self._to_host()
        if self._host is None:
            self._host = _zeros(self.shape)
        return self._host


def _zeros(shape):
    """Allocate zeroed memory; raise CaffeError if there is not enough."""
    memory.check(math.prod(shape), f"an array of shape {tuple(shape)} takes")
    try:
        return torch.zeros(shape)
    except RuntimeError as e:  # memory taken since the check, or a limit that only malloc knows
        raise CaffeError(f"there is no memory for an array of shape {tuple(shape)}") from e


def _hash(tensor):
    """Return a hash of a tensor's values."""
    return xxhash.xxh3_64_intdigest(tensor.detach().contiguous().reshape(-1).numpy())


def _engine_order(tensor):
    """Make bfloat16 images channels-last: CPU convolutions are several times faster on these."""
    if tensor.dtype == torch.bfloat16 and tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor


def _channels_last(tensor):
    """Tell whether a tensor is an image in channels-last memory order."""
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
