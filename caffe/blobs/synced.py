"""One array with two faces: float32 numpy for the host, a tensor of any kind for the engine.

The faces are kept in step lazily: `head` says which of them holds the truth, and the other is made
from it when somebody asks, as in Caffe's synced memory. On the CPU in float32 they are one memory.

Writes go through `.data`, which autograd does not count: a backward pass sees what memory holds, as
in Caffe, and never refuses because a blob was written to since.
"""

import math

import torch

from caffe.blobs import memory
from caffe.errors import CaffeError


class SyncedTensor:
    """An array of `shape` whose memory appears on first use, zeroed.

    head: 'host' (the numpy side is newest), 'engine', or 'both'.
    """

    def __init__(self, shape=()):
        self.shape = tuple(shape)
        self._host = None  # float32 on the CPU, in C order once views are out
        self._engine = None  # whatever the engine put here last, or a copy made for it
        self._viewed = False  # numpy views are out: their memory must stay where it is
        self.head = "host"

    def reshape(self, shape):
        """Take a new shape; what fits of the old content stays, new memory is zero."""
        shape = tuple(int(d) for d in shape)
        if shape == self.shape:
            return
        self._to_host()
        old, count = self._host, math.prod(shape)
        if old is not None:
            if count <= old.numel():
                self._host = old.reshape(-1)[:count].view(shape)
            else:
                self._host = _zeros((count,))
                self._host[: old.numel()] = old.reshape(-1)
                self._host = self._host.view(shape)
        self.shape, self._engine, self.head = shape, None, "host"

    def clear(self, shape):
        """Zero everything and take `shape`; numpy views of another shape go their own way."""
        if self._viewed and self.shape == tuple(shape):
            self._host.data.zero_()
            self._engine, self.head = None, "host"
        else:
            self.__init__(shape)

    def numpy(self):
        """A float32 view that writes through. The host may write to it, so it becomes the head."""
        self._to_host()
        if self._host is None:
            self._host = _zeros(self.shape)
        self.settle()
        self._viewed, self.head, self._engine = True, "host", None
        return self._host.numpy()

    def settle(self):
        """Lay float32 values out in C order, so that a numpy view to come shares their memory."""
        if self._host is not None:
            self._host = self._host.contiguous()

    def tensor(self, device, dtype=torch.float32):
        """The content as a tensor on `device` in `dtype`.

        Images are channels-last in bfloat16, and in float32 where a layer left them so.
        """
        if device.type == "cpu" and dtype == torch.float32:
            self._to_host()
            if self._host is None:
                self._host = _zeros(self.shape)
            self._engine, self.head = None, "host"  # the caller may write to what it gets
            return self._host
        held = self._engine
        if self.head == "host" or held.device != device or held.dtype != dtype:
            source = held if self.head == "engine" else self.tensor(torch.device("cpu"))
            was, held = held, _engine_order(source.to(device=device, dtype=dtype))
            self._engine, self.head = held, "engine" if source is was else "both"
        return held  # another net that shares these weights may have let go of it by now

    def put(self, tensor):
        """Take the engine's result as the new content; the shape follows it."""
        tensor = tensor.detach()
        if tensor.device.type != "cpu" or tensor.dtype != torch.float32:
            if tuple(tensor.shape) != self.shape:
                self.reshape(tensor.shape)
            self._engine, self.head = _engine_order(tensor), "engine"
            return
        if self._viewed and tuple(tensor.shape) == self.shape:
            if self._host.data_ptr() != tensor.data_ptr():
                self._host.data.copy_(tensor)
        else:
            kept = tensor if _channels_last(tensor) else tensor.contiguous()
            self.shape, self._host, self._viewed = tuple(tensor.shape), kept, False
        self._engine, self.head = None, "host"

    @property
    def dtype(self):
        """The precision of the content: the engine's where it is newest, else float32."""
        return self._engine.dtype if self.head == "engine" else torch.float32

    @property
    def viewed(self):
        """True once a numpy view is out, so that the engine must write into this very memory."""
        return self._viewed

    @property
    def held(self):
        """True where there is memory for the content."""
        return self._host is not None or self._engine is not None

    @property
    def blank(self):
        """True while nobody can have written here: no memory yet, or nothing but zeros in it."""
        if self.head == "engine":
            return False
        return self._host is None or not bool(self._host.any())

    def _to_host(self):
        if self.head == "engine":
            made = self._engine.to(device="cpu", dtype=torch.float32).contiguous()
            if self._viewed and self._host is not None and self._host.shape == made.shape:
                self._host.data.copy_(made)
            else:
                self._host = made
            self.head = "both"


def _zeros(shape):
    """New memory for a blob; CaffeError where there is not enough."""
    memory.check(math.prod(shape), f"an array of shape {tuple(shape)} takes")
    try:
        return torch.zeros(shape)
    except RuntimeError as e:  # there was some a moment ago, or a limit that only malloc knows
        raise CaffeError(f"there is no memory for an array of shape {tuple(shape)}") from e


def _engine_order(tensor):
    """bfloat16 convolutions on the CPU are several times faster on channels-last images."""
    if tensor.dtype == torch.bfloat16 and tensor.dim() == 4:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor


def _channels_last(tensor):
    return tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
