"""NetModule: a net, or a range of its layers, as a torch.nn.Module over the same weights.

`Net.to_module` makes it. PyTorch's tools for modules then work on Caffe nets: autograd,
torch.optim, torch.export, ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from caffe import layer_types
from caffe.blobs import device
from caffe.blobs.holders import NetWithWeights
from caffe.errors import CaffeError, DeviceError
from caffe.layer_types.base import LayerType, StatefulLayer, Tops
from caffe.proto import caffe_pb2
from caffe.weights.state_dict import as_torch, names

STATISTICS = ("sum_mean", "sum_var", "scale_factor")  # BatchNorm's blobs


class LayerModule(nn.Module):
    """One layer over its blobs.

    Blobs that learn are Parameters. Blobs with lr_mult 0 are Parameters that require no gradient,
    statistics are buffers.

    Parameters
    ----------
    layer : LayerType
    tensors : sequence of torch.Tensor
        The learned blobs, in the shapes of torch's modules.
    """

    def __init__(self, layer: LayerType, tensors: Sequence[torch.Tensor]):
        super().__init__()
        spec = caffe_pb2.LayerParameter()
        spec.CopyFrom(layer.spec)
        self._by_training = {
            training: layer_types.make(spec, _phase(layer, training)) for training in (True, False)
        }
        self._names = [_blob_name(layer, k) for k in range(len(tensors))]
        for name, tensor in zip(self._names, tensors):
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(name, tensor)
            else:
                self.register_buffer(name, tensor)

    def forward(self, *bottoms: torch.Tensor) -> Tops:
        """Compute the tops; in train mode, update the statistics as well.

        Parameters
        ----------
        *bottoms : torch.Tensor

        Returns
        -------
        tuple of torch.Tensor or None
            One entry per top; None for a top that the layer leaves unchanged.

        Raises
        ------
        LayerError
            If the layer cannot run on bottoms of these shapes.
        CaffeError
            If the module is being traced.
        """
        _refuse_tracing()
        layer = self._by_training[self.training]
        shapes = [tuple(b.shape) for b in bottoms]
        tensors = [getattr(self, name) for name in self._names]
        params = [as_torch(layer, k, t) for k, t in enumerate(tensors)]
        geometry = layer.geometry(shapes)
        for blob, (shape, _) in zip(params, layer.param_shapes(shapes)):
            if tuple(blob.shape) != tuple(shape):
                raise layer.mismatch(
                    f"its weights are {tuple(blob.shape)}, but inputs of shapes {shapes} need "
                    f"{tuple(shape)}"
                )
        try:
            results = layer.forward(geometry, list(bottoms), params)
        except CaffeError:
            raise
        except RuntimeError as e:  # torch's message does not name the layer
            raise layer.error(f"cannot run on inputs of shapes {shapes}: {e}") from e
        tops = results[: len(layer.spec.top)]
        with torch.no_grad():
            for tensor, statistic in zip(tensors, results[len(tops) :]):
                tensor.copy_(statistic)
        return tops

    def extra_repr(self) -> str:
        """Return type, bottoms and tops, which `print(module)` shows."""
        spec = self._by_training[True].spec
        return f"{spec.type}, {', '.join(spec.bottom)} -> {', '.join(spec.top)}"


class NetModule(nn.Module):
    """A range of a Net's layers in order, over its weights.

    On the CPU the module shares the net's memory: training one changes the other. A module that is
    moved (`.to`) or copied (`copy.deepcopy`) has weights of its own. The memory is the one that the
    net had when the module was made, even if `Net.share_with` later gives the net another.

    `eval()` and `train()` select ``caffe.TEST`` and ``caffe.TRAIN`` for Dropout and BatchNorm; the
    initial mode is the net's phase. They do not change which layers there are.

    Blobs with lr_mult 0 are parameters that require no gradient; other multipliers only concern
    solvers. BatchNorm's blobs are buffers in Caffe's form: sum_mean, sum_var, scale_factor. Losses
    are not weighted.

    An exported module (torch.export, ONNX) has fixed sizes, which torch.export checks. Layers that
    check the numbers they read (labels, Embed) cannot be exported, nor can ArgMax with top_k above
    1 to ONNX. Tracing (torch.jit.trace, torch.onnx.export with dynamo=False) is refused: it takes
    some sizes for constants, and the traced module gives wrong values without an error.

    Parameters
    ----------
    net : Net
    first, last : int
        Numbers of layers, both inclusive.

    Attributes
    ----------
    input_names : list of str
        The blobs that the range reads from outside, in the order in which it reads them.
    output_names : list of str
        The blobs of the range that later layers read or that no layer reads.

    Raises
    ------
    CaffeError
        If `first` comes after `last`.
    LayerError
        If one of the layers is a Python layer or a data source.
    DeviceError
        In GPU mode.
    """

    def __init__(self, net: NetWithWeights, first: int, last: int):
        super().__init__()
        graph = net._graph
        if first > last:
            raise CaffeError(
                f"to_module: layer {graph.layers[first].name!r}, the start, comes after "
                f"{graph.layers[last].name!r}, the end"
            )
        if device.device().type != "cpu":
            raise DeviceError(
                "to_module shares memory with the net on the CPU only: call "
                'caffe.set_mode_cpu() first; module.to("cuda") then makes it a copy'
            )
        layers = graph.layers[first : last + 1]
        for layer in layers:
            _check_allowed(layer)
        self._layers = [layer.name for layer in layers if layer.spec.type != "Input"]
        self.input_names, self.output_names = _inputs_and_outputs(net, first, last)
        shared: dict[int, torch.Tensor] = {}  # id of Blob -> its Parameter or buffer
        for layer in layers:
            if layer.spec.type != "Input":
                tensors = [
                    shared.setdefault(id(blob), _tensor(net, layer, k, blob))
                    for k, blob in enumerate(net.params.get(layer.name, ()))
                ]
                # not add_module, which refuses dots and names that PyTorch uses itself
                self._modules[layer.name] = LayerModule(layer, tensors)
        self._edges = {
            layer.name: (list(layer.spec.bottom), list(layer.spec.top)) for layer in layers
        }
        self.train(graph.phase == caffe_pb2.TRAIN)

    def forward(
        self, *inputs: torch.Tensor, **named: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """Run the layers.

        Parameters
        ----------
        *inputs : torch.Tensor
            Values of `input_names`, in that order.
        **named : torch.Tensor
            The remaining ones, by name.

        Returns
        -------
        torch.Tensor or dict of str to torch.Tensor
            The output if there is one, else the outputs by name.

        Raises
        ------
        CaffeError
            If the arguments are not the inputs of the range, or the module is being traced.
        """
        _refuse_tracing()
        blobs = self._checked_inputs(inputs, named)
        for name in self._layers:
            bottoms, tops = self._edges[name]
            module = self._modules[name]
            results = module(*[blobs[b] for b in bottoms])  # type: ignore[misc]  # is never None
            blobs.update((top, t) for top, t in zip(tops, results) if t is not None)
        if len(self.output_names) == 1:
            return blobs[self.output_names[0]]
        return {name: blobs[name] for name in self.output_names}

    def _checked_inputs(self, inputs, named):
        """Return the arguments as {blob: float tensor}."""
        tensors = dict(zip(self.input_names, inputs)) | named
        if len(inputs) + len(named) != len(tensors) or set(tensors) != set(self.input_names):
            raise CaffeError(
                f"the module takes the blobs {' '.join(self.input_names)}, in this order or by "
                f"name; it was given {len(inputs)} in order and by name {sorted(named) or 'none'}"
            )
        for name, tensor in tensors.items():
            if not isinstance(tensor, torch.Tensor):
                raise CaffeError(
                    f"input {name!r} is a {type(tensor).__name__}: give a torch.Tensor"
                )
        return {name: t if t.is_floating_point() else t.float() for name, t in tensors.items()}


def _refuse_tracing():
    """Raise CaffeError while TorchScript records the module."""
    if torch.jit.is_tracing():
        raise CaffeError(
            "a module of Net.to_module cannot be traced by TorchScript, which gives sizes that are "
            "wrong: use torch.onnx.export(..., dynamo=True) in place of dynamo=False, and "
            "torch.export.export(module, inputs) in place of torch.jit.trace"
        )


def _phase(layer, training):
    """Return the phase of a layer in train or eval mode, unless its prototxt fixes one."""
    if layer.spec.HasField("phase"):
        return layer.spec.phase
    return caffe_pb2.TRAIN if training else caffe_pb2.TEST


def _blob_name(layer, k):
    known = STATISTICS if layer.spec.type == "BatchNorm" else names(layer)
    return known[k] if k < len(known) else str(k)


def _tensor(net, layer, k, blob):
    """Return the blob's memory as a Parameter, or as a plain tensor if it is a statistic."""
    tensor = as_torch(layer, k, torch.from_numpy(blob.data))
    if layer.spec.type == "BatchNorm":
        return tensor
    lr_mult = next(w.lr_mult for w in net._learned if w.blob is blob)
    return nn.Parameter(tensor, requires_grad=lr_mult != 0)


