"""Read and write .caffemodel.h5 files: dataset /data/{layer}/{i} is blob i of a layer."""

from typing import TYPE_CHECKING, BinaryIO

import h5py

from caffe.errors import CaffeError, WeightsError
from caffe.weights.all_or_none import put_all, room
from caffe.weights.files import PathLike, check_number, check_shape, write_whole
from caffe.weights.hdf5_checks import MOST_MEMBERS, Refused, check_dataset, member

if TYPE_CHECKING:
    from caffe.net import Net

# What h5py raises for damaged files.
DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    MemoryError,
)


def load(net: "Net", path: PathLike, opened: BinaryIO | None = None) -> None:
    """Copy weights into a net by layer name.

    Parameters
    ----------
    net : Net
    path : path
    opened : binary file object, optional
        Read instead of `path`, which then only names it in messages.

    Raises
    ------
    WeightsError
        If the file is damaged; nothing was copied then.
    ShapeMismatch
        If it does not fit the net; nothing was copied then.
    """
    try:
        with h5py.File(opened or path, "r") as file:
            group = member(file, "data")
            if not isinstance(group, h5py.Group):
                raise WeightsError(f"{path} has no group 'data': it is not a .caffemodel.h5")
            pairs = _pairs(net, group, path)
            for _, stored in pairs:
                check_dataset(stored)
            with room((blob for blob, _ in pairs), str(path)) as arrays:
                for (_, stored), array in zip(pairs, arrays):
                    if array.size:
                        stored.read_direct(array)
    except CaffeError:
        raise
    except Refused as e:
        raise WeightsError(f"{path}: {e}") from None
    except DAMAGE as e:
        raise WeightsError(f"{path} is damaged: {e}: fetch it again") from None
    put_all((blob for blob, _ in pairs), arrays)


def _pairs(net, group, path):
    """Return [(Blob, its dataset)]; a blob that layers share may be stored with the first only."""
    pairs, paired = [], set()
    for name, mine in net.params.items():
        layer = member(group, name)
        if layer is None:
            continue
        stored = _indices(layer) if isinstance(layer, h5py.Group) else []
        if any(i >= len(mine) for i in stored):
            check_number(path, name, len(stored), len(mine))
        for i, blob in enumerate(mine):
            if i not in stored:
                if id(blob) in paired:
                    continue
                check_number(path, name, len(stored), len(mine))
            dataset = member(layer, str(i))
            if not isinstance(dataset, h5py.Dataset):
                raise WeightsError(
                    f"{path}: /data/{name}/{i} is not a dataset: the file is of another kind"
                )
            check_shape(path, name, i, blob.shape, tuple(dataset.shape or ()))
            pairs.append((blob, dataset))
            paired.add(id(blob))
    return pairs


def _indices(layer):
    """Return the indices of the blobs that a layer's group holds."""
    if len(layer) > MOST_MEMBERS:
        raise Refused(f"{layer.name} has {len(layer)} members: it is damaged")
    return [int(key) for key in layer if key.isdecimal() and len(key) < 10]


def save(net: "Net", path: PathLike, diff: bool = False) -> None:
    """Write the weights of a net as HDF5; a blob that layers share is written with the first.

    Parameters
    ----------
    net : Net
    path : path
    diff : bool
        Whether to write the gradients too, as /diff/{layer}/{i}.

    Raises
    ------
    WeightsError
        If the file cannot be written.
    """

    def write(part):
        with h5py.File(part, "w") as file:
            seen = set()
            for name, blobs in net.params.items():
                group = file.require_group(f"data/{name}")
                diffs = file.require_group(f"diff/{name}") if diff else None
                for i, blob in enumerate(blobs):
                    if id(blob) not in seen:
                        group.create_dataset(str(i), data=blob.data)
                        if diff:
                            diffs.create_dataset(str(i), data=blob.diff)
                        seen.add(id(blob))

    write_whole(path, write)
