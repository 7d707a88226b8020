"""Names that BVLC Caffe gives to the copies of a blob that feeds several layers.

Caffe puts a Split layer behind such a blob: `pool1` of layer `pool1`, read twice, becomes
`pool1_pool1_0_split_0` and `pool1_pool1_0_split_1` (blob, layer, number of its top). Here there is
one blob; scripts that ask for a copy by name get it.
"""

from collections import OrderedDict


class NamedBlobs(OrderedDict):
    """Blobs by name, in order; the names of Caffe's copies find the blob that is copied there.

    They are neither listed nor counted as contained. A copy's `diff` is the whole blob's here.
    """

    def __init__(self, blobs, copies):
        """blobs: (name, Blob) pairs; copies: {name of a copy: name of the blob}."""
        super().__init__(blobs)
        self.copies = copies

    def __missing__(self, name):
        try:
            return self[self.copies[name]]
        except (KeyError, TypeError):
            raise KeyError("no blob {!r}; there are {}".format(name, " ".join(self))) from None


def copies(layer_names, bottoms, tops, loss_weights):
    """{name of a copy: blob} of a net given by its layers' names, bottoms and tops, in order.

    A blob that is a loss counts as read once more. What runs in place is a blob's last writer.
    """
    written, readers = {}, {}
    for name, below, above in zip(layer_names, bottoms, tops):
        for blob in below:
            readers[blob] = readers.get(blob, 0) + 1
        for i, blob in enumerate(above):
            written[blob], readers[blob] = (name, i), 0
    copied = {}
    for blob, count in readers.items():
        number = count + bool(count and loss_weights[blob])
        if number > 1:
            for k in range(number):
                copied["%s_%s_%d_split_%d" % (blob, *written[blob], k)] = blob
    return copied
