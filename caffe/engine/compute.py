"""Run one layer: read tensors from blobs, compute, write the results back.

All code that knows both blobs and tensors is in this module. Layer types see only tensors, the Net
only blobs, so another way to run layers needs no change in either.

Backward is autograd's, one layer at a time. When a layer takes part in backward, its forward is
recorded: the bottoms and weights become leaf tensors of a small autograd graph that ends at the
tops. A `Tape` keeps these tensors until the layer's next forward. `backward` later feeds the tops'
diffs into that graph and writes the gradients of the leaves to the blobs' diffs.

Memory rules:

- A layer must not write to its arguments, but may return a view of a bottom or one tensor twice.
  Each top must have memory of its own, because users write to blobs through numpy views. `forward`
  therefore copies a result that shares memory with a bottom or an earlier top. A top that runs in
  place is its own bottom and may share.
- A tape does not copy the bottoms: on the CPU in float32 its leaves share the blobs' memory. If a
  blob is overwritten between forward and backward, backward sees the new values, as in Caffe. The
  one exception is a layer that runs in place on a blob of which a numpy view exists. Its result
  must go into the very memory that its leaf reads, so that leaf is a copy.
- Gradients are copied if they share memory with a top's diff or with each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from caffe.blobs import device
from caffe.blobs.blob import Blob
from caffe.engine.changes import windowed
from caffe.engine.packed import Packed
from caffe.engine.reach import LayerReach, Window
from caffe.errors import FOREIGN, CaffeError
from caffe.layer_types.base import Blobs, Geometry, LayerType, Precision, StatefulLayer


@dataclass
class Tape:
    """What backward needs from a layer's last forward.

    Attributes
    ----------
    bottoms, params : list of torch.Tensor
        The leaves of the layer's autograd graph.
    tops : list of torch.Tensor or None
        Its results; None for a top that the layer leaves unchanged.
    """

    bottoms: list[torch.Tensor]
    params: list[torch.Tensor]
    tops: list[torch.Tensor | None]


def forward(
    layer: LayerType,
    geometry: Geometry | None,
    bottoms: Blobs,
    params: Blobs,
    tops: Blobs,
    down: Sequence[bool] | None = None,
) -> Tape | None:
    """Compute the tops of a layer from its bottoms and weights.

    Parameters
    ----------
    layer : LayerType
    geometry : Geometry or None
        The geometry for the bottoms' shapes; None for a stateful layer.
    bottoms, tops : sequence of Blob
        The tops are overwritten.
    params : sequence of Blob
        The learned blobs; those that hold statistics are overwritten.
    down : sequence of bool, optional
        Per bottom, whether backward will ask for its gradient. If not given, nothing is recorded.

    Returns
    -------
    Tape or None
        The record for `backward`; None if nothing was recorded or the layer is stateful.

    Raises
    ------
    LayerError
        If the layer cannot run on these bottoms.
    """
    if isinstance(layer, StatefulLayer):
        layer.run(bottoms, tops)
        return None
    inputs, results, tape = _compute(layer, geometry, bottoms, params, tops, down)
    in_use = {_address(t) for t in inputs}
    for top, result in zip(tops, results):
        if result is None:
            continue
        if _address(result) in in_use and top not in bottoms:
            result = result.clone()
        in_use.add(_address(result))
        if layer.content_sized and top.shape != tuple(result.shape):
            top.clear(result.shape)
        top.synced_data.put(result)
    for blob, statistic in zip(params, results[len(tops) :]):
        blob.synced_data.put(statistic)
    return tape


def trace(
    layer: LayerType,
    geometry: Geometry,
    bottoms: Blobs,
    params: Blobs,
    tops: Blobs,
    down: Sequence[bool],
) -> Tape:
    """Return the Tape of a forward on the present values of the bottoms, without writing any blob.

    It serves backward through a layer that never ran forward. For the arguments see `forward`.
    """
    return _compute(layer, geometry, bottoms, params, tops, down)[2]


def window(
    layer: LayerType,
    geometry: Geometry,
    reach: LayerReach,
    bottoms: Sequence[Blob | torch.Tensor],
    params: Blobs,
    part: Window,
) -> list[torch.Tensor]:
    """Return a window of each top of a layer, without writing any blob.

    Parameters
    ----------
    layer : LayerType
    geometry : Geometry
    reach : LayerReach
        As `reach_of` returns it.
    bottoms : sequence of Blob or torch.Tensor
    params : sequence of Blob
    part : Window
        Of the tops.

    Raises
    ------
    LayerError
        If the layer cannot run on these bottoms.
    """
    where = device.device()
    kind = _dtype_for(layer, bottoms)
    x = [
        b.to(kind) if isinstance(b, torch.Tensor) else _whole_or_packed(b, where, kind)
        for b in bottoms
    ]
    w = [p.synced_data.tensor(where) for p in params]
    try:
        with torch.no_grad():
            return windowed.run(layer, geometry, reach, x, w, part)
    except CaffeError:
        raise
    except FOREIGN as e:
        raise layer.error(f"cannot run on the window {part} of its tops: {e}") from e


def _whole_or_packed(blob, where, kind):
    """Return what a blob holds as a tensor, or as it rests if only a part will be read."""
    resting = blob.synced_data.resting
    if isinstance(resting, Packed) and where == device.CPU and kind == torch.float32:
        return resting
    return blob.synced_data.tensor(where, kind)


def _compute(layer, geometry, bottoms, params, tops, down):
    """Return (bottom tensors, results, Tape or None) of a layer; writes to no blob."""
    where = device.device()
    kind = _dtype_for(layer, bottoms)
    if down is not None or not layer.any_order:
        for b in bottoms:  # the tape and a numpy view taken later must share memory
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
    except FOREIGN as e:  # torch's message does not name the layer
        raise layer.error(
            f"cannot run on bottoms of shapes {[b.shape for b in bottoms]}: {e}"
        ) from e
    return x, y, tape


def _dtype_for(layer, bottoms):
    """Return the torch.dtype in which the layer gets its bottoms."""
    if layer.precision is Precision.AS_HELD:
        first = bottoms[0]
        return first.dtype if isinstance(first, torch.Tensor) else first.synced_data.dtype
    return torch.float32 if layer.precision is Precision.FLOAT32 else device.precision()


def _address(tensor):
    """Return the address of a tensor's storage, which all its views share."""
    return tensor.untyped_storage().data_ptr()


