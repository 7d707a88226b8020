"""Incremental: run a range of layers on what has changed since each of them last ran.

Every blob is kept. When a layer runs, the windows of its bottoms that have changed since it last
ran reach some windows of its tops (`caffe.engine.reach`). These are computed and written into the
blobs; all else stays. Then the same windows count as changed for each layer that reads these
blobs, now or whenever it runs next. So a range that a clock skips gathers its changes, and nothing
drifts: each value always is what a whole forward would give, up to the order of sums within one
layer.

A layer runs whole, as in a forward of its own, if it cannot be windowed, if it takes part in
backward, if its weights or tops were written by others since, or if so much has changed that
windows would not pay. Layers that run in place belong to the layer that makes their blob: they are
applied to its windows before these are written.
"""

from collections.abc import Iterator, Mapping, Sequence

from caffe.blobs import device
from caffe.engine import compute
from caffe.engine.changes import windowed
from caffe.engine.changes.by_units import ByUnits
from caffe.engine.changes.increment import Increment
from caffe.engine.changes.pending import Pending
from caffe.engine.changes.regions import NOTHING, Region, joined, total
from caffe.engine.changes.split_sums import SplitSums
from caffe.engine.changes.used_input import UsedInput
from caffe.engine.executor import Executor
from caffe.engine.kernels import units
from caffe.engine.kernels.choice import kernels
from caffe.engine.net_reach import multiply_adds
from caffe.engine.packed import Packed
from caffe.engine.reach import (
    LayerReach,
    Window,
    area,
    contains,
    is_restless,
    place,
    reach_of,
    whole,
)
from caffe.layer_types.base import StatefulLayer
from caffe.layer_types.shaping import Crop

WORTH = 0.85  # share of a layer's positions from which it runs whole
MOVING = 3  # frames in a row that change everything, after which not all blobs are kept
STARTING = 5_000_000  # multiply-adds that take as long as a window takes in addition to its own


