"""A net that remembers what its stages computed, to try many clocks on the same frames.

What a stage computes depends only on what it reads. So a stage that reads the same a second time,
on whatever frame and under whatever clock, need not run: its results are copied from memory.
Outputs are those of the net, bit for bit; after the first clock, trying another takes the time of
the last stage.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np

from lib.cutting import Stages, as_stages
from lib.ports import input_blob, output_blob
from lib.stages import Blob, Net, run_stage

LIMIT = 1_000_000_000  # bytes of results that are kept, the latest used


class Replay:
    """A net of stages that remembers, to be given to schedules and `evaluate` in its place.

    It runs the net that it wraps, so that one must not be used otherwise meanwhile, and its weights
    must stay as they are.

    Parameters
    ----------
    net : Net
    stages : Stages
        Those that the schedules run; `forward` takes no other ranges.
    data, score : str, optional
        The blobs of frame and output, see lib.ports.
    limit : int
        Bytes of results to keep. What is dropped is computed again when it is needed.
    """

    def __init__(
        self,
        net: Net,
        stages: Stages,
        data: str | None = None,
        score: str | None = None,
        limit: int = LIMIT,
    ) -> None:
        self.net, self.stages, self.limit = net, as_stages(net, stages), limit
        self.params, self.layers, self._layer_names = net.params, net.layers, net._layer_names
        self.top_names, self.bottom_names = net.top_names, net.bottom_names
        self.blob_loss_weights = net.blob_loss_weights
        self.inputs, self.outputs = [input_blob(net, data)], [output_blob(net, score)]
        self.runs = 0  # of stages, in the net
        order = list(net._layer_names)
        self._layers = {
            s.name: order[order.index(s.start) : order.index(s.end) + 1] for s in self.stages
        }
        self._frame = _Frame(np.array(net.blobs[self.inputs[0]].data))
        self._reads, self._makes = self._boundaries()
        # by blob: the digest of what it was made from, and its values
        self._now: dict[str, tuple[bytes, np.ndarray]] = {}
        self._in_net: dict[str, bytes] = {}
        self._memory: OrderedDict[bytes, dict[str, np.ndarray]] = OrderedDict()
        self._bytes = 0
        self.blobs = _Blobs(self)

    def forward(self, *, start: str | None = None, end: str | None = None) -> None:
        """Run the stage from layer `start` to layer `end`, or recall it; all stages if not given.

        Raises ValueError for any other range.
        """
        due = [s for s in self.stages if (start, end) in ((None, None), (s.start, s.end))]
        if not due:
            raise ValueError(
                f"the layers from {start} to {end} are no stage: Replay runs its stages only, "
                f"{', '.join(s.name for s in self.stages)}"
            )
        for stage in due:
            self._run(stage)

    def _run(self, stage):
        """Bring the blobs that a stage makes up to date, from memory or by the net."""
        self._take_frame()
        sources = {blob: self._source(blob, stage) for blob in self._reads[stage.name]}
        versions = (version for version, _ in sources.values())
        key = hashlib.sha256(b"".join([stage.name.encode(), *versions])).digest()
        made = self._memory.get(key)
        if made is None:
            made = self._compute(stage, sources, key)
        else:
            self._memory.move_to_end(key)
        self._now |= {blob: (key, values) for blob, values in made.items()}

    def _source(self, blob, stage):
        if blob not in self._now:
            raise ValueError(
                f"stage {stage.name!r} reads the blob {blob!r}, which no stage has computed yet: "
                "run the first frame in full"
            )
        return self._now[blob]

    def _take_frame(self):
        """Note the frame as a source; a frame of another size sets the sizes of all blobs anew."""
        name, frame = self.inputs[0], self._frame.data
        blob = self.net.blobs[name]
        if blob.data.shape != frame.shape:
            blob.reshape(*frame.shape)
            blob.data[...] = frame
            self.net.forward()
            self._in_net, self._now = {}, {}
        key = hashlib.sha256(str(frame.shape).encode())
        key.update(np.ascontiguousarray(frame).data)
        self._now[name] = key.digest(), frame

    def _compute(self, stage, sources, key):
        for blob, (version, values) in sources.items():
            if self._in_net.get(blob) != version:
                self.net.blobs[blob].data[...] = values
                self._in_net[blob] = version
        run_stage(self.net, stage)
        self.runs += 1
        made = {blob: self.net.blobs[blob].data for blob in self._makes[stage.name]}
        self._in_net |= dict.fromkeys(made, key)
        if stage == self.stages[-1]:  # of as many versions as there are clocks, and large
            return made
        made = {blob: values.copy() for blob, values in made.items()}
        self._memory[key] = made
        self._bytes += _size(made)
        while self._bytes > self.limit and len(self._memory) > 1:
            self._bytes -= _size(self._memory.popitem(last=False)[1])
        return made

    def _boundaries(self):
        """Return {stage: blobs it reads of others} and {stage: blobs of it that others read}."""
        maker = {self.inputs[0]: ""}
        reads = {stage.name: [] for stage in self.stages}
        makes = {stage.name: [] for stage in self.stages}
        for stage in self.stages:
            for layer in self._layers[stage.name]:
                for blob in self.bottom_names[layer]:
                    of = maker.get(blob, stage.name)
                    if of != stage.name and blob not in reads[stage.name]:
                        reads[stage.name].append(blob)
                        if of and blob not in makes[of]:
                            makes[of].append(blob)
                maker |= {top: stage.name for top in self.top_names[layer]}
            ends = self.top_names[stage.end]
            makes[stage.name] += [top for top in ends if top not in makes[stage.name]]
        output = self.outputs[0]
        if output in maker and output not in makes[maker[output]]:
            makes[maker[output]].append(output)
        return reads, makes


class _Frame:
    """The blob that takes the frame."""

    def __init__(self, values):
        self.data = values

    def reshape(self, *shape):
        if self.data.shape != shape:
            self.data = np.zeros(shape, np.float32)


class _Recalled:
    """A blob between stages: the values that belong to what ran last."""

    def __init__(self, values):
        self.data = values.view()
        self.data.flags.writeable = False


class _Blobs(Mapping[str, Blob]):
    """The blobs of a Replay: those between stages from memory, others as the net has them."""

    def __init__(self, replay):
        self._replay = replay

    def __getitem__(self, name):
        if name == self._replay.inputs[0]:
            return self._replay._frame
        if name in self._replay._now:
            return _Recalled(self._replay._now[name][1])
        return self._replay.net.blobs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._replay.net.blobs)

    def __len__(self):
        return len(self._replay.net.blobs)


def _size(blobs):
    return sum(values.nbytes for values in blobs.values())