def _leaf(tensor, overwritten, wanted):
    """Return a leaf for autograd: a copy if the layer's own top will overwrite the memory."""
    tensor = tensor.clone() if overwritten else tensor.detach()
    return tensor.requires_grad_(wanted)


def backward(
    layer: LayerType,
    tape: Tape | None,
    bottoms: Blobs,
    params: Blobs,
    tops: Blobs,
    down: Sequence[bool],
    overwrite: Sequence[bool],
    learns: Sequence[bool],
) -> None:
    """Propagate the tops' diffs through a layer; add to the diffs of its weights.

    Parameters
    ----------
    layer : LayerType
    tape : Tape or None
        The record of the layer's last forward; not needed by stateful layers.
    bottoms, tops : sequence of Blob
    params : sequence of Blob
    down : sequence of bool
        Per bottom, whether it gets a gradient.
    overwrite : sequence of bool
        Per bottom, whether the gradient overwrites its diff or is added to it.
    learns : sequence of bool
        Per param, whether it gets a gradient, which is always added.

    Raises
    ------
    LayerError
        If there is no tape, or the shapes have changed since it was recorded.
    """
    if isinstance(layer, StatefulLayer):
        _stateful_backward(layer, bottoms, tops, down, overwrite)
        return
    if tape is None:
        raise layer.error("backward needs the results of forward: call forward first")
    leaves = [t for t, d in zip(tape.bottoms, down) if d]
    leaves += [t for t, d in zip(tape.params, learns) if d]
    if not leaves:
        return
    traced, diffs = [], []
    for y, blob in zip(tape.tops, tops):
        if y is not None and y.requires_grad:
            diff = blob.synced_diff.tensor(y.device, y.dtype)
            traced.append(y)
            # a reshape to the same shape may lose channels-last strides
            diffs.append(diff if diff.shape == y.shape else diff.reshape(y.shape))
    gradients: Sequence[torch.Tensor | None] = [None] * len(leaves)
    if traced:
        try:
            gradients = torch.autograd.grad(
                traced, leaves, diffs, retain_graph=True, allow_unused=True
            )
        except FOREIGN as e:
            raise layer.error(f"cannot run backward: was it reshaped since forward? ({e})") from e
    unshared = _unshared(gradients, diffs)
    for blob, d, begins in zip(bottoms, down, overwrite):
        if d:
            _write_diff(blob, next(unshared), begins)
    for blob, d in zip(params, learns):
        if d:
            _write_diff(blob, next(unshared), False)


def _unshared(gradients, diffs):
    """Yield the gradients, copied if memory is shared: a sum has one gradient for all bottoms."""
    in_use = {_address(t) for t in diffs}
    for gradient in gradients:
        if gradient is not None:
            if _address(gradient) in in_use:
                gradient = gradient.clone()
            in_use.add(_address(gradient))
        yield gradient


def _write_diff(blob, gradient, overwrite):
    """Overwrite the blob's diff with `gradient` (None for zero), or add it."""
    diff = blob.synced_diff
    if gradient is None:
        if not overwrite:
            return
        gradient = torch.zeros(blob.shape)
    if not overwrite and not diff.blank:
        gradient = gradient + diff.tensor(gradient.device, gradient.dtype)
    diff.put(gradient)


def _stateful_backward(layer, bottoms, tops, down, overwrite):
    """Run the layer's own backward, which overwrites diffs; add the old ones where asked for."""
    old = [
        b.diff.copy() if d and not begins else None
        for b, d, begins in zip(bottoms, down, overwrite)
    ]
    layer.run_backward(tops, down, bottoms)
    for blob, before in zip(bottoms, old):
        if before is not None:
            blob.diff[...] += before
