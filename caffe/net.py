"""Net: a graph of layers with its blobs and weights, run whole or stage by stage.

The interface is pycaffe's. Two things differ on purpose. A blob that feeds several layers is one
blob (no Split copies), so `forward(start=...)` never sees a stale copy. A stage whose inputs were
never computed, or were computed for another input size, raises an error instead of returning wrong
values.
"""

import logging
import os
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from typing import Any, NoReturn, overload

import numpy as np
import numpy.typing as npt
import torch

from caffe.blobs import device
from caffe.blobs.blob import Blob, BlobVec
from caffe.blobs.by_name import ByName
from caffe.blobs.learned import LearnedBlobs, learns
from caffe.definition.prototxt import read_net
from caffe.definition.split_names import NamedBlobs, copies
from caffe.definition.upgrade import current_form
from caffe.engine import debug_info
from caffe.engine.changes.changed import changed_windows, check_tolerance, one_window
from caffe.engine.changes.increment import Increment
from caffe.engine.changes.incremental import Incremental
from caffe.engine.executor import Executor
from caffe.engine.net_reach import NetReach
from caffe.engine.one_caller import OneCaller
from caffe.errors import CaffeError, LayerError, NoCopy, ShapeMismatch
from caffe.files import shown
from caffe.graph import Graph, net_state
from caffe.layer_types.base import NO_SHAPE, StatefulLayer
from caffe.layer_types.data.memory_data import MemoryData
from caffe.layer_types.python import Python
from caffe.net_arguments import (
    check_given,
    check_numbers,
    check_order,
    check_state,
    constructor_arguments,
    copied,
    fill,
    names_of,
)
from caffe.net_rows import Rows, batches, check_rows, concatenated
from caffe.net_structure import LayerView, NetStructure
from caffe.old_names import IN_NET, missing
from caffe.proto import caffe_pb2
from caffe.torch_module import NetModule
from caffe.weights import caffemodel, hdf5, state_dict
from caffe.weights.files import PathLike
from caffe.weights.state_dict import Loaded

Weights = PathLike | bytes | caffe_pb2.NetParameter
Arrays = dict[str, np.ndarray]
Changed = Any  # a mask, a window, several windows, a dict of these, or None
# arrays passed on as **keywords: mypy would check a dict of arrays against `start` and `end` too
Keywords = dict[str, Any]
log = logging.getLogger("caffe")