def _check_allowed(layer):
    """Raise LayerError if a layer cannot be part of a module."""
    if layer.spec.type == "Python":
        raise layer.error(
            "computes in numpy, which autograd cannot trace: take a range without it "
            "(to_module(start=, end=)), or rewrite it as a torch.nn.Module"
        )
    source = not layer.spec.bottom and layer.spec.type not in ("Input", "Parameter")
    if source or isinstance(layer, StatefulLayer):
        raise layer.error(
            "reads or writes data of its own: begin after it "
            "(to_module(start=...)) and pass its tops to the module as inputs"
        )


def _inputs_and_outputs(net, first, last):
    """Return the names of the blobs that a range of layers reads from outside, and of its outputs.

    The inputs are in reading order. Outputs are read after the range or by no layer.
    """
    graph = net._graph
    inputs, written, unread = [], set(), set()
    for layer in graph.layers[first : last + 1]:
        if layer.spec.type == "Input":
            inputs += [top for top in layer.spec.top if top not in inputs]
            continue
        inputs += [b for b in dict.fromkeys(layer.spec.bottom) if b not in written | set(inputs)]
        unread.difference_update(layer.spec.bottom)
        written.update(layer.spec.top)
        unread.update(layer.spec.top)
    read_later = {b for bottoms in graph.bottoms[last + 1 :] for b in bottoms}
    return inputs, [name for name in net.blobs if name in unread | (written & read_later)]
