"""Weights to and from .caffemodel.h5 files: dataset /data/{layer}/{i} for blob i of a layer."""

import h5py

from caffe.errors import CaffeError, WeightsError
from caffe.weights.files import check_number, check_shape, write_whole
from caffe.weights.hdf5_checks import MOST_MEMBERS, Refused, check_dataset, member

DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,  # what h5py raises
    AttributeError,
    NotImplementedError,
    MemoryError,
)


def load(net, path, opened=None):
    """Copy weights by layer name into `net`, straight into its memory, after a check of them all.

    opened: a binary file object to read instead of `path`, which then only names it.
    WeightsError where the file is damaged or does not fit; then nothing was copied.
    """
    try:
        with h5py.File(opened or path, "r") as file:
            group = member(file, "data")
            if not isinstance(group, h5py.Group):
                raise WeightsError(f"{path} has no group 'data': it is not a .caffemodel.h5")
            pairs = _pairs(net, group, path)
            for _, stored in pairs:
                check_dataset(stored)
            for blob, stored in pairs:
                array = blob.data
                if array.size:
                    stored.read_direct(array)
    except CaffeError:
        raise
    except Refused as e:
        raise WeightsError(f"{path}: {e}") from None
    except DAMAGE as e:
        raise WeightsError(f"{path} is damaged: {e}: fetch it again") from None


def _pairs(net, group, path):
    """[(Blob, its dataset)]; a blob that several layers share may be stored with the first only."""
    pairs, found = [], set()
    for name, mine in net.params.items():
        layer = member(group, name)
        if layer is None:
            continue
        stored = _indices(layer) if isinstance(layer, h5py.Group) else []
        if any(i >= len(mine) for i in stored):
            check_number(path, name, len(stored), len(mine))
        for i, blob in enumerate(mine):
            if i not in stored:
                if id(blob) in found:
                    continue
                check_number(path, name, len(stored), len(mine))
            dataset = member(layer, str(i))
            if not isinstance(dataset, h5py.Dataset):
                raise WeightsError(
                    "%s: /data/%s/%d is no dataset: the file is of another kind" % (path, name, i)
                )
            check_shape(path, name, i, blob.shape, tuple(dataset.shape or ()))
            pairs.append((blob, dataset))
            found.add(id(blob))
    return pairs


def _indices(layer):
    """Numbers of the blobs that a layer's group holds."""
    if len(layer) > MOST_MEMBERS:
        raise Refused("%s has %d members: it is damaged" % (layer.name, len(layer)))
    return [int(key) for key in layer if key.isdecimal() and len(key) < 10]


def save(net, path, diff=False):
    """Write /data/{layer}/{i}, and /diff/{layer}/{i} where `diff`; a blob shared by several layers
    is written with the first.
    """

    def write(part):
        with h5py.File(part, "w") as file:
            seen = set()
            for name, blobs in net.params.items():
                group = file.require_group("data/" + name)
                diffs = file.require_group("diff/" + name) if diff else None
                for i, blob in enumerate(blobs):
                    if id(blob) not in seen:
                        group.create_dataset(str(i), data=blob.data)
                        if diff:
                            diffs.create_dataset(str(i), data=blob.diff)
                        seen.add(id(blob))

    write_whole(path, write)