class Incremental:
    """The windows of one net that have changed since its layers last ran.

    Parameters
    ----------
    executor : Executor
        Of the net.
    """

    def __init__(self, executor: Executor):
        self._executor, self._graph = executor, executor.graph
        self._pending = Pending(executor)
        self._by_units, self._split = ByUnits(executor), SplitSums(executor)
        # layer -> the executor's geometry of it, and what follows
        self._known: dict[int, tuple[object, LayerReach | None, bool]] = {}
        self._setting: tuple = ()
        # a net that writes to its own inputs finds in them what it wrote, not what the user did
        self._overwrites = any(
            set(tops) & set(self._graph.inputs)
            for layer, tops in zip(self._graph.layers, self._graph.tops)
            if layer.spec.type != "Input"
        )
        self._forget()

    @property
    def possible(self) -> bool:
        """Whether the net can run incrementally at all: none of its layers overwrites an input."""
        return not self._overwrites

    def _forget(self):
        """Know nothing: all layers run whole when they run next."""
        self._pending.forget()
        self._used: dict[str, UsedInput] = {}
        self._split.forget()
        self._news: dict[int, list[Region]] = {}  # what had changed below a layer when it last ran
        self._moves: dict[int, int] = {}  # how often in a row that was nearly everything
        self._by_split: int | None = None  # the layer, if its windows are to run by `_split`
        self._inexact = False  # whether a blob holds other bits than a whole run gives

    def run(
        self,
        first: int,
        last: int,
        changed: Mapping[str, Region] | None = None,
        tolerance: float = 0,
        exact: bool = False,
    ) -> Increment:
        """Bring the tops of layers first..last up to date.

        Parameters
        ----------
        first, last : int
            Numbers of layers, both inclusive.
        changed : mapping of str to tuple of Window, optional
            Of inputs, where they have changed. Others are compared with what was used before.
        tolerance : float
            Input values that differ by at most that much count as unchanged.
        exact : bool
            Compute only by windows what gives the same bits as a whole run.

        Raises
        ------
        StaleInput
            As `Executor.forward_layer` does.
        """
        setting = device.device(), device.precision(), kernels(), units.threads()
        if setting != self._setting or exact and self._inexact:
            self._forget()
        self._setting = setting
        done = Increment()
        held = {}
        try:
            self._take_inputs(first, last, changed or {}, tolerance, done)
            for name in done.changed:
                held[name] = self._executor.blobs[name].synced_data
                self._executor.blobs[name].synced_data = self._used[name].synced
            self._run_groups(self._groups(first, last), exact, done)
        except BaseException:  # KeyboardInterrupt too
            self._forget()
            raise
        finally:
            for name, synced in held.items():
                self._executor.blobs[name].synced_data = synced
        return done

    def all_of(self, first: int, last: int) -> Increment:
        """Return what whole forwards of layers first..last, run in another way, have done."""
        done = Increment()
        for i in range(first, last + 1):
            name, (_, tops) = self._graph.layers[i].name, self._executor.ends(i)
            done.computed[name] = tuple({whole(top.shape): None for top in tops})
            done.multiply_adds[name] = self._multiply_adds(i)
        done.all_multiply_adds = sum(done.multiply_adds.values())
        return done

    # Inputs

    def _take_inputs(self, first, last, changed, tolerance, done):
        """Find what has changed in the inputs that the range reads, for all of their readers."""
        read = {
            name
            for i in range(first, last + 1)
            for j, name in enumerate(self._graph.bottoms[i])
            if not (isinstance(self._graph.layers[i], Crop) and j == 1)  # only its shape
        }
        for name in self._graph.inputs:
            if name not in read:
                continue
            now = self._executor.blobs[name].synced_data.tensor(device.CPU)
            used = self._used.setdefault(name, UsedInput())
            region = used.update(now, tolerance, changed.get(name))
            done.changed[name] = region
            done.ignored = max(done.ignored, used.ignored)
            done.ignored_share = max(done.ignored_share, used.ignored_share)
            self._pending.note(name, region)

    # Which layers belong together

    def _groups(self, first: int, last: int) -> Iterator[tuple[int, ...]]:
        """Yield the layers of a range, each with those that run in place on its tops."""
        graph, taken = self._graph, set()
        for i in range(first, last + 1):
            if i in taken:
                continue
            group = [i]
            if len(graph.tops[i]) == 1 and graph.tops[i] != graph.bottoms[i]:
                for k in range(i + 1, last + 1):
                    if graph.tops[k] == graph.tops[i] and graph.bottoms[k] == graph.tops[i]:
                        group.append(k)
                    elif graph.tops[i][0] in graph.bottoms[k]:
                        break  # read by another layer, or made from two blobs in place
            taken.update(group)
            yield tuple(group)

    # Running

    def _run_groups(self, groups, exact, done):
        """Run groups one by one by windows; those that run whole in a row, as one range."""
        due: list[tuple[int, ...]] = []
        for group in groups:
            if self._graph.layers[group[0]].spec.type == "Input":
                self._executor.forward_layer(group[0])
                continue
            below = set(self._graph.bottoms[group[0]])
            made = {name for other in due for name in self._graph.tops[other[0]]}
            region = None if below & made else self._checked(group, exact)
            if region is None:
                due.append(group)
                continue
            self._run_whole(due, exact, done)
            due = []
            self._run_windows(group, region)
            self._count(group, region, done)
            self._pending.ran(group, region)
        self._run_whole(due, exact, done)

    def _checked(self, group, exact):
        """Return the windows of a group to compute, as `_due`, after its shapes are brought up."""
        executor = self._executor
        layers = [self._graph.layers[i] for i in group]
        if any(isinstance(layer, StatefulLayer) for layer in layers):
            return None
        executor.freshness.check(group[0])
        for i in group:
            executor.reshape_layer(i)
        return self._due(group, exact)

    def _run_whole(self, groups, exact, done):
        """Run groups as a whole forward does, and keep all of their tops."""
        executor, graph = self._executor, self._graph
        numbers = sorted(i for group in groups for i in group)
        if not numbers:
            return
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            keep = self._worth_keeping(numbers[0]) or exact  # other plans give other bits
            tops = [name for i in numbers for name in graph.tops[i]] if keep else []
            executor.forward_range(numbers[0], numbers[-1], tops)
        else:
            for i in numbers:
                executor.forward_layer(i)
        for group in groups:
            self._by_units.ran(group)
            self._split.forget(group[0])
            tops = [executor.blobs[name] for name in graph.tops[group[0]]]
            frame = self._by_units.frame(group)
            region = (frame,) if frame else tuple({whole(top.shape): None for top in tops})
            self._count(group, region, done)
            self._pending.ran(group, tuple({whole(top.shape): None for top in tops}))
            if any(_is_skipped(top.synced_data.resting) for top in tops):
                self._pending.drop_tops(group[0])  # to be made again before a window is pasted

    def _worth_keeping(self, i):
        """Tell whether to keep all tops of a range that begins with layer i.

        If the whole bottom changes from frame to frame, as with a moving camera, nothing is gained
        by it, and a range that keeps less runs faster.
        """
        areas = [
            (total(region), area(whole(self._executor.blobs[name].shape)))
            for region, name in zip(self._news.get(i, []), self._graph.bottoms[i])
        ]
        moves = bool(areas) and all(part >= WORTH * every for part, every in areas)
        self._moves[i] = self._moves.get(i, 0) + 1 if moves else 0
        return self._moves[i] < MOVING

    def _count(self, group, region, done):
        """Enter what a group has computed into the report."""
        for i in group:
            name, every = self._graph.layers[i].name, self._multiply_adds(i)
            done.computed[name] = region
            done.multiply_adds[name] = sum(self._multiply_adds(i, window) for window in region)
            done.all_multiply_adds += every

    def _due(self, group: tuple[int, ...], exact: bool) -> Region | None:
        """Return the windows of the group's tops to compute, None for all."""
        graph, first = self._graph, group[0]
        self._by_split = None
        layers = [graph.layers[i] for i in group]
        below = self._pending.below(first)
        self._news[first] = below or []
        if below is None or not self._pending.same_weights(group):
            return None
        if any(self._passes(i)[1] or graph.need[i] for i in group):
            return None
        if not self._pending.same_tops(group):
            return None
        if set(graph.tops[first]) & set(graph.bottoms[first]):
            return None  # in place, without the layer that makes the blob
        if not any(below):
            return NOTHING
        found = self._passes(first)[0]
        if found is None or any(self._passes(i)[0] is None for i in group):
            return None
        reads = {j for per_top in found.reads for j in per_top}
        windows = (found.reached(window) for j in sorted(reads) for window in below[j])
        region = joined([w for w in windows if w is not None], self._least(first))
        if not region:
            return NOTHING
        if not exact and self._split.takes(first, below[0], total(region)):
            self._inexact, self._by_split = True, first
            return (whole(self._executor.blobs[graph.tops[first][0]].shape),)
        frame = self._by_units.frame(group)
        if frame is not None and exact:
            region = joined([self._by_units.aligned(group, window) for window in region])
        every = frame or whole(self._executor.blobs[graph.tops[first][0]].shape)
        if total(region) >= WORTH * area(every) or not all(contains(every, w) for w in region):
            return None
        if frame is not None:
            same_bits = exact and self._by_units.is_exact(group)
        else:
            same_bits = all(map(windowed.is_exact, layers))
        if exact and not same_bits:
            return None
        self._inexact |= not same_bits
        return region

    def _least(self, i: int) -> int:
        """Return how many positions of layer i's top take as long as one more window."""
        params = self._executor.params.get(self._graph.layers[i].name, ())
        channels = self._executor.blobs[self._graph.tops[i][0]].shape[1:2]
        per_position = params[0].count if params else 10 * max(channels, default=1)
        return STARTING // max(1, per_position)

    def _run_windows(self, group: Sequence[int], region: Region) -> None:
        """Compute windows of the group's tops and write them into the blobs."""
        bottoms, tops = self._executor.ends(group[0])
        sources = self._executor.freshness.check(group[0])
        try:
            for window in region:
                if self._by_units.frame(group) is not None:
                    self._by_units.run(group, window)
                    continue
                if self._by_split == group[0]:
                    results = [self._split.run(group[0])]
                else:
                    results = self._window(group[0], bottoms, window)
                for i in group[1:]:  # in place: on the window itself
                    results = self._window(i, results, whole(tuple(results[0].shape)))
                for top, result in zip(tops, results):
                    top.synced_data.paste(place(window), result)
            for i in group:
                self._executor.freshness.record(i, sources)
        except BaseException:  # KeyboardInterrupt too
            self._executor.fail(group[0])
            raise

    def _window(self, i, bottoms, window):
        """Return a window of the tops of layer i."""
        layer, reach = self._graph.layers[i], self._passes(i)[0]
        params = self._executor.params.get(layer.name, ())
        return compute.window(layer, self._executor.geometry[i][1], reach, bottoms, params, window)

    def _passes(self, i: int) -> tuple[LayerReach | None, bool]:
        """Return how windows pass through layer i, and whether its tops change by themselves."""
        known = self._executor.geometry.get(i)
        if i not in self._known or self._known[i][0] is not known:
            layer = self._graph.layers[i]
            shapes, geometry = known if known else ([], None)
            reach = reach_of(layer, geometry, shapes)
            self._known[i] = known, reach, is_restless(layer, geometry)
        return self._known[i][1:]

    def _multiply_adds(self, i: int, window: Window | None = None) -> int:
        """Count the multiply-adds of layer i, all or for a window of its tops."""
        layer, (bottoms, tops) = self._graph.layers[i], self._executor.ends(i)
        weights = self._executor.params.get(layer.name, ())
        windows = [window] * len(tops) if window is not None else None
        pairs = [(b.shape, t.shape) for b, t in zip(bottoms, tops)]
        return multiply_adds(layer, self._passes(i)[0], weights, pairs, windows)


def _is_skipped(resting):
    """Tell whether a blob's values were not kept."""
    return resting is not None and not isinstance(resting, Packed)