class Net(NetStructure):
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

    Raises
    ------
    CaffeError
        A named exception of `caffe.errors`, whose message says layer, file and fix.

    Notes
    -----
    A net serves one thread at a time: calls from a second one while the first is in a method that
    runs or changes the net raise NetInUse.
    """

    _executor: Executor
    _incremental: Incremental
    _increment: Increment
    _one_caller: OneCaller

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
        phase, level, stages, weights = constructor_arguments(args, phase, level, stages, weights)
        stages = check_state(f"Net({shown(network_file)!r}, ...)", phase, level, stages)
        self._build(read_net(network_file), phase, level, stages)
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
            The definition, in the format of any time.
        phase, level, stages
            As for the class.
        """
        stages = check_state("Net.from_param", phase, level, stages)
        net = cls.__new__(cls)
        net._build(current_form(param), phase, level, stages)
        return net

    def _build(self, param, phase, level, stages):
        self._name = param.name
        self._called = f"net {param.name!r}" if param.name else "this net"  # in messages
        self._one_caller = OneCaller(self._called)
        self._warned = set()  # blobs of which `backward` has said that they get no diff
        self._graph = Graph(param, net_state(param, phase, level, stages))
        self._blobs_by_name = NamedBlobs(
            ((name, Blob()) for name in self._graph.blobs),
            copies(
                self._layer_names, self._graph.bottoms, self._graph.tops, self._graph.loss_weights
            ),
        )
        self._params = OrderedDict()
        self._learned = LearnedBlobs()
        self._callbacks = defaultdict(list)
        self._debug_info = param.debug_info  # a solver sets it for its nets
        self._executor = Executor(self._graph, self.blobs, self._params)
        self._incremental, self._increment = Incremental(self._executor), Increment()
        for i, layer in enumerate(self._graph.layers):
            try:
                self._set_up(i, layer)
            except LayerError as e:
                bottoms = self._executor.ends(i)[0]
                if not (self._graph.unshaped and NO_SHAPE in [b.shape for b in bottoms]):
                    raise
                inputs = " ".join(map(repr, sorted(self._graph.unshaped)))
                fix = f"give the input {inputs} a shape, input_param {{ shape {{ dim: ... }} }}"
                raise type(e)(f"{e}; {fix}") from None
        self._learned.fill_all()
        for i, layer in enumerate(self._graph.layers):
            self._put_initial(i, layer)
        self._graph.plan_gradients(
            [
                [learns(layer, k) for k in range(len(self._params.get(layer.name, ())))]
                for layer in self._graph.layers
            ]
        )
        self._layers = [
            layer.user
            if isinstance(layer, Python)
            else LayerView(layer.spec.type, layer.name, self._params.get(layer.name, BlobVec()))
            for layer in self._graph.layers
        ]
        for blobs in self._params.values():
            blobs.fixed = True
        self._top_names = self._by_layer(self._graph.tops)
        self._bottom_names = self._by_layer(self._graph.bottoms)
        self._layer_dict = self._by_layer(self._layers)
        self._params_by_name = ByName(
            self._params.items(),
            "layer with weights",
            "weights",
            "write net.params[{name}][0].data[...] = array",
        )

    def _by_layer(self, values):
        pairs = zip(self._layer_names, values)
        return ByName(pairs, "layer", "layers", "change the prototxt and make another Net")

    def _set_up(self, i, layer):
        """Create layer i's learned blobs and give its tops their first shapes."""
        bottoms, tops = self._executor.ends(i)
        stateful = isinstance(layer, StatefulLayer)
        if stateful:
            layer.setup(bottoms, tops)
            wanted = [(blob, None) for blob in layer.blobs]
        else:
            wanted = layer.ask(layer.param_shapes, [b.shape for b in bottoms])
        blobs = BlobVec(self._learned.add_all(layer, wanted))
        if blobs:
            if layer.name != layer.spec.name:
                raise layer.error(
                    f"two layers are called {layer.spec.name!r}, and this one has weights, which "
                    "are found by layer name: rename one"
                )
            self._params[layer.name] = blobs
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

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Raise NoCopy: open files and the objects of Python layers have no copy."""
        raise NoCopy(
            f"{self._called} cannot be copied or pickled: make another with caffe.Net(path, "
            "phase), in the process that uses it, and give it the weights with "
            "other.share_with(net) or other.load_state_dict(net.state_dict()); a state_dict can "
            "be pickled"
        )

    def __getattr__(self, name: str) -> NoReturn:
        """Raise AttributeError; for a name of another version of pycaffe it says what to use."""
        raise missing("a Net", name, IN_NET)

    # Forward

    def reshape(self) -> None:
        """Propagate the inputs' shapes through all layers."""
        with self._one_caller:
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
        with self._one_caller:
            first, last = self._range(start, end)
            check_order("forward", start or "", end or "", first, last)
            tops = self._graph.tops[last] if end is not None else self.outputs
            wanted = [*tops, *names_of(blobs, "forward: blobs")]
            self._check_names(wanted)
            if inputs:
                self._feed(inputs)
            self._forward_range(first, last, wanted)
            return {name: self.blobs[name].data for name in wanted}

    def forward_range(self, first: int = 0, last: int | None = None) -> None:
        """Run layers `first` to `last` by number, both inclusive; copies no blob to the host."""
        last = len(self.layers) - 1 if last is None else last
        check_numbers("forward", first, last, len(self.layers))
        with self._one_caller:
            self._forward_range(first, last)

    def _forward_range(self, first, last, wanted=()):
        if self._layer_by_layer():
            for i in range(first, last + 1):
                self._run_layer("forward", i, self._executor.forward_layer)
        else:
            self._check_names(self.keep)
            copies = self.blobs.copies
            wanted = [copies.get(name, name) for name in wanted]
            self._executor.forward_range(first, last, wanted)

    @property
    def keep(self) -> set[str]:
        """Names of blobs that forward keeps though no other layer reads them. Not part of pycaffe.

        A range of layers that runs forward only is run as one, and what lies between its layers is
        not kept; reading it (`net.blobs[name].data`) computes it again from what the range read,
        and the next forward keeps it. A blob that is named here is kept from the first forward on.
        """
        return self._executor.keep

    @keep.setter
    def keep(self, names: Iterable[str]) -> None:
        names = set(names_of(names, "net.keep"))
        self._check_names(names)
        self._executor.keep = names

    def forward_incremental(
        self,
        blobs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        changed: Changed = None,
        tolerance: float = 0,
        exact: bool = False,
        **inputs: npt.ArrayLike,
    ) -> Arrays:
        """Do what `forward` does, but compute only what has changed. Not part of pycaffe.

        The inputs are compared with those that were used last, and only what the pixels that
        differ reach is computed; all else is kept. Any range may be run at any time: a range that
        is skipped gathers its changes until it runs. `increment` then says what was computed.

        The first call, one after `forward`, and one after weights or blobs were written, computes
        all that this concerns. Layers that cannot run on a part of their bottoms run whole if
        these have changed (InnerProduct, losses, Python layers and others), as do layers that
        take part in backward, and all layers while callbacks are set.

        Parameters
        ----------
        blobs, start, end, **inputs
            As in `forward`.
        changed : optional
            Where inputs have changed, if you know: then nothing is compared, and all other pixels
            count as unchanged. A bool mask H x W, a window ((top, bottom), (left, right)) or a list
            of windows, ends exclusive, or a dict of these by the name of the input.
        tolerance : float
            Values of an input that differ by at most that much, from those that were last used,
            count as unchanged; `increment.ignored` reports the largest such difference. All blobs
            are then exactly those of the input that was used.
        exact : bool
            Give the same bits as `forward` with all blobs in `keep`: layers whose sums are rounded
            otherwise in a window run whole. Without it, values agree to 2e-5 of the largest of
            their blob.

        Returns
        -------
        dict of str to numpy.ndarray
            As `forward` does.

        Raises
        ------
        StaleInput
            If a layer's bottom was never computed, or was computed for another input size.
        CaffeError
            If `changed` or `tolerance` cannot be used.
        """
        with self._one_caller:
            called = "forward_incremental"
            first, last = self._range(start, end)
            check_order(called, start or "", end or "", first, last)
            tops = self._graph.tops[last] if end is not None else self.outputs
            wanted = [*tops, *names_of(blobs, f"{called}: blobs")]
            self._check_names(wanted)
            if inputs:
                self._feed(inputs)
            windows = changed_windows(changed, {n: self.blobs[n].shape for n in self.inputs})
            check_tolerance(tolerance)
            if self._layer_by_layer() or not self._incremental.possible:
                self.forward_range(first, last)
                self._increment = self._incremental.all_of(first, last)
            else:
                self._increment = self._incremental.run(first, last, windows, tolerance, exact)
            return {name: self.blobs[name].data for name in wanted}

    @property
    def increment(self) -> Increment:
        """What the last `forward_incremental` found to have changed, and computed."""
        return self._increment

    def multiply_adds(self, changed: Changed = None) -> dict[str, int]:
        """Count the multiply-adds of each layer, all or those that a change of inputs reaches.

        Not part of pycaffe. Layers with dense weights count: Convolution, Deconvolution,
        InnerProduct.

        Parameters
        ----------
        changed : optional
            As in `forward_incremental`; inputs that a dict leaves out have not changed. If not
            given, all multiply-adds are counted, at the present shapes.

        Returns
        -------
        dict of str to int
            By layer name.
        """
        with self._one_caller:
            self.reshape()
            executor, shapes = self._executor, {n: self.blobs[n].shape for n in self.inputs}
            reach = NetReach(executor.graph, executor.blobs, executor.params, executor.geometry)
            windows = None if changed is None else one_window(changed_windows(changed, shapes))
            return reach.all_multiply_adds(windows)

    # The names that scripts for pycaffe use for ranges by number.

    def _forward(self, first, last):
        """Run layers by number, both inclusive; return the loss."""
        self.forward_range(first, last)
        return self.loss()

    def _backward(self, last, first):
        """Propagate diffs through layers by number, both inclusive."""
        self.backward_range(last, first)

    def loss(self) -> float:
        """Return the sum over blobs of loss weight times values, as of the last forward."""
        return sum(
            weight * float(self.blobs[name].synced_data.tensor(device.device()).sum())
            for name, weight in self._graph.loss_weights.items()
            if weight
        )

    def _feed(self, inputs):
        check_given(inputs, self.inputs, "forward was given inputs", ("blobs", "start", "end"))
        for name, array in inputs.items():
            fill(name, self.blobs[name].data, array, f"input {name!r}", resizable=True)

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

        Notes
        -----
        Without `force_backward: true` in the prototxt, gradients go no further down than weights
        that learn. If that leaves out one of the diffs to return, this is logged as a warning.
        """
        with self._one_caller:
            first, last = self._range(end, start)
            check_order("backward", start or "", end or "", first, last)
            bottoms = self._graph.bottoms[first] if end is not None else self.inputs
            wanted = [*bottoms, *names_of(diffs, "backward: diffs")]
            self._check_names(wanted)
            if top_diffs:
                given = "backward was given diffs of the outputs"
                check_given(top_diffs, self.outputs, given, ("diffs", "start", "end"))
            for name, array in top_diffs.items():
                what = f"the diff of {name!r}"
                fill(name, self.blobs[name].diff, array, what, resizable=False)
            if start is not None or end is not None:
                self._executor.trace_missing(first, last)
            self.backward_range(last, first)
            self._warn_of_no_gradient(wanted, top_diffs, first, last)
            return {name: self.blobs[name].diff for name in wanted}

    def _warn_of_no_gradient(self, wanted, top_diffs, first, last):
        """Log, once for each blob, that no gradient came to it, or that none went down from it."""
        graph = self._graph
        cut = [
            n for n in wanted if n not in self._warned and graph.gets_no_gradient(n, first, last)
        ]
        deaf = [n for n in top_diffs if n not in self._warned and graph.has_no_backward(n)]
        self._warned.update(cut, deaf)
        if cut:
            log.warning(
                "backward of %s: no layer propagates a gradient to %s, so what is returned for "
                "it is what its diff held before, zero at first: add `force_backward: true` to the "
                "prototxt",
                self._called,
                " ".join(map(repr, cut)),
            )
        elif deaf:
            log.warning(
                "backward of %s: the diff given for %s goes to no layer, as the net has no "
                "loss above weights that learn: add `force_backward: true` to the prototxt",
                self._called,
                " ".join(map(repr, deaf)),
            )

    def backward_range(self, last: int | None = None, first: int = 0) -> None:
        """Propagate from layer `last` down to `first` by number; copies no blob to the host."""
        last = len(self.layers) - 1 if last is None else last
        check_numbers("backward", first, last, len(self.layers))
        with self._one_caller:
            for i in range(last, first - 1, -1):
                self._run_layer("backward", i, self._executor.backward_layer)

    def clear_param_diffs(self) -> None:
        """Set the diffs of all learned blobs to zero."""
        with self._one_caller:
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

    def _layer_by_layer(self):
        """Tell whether somebody watches each layer run forward, so that none may be fused."""
        watchers = (self._callbacks[f"{when}_forward"] for when in ("before", "after"))
        return self._debug_info or any(watchers)

    def _run_layer(self, direction, i, run):
        """Call run(i) between the callbacks of `direction`."""
        for function in self._callbacks["before_" + direction]:
            function(i)
        run(i)
        if self._debug_info:
            debug_info.say_layer(direction, self._graph, i, self.blobs, self.params)
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

    _set_input_arrays = set_input_arrays  # the name of the C++ function, which scripts use too

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
        with self._one_caller:
            blobs = names_of(blobs, "forward_all: blobs")
            check_rows(self.inputs, inputs)
            size, n = self.blobs[self.inputs[0]].shape[0], len(inputs[self.inputs[0]])
            results = [
                copied(self.forward(blobs=blobs, **batch)) for batch in batches(inputs, size)
            ]
            return concatenated(results, n, size)

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
        blobs = names_of(blobs, "forward_backward_all: blobs")
        diffs = names_of(diffs, "forward_backward_all: diffs")
        tops = {name: rows for name, rows in arrays.items() if name in self.outputs}
        inputs = {name: rows for name, rows in arrays.items() if name not in tops}
        check_rows(self.inputs, inputs, tops)
        values, gradients = [], []
        no_diffs: Keywords = {}
        size, n = self.blobs[self.inputs[0]].shape[0], len(inputs[self.inputs[0]])
        pairs = zip_longest(batches(inputs, size), batches(tops, size), fillvalue=no_diffs)
        with self._one_caller:
            for batch, top_diffs in pairs:
                values.append(copied(self.forward(blobs=blobs, **batch)))
                gradients.append(copied(self.backward(diffs=diffs, **top_diffs)))
            return concatenated(values, n, size), concatenated(gradients, n, size)

    # Weights

    def copy_from(self, source: Weights) -> None:
        """Copy weights by layer name.

        Layers that the source lacks keep their weights, and are named in a warning with those that
        only the source has.

        Parameters
        ----------
        source : path, bytes or NetParameter
            A .caffemodel or .caffemodel.h5 file, the bytes of one, or a message in memory.

        Raises
        ------
        WeightsError
            If the file is damaged, a shape differs or no layer has the name of one of the net. No
            weight has changed then.
        """
        with self._one_caller:
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

        If no layer has the name of one of `other`, this is logged as a warning.

        Raises
        ------
        ShapeMismatch
            If the shapes of such weights differ. Nothing is shared then.
        """
        if not isinstance(other, Net):
            raise CaffeError(f"share_with takes a Net, not {type(other).__name__}")
        with self._one_caller:
            pairs = [pair for name in self.params for pair in self._shared_with(other, name)]
            if self.params and not pairs:
                log.warning(
                    "share_with shares nothing: no layer with weights of %s (%s) has the name of "
                    "one of the other (%s)",
                    self._called,
                    " ".join(self.params),
                    " ".join(other.params) or "none",
                )
            before = [mine.synced_data for mine, _ in pairs]
            try:
                for mine, source in pairs:
                    mine.share_data(source)
            except BaseException:  # KeyboardInterrupt
                for (mine, _), content in zip(pairs, before):
                    mine.synced_data = content
                raise

    def _shared_with(self, other, name):
        """Return [(blob, blob of `other`)] of a layer; raise ShapeMismatch if shapes differ."""
        blobs, theirs = self.params[name], other.params.get(name, ())
        here, there = [b.shape for b in blobs], [b.shape for b in theirs]
        if theirs and here != there:
            raise ShapeMismatch(
                f"share_with: layer {name!r} has weights {here} here, {there} there: nothing was "
                "shared"
            )
        return list(zip(blobs, theirs))

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
        with self._one_caller:
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
