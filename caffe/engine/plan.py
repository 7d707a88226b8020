"""Plan: a range of layers as steps that run at certain shapes, with what becomes of each blob.

At the end of a step each blob that it finished is *kept*, which is a reference to the step's
result, or *skipped* (`caffe.engine.skipped`). Freshness is recorded layer by layer, as if the
layers had run one by one: after an error or an interruption the layers before the step that failed
have run, the tops of its own are half computed, and those after it are as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from caffe.blobs.blob import Blob
from caffe.blobs.device import CPU
from caffe.engine.freshness import Freshness
from caffe.engine.packed import Packed
from caffe.engine.skipped import Layers, Skipped, Value
from caffe.engine.steps import Step, Values
from caffe.errors import FOREIGN, CaffeError, StaleInput
from caffe.layer_types.base import Shape


class Plan:
    """Steps for a range of layers.

    Parameters
    ----------
    layers : Layers
    steps : sequence of Step
        Together they run each layer once, in order.
    sources : sequence of str
        The blobs that the range reads from outside, its net inputs included.
    kept : set of str
        The blobs whose values are wanted after the run.
    shapes : dict of str to Shape
        Of the tops.
    watched : sequence of Blob
        Learned blobs that steps have a copy of.
    """

    def __init__(
        self,
        layers: Layers,
        steps: Sequence[Step],
        sources: Sequence[str],
        kept: frozenset[str],
        shapes: dict[str, Shape],
        watched: Sequence[Blob],
    ):
        self._layers, self._steps, self._sources = layers, steps, sources
        self._shapes, self._watched = shapes, watched
        tops = layers.graph.tops
        finished: dict[str, int] = {}  # blob -> number of the last step that makes it
        for n, step in enumerate(steps):
            for i in set(range(step.first, step.last + 1)).intersection(layers.geometries):
                finished |= dict.fromkeys(tops[i], n)
        self._finishes = [
            [name for name, last in finished.items() if last == n] for n in range(len(steps))
        ]
        self._kept = kept
        self._skips = [name for names in self._finishes for name in names if name not in kept]
        self._versions = self._state()

    def _state(self):
        return [(b.synced_data, b.synced_data.version()) for b in self._watched]

    def current(self) -> bool:
        """Tell whether the weights that steps have a copy of are as they were."""
        return all(
            b.synced_data is content and content.version() == version
            for b, (content, version) in zip(self._watched, self._versions)
        )

    def run(
        self,
        blobs: Mapping[str, Blob],
        freshness: Freshness,
        asked: Callable[[str], object],
        shape_tops: Callable[[str, Shape], object],
    ) -> None:
        """Run the steps on the present values of the sources.

        Parameters
        ----------
        blobs : mapping of str to Blob
        freshness : Freshness
        asked : callable
            Called with the name of a skipped blob when someone asks for its values.
        shape_tops : callable
            Called with the name and the shape of each blob before its step runs.

        Raises
        ------
        StaleInput
            If a source was never computed, or was computed for another input size.
        LayerError
            If a layer cannot run.
        """
        graph, step = self._layers.graph, self._steps[0]
        try:
            values = Values({name: _value(blobs[name], False) for name in self._sources})
            skipped = None
            for step, finishes in zip(self._steps, self._finishes):
                sources = freshness.check(step.first)
                for i in range(step.first, step.last + 1):
                    for name in graph.tops[i]:
                        shape_tops(name, self._shapes[name])
                if skipped is None and self._skips:
                    copies = {name: _value(blobs[name], True) for name in self._sources}
                    skipped = Skipped(self._layers, self._skips, copies, asked)
                self._run(step, values)
                for name in finishes:
                    content = blobs[name].synced_data
                    if name not in self._kept and skipped is not None:
                        content.rest(skipped.blob(name), self._shapes[name])
                    elif isinstance(value := values[name], Packed):
                        content.rest(value, self._shapes[name])
                    else:
                        content.put(value)
                for name in step.drops:
                    values.drop(name)
                for i in range(step.first, step.last + 1):
                    freshness.record(i, sources)
        except StaleInput:  # nothing of the step has run
            raise
        except BaseException:  # KeyboardInterrupt too
            for i in range(step.first, step.last + 1):
                freshness.unfinished(i)
            raise

    def _run(self, step, values):
        try:
            step.run(values)
        except CaffeError:
            raise
        except FOREIGN as e:
            layer = self._layers.graph.layers[step.first]
            shapes = [tuple(values[name].shape) for name in step.reads]
            raise layer.error(f"cannot run on bottoms of shapes {shapes}: {e}") from e


def _value(blob: Blob, private: bool) -> Value:
    """Return what a blob holds; a copy if it must stay as it is."""
    resting = blob.synced_data.resting
    if isinstance(resting, Packed):
        return resting.lend() if private else resting
    tensor = blob.synced_data.tensor(CPU)
    return tensor.clone() if private else tensor


def form(blob: Blob) -> tuple[object, ...]:
    """Return in which form a blob holds its values; a plan is for the forms of its sources."""
    resting = blob.synced_data.resting
    return blob.shape, isinstance(resting, Packed) and (True, resting.border)
