"""Net: a graph of layers with its blobs and weights, run whole or stage by stage.

The interface is pycaffe's. What differs on purpose: a blob that feeds several layers is one blob
(no Split copies), so `forward(start=...)` never sees a stale copy; and a stage whose inputs were
never computed, or at another input size, is an error instead of a wrong answer.
"""
import os
from collections import OrderedDict, defaultdict

from . import device, engine, memory, state_dict, weights, weights_hdf5
from .blob import Blob, BlobVec, refusal
from .callbacks import Callbacks
from .errors import CaffeError, ShapeMismatch
from .freshness import Freshness
from .graph import Graph, net_state
from .layer_types.python import Python
from .layer_types.stateful import StatefulLayer
from .learned import LearnedBlobs, learns
from .module import NetModule
from .net_arguments import constructor_arguments, fill
from .net_batches import Batches
from .net_indices import Indices
from .proto import caffe_pb2
from .prototxt import read_net
from .split_names import NamedBlobs, copies


class LayerView:
    """What `net.layers` shows of a layer: its `type`, `name` and learned `blobs`."""

    def __init__(self, layer, blobs):
        self.type, self.name, self.blobs = layer.spec.type, layer.name, blobs


class Net(Batches, Callbacks, Indices):
    """Net(path, phase, level=0, stages=None, weights=None), or Net(path, weights, phase).

    path: a .prototxt file; weights: see `copy_from`; phase: caffe.TRAIN or caffe.TEST. blobs and
    params are ordered dicts of Blob and of lists of Blobs.
    Errors: the named exceptions of `caffe.errors`, which say layer, file and fix.
    """

    def __init__(self, network_file, *args, phase=None, level=0, stages=None, weights=None):
        phase, level, stages, weights = constructor_arguments(args, phase, level, stages, weights)
        if phase not in (caffe_pb2.TRAIN, caffe_pb2.TEST):
            raise CaffeError('Net(%r, ...): phase must be caffe.TRAIN or caffe.TEST, is %r'
                             % (str(network_file), phase))
        self._build(read_net(os.fspath(network_file)), phase, level, stages)
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def from_param(cls, param, phase, level=0, stages=None):
        """A Net from a NetParameter in memory (solvers hold their nets so)."""
        net = cls.__new__(cls)
        net._build(param, phase, level, stages)
        return net

    def _build(self, param, phase, level, stages):
        self._name = param.name
        self._graph = Graph(param, net_state(param, phase, level, stages))
        self.blobs = NamedBlobs(((name, Blob()) for name in self._graph.blobs), copies(
            self._layer_names, self._graph.bottoms, self._graph.tops, self._graph.loss_weights))
        self.params = OrderedDict()
        self._learned = LearnedBlobs()
        self._callbacks = defaultdict(list)
        self._geometry = {}         # layer index -> (bottom shapes, Geometry)
        self._tapes = {}            # layer index -> engine.Tape of its last forward
        self._freshness = Freshness(self._graph, self.blobs)
        self._last_reader = {}      # blob name -> place of the reader that wrote its diff last
        for i, layer in enumerate(self._graph.layers):
            self._set_up(i, layer)
        self._learned.fill_all()
        for i, layer in enumerate(self._graph.layers):
            self._put_initial(i, layer)
        self._graph.plan_gradients([
            [learns(layer, k) for k in range(len(self.params.get(layer.name, ())))]
            for layer in self._graph.layers])
        self.layers = [layer.user if isinstance(layer, Python) else
                       LayerView(layer, self.params.get(layer.name, BlobVec()))
                       for layer in self._graph.layers]

    def _set_up(self, i, layer):
        bottoms, tops = self._ends(i)
        stateful = isinstance(layer, StatefulLayer)
        if stateful:
            layer.setup(bottoms, tops)
            made = [(blob, None) for blob in layer.blobs]
        else:
            made = layer.ask(layer.param_shapes, [b.shape for b in bottoms])
        blobs = BlobVec(self._learned.add(layer, k, *m) for k, m in enumerate(made))
        if blobs:
            if layer.name != layer.spec.name:
                raise layer.error('two layers are called %r, and this one has weights, which go by '
                                  'the name: rename one' % layer.spec.name)
            self.params[layer.name] = blobs
        if stateful:
            layer.blobs = blobs    # those shared by name are another layer's
        self._reshape_layer(i, setting_up=True)
        if layer.hands_out_params:
            for top, blob in zip(tops, blobs):
                top.share_data(blob)
            self._freshness.record(i, {})

    def _put_initial(self, i, layer):
        """What the tops hold before the first forward; all sizes are known and checked by now."""
        known = self._geometry.get(i)    # stateful layers have none
        for blob, tensor in zip(self._ends(i)[1], layer.initial(known[1]) if known else ()):
            if tensor is not None:
                blob.synced_data.put(tensor)
                self._freshness.record(i, {})

    # what the net is made of

    inputs = property(lambda self: list(self._graph.inputs), doc='names of the Input layers\' tops')
    outputs = property(lambda self: list(self._graph.outputs), doc='names of blobs nobody reads')
    name = property(lambda self: self._name, doc='name in the prototxt')
    _layer_names = property(lambda self: [layer.name for layer in self._graph.layers])
    blob_loss_weights = property(lambda self: OrderedDict(
        (b, self._graph.loss_weights[b]) for b in self.blobs), doc='blob name -> loss weight')
    top_names = property(lambda self: OrderedDict(zip(self._layer_names, self._graph.tops)),
                         doc='layer name -> names of its tops')
    bottom_names = property(lambda self: OrderedDict(zip(self._layer_names, self._graph.bottoms)),
                            doc='layer name -> names of its bottoms')
    layer_dict = property(lambda self: OrderedDict(zip(self._layer_names, self.layers)),
                          doc='layer name -> layer')

    def _ends(self, i):
        """The Blobs below and above layer i."""
        return ([self.blobs[n] for n in self._graph.bottoms[i]],
                [self.blobs[n] for n in self._graph.tops[i]])

    def _layer_index(self, name, what):
        try:
            return self._graph.index[name]
        except KeyError:
            raise CaffeError('%s=%r: the net has no layer of that name; it has %s'
                             % (what, name, ' '.join(self._layer_names))) from None

    # shapes

    def reshape(self):
        """Propagate the inputs' shapes through all layers."""
        for i in range(len(self._graph.layers)):
            self._reshape_layer(i)

    def _reshape_layer(self, i, setting_up=False):
        """Give layer i's tops their shapes, and return its Geometry (None for a stateful layer)."""
        layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
        before = [b.shape for b in tops]
        if isinstance(layer, StatefulLayer):
            layer.reshape(bottoms, tops)
            geometry = None
        else:
            geometry = self._geometry_of(i, layer, [b.shape for b in bottoms])
            if setting_up or layer.spec.type != 'Input':
                for name, blob, shape in zip(self._graph.tops[i], tops, map(tuple, geometry.tops)):
                    fits = blob.shape == shape or layer.content_sized and not setting_up and (
                        blob.shape[1:] == shape[1:] and blob.shape[0] <= shape[0])
                    if not fits:
                        blob.clear(shape)
                        self._freshness.forget(name)
        self._weigh(i, [None] * len(tops) if setting_up else before)
        return geometry

    def _weigh(self, i, before):
        """Write the loss weights of layer i's tops to their diffs, where the shape is new."""
        for name, shape in zip(self._graph.tops[i], before):
            weight, blob = self._graph.loss_weights[name], self.blobs[name]
            if weight and blob.shape != shape:
                memory.check(blob.count, 'the loss %r takes' % name)
                blob.diff[...] = weight

    def _geometry_of(self, i, layer, shapes):
        """The Geometry for bottoms of these shapes, checked; kept until they change."""
        known = self._geometry.get(i)
        if not known or known[0] != shapes:
            geometry = layer.ask(layer.geometry, shapes)
            for name, shape in zip(self._graph.tops[i], geometry.tops):
                if problem := refusal(shape):
                    raise layer.mismatch('its top %r %s' % (name, problem))
            self._check_params(layer, shapes)
            known = self._geometry[i] = shapes, geometry
        return known[1]

    def _check_params(self, layer, shapes):
        """ShapeMismatch where bottoms of new shapes need weights of other shapes."""
        asked = layer.ask(layer.param_shapes, shapes)
        for blob, (wanted, _) in zip(self.params.get(layer.name, ()), asked):
            if blob.shape != tuple(wanted):
                raise layer.mismatch('its weights are %s, but bottoms of shapes %s need %s'
                                     % (blob.shape, shapes, tuple(wanted)))

    # forward

    def forward(self, blobs=None, start=None, end=None, **inputs):
        """Run layers `start` to `end`, both inclusive; what is not run keeps what it held.

        blobs: names to return besides the outputs; inputs: arrays for all input blobs, by name.
        Returns {name: array} of the net's outputs, or of `end`'s tops, and of `blobs`; the arrays
        are views that the next forward overwrites. StaleInput where a layer's bottom was never
        computed, or for another input size.
        """
        first = self._layer_index(start, 'start') if start is not None else 0
        last = self._layer_index(end, 'end') if end is not None else len(self.layers) - 1
        wanted = self._graph.tops[last] if end is not None else self.outputs
        wanted = [*wanted, *(blobs or [])]
        self._check_names(wanted)
        if inputs:
            self._feed(inputs)
        self.forward_range(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def forward_range(self, first=0, last=None):
        """Run layers by index, both inclusive, and hand nothing to the host."""
        for i in range(first, len(self.layers) if last is None else last + 1):
            self._called('forward', i, self._forward_layer)

    def loss(self):
        """Sum over blobs of loss weight times content, as of the last forward."""
        return sum(weight * float(self.blobs[name].synced_data.tensor(device.device()).sum())
                   for name, weight in self._graph.loss_weights.items() if weight)

    def _check_names(self, names):
        for name in names:
            if name not in self.blobs and name not in self.blobs.copies:
                raise CaffeError('the net has no blob %r; it has %s' % (name, ' '.join(self.blobs)))

    def _feed(self, inputs):
        if set(inputs) != set(self.inputs):
            raise CaffeError('forward was given inputs %s, the net takes %s'
                             % (sorted(inputs), sorted(self.inputs)))
        for name, array in inputs.items():
            fill(self.blobs[name].data, array, 'input %r' % name,
                 ': call net.blobs[%r].reshape first' % name)

    def _forward_layer(self, i):
        layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
        sources = self._freshness.check(i)
        geometry = self._reshape_layer(i)
        params = self.params.get(layer.name, ())
        down = self._graph.down[i] if self._graph.need[i] else None
        if device.device() == device.CPU and not all(b.synced_data.held for b in tops):
            memory.check(sum(b.count for b in tops), 'layer %r needs' % layer.name)
        if layer.spec.type != 'Input':
            before = [b.shape for b in tops]
            self._tapes[i] = engine.forward(layer, geometry, bottoms, params, tops, down)
            self._weigh(i, before)    # a content_sized layer has only now given its tops a shape
        self._freshness.record(i, sources)

    # backward

    def backward(self, diffs=None, start=None, end=None, **top_diffs):
        """Propagate diffs from layer `start` (default the last) down to `end`, both inclusive.

        diffs: names of blobs whose diff to return besides the inputs' (or the bottoms of `end`);
        top_diffs: arrays for all outputs' diffs, by name. Param diffs add up until
        `clear_param_diffs`. Returns {name: array}. Layers of a stage asked for by name that never
        ran forward take their gradient at what their bottoms hold.
        """
        last = self._layer_index(start, 'start') if start is not None else len(self.layers) - 1
        first = self._layer_index(end, 'end') if end is not None else 0
        wanted = self._graph.bottoms[first] if end is not None else self.inputs
        wanted = [*wanted, *(diffs or [])]
        self._check_names(wanted)
        if top_diffs and set(top_diffs) != set(self.outputs):
            raise CaffeError('backward was given diffs of %s, the net\'s outputs are %s'
                             % (sorted(top_diffs), self.outputs))
        for name, array in top_diffs.items():
            fill(self.blobs[name].diff, array, 'the diff of %r' % name)
        if start is not None or end is not None:
            self._trace_missing(first, last)
        self.backward_range(last, first)
        return {name: self.blobs[name].diff for name in wanted}

    def backward_range(self, last=None, first=0):
        """Propagate through layers by index, both inclusive, and hand nothing to the host."""
        for i in range(len(self.layers) - 1 if last is None else last, first - 1, -1):
            self._called('backward', i, self._backward_layer)

    def _trace_missing(self, first, last):
        """Give the layers that never ran forward the tapes that their backward needs."""
        for i in range(first, last + 1):
            layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
            if self._graph.need[i] and i not in self._tapes \
                    and not isinstance(layer, StatefulLayer):
                geometry = self._geometry_of(i, layer, [b.shape for b in bottoms])
                self._tapes[i] = engine.trace(layer, geometry, bottoms,
                                              self.params.get(layer.name, ()), tops,
                                              self._graph.down[i])

    def _backward_layer(self, i):
        if not self._graph.need[i]:
            return
        layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
        params, down = self.params.get(layer.name, ()), self._graph.down[i]
        wanted = [self._graph.force_backward or learns(layer, k) for k in range(len(params))]
        for name in self._graph.tops[i]:
            self._last_reader.pop(name, None)    # an in-place top is another blob from here down
        first = [d and self._begins(name, (-i, j))
                 for j, (name, d) in enumerate(zip(self._graph.bottoms[i], down))]
        engine.backward(layer, self._tapes.get(i), bottoms, params, tops, down, first, wanted)

    def _begins(self, name, place):
        """True where the reader at `place` overwrites the blob's diff, False where it adds to it.

        place: (- layer index, bottom index), which grows on the way down. A place that comes after
        the last one adds; any other begins a new sweep, whole or from a stage. To begin the sweep
        of a blob that is a loss and is read as well is to add to its loss weight.
        """
        begins = place <= self._last_reader.get(name, place)
        self._last_reader[name] = place
        weight = self._graph.loss_weights[name]
        if begins and weight:
            self.blobs[name].diff[...] = weight
        return begins and not weight

    def clear_param_diffs(self):
        """Set the diffs of all learned blobs to zero."""
        for learned in self._learned:
            learned.blob.synced_diff.clear(learned.blob.shape)

    # weights

    def copy_from(self, source):
        """Copy weights by layer name from a .caffemodel or .caffemodel.h5 file, or from memory: a
        NetParameter, or the bytes of such a file.

        Layers that the file lacks keep their values, layers that only the file has are passed over;
        WeightsError where the file is damaged or a shape differs, and then nothing was copied.
        """
        weights.load(self, source)

    load_hdf5 = copy_from

    def save(self, path):
        """Write the weights as a .caffemodel."""
        weights.save(self, os.fspath(path))

    def save_hdf5(self, path):
        """Write the weights as HDF5, /data/{layer}/{i}."""
        weights_hdf5.save(self, os.fspath(path))

    def share_with(self, other):
        """Use `other`'s memory for the weights of layers of the same name."""
        for name, blobs in self.params.items():
            theirs = other.params.get(name, blobs)
            if [b.shape for b in blobs] != [b.shape for b in theirs]:
                raise ShapeMismatch('share_with: layer %r has weights %s here, %s there' % (
                    name, [b.shape for b in blobs], [b.shape for b in theirs]))
            for mine, source in zip(blobs, theirs):
                mine.share_data(source)

    # PyTorch

    def state_dict(self):
        """The weights as {`layer.weight`: tensor}, the net's own memory (see caffe/state_dict)."""
        return state_dict.state_dict(self)

    def load_state_dict(self, source, strict=True):
        """Copy weights from such a dict or a file of torch.save, all or none (caffe/state_dict)."""
        return state_dict.load(self, source, strict)

    def to_module(self, start=None, end=None):
        """Layers `start` to `end`, both inclusive, as a NetModule (see it) over the same weights,
        for autograd, torch.optim and ONNX."""
        first = self._layer_index(start, 'start') if start is not None else 0
        last = self._layer_index(end, 'end') if end is not None else len(self.layers) - 1
        return NetModule(self, first, last)
