"""A net, or a range of its layers, as a torch.nn.Module over the same weights: `Net.to_module`.

What PyTorch offers for modules then works on Caffe nets: autograd, torch.optim, torch.export, ONNX.
"""

import torch
from torch import nn

from caffe import layer_types
from caffe.blobs import device
from caffe.errors import CaffeError, DeviceError
from caffe.layer_types.base import StatefulLayer
from caffe.proto import caffe_pb2
from caffe.weights.state_dict import as_torch, names

STATISTICS = ("sum_mean", "sum_var", "scale_factor")


class LayerModule(nn.Module):
    """One layer over its blobs; forward takes its bottoms and returns the tuple of its tops.

    Blobs that learn are Parameters, those of lr_mult 0 Parameters that ask for no gradient,
    statistics buffers.
    """

    def __init__(self, layer, tensors):
        """tensors: the learned blobs, already of the shapes of torch's modules."""
        super().__init__()
        spec = caffe_pb2.LayerParameter()
        spec.CopyFrom(layer.spec)
        self._at = {
            training: layer_types.make(spec, _phase(layer, training)) for training in (True, False)
        }
        self._names = [_name(layer, k) for k in range(len(tensors))]
        for name, tensor in zip(self._names, tensors):
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(name, tensor)
            else:
                self.register_buffer(name, tensor)

    def forward(self, *bottoms):
        """The tops; at train time statistics take what the batch adds to them."""
        layer = self._at[self.training]
        shapes = [tuple(b.shape) for b in bottoms]
        kept = [getattr(self, name) for name in self._names]
        params = [as_torch(layer, k, t) for k, t in enumerate(kept)]
        geometry = layer.geometry(shapes)
        for blob, (shape, _) in zip(params, layer.param_shapes(shapes)):
            if tuple(blob.shape) != tuple(shape):
                raise layer.mismatch(
                    f"its weights are {tuple(blob.shape)}, but inputs of shapes {shapes} need {tuple(shape)}"
                )
        try:
            made = layer.forward(geometry, list(bottoms), params)
        except CaffeError:
            raise
        except RuntimeError as e:  # torch's own words do not say which layer they are about
            raise layer.error(f"cannot run on inputs of shapes {shapes}: {e}") from e
        tops = made[: len(layer.spec.top)]
        with torch.no_grad():
            for blob, new in zip(kept, made[len(tops) :]):
                blob.copy_(new)
        return tops

    def extra_repr(self):
        """Type, name, bottoms and tops, for print(module)."""
        spec = self._at[True].spec
        return "{}, {} -> {}".format(spec.type, ", ".join(spec.bottom), ", ".join(spec.top))


