"""Net: a graph of layers with its blobs and weights, run whole or stage by stage.

The interface is pycaffe's. What differs on purpose: a blob that feeds several layers is one blob
(no Split copies), so `forward(start=...)` never sees a stale copy; and a stage whose inputs were
never computed, or at another input size, is an error instead of a wrong answer.
"""
import os
from collections import OrderedDict

from . import device, engine, weights
from .blob import Blob, BlobVec
from .errors import CaffeError, ShapeMismatch, StaleInput
from .fillers import fill
from .graph import Graph, net_state
from .layer_types.python import Python
from .prototxt import read_net
from .proto import caffe_pb2


class LayerView:
    """What `net.layers` shows of a layer: its `type`, `name` and learned `blobs`."""

    def __init__(self, layer, blobs):
        self.type, self.name, self.blobs = layer.spec.type, layer.name, blobs


class Net:
    """Net(path, phase, level=0, stages=None, weights=None), or Net(path, weights, phase).

    path: a .prototxt file; weights: a .caffemodel or .caffemodel.h5 file; phase: caffe.TRAIN or
    caffe.TEST. blobs and params are ordered dicts of Blob and of lists of Blobs.
    Errors: the named exceptions of `caffe.errors`, which say layer, file and fix.
    """

    def __init__(self, path, *args, phase=None, level=0, stages=None, weights=None):
        if len(args) == 2 and not isinstance(args[0], int):
            weights, phase = args
        elif args:
            phase, level, stages, weights = list(args) + [level, stages, weights][len(args) - 1:]
        if phase not in (caffe_pb2.TRAIN, caffe_pb2.TEST):
            raise CaffeError('Net(%r, ...): phase must be caffe.TRAIN or caffe.TEST, is %r'
                             % (path, phase))
        self._build(read_net(os.fspath(path)), phase, level, stages)
        if weights:
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
        self.blobs = OrderedDict((name, Blob()) for name in self._graph.blobs)
        self.params = OrderedDict()
        self._shared = {}           # parameter name -> (owner, Blob), for weights shared by name
        self._learned = []          # (Blob, lr_mult, decay_mult), each shared blob once
        self._geometry = {}         # layer index -> (bottom shapes, Geometry)
        self._tapes = {}            # layer index -> engine.Tape of its last forward
        self._made = {}             # blob name -> (its shape, {input: shape}) when last computed
        self._param_blobs = []
        for i, layer in enumerate(self._graph.layers):
            self._set_up(i, layer)
        self._graph.plan_gradients([[m for _, m in blobs] for blobs in self._param_blobs])
        for name, weight in self._graph.loss_weights.items():
            if weight:
                self.blobs[name].diff[...] = weight
        self.layers = [layer.user if isinstance(layer, Python) else
                       LayerView(layer, BlobVec(b for b, _ in blobs))
                       for layer, blobs in zip(self._graph.layers, self._param_blobs)]

    def _set_up(self, i, layer):
        bottoms, tops = self._ends(i)
        if isinstance(layer, Python):
            layer.setup(bottoms, tops)
            made = [(b, ()) for b in layer.user.blobs]
        else:
            made = layer.param_shapes([b.shape for b in bottoms])
        self._param_blobs.append([self._param(layer, k, *m) for k, m in enumerate(made)])
        if self._param_blobs[i]:
            self.params[layer.name] = BlobVec(b for b, _ in self._param_blobs[i])
        self._reshape_layer(i, setting_up=True)

    def _param(self, layer, k, made, filler):
        """(Blob, lr_mult) for learned blob k of a layer: a new one, or its namesake's."""
        if k < len(layer.spec.param):
            spec = layer.spec.param[k]
        else:
            spec = caffe_pb2.ParamSpec()
        if spec.name and spec.name in self._shared:
            owner, blob = self._shared[spec.name]
            shape = made.shape if isinstance(made, Blob) else made
            permissive = spec.share_mode == caffe_pb2.ParamSpec.PERMISSIVE
            if blob.shape != tuple(shape) and not (permissive and blob.count == Blob(*shape).count):
                raise layer.error('shares %r with layer %r, but needs shape %s where that is %s'
                                  % (spec.name, owner, tuple(shape), blob.shape), ShapeMismatch)
            return blob, spec.lr_mult
        if isinstance(made, Blob):
            blob = made
        else:
            blob = Blob(*made)
            blob.synced_data.put(fill(filler, made, layer.name))
        if spec.name:
            self._shared[spec.name] = layer.name, blob
        self._learned.append((blob, spec.lr_mult, spec.decay_mult))
        return blob, spec.lr_mult

    # what the net is made of

    inputs = property(lambda self: list(self._graph.inputs), doc='names of the Input layers\' tops')
    outputs = property(lambda self: list(self._graph.outputs), doc='names of blobs nobody reads')
    name = property(lambda self: self._name, doc='name in the prototxt')
    _layer_names = property(lambda self: [layer.name for layer in self._graph.layers])
    blob_loss_weights = property(lambda self: OrderedDict(
        (b, self._graph.loss_weights[b]) for b in self.blobs), doc='blob name -> weight in the loss')
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
        """Give layer i's tops their shapes, and return its Geometry."""
        layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
        if isinstance(layer, Python):
            layer.reshape(bottoms, tops)
            return None
        shapes = [b.shape for b in bottoms]
        known = self._geometry.get(i)
        if not known or known[0] != shapes:
            known = self._geometry[i] = shapes, layer.geometry(shapes)
            self._check_params(layer, shapes)
        if layer.spec.type != 'Input' or setting_up:
            for name, blob, shape in zip(self._graph.tops[i], tops, known[1].tops):
                if blob.shape != tuple(shape):
                    blob.clear(shape)
                    if self._graph.loss_weights[name]:
                        blob.diff[...] = self._graph.loss_weights[name]
        return known[1]

    def _check_params(self, layer, shapes):
        """The weights were shaped for the first bottoms; ShapeMismatch where new ones do not fit."""
        for blob, (wanted, _) in zip(self.params.get(layer.name, ()), layer.param_shapes(shapes)):
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
        wanted = (self._graph.tops[last] if end is not None else self.outputs) + list(blobs or [])
        self._check_names(wanted)
        if inputs:
            self._feed(inputs)
        self.forward_range(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def forward_range(self, first=0, last=None):
        """Run layers by index, both inclusive, and hand nothing to the host."""
        for i in range(first, len(self.layers) if last is None else last + 1):
            self._forward_layer(i)

    def loss(self):
        """Sum over blobs of loss weight times content, as of the last forward."""
        return sum(weight * float(self.blobs[name].synced_data.tensor(device.device()).sum())
                   for name, weight in self._graph.loss_weights.items() if weight)

    def _check_names(self, names):
        for name in names:
            if name not in self.blobs:
                raise CaffeError('the net has no blob %r; it has %s' % (name, ' '.join(self.blobs)))

    def _feed(self, inputs):
        if set(inputs) != set(self.inputs):
            raise CaffeError('forward was given inputs %s, the net takes %s'
                             % (sorted(inputs), sorted(self.inputs)))
        for name, array in inputs.items():
            if tuple(array.shape) != self.blobs[name].shape:
                raise ShapeMismatch('input %r has shape %s, its blob %s: call net.blobs[%r].reshape '
                                    'first' % (name, array.shape, self.blobs[name].shape, name))
            self.blobs[name].data[...] = array

    def _forward_layer(self, i):
        layer, (bottoms, tops) = self._graph.layers[i], self._ends(i)
        stamp = self._check_fresh(i)
        geometry = self._reshape_layer(i)
        params = self.params.get(layer.name, ())
        down = self._graph.down[i] if self._graph.need[i] else None
        if layer.spec.type != 'Input':
            self._tapes[i] = engine.forward(layer, geometry, bottoms, params, tops, down)
        for name, blob in zip(self._graph.tops[i], tops):
            made_from = {name: blob.shape} if not bottoms else stamp
            self._made[name] = blob.shape, made_from

    def _check_fresh(self, i):
        """{input: shape} that layer i's bottoms were computed from; StaleInput where they do not
        hold for the inputs as they are now. A blob that the user filled by hand counts as made."""
        stamp = {}
        for name in self._graph.bottoms[i]:
            blob = self.blobs[name]
            if name in self._graph.inputs:
                stamp[name] = blob.shape
                continue
            shape, made_from = self._made.get(name, (None, {}))
            if shape != blob.shape:
                if blob.synced_data.blank:
                    self._stale(i, name, 'has not been computed%s'
                                % (' since the net was reshaped' if shape else ''))
                made_from = {}
            for source, size in made_from.items():
                if self.blobs[source].shape != size:
                    self._stale(i, name, 'was computed from %r of shape %s, which is %s now'
                                % (source, size, self.blobs[source].shape))
            stamp.update(made_from)
        return stamp

    def _stale(self, i, blob, why):
        maker = next(n for n, tops in self.top_names.items() if blob in tops)
        raise self._graph.layers[i].error('its bottom %r %s: run forward from layer %r or before it'
                                          % (blob, why, maker), StaleInput)

    # backward

    def backward(self, diffs=None, start=None, end=None, **top_diffs):
        """Propagate diffs from layer `start` (default the last) down to `end`, both inclusive.

        diffs: names of blobs whose diff to return besides the inputs' (or the bottoms of `end`);
        top_diffs: arrays for all outputs' diffs, by name. Param diffs add up until
        `clear_param_diffs`. Returns {name: array}.
        """
        last = self._layer_index(start, 'start') if start is not None else len(self.layers) - 1
        first = self._layer_index(end, 'end') if end is not None else 0
        wanted = (self._graph.bottoms[first] if end is not None else self.inputs) + list(diffs or [])
        self._check_names(wanted)
        if top_diffs and set(top_diffs) != set(self.outputs):
            raise CaffeError('backward was given diffs of %s, the net\'s outputs are %s'
                             % (sorted(top_diffs), self.outputs))
        for name, array in top_diffs.items():
            if tuple(array.shape) != self.blobs[name].shape:
                raise ShapeMismatch('diff of %r has shape %s, its blob %s'
                                    % (name, array.shape, self.blobs[name].shape))
            self.blobs[name].diff[...] = array
        self.backward_range(last, first)
        return {name: self.blobs[name].diff for name in wanted}

    def backward_range(self, last=None, first=0):
        """Propagate through layers by index, both inclusive, and hand nothing to the host."""
        for i in range(len(self.layers) - 1 if last is None else last, first - 1, -1):
            if self._graph.need[i]:
                self._backward_layer(i)

    def _backward_layer(self, i):
        bottoms, tops = self._ends(i)
        params = [b for b, _ in self._param_blobs[i]]
        learns = [self._graph.force_backward or bool(m) for _, m in self._param_blobs[i]]
        engine.backward(self._graph.layers[i], self._tapes.get(i), bottoms, params, tops,
                        self._graph.down[i], self._graph.first[i], learns)

    def clear_param_diffs(self):
        """Set the diffs of all learned blobs to zero."""
        for blob, _, _ in self._learned:
            blob.synced_diff.clear(blob.shape)

    # weights

    def copy_from(self, path):
        """Copy weights by layer name from a .caffemodel or .caffemodel.h5 file.

        Layers that the file lacks keep their values, layers that only the file has are passed over;
        WeightsError where the file is damaged or a shape differs, and then nothing was copied.
        """
        weights.load(self, os.fspath(path))

    load_hdf5 = copy_from

    def save(self, path):
        """Write the weights as a .caffemodel."""
        weights.save(self, os.fspath(path))

    def save_hdf5(self, path):
        """Write the weights as HDF5, /data/{layer}/{i}."""
        weights.save_hdf5(self, os.fspath(path))

    def share_with(self, other):
        """Use `other`'s memory for the weights of layers of the same name."""
        for name, blobs in self.params.items():
            for mine, theirs in zip(blobs, other.params.get(name, ())):
                if mine.shape != theirs.shape:
                    raise ShapeMismatch('share_with: layer %r has weights %s here, %s there'
                                        % (name, mine.shape, theirs.shape))
                mine.share_data(theirs)
