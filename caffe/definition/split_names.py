"""The names that BVLC Caffe gives to the copies of a blob that feeds several layers.

Caffe puts a Split layer after such a blob: `pool1` of layer `pool1`, read twice, becomes
`pool1_pool1_0_split_0` and `pool1_pool1_0_split_1` (blob, layer, index of its top, index of the
copy). Here there is one blob only, and a script that asks for a copy by name gets that.
"""

from collections.abc import Iterable, Mapping, Sequence

from caffe.blobs.blob import Blob
from caffe.blobs.by_name import ByName


class NamedBlobs(ByName[Blob]):
    """Blobs by name, in order; the name of one of Caffe's copies gives the blob itself.

    Names of copies are not listed, and `in` is False for them. The `diff` under such a name is that
    of the blob, not of one of its readers.

    Parameters
    ----------
    blobs : iterable of (str, Blob)
    copies : mapping of str to str
        Name of a copy to name of its blob, as the function `copies` returns it.
    """

    def __init__(self, blobs: Iterable[tuple[str, Blob]], copies: Mapping[str, str]):
        super().__init__(blobs, "blob", "blobs", "write net.blobs[{name}].data[...] = array")
        self.copies = copies

    def __missing__(self, name):
        if isinstance(name, str) and name in self.copies:
            return self[self.copies[name]]
        return super().__missing__(name)


def copies(
    layer_names: Sequence[str],
    bottoms: Sequence[Sequence[str]],
    tops: Sequence[Sequence[str]],
    loss_weights: Mapping[str, float],
) -> dict[str, str]:
    """Return {name of a copy: name of its blob} for all copies that Caffe would make.

    A blob with a loss weight has one more reader, the loss. A layer that runs in place becomes the
    blob's writer.

    Parameters
    ----------
    layer_names : sequence of str
        In the order of the net, as are `bottoms` and `tops`.
    bottoms, tops : sequence of sequence of str
        Names of the blobs that each layer reads and writes.
    loss_weights : mapping of str to float
        The weight of each blob in the loss; 0 for most.
    """
    written: dict[str, tuple[str, int]] = {}  # blob: its writer, and which top of that
    readers: dict[str, int] = {}
    for name, below, above in zip(layer_names, bottoms, tops):
        for blob in below:
            readers[blob] = readers.get(blob, 0) + 1
        for i, blob in enumerate(above):
            written[blob], readers[blob] = (name, i), 0
    blob_of_copy = {}
    for blob, count in readers.items():
        number = count + bool(count and loss_weights[blob])
        if number > 1:
            layer, top = written[blob]
            for k in range(number):
                blob_of_copy[f"{blob}_{layer}_{top}_split_{k}"] = blob
    return blob_of_copy
