"""The weights of a net: made and filled layer by layer, or shared with another layer by name.

`param { name: "w" }` in two layers makes them one blob, that of the first. Its lr_mult and
decay_mult hold wherever they are given; where both layers give them they must agree.
"""

from dataclasses import dataclass

from caffe.blobs import memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.fillers import fill
from caffe.errors import ShapeMismatch
from caffe.proto import caffe_pb2


@dataclass
class Learned:
    """A blob that a solver may change, its ParamSpec, and the name of the layer that made it."""

    blob: Blob
    spec: caffe_pb2.ParamSpec
    owner: str

    lr_mult = property(lambda self: self.spec.lr_mult, doc="factor on the learning rate")
    decay_mult = property(lambda self: self.spec.decay_mult, doc="factor on the weight decay")


class LearnedBlobs(list):
    """Every Learned of a net once, in the order of its layers."""

    def __init__(self):
        super().__init__()
        self._named, self._unfilled = {}, []

    def add(self, layer, k, made, filler=None):
        """The blob that is learned blob k of a layer.

        made: its shape, to be filled as `filler` says, or the Blob that a Python layer made.
        ShapeMismatch or LayerError where it is too large or does not fit what it shares.
        """
        spec = caffe_pb2.ParamSpec()
        if k < len(layer.spec.param):
            spec.CopyFrom(layer.spec.param[k])
        shape = made.shape if isinstance(made, Blob) else tuple(made)
        shared = self._named.get(spec.name)
        if shared:
            _share(layer, shape, spec, shared)
            return shared.blob
        if problem := refusal(shape):
            raise layer.mismatch("its weights (blob %d) %s" % (k, problem))
        blob = made
        if not isinstance(made, Blob):
            blob = Blob(*shape)
            self._unfilled.append((blob, filler, layer.name))
        self.append(Learned(blob, spec, layer.name))
        if spec.name:
            self._named[spec.name] = self[-1]
        return blob

    def fill_all(self):
        """Fill what was added, once it is known that all of it fits into memory."""
        memory.check(sum(learned.blob.count for learned in self), "the weights of this net take")
        for blob, filler, name in self._unfilled:
            blob.synced_data.put(fill(filler, blob.shape, name))
        self._unfilled.clear()


def learns(layer, k):
    """Whether blob k of a layer has a learning rate there; a sharer's own lr_mult decides."""
    return k >= len(layer.spec.param) or layer.spec.param[k].lr_mult != 0


def _share(layer, shape, spec, shared):
    if shape != shared.blob.shape:
        permissive = spec.share_mode == caffe_pb2.ParamSpec.PERMISSIVE
        raise layer.error(
            "shares {!r} with layer {!r}, but needs shape {} where that is {}{}".format(
                spec.name,
                shared.owner,
                shape,
                shared.blob.shape,
                ": share_mode PERMISSIVE is not offered" if permissive else "",
            ),
            ShapeMismatch,
        )
    for field in ("lr_mult", "decay_mult"):
        if not spec.HasField(field):
            continue
        mine, theirs = getattr(spec, field), getattr(shared.spec, field)
        if shared.spec.HasField(field) and mine != theirs:
            raise layer.error(
                f"shares {spec.name!r} with layer {shared.owner!r}, but has {field} {mine:g} where that has {theirs:g}: give it "
                "in one place"
            )
        setattr(shared.spec, field, mine)
