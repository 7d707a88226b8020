"""The learned blobs of a net: created and filled layer by layer, or shared between layers by name.

`param { name: "w" }` in two layers makes them one blob, which the first of them creates. lr_mult
and decay_mult apply wherever they are given; if both layers give them they must agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from caffe.blobs import memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.fillers import fill
from caffe.blobs.holders import LayerOfNet
from caffe.proto import caffe_pb2


@dataclass
class Learned:
    """A blob that a solver may change.

    Attributes
    ----------
    blob : Blob
    spec : ParamSpec
        Its `param { }` in the prototxt, of all layers that share it.
    owner : str
        Name of the layer that created it.
    """

    blob: Blob
    spec: caffe_pb2.ParamSpec
    owner: str

    @property
    def lr_mult(self) -> float:
        """The factor on the learning rate."""
        return self.spec.lr_mult

    @property
    def decay_mult(self) -> float:
        """The factor on the weight decay."""
        return self.spec.decay_mult


class LearnedBlobs(list[Learned]):
    """Each Learned of a net once, in the order of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self._by_name: dict[str, Learned] = {}
        self._unfilled: list[tuple[Blob, caffe_pb2.FillerParameter, str]] = []

    def add(
        self,
        layer: LayerOfNet,
        k: int,
        content: Blob | Sequence[int],
        filler: caffe_pb2.FillerParameter | None = None,
    ) -> Blob:
        """Create learned blob `k` of a layer, or find the one that it shares.

        Parameters
        ----------
        layer : LayerType
        k : int
            Index among the layer's learned blobs.
        content : sequence of int or Blob
            The shape of a blob to create, or the Blob that a Python layer created.
        filler : FillerParameter, optional
            What to fill a new blob with; `fill_all` does so.

        Returns
        -------
        Blob

        Raises
        ------
        LayerError
            If the blob is too large, or differs from the one it shares in shape (ShapeMismatch),
            lr_mult or decay_mult.
        """
        spec = caffe_pb2.ParamSpec()
        if k < len(layer.spec.param):
            spec.CopyFrom(layer.spec.param[k])
        shape = content.shape if isinstance(content, Blob) else tuple(content)
        shared = self._by_name.get(spec.name)
        if shared:
            _share(layer, shape, spec, shared)
            return shared.blob
        if problem := refusal(shape):
            raise layer.mismatch(f"its weights (blob {k}) {problem}")
        if isinstance(content, Blob):
            blob = content
        else:
            blob = Blob(*shape)
            self._unfilled.append((blob, filler or caffe_pb2.FillerParameter(), layer.name))
        self.append(Learned(blob, spec, layer.name))
        if spec.name:
            self._by_name[spec.name] = self[-1]
        return blob

    def add_all(
        self,
        layer: LayerOfNet,
        wanted: Sequence[tuple[Blob | Sequence[int], caffe_pb2.FillerParameter | None]],
    ) -> list[Blob]:
        """Create or find all learned blobs of a layer.

        Parameters
        ----------
        layer : LayerType
        wanted : sequence of (content, filler)
            As `add` takes them.

        Returns
        -------
        list of Blob

        Raises
        ------
        LayerError
            As `add` does, and if the layer has more `param { }` than blobs.
        """
        given = len(layer.spec.param)
        if given > len(wanted):
            raise layer.error(
                f"has {given} param {{ }} for {len(wanted)} learned blobs: give one each at most"
            )
        return [self.add(layer, k, *content) for k, content in enumerate(wanted)]

    def fill_all(self) -> None:
        """Fill the blobs that were added; raise CaffeError first if all do not fit in memory."""
        memory.check(sum(learned.blob.count for learned in self), "the weights of this net take")
        for blob, filler, name in self._unfilled:
            blob.synced_data.put(fill(filler, blob.shape, name))
        self._unfilled.clear()


def learns(layer: LayerOfNet, k: int) -> bool:
    """Tell whether learned blob `k` of a layer has a learning rate, by the layer's own lr_mult."""
    return k >= len(layer.spec.param) or layer.spec.param[k].lr_mult != 0


def _share(layer, shape, spec, shared):
    """Merge the `spec` of a layer into that of the blob it shares; raise LayerError on conflict."""
    if shape != shared.blob.shape:
        permissive = spec.share_mode == caffe_pb2.ParamSpec.PERMISSIVE
        hint = ": share_mode PERMISSIVE is not offered" if permissive else ""
        raise layer.mismatch(
            f"shares {spec.name!r} with layer {shared.owner!r}, but needs shape {shape}, "
            f"and the shared blob has {shared.blob.shape}{hint}"
        )
    for field in ("lr_mult", "decay_mult"):
        if not spec.HasField(field):
            continue
        mine, theirs = getattr(spec, field), getattr(shared.spec, field)
        if shared.spec.HasField(field) and mine != theirs:
            raise layer.error(
                f"shares {spec.name!r} with layer {shared.owner!r}, but has {field} {mine:g} "
                f"where that has {theirs:g}: give it in one place"
            )
        setattr(shared.spec, field, mine)