class NetModule(nn.Module):
    """Layers of a Net in order, over its weights: on the CPU what trains the one changes the other;
    moved elsewhere (`.to`, copy.deepcopy) the module is a copy. It keeps the memory of its making,
    also where share_with gives the net another's later.

    input_names: the blobs that the range reads from outside, in the order it reads them.
    output_names: those it makes that are read after it, or by nobody.
    forward takes the former as tensors in that order, or by name, and returns the latter: a tensor
    where that is one, else {name: tensor}. Losses are not weighted.
    eval() and train() choose caffe.TEST and caffe.TRAIN for Dropout and BatchNorm; at first the
    mode is the net's phase. Which layers there are stays what that phase chose.
    Blobs of lr_mult 0 are parameters that ask for no gradient; other multipliers are for solvers.
    BatchNorm's blobs are buffers as Caffe keeps them: sum_mean, sum_var, scale_factor.
    An exported module (torch.export, ONNX) has fixed sizes; layers that check numbers they read
    (labels, Embed) cannot be exported, nor ArgMax of top_k above 1 to ONNX.
    """

    def __init__(self, net, first, last):
        """first, last: indices of layers, both inclusive. LayerError where one of them is Python or
        a source of data, CaffeError where they are in the wrong order or the mode is GPU.
        """
        super().__init__()
        if first > last:
            raise CaffeError(
                f"to_module: layer {net._layer_names[first]!r}, the start, comes after {net._layer_names[last]!r}, the end"
            )
        if device.device().type != "cpu":
            raise DeviceError(
                "to_module shares memory with the net on the CPU only: call "
                'caffe.set_mode_cpu() first; module.to("cuda") then makes it a copy'
            )
        graph = net._graph
        layers = graph.layers[first : last + 1]
        for layer in layers:
            _refuse(layer)
        self._layers = [layer.name for layer in layers if layer.spec.type != "Input"]
        self.input_names, self.output_names = _ends(net, first, last)
        shared = {}  # id of Blob -> its Parameter or buffer
        for layer in layers:
            if layer.spec.type != "Input":
                tensors = [
                    shared.setdefault(id(blob), _tensor(net, layer, k, blob))
                    for k, blob in enumerate(net.params.get(layer.name, ()))
                ]
                # not add_module, which refuses names that PyTorch uses, and dots
                self._modules[layer.name] = LayerModule(layer, tensors)
        self._edges = {
            layer.name: (list(layer.spec.bottom), list(layer.spec.top)) for layer in layers
        }
        self.train(graph.phase == caffe_pb2.TRAIN)

    def forward(self, *inputs, **named):
        """The one output, or {name: tensor} where there are several."""
        blobs = self._taken(inputs, named)
        for name in self._layers:
            bottoms, tops = self._edges[name]
            made = self._modules[name](*[blobs[b] for b in bottoms])
            blobs.update((top, t) for top, t in zip(tops, made) if t is not None)
        if len(self.output_names) == 1:
            return blobs[self.output_names[0]]
        return {name: blobs[name] for name in self.output_names}

    def _taken(self, inputs, named):
        """{blob: tensor} of the arguments; CaffeError where they are not the range's inputs."""
        given = dict(zip(self.input_names, inputs)) | named
        if len(inputs) + len(named) != len(given) or set(given) != set(self.input_names):
            raise CaffeError(
                "the module takes the blobs %s, in this order or by name; it was "
                "given %d in order and by name %s"
                % (" ".join(self.input_names), len(inputs), sorted(named) or "none")
            )
        for name, tensor in given.items():
            if not isinstance(tensor, torch.Tensor):
                raise CaffeError(
                    f"input {name!r} is a {type(tensor).__name__}: give a torch.Tensor"
                )
        return {name: t if t.is_floating_point() else t.float() for name, t in given.items()}


def _phase(layer, training):
    """The phase of a layer; one that its prototxt fixes stays."""
    if layer.spec.HasField("phase"):
        return layer.spec.phase
    return caffe_pb2.TRAIN if training else caffe_pb2.TEST


def _name(layer, k):
    known = STATISTICS if layer.spec.type == "BatchNorm" else names(layer)
    return known[k] if k < len(known) else str(k)


def _tensor(net, layer, k, blob):
    """The blob's memory as a Parameter, or as a buffer where it is a statistic."""
    tensor = as_torch(layer, k, torch.from_numpy(blob.data))
    if layer.spec.type == "BatchNorm":
        return tensor
    lr_mult = next(w.lr_mult for w in net._learned if w.blob is blob)
    return nn.Parameter(tensor, requires_grad=lr_mult != 0)


def _refuse(layer):
    """CaffeError where a layer cannot be part of a module."""
    if layer.spec.type == "Python":
        raise layer.error(
            "works in numpy, where autograd cannot follow: take a range without it "
            "(to_module(start=, end=)), or rewrite it as a torch.nn.Module"
        )
    source = not layer.spec.bottom and layer.spec.type not in ("Input", "Parameter")
    if source or isinstance(layer, StatefulLayer):
        raise layer.error(
            "reads or writes data of its own: begin after it "
            "(to_module(start=...)) and give the module its tops as inputs"
        )


def _ends(net, first, last):
    """(inputs, outputs) of a range of layers: the blobs that it reads and does not make, in the
    order it reads them; those it makes that are read after it, or by nobody.
    """
    graph = net._graph
    inputs, made, unread = [], set(), set()
    for layer in graph.layers[first : last + 1]:
        if layer.spec.type == "Input":
            inputs += [top for top in layer.spec.top if top not in inputs]
            continue
        inputs += [b for b in dict.fromkeys(layer.spec.bottom) if b not in made | set(inputs)]
        unread.difference_update(layer.spec.bottom)
        made.update(layer.spec.top)
        unread.update(layer.spec.top)
    later = {b for bottoms in graph.bottoms[last + 1 :] for b in bottoms}
    return inputs, [name for name in net.blobs if name in unread | (made & later)]
