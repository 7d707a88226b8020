"""Running one layer: fetch tensors from blobs, compute, put the results back.

Everything that knows both blobs and tensors is here, so that other ways to run a range of layers
can stand beside `forward` and `backward` without touching layer types or the Net.
"""

from dataclasses import dataclass

import torch

from caffe.blobs import device
from caffe.errors import FOREIGN, CaffeError
from caffe.layer_types.base import Precision, StatefulLayer


@dataclass
class Tape:
    """What backward needs of a layer's last forward: leaves that autograd traced, and the tops."""

    bottoms: list
    params: list
    tops: list


def forward(layer, geometry, bottoms, params, tops, down=None):
    """Compute the Blobs `tops` from the Blobs `bottoms` and `params`.

    down: None, or per bottom whether its gradient will be asked for: then a Tape is returned.
    """
    if isinstance(layer, StatefulLayer):
        layer.run(bottoms, tops)
        return None
    x, y, tape = _compute(layer, geometry, bottoms, params, tops, down)
    memory = {_memory(t) for t in x}
    for top, t in zip(tops, y):
        if t is None:
            continue
        if _memory(t) in memory and top not in bottoms:
            t = t.clone()  # a view of a bottom, or a top twice: later writes would show
        memory.add(_memory(t))
        if layer.content_sized and top.shape != tuple(t.shape):
            top.clear(t.shape)
        top.synced_data.put(t)
    for blob, t in zip(params, y[len(tops) :]):
        blob.synced_data.put(t)
    return tape


def trace(layer, geometry, bottoms, params, tops, down):
    """The Tape that forward would give for what the bottoms hold now; writes to no blob."""
    return _compute(layer, geometry, bottoms, params, tops, down)[2]


def _compute(layer, geometry, bottoms, params, tops, down):
    """(bottom tensors, results, Tape or None) of a layer; nothing is written to its blobs."""
    where = device.device()
    kind = _dtype_for(layer, bottoms)
    if down is not None or not layer.any_order:
        for b in bottoms:  # what backward will read must be the memory that users see
            b.synced_data.settle()
    x = [b.synced_data.tensor(where, kind) for b in bottoms]
    w = [p.synced_data.tensor(where) for p in params]
    tape = None
    try:
        if down is None:
            with torch.no_grad():
                y = layer.forward(geometry, x, w)
        else:
            x = [
                _leaf(t, b in tops and b.synced_data.viewed, d) for t, b, d in zip(x, bottoms, down)
            ]
            w = [t.detach().requires_grad_() for t in w]
            with torch.enable_grad():
                y = layer.forward(geometry, x, w)
            tape = Tape(x, w, list(y[: len(tops)]))
    except CaffeError:
        raise
    except FOREIGN as e:  # torch's own words do not say which layer they are about
        raise layer.error(
            f"cannot run on bottoms of shapes {[b.shape for b in bottoms]}: {e}"
        ) from e
    return x, y, tape


def _dtype_for(layer, bottoms):
    """The torch.dtype that the bottoms are handed over in."""
    if layer.precision is Precision.AS_HELD:
        return bottoms[0].synced_data.dtype
    return torch.float32 if layer.precision is Precision.FLOAT32 else device.precision()


def _memory(tensor):
    """Address of the memory that a tensor, or the tensor it is a view of, lies in."""
    return tensor.untyped_storage().data_ptr()


def _leaf(tensor, overwritten, wanted):
    """A tensor for autograd to start from; a copy where the layer's own top will overwrite it."""
    tensor = tensor.clone() if overwritten else tensor.detach()
    return tensor.requires_grad_(wanted)


def backward(layer, tape, bottoms, params, tops, down, first, wanted):
    """Propagate the tops' diffs: overwrite or add to the bottoms' diffs, add to the params' diffs.

    first: per bottom, True to overwrite; wanted: per param, whether it learns.
    """
    if isinstance(layer, StatefulLayer):
        return _stateful_backward(layer, bottoms, tops, down, first)
    if tape is None:
        raise layer.error("backward needs what forward computed here: call forward first")
    leaves = [t for t, d in zip(tape.bottoms, down) if d]
    leaves += [t for t, d in zip(tape.params, wanted) if d]
    pairs = [
        (y, b.synced_diff.tensor(y.device, y.dtype))
        for y, b in zip(tape.tops, tops)
        if y.requires_grad
    ]
    if not leaves:
        return
    # a reshape to the same shape may lose channels-last strides
    diffs = [d if d.shape == y.shape else d.reshape(y.shape) for y, d in pairs]
    try:
        found = (
            [None] * len(leaves)
            if not pairs
            else torch.autograd.grad(
                [y for y, _ in pairs], leaves, diffs, retain_graph=True, allow_unused=True
            )
        )
    except FOREIGN as e:
        raise layer.error(f"cannot run backward: was it reshaped since forward? ({e})") from e
    found = iter(_apart(found, [d for _, d in pairs]))
    for blob, d, overwrite in zip(bottoms, down, first):
        if d:
            _collect(blob, next(found), overwrite)
    for blob, d in zip(params, wanted):
        if d:
            _collect(blob, next(found), False)


def _apart(gradients, others):
    """The gradients, copied where they share memory: a sum hands one tensor to all its bottoms."""
    memory = {_memory(t) for t in others}
    for g in gradients:
        if g is not None and _memory(g) in memory:
            g = g.clone()
        if g is not None:
            memory.add(_memory(g))
        yield g


def _collect(blob, gradient, overwrite):
    """Write or add `gradient` (None for zero) to the blob's diff."""
    diff = blob.synced_diff
    if gradient is None:
        gradient = torch.zeros(blob.shape)
        if not overwrite:
            return
    if not overwrite and not diff.blank:
        gradient = gradient + diff.tensor(gradient.device, gradient.dtype)
    diff.put(gradient)


def _stateful_backward(layer, bottoms, tops, down, first):
    """Its backward writes diffs outright; where another reader came before, both add up."""
    kept = [None if f or not d else b.diff.copy() for b, d, f in zip(bottoms, down, first)]
    layer.run_backward(tops, down, bottoms)
    for blob, before in zip(bottoms, kept):
        if before is not None:
            blob.diff[...] += before
