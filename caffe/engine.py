"""Running one layer: fetch tensors from blobs, compute, put the results back.

Everything that knows both blobs and tensors is here, so that other ways to run a range of layers can
stand beside `forward` and `backward` without touching layer types or the Net.
"""
from dataclasses import dataclass

import torch

from . import device
from .errors import CaffeError
from .layer_types.python import Python


@dataclass
class Tape:
    """What backward needs of one layer's last forward: leaves that autograd traced, and its tops."""
    bottoms: list
    params: list
    tops: list


def forward(layer, geometry, bottoms, params, tops, down=None):
    """Compute the Blobs `tops` from the Blobs `bottoms` and `params`.

    down: None, or per bottom whether its gradient will be asked for: then a Tape is returned.
    """
    if isinstance(layer, Python):
        layer.run(bottoms, tops)
        return None
    where = device.device()
    kind = bottoms[0].synced_data.dtype if layer.exact is None else \
        torch.float32 if layer.exact else device.precision()
    x = [b.synced_data.tensor(where, kind) for b in bottoms]
    w = [p.synced_data.tensor(where) for p in params]
    tape = None
    try:
        if down is None:
            with torch.no_grad():
                y = layer.forward(geometry, x, w)
        else:
            x = [_leaf(t, b in tops and b.synced_data.viewed, d)
                 for t, b, d in zip(x, bottoms, down)]
            w = [t.detach().requires_grad_() for t in w]
            with torch.enable_grad():
                y = layer.forward(geometry, x, w)
            tape = Tape(x, w, list(y))
    except CaffeError:
        raise
    except RuntimeError as e:    # torch's own words do not say which layer they are about
        raise layer.error('cannot run on bottoms of shapes %s: %s'
                          % ([b.shape for b in bottoms], e)) from e
    memory = {t.data_ptr() for t in x}
    for top, t in zip(tops, y):
        shared = t.data_ptr() in memory and top not in bottoms
        top.synced_data.put(t.clone() if shared else t)
    return tape


def _leaf(tensor, overwritten, wanted):
    """A tensor for autograd to start from; a copy where the layer's own top will overwrite it."""
    tensor = tensor.clone() if overwritten else tensor.detach()
    return tensor.requires_grad_(wanted)


def backward(layer, tape, bottoms, params, tops, down, first, wanted):
    """Propagate the tops' diffs: overwrite or add to the bottoms' diffs, add to the params' diffs.

    first: per bottom, True to overwrite; wanted: per param, whether it learns.
    """
    if isinstance(layer, Python):
        return _python_backward(layer, bottoms, tops, down, first)
    if tape is None:
        raise layer.error('backward was called before forward has run this layer: call forward first')
    leaves = [t for t, d in zip(tape.bottoms, down) if d]
    leaves += [t for t, d in zip(tape.params, wanted) if d]
    pairs = [(y, b.synced_diff.tensor(y.device, y.dtype)) for y, b in zip(tape.tops, tops)
             if y.requires_grad]
    if not leaves or not pairs:
        return
    found = torch.autograd.grad([y for y, _ in pairs], leaves, [d.reshape(y.shape) for y, d in pairs],
                                retain_graph=True, allow_unused=True)
    found = iter(found)
    for blob, d, overwrite in zip(bottoms, down, first):
        if d:
            _collect(blob, next(found), overwrite)
    for blob, d in zip(params, wanted):
        if d:
            _collect(blob, next(found), False)


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


def _python_backward(layer, bottoms, tops, down, first):
    """A user's backward writes diffs outright; where another reader came before, add to its diff."""
    kept = [None if f or not d else b.diff.copy() for b, d, f in zip(bottoms, down, first)]
    layer.run_backward(tops, down, bottoms)
    for blob, before in zip(bottoms, kept):
        if before is not None:
            blob.diff[...] += before
