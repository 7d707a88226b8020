"""Net: a graph of layers with its blobs and weights, run whole or stage by stage.

The interface is pycaffe's. Two things differ on purpose. A blob that feeds several layers is one
blob (no Split copies), so `forward(start=...)` never sees a stale copy. A stage whose inputs were
never computed, or were computed for another input size, raises an error instead of returning wrong
values.
"""

import os
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch

from caffe.blobs import device
from caffe.blobs.blob import Blob, BlobVec
from caffe.blobs.learned import LearnedBlobs, learns
from caffe.definition.prototxt import read_net
from caffe.definition.split_names import NamedBlobs, copies
from caffe.engine.executor import Executor
from caffe.errors import CaffeError, ShapeMismatch
from caffe.graph import Graph, net_state
from caffe.layer_types.base import LayerType, StatefulLayer
from caffe.layer_types.data.memory_data import MemoryData
from caffe.layer_types.python import Layer, Python
from caffe.proto import caffe_pb2
from caffe.torch_module import NetModule
from caffe.weights import caffemodel, hdf5, state_dict
from caffe.weights.files import PathLike
from caffe.weights.state_dict import Loaded

Weights = PathLike | bytes | caffe_pb2.NetParameter
Arrays = dict[str, np.ndarray]
Rows = Sequence[npt.ArrayLike] | np.ndarray
# arrays passed on as **keywords: mypy would check a dict of arrays against `start` and `end` too
Keywords = dict[str, Any]


class LayerView:
    """An entry of `net.layers`: the type, name and learned blobs of a layer."""

    def __init__(self, layer: LayerType, blobs: BlobVec):
        self.type: str = layer.spec.type
        self.name: str = layer.name
        self.blobs = blobs


class Net:
    """A net read from a prototxt, with its blobs and weights.

    ``Net(path, phase, level=0, stages=None, weights=None)`` or ``Net(path, weights, phase)``.

    Parameters
    ----------
    network_file : path
        A .prototxt file.
    *args
        Weights and phase, or phase, level, stages and weights, in pycaffe's two orders.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.
    level : int
    stages : iterable of str
        Level and stages that the include and exclude rules of layers are matched against.
    weights : path, bytes or NetParameter
        See `copy_from`.

    Attributes
    ----------
    blobs : OrderedDict of str to Blob
        The blobs by name, in the order in which layers produce them.
    params : OrderedDict of str to list of Blob
        The learned blobs by layer name.
    layers : list
        A `LayerView` per layer, or the user's own object for a Python layer.

    Raises
    ------
    CaffeError
        A named exception of `caffe.errors`, whose message says layer, file and fix.
    """

    blobs: OrderedDict[str, Blob]
    params: OrderedDict[str, BlobVec]
    layers: list[LayerView | Layer]
    _graph: Graph
    _executor: Executor

    @overload
    def __init__(
        self,
        network_file: PathLike,
        phase: int,
        level: int = 0,
        stages: Iterable[str] | None = None,
        weights: Weights | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        network_file: PathLike,
        weights: Weights,
        phase: int,
        level: int = 0,
        stages: Iterable[str] | None = None,
    ) -> None: ...

    def __init__(self, network_file, *args, phase=None, level=0, stages=None, weights=None):
        phase, level, stages, weights = _constructor_arguments(args, phase, level, stages, weights)
        if phase not in (caffe_pb2.TRAIN, caffe_pb2.TEST):
            raise CaffeError(
                f"Net({str(network_file)!r}, ...): phase must be caffe.TRAIN or caffe.TEST, is "
                f"{phase!r}"
            )
        self._build(read_net(os.fspath(network_file)), phase, level, stages)
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def from_param(
        cls,
        param: caffe_pb2.NetParameter,
        phase: int,
        level: int = 0,
        stages: Iterable[str] | None = None,
    ) -> "Net":
        """Return a Net built from a NetParameter in memory, as solvers do.

        Parameters
        ----------
        param : NetParameter
            The definition, in today's form.
        phase, level, stages
            As for the class.
        """
        net = cls.__new__(cls)
        net._build(param, phase, level, stages)
        return net

    def _build(self, param, phase, level, stages):
        self._name = param.name
        self._graph = Graph(param, net_state(param, phase, level, stages))
        self.blobs = NamedBlobs(
            ((name, Blob()) for name in self._graph.blobs),
            copies(
                self._layer_names, self._graph.bottoms, self._graph.tops, self._graph.loss_weights
            ),
        )
        self.params = OrderedDict()
        self._learned = LearnedBlobs()
        self._callbacks = defaultdict(list)
        self._executor = Executor(self._graph, self.blobs, self.params)
        for i, layer in enumerate(self._graph.layers):
            self._set_up(i, layer)
        self._learned.fill_all()
        for i, layer in enumerate(self._graph.layers):
            self._put_initial(i, layer)
        self._graph.plan_gradients(
            [
                [learns(layer, k) for k in range(len(self.params.get(layer.name, ())))]
                for layer in self._graph.layers
            ]
        )
        self.layers = [
            layer.user
            if isinstance(layer, Python)
            else LayerView(layer, self.params.get(layer.name, BlobVec()))
            for layer in self._graph.layers
        ]

    def _set_up(self, i, layer):
        """Create layer i's learned blobs and give its tops their first shapes."""
        bottoms, tops = self._executor.ends(i)
        stateful = isinstance(layer, StatefulLayer)
        if stateful:
            layer.setup(bottoms, tops)
            wanted = [(blob, None) for blob in layer.blobs]
        else:
            wanted = layer.ask(layer.param_shapes, [b.shape for b in bottoms])
        blobs = BlobVec(self._learned.add(layer, k, *w) for k, w in enumerate(wanted))
        if blobs:
            if layer.name != layer.spec.name:
                raise layer.error(
                    f"two layers are called {layer.spec.name!r}, and this one has weights, which "
                    "are found by layer name: rename one"
                )
            self.params[layer.name] = blobs
        if stateful:
            layer.blobs = blobs  # blobs shared by name come from another layer
        self._executor.reshape_layer(i, setting_up=True)
        if layer.hands_out_params:
            for top, blob in zip(tops, blobs):
                top.share_data(blob)
            self._executor.freshness.record(i, {})

    def _put_initial(self, i, layer):
        """Fill the tops that have content before the first forward."""
        known = self._executor.geometry.get(i)  # stateful layers have none
        tops = self._executor.ends(i)[1]
        for blob, tensor in zip(tops, layer.initial(known[1]) if known else ()):
            if tensor is not None:
                blob.synced_data.put(tensor)
                self._executor.freshness.record(i, {})

    # Structure

    @property
    def name(self) -> str:
        """Name in the prototxt."""
        return self._name

    @property
    def inputs(self) -> list[str]:
        """Names of the tops of the Input layers."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the blobs that no layer reads."""
        return list(self._graph.outputs)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """Loss weight by blob name."""
        return OrderedDict((b, self._graph.loss_weights[b]) for b in self.blobs)

    @property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """Names of the tops by layer name."""
        return OrderedDict(zip(self._layer_names, self._graph.tops))

    @property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """Names of the bottoms by layer name."""
        return OrderedDict(zip(self._layer_names, self._graph.bottoms))

    @property
    def layer_dict(self) -> OrderedDict[str, LayerView | Layer]:
        """Layer by name."""
        return OrderedDict(zip(self._layer_names, self.layers))

    _layer_names = property(lambda self: [layer.name for layer in self._graph.layers])

    # Layers and blobs by number, in the order of the net. Scripts for pycaffe use these names.

    _blob_names = property(lambda self: list(self.blobs), doc="Names of the blobs.")
    _blobs = property(lambda self: list(self.blobs.values()), doc="The blobs.")
    _blob_loss_weights = property(
        lambda self: list(self.blob_loss_weights.values()), doc="Loss weight of each blob."
    )
    _inputs = property(lambda self: self._numbers(self.inputs), doc="Numbers of the inputs.")
    _outputs = property(lambda self: self._numbers(self.outputs), doc="Numbers of the outputs.")

    def _bottom_ids(self, layer):
        """Return the numbers of the blobs below layer number `layer`."""
        return self._numbers(self._graph.bottoms[layer])

    def _top_ids(self, layer):
        """Return the numbers of the blobs above layer number `layer`."""
        return self._numbers(self._graph.tops[layer])

    def _numbers(self, names):
        order = {name: i for i, name in enumerate(self.blobs)}
        return [order[name] for name in names]

    def _forward(self, first, last):
        """Run layers by number, both inclusive; return the loss."""
        self.forward_range(first, last)
        return self.loss()

    def _backward(self, last, first):
        """Propagate diffs through layers by number, both inclusive."""
        self.backward_range(last, first)

    def _layer_index(self, name, what):
        try:
            return self._graph.index[name]
        except KeyError:
            raise CaffeError(
                f"{what}={name!r}: the net has no layer of that name; it has "
                f"{' '.join(self._layer_names)}"
            ) from None

    def _range(self, start, end):
        """Return the numbers of the layers `start` and `end`; of the first and last for None."""
        first = self._layer_index(start, "start") if start is not None else 0
        last = self._layer_index(end, "end") if end is not None else len(self.layers) - 1
        return first, last

    def _check_names(self, names):
        """Raise CaffeError unless all names are blobs or BVLC Caffe's names of copies."""
        for name in names:
            try:
                self.blobs[name]
            except KeyError:
                raise CaffeError(
                    f"the net has no blob {name!r}; it has {' '.join(self.blobs)}"
                ) from None

    # Forward

    def reshape(self) -> None:
        """Propagate the inputs' shapes through all layers."""
        for i in range(len(self._graph.layers)):
            self._executor.reshape_layer(i)

    def forward(
        self,
        blobs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: npt.ArrayLike,
    ) -> Arrays:
        """Run layers `start` to `end`, both inclusive; the other layers' tops keep their values.

        Parameters
        ----------
        blobs : iterable of str, optional
            Blobs to return in addition to the outputs.
        start, end : str, optional
            Names of layers; the first and the last if not given.
        **inputs : array_like
            Arrays for all input blobs, by name.

        Returns
        -------
        dict of str to numpy.ndarray
            The net's outputs, or the tops of `end`, and `blobs`. The arrays are float32 views
            that the next forward overwrites.

        Raises
        ------
        StaleInput
            If a layer's bottom was never computed, or was computed for another input size.
        """
        first, last = self._range(start, end)
        wanted = [*(self._graph.tops[last] if end is not None else self.outputs), *(blobs or [])]
        self._check_names(wanted)
        if inputs:
            self._feed(inputs)
        self.forward_range(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def forward_range(self, first: int = 0, last: int | None = None) -> None:
        """Run layers `first` to `last` by number, both inclusive; copies no blob to the host."""
        for i in range(first, len(self.layers) if last is None else last + 1):
            self._run_layer("forward", i, self._executor.forward_layer)

    def loss(self) -> float:
        """Return the sum over blobs of loss weight times values, as of the last forward."""
        return sum(
            weight * float(self.blobs[name].synced_data.tensor(device.device()).sum())
            for name, weight in self._graph.loss_weights.items()
            if weight
        )

    def _feed(self, inputs):
        if set(inputs) != set(self.inputs):
            raise CaffeError(
                f"forward was given inputs {sorted(inputs)}, the net takes {sorted(self.inputs)}"
            )
        for name, array in inputs.items():
            fix = f": call net.blobs[{name!r}].reshape first"
            _fill(self.blobs[name].data, array, f"input {name!r}", fix)

    # Backward

    def backward(
        self,
        diffs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **top_diffs: npt.ArrayLike,
    ) -> Arrays:
        """Propagate diffs from layer `start` down to `end`, both inclusive.

        Parameters
        ----------
        diffs : iterable of str, optional
            Blobs whose diff to return in addition to the inputs' (or the bottoms' of `end`).
        start, end : str, optional
            Names of layers; the last and the first if not given. Layers of such a range that never
            ran forward compute their gradient at the present values of their bottoms.
        **top_diffs : array_like
            Arrays for the diffs of all outputs, by name.

        Returns
        -------
        dict of str to numpy.ndarray
            Diffs by blob name. Diffs of the weights accumulate until `clear_param_diffs`.

        Raises
        ------
        LayerError
            If a layer never ran forward and no range was given.
        """
        last = self._layer_index(start, "start") if start is not None else len(self.layers) - 1
        first = self._layer_index(end, "end") if end is not None else 0
        wanted = [*(self._graph.bottoms[first] if end is not None else self.inputs), *(diffs or [])]
        self._check_names(wanted)
        if top_diffs and set(top_diffs) != set(self.outputs):
            raise CaffeError(
                f"backward was given diffs of {sorted(top_diffs)}, the net's outputs are "
                f"{self.outputs}"
            )
        for name, array in top_diffs.items():
            _fill(self.blobs[name].diff, array, f"the diff of {name!r}")
        if start is not None or end is not None:
            self._executor.trace_missing(first, last)
        self.backward_range(last, first)
        return {name: self.blobs[name].diff for name in wanted}

    def backward_range(self, last: int | None = None, first: int = 0) -> None:
        """Propagate from layer `last` down to `first` by number; copies no blob to the host."""
        for i in range(len(self.layers) - 1 if last is None else last, first - 1, -1):
            self._run_layer("backward", i, self._executor.backward_layer)

    def clear_param_diffs(self) -> None:
        """Set the diffs of all learned blobs to zero."""
        for learned in self._learned:
            learned.blob.synced_diff.clear(learned.blob.shape)

    # Callbacks. Each is called with the layer's number in `layers`. Backward visits all layers,
    # including those that have no gradient to propagate.

    def before_forward(self, function: Callable[[int], object]) -> None:
        """Call `function(number)` before each layer runs forward."""
        self._callbacks["before_forward"].append(function)

    def after_forward(self, function: Callable[[int], object]) -> None:
        """Call `function(number)` after each layer has run forward."""
        self._callbacks["after_forward"].append(function)

    def before_backward(self, function: Callable[[int], object]) -> None:
        """Call `function(number)` before each layer runs backward."""
        self._callbacks["before_backward"].append(function)

    def after_backward(self, function: Callable[[int], object]) -> None:
        """Call `function(number)` after each layer has run backward."""
        self._callbacks["after_backward"].append(function)

    def _run_layer(self, direction, i, run):
        """Call run(i) between the callbacks of `direction`."""
        for function in self._callbacks["before_" + direction]:
            function(i)
        run(i)
        for function in self._callbacks["after_" + direction]:
            function(i)

    # Inputs of any number of rows

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Set the arrays that the MemoryData layer at the beginning of the net reads.

        They are kept by reference and must be float32 in C order.

        Parameters
        ----------
        data : numpy.ndarray
            Shape (n, channels, height, width), n a multiple of the layer's batch size.
        labels : numpy.ndarray
            Shape (n,) or (n, 1, 1, 1).

        Raises
        ------
        CaffeError
            If the first layer is not a MemoryData layer.
        """
        first = self._graph.layers[0] if self._graph.layers else None
        if not isinstance(first, MemoryData):
            actual = f"{first.name!r} ({first.spec.type})" if first else "missing"
            raise CaffeError(
                "set_input_arrays may only be called if the first layer is a MemoryData layer; "
                f"it is {actual}"
            )
        first.set_arrays(data, labels)

    def forward_all(self, blobs: Iterable[str] | None = None, **inputs: Rows) -> Arrays:
        """Run any number of rows forward, one batch at a time.

        Parameters
        ----------
        blobs : iterable of str, optional
            Blobs to return in addition to the outputs.
        **inputs : array or list of array
            Rows for each input of the net, by name.

        Returns
        -------
        dict of str to numpy.ndarray
            All rows of each blob. The last batch is padded with zeros, whose results are dropped.

        Raises
        ------
        CaffeError
            If the padding's results cannot be separated from the others, as in a loss.
        """
        self._check_rows(inputs)
        results = [_copied(self.forward(blobs=blobs, **batch)) for batch in self._batches(inputs)]
        return self._concatenated(results, len(inputs[self.inputs[0]]))

    def forward_backward_all(
        self, blobs: Iterable[str] | None = None, diffs: Iterable[str] | None = None, **arrays: Rows
    ) -> tuple[Arrays, Arrays]:
        """Run any number of rows forward and backward, one batch at a time.

        Parameters
        ----------
        blobs : iterable of str, optional
            Blobs to return in addition to the outputs.
        diffs : iterable of str, optional
            Blobs whose diff to return in addition to the inputs'.
        **arrays : array or list of array
            Rows for each input, as in `forward_all`, and rows of diffs for the net's outputs (none
            if they are losses).

        Returns
        -------
        (dict of str to numpy.ndarray, dict of str to numpy.ndarray)
            Values and diffs.
        """
        tops = {name: rows for name, rows in arrays.items() if name in self.outputs}
        inputs = {name: rows for name, rows in arrays.items() if name not in tops}
        self._check_rows(inputs, tops)
        values, gradients = [], []
        no_diffs: Keywords = {}
        batches = zip_longest(self._batches(inputs), self._batches(tops), fillvalue=no_diffs)
        for batch, top_diffs in batches:
            values.append(_copied(self.forward(blobs=blobs, **batch)))
            gradients.append(_copied(self.backward(diffs=diffs, **top_diffs)))
        n = len(inputs[self.inputs[0]])
        return self._concatenated(values, n), self._concatenated(gradients, n)

    def _check_rows(self, inputs, tops=()):
        """Raise CaffeError unless each input has rows, and all as many."""
        if not inputs or set(inputs) != set(self.inputs):
            raise CaffeError(
                f"rows were given for {sorted(inputs)}, the net takes {sorted(self.inputs)}: give "
                "rows for each input"
            )
        lengths = {name: len(rows) for name, rows in {**inputs, **dict(tops)}.items()}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise ShapeMismatch(f"the numbers of rows must be one or more and agree: {given}")

    def _batches(self, rows: Mapping[str, Rows]) -> Iterator[Keywords]:
        """Yield {name: one batch}, the last one padded with zeros."""
        size = self.blobs[self.inputs[0]].shape[0]
        for begin in range(0, max(map(len, rows.values()), default=0), size):
            batch = {}
            for name, array in rows.items():
                part = np.asarray(array[begin : begin + size])
                batch[name] = np.zeros((size, *part.shape[1:]), part.dtype)
                batch[name][: len(part)] = part
            yield batch

    def _concatenated(self, results, n):
        """Concatenate the arrays of all batches, without the rows that padded the last one."""
        size, arrays = self.blobs[self.inputs[0]].shape[0], {}
        for name in results[0]:
            parts = [np.atleast_1d(result[name]) for result in results]
            if n % size and len(parts[-1]) != size:
                raise CaffeError(
                    f"{name!r} has shape {results[-1][name].shape}, not a row for each of the "
                    f"{size} of a batch: give a multiple of {size} rows, because the last batch "
                    "is otherwise padded with zeros"
                )
            arrays[name] = np.concatenate(parts)[: n if n % size else None]
        return arrays

    # Weights

    def copy_from(self, source: Weights) -> None:
        """Copy weights by layer name.

        Layers that the source lacks keep their weights; layers that only the source has are
        ignored.

        Parameters
        ----------
        source : path, bytes or NetParameter
            A .caffemodel or .caffemodel.h5 file, the bytes of one, or a message in memory.

        Raises
        ------
        WeightsError
            If the file is damaged or a shape differs. No weight has changed then.
        """
        caffemodel.load(self, source)

    load_hdf5 = copy_from

    def save(self, path: PathLike) -> None:
        """Write the weights to `path` as a .caffemodel."""
        caffemodel.save(self, os.fspath(path))

    def save_hdf5(self, path: PathLike) -> None:
        """Write the weights to `path` as HDF5, one dataset /data/{layer}/{i} per blob."""
        hdf5.save(self, os.fspath(path))

    def share_with(self, other: "Net") -> None:
        """Share the weights of layers of the same name: this net uses `other`'s memory from now on.

        Raises
        ------
        ShapeMismatch
            If the shapes of such weights differ.
        """
        for name, blobs in self.params.items():
            theirs = other.params.get(name, blobs)
            here, there = [b.shape for b in blobs], [b.shape for b in theirs]
            if here != there:
                raise ShapeMismatch(
                    f"share_with: layer {name!r} has weights {here} here, {there} there"
                )
            for mine, source in zip(blobs, theirs):
                mine.share_data(source)

    # PyTorch

    def state_dict(self) -> OrderedDict[str, torch.Tensor]:
        """Return the weights under PyTorch's names, `layer.weight` and so on.

        On the CPU the tensors share the net's memory, except the means and variances of BatchNorm,
        which are computed. See `caffe.weights.state_dict` for the names.
        """
        return state_dict.state_dict(self)

    def load_state_dict(
        self, source: Mapping[str, torch.Tensor | np.ndarray] | PathLike, strict: bool = True
    ) -> Loaded:
        """Copy weights from a dict as of `state_dict`, or from a file of torch.save.

        Parameters
        ----------
        source : mapping of str to torch.Tensor or numpy.ndarray, or path
        strict : bool
            Refuse keys that only the net or only the source has.

        Returns
        -------
        Loaded
            The lists `missing_keys` and `unexpected_keys`.

        Raises
        ------
        WeightsError
            If keys or values do not fit. No weight has changed then.
        ShapeMismatch
            If a shape differs. No weight has changed then.
        """
        return state_dict.load(self, source, strict)

    def to_module(self, start: str | None = None, end: str | None = None) -> NetModule:
        """Return layers `start` to `end`, both inclusive, as a torch module over the same weights.

        It works with autograd, torch.optim and ONNX export; see `caffe.torch_module.NetModule`.

        Parameters
        ----------
        start, end : str, optional
            Names of layers; the first and the last if not given.

        Raises
        ------
        CaffeError
            If there is no such layer, or `start` comes after `end`.
        LayerError
            If a layer in the range is a Python layer or a data source.
        DeviceError
            In GPU mode, in which no memory can be shared.
        """
        first, last = self._range(start, end)
        return NetModule(self, first, last)


def _constructor_arguments(args, phase, level, stages, weights):
    """Return (phase, level, stages, weights) from either order of Net's arguments."""
    if args and not isinstance(args[0], int):
        names = "weights", "phase", "level", "stages"
    else:
        names = "phase", "level", "stages", "weights"
    if len(args) > len(names):
        raise CaffeError(
            "Net takes a path, weights and a phase, or a path, a phase, a level, stages and "
            f"weights; {1 + len(args)} arguments were given"
        )
    given = dict(phase=phase, level=level, stages=stages, weights=weights) | dict(zip(names, args))
    return given["phase"], given["level"], given["stages"], given["weights"]


def _fill(target, values, what, fix=""):
    """Write `values` to `target`, which must have as many rows; other axes broadcast as in NumPy.

    Raise CaffeError, beginning with `what` and ending with `fix`, if they do not fit.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeMismatch(f"{what} has no shape: its rows differ in length") from None
    if array.shape[:1] != target.shape[:1] or not _broadcasts(array.shape, target.shape):
        raise ShapeMismatch(f"{what} has shape {array.shape}, its blob {target.shape}{fix}")
    try:
        target[...] = array
    except (TypeError, ValueError) as e:
        raise CaffeError(f"{what} must be numbers: {e}") from None


def _broadcasts(shape, wanted):
    """Return whether NumPy broadcasts an array of this shape to the one wanted."""
    return len(shape) <= len(wanted) and all(
        d in (1, w) for d, w in zip(reversed(shape), reversed(wanted))
    )


def _copied(arrays):
    """Return copies, because the next batch overwrites what forward and backward return."""
    return {name: array.copy() for name, array in arrays.items()}
