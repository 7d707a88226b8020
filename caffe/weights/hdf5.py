"""Read and write .caffemodel.h5 files: dataset /data/{layer}/{i} is blob i of a layer."""

import os
from collections.abc import Callable
from typing import BinaryIO

import h5py

from caffe.blobs import single
from caffe.blobs.holders import NetWithWeights
from caffe.errors import CaffeError, WeightsError
from caffe.weights import hdf5_heaps
from caffe.weights.all_or_none import nothing, put_all, room
from caffe.weights.files import PathLike, check_number, check_shape
from caffe.weights.hdf5_checks import MOST_MEMBERS, Refused, check_dataset, member, parts
from caffe.weights.hdf5_writer import layout
from caffe.weights.matching import check_names
from caffe.weights.write_whole import write_whole

# What h5py raises for damaged files.
DAMAGE = (
    OSError,
    RuntimeError,  # and NotImplementedError, which is one
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    MemoryError,
)


def load(
    net: NetWithWeights,
    path: PathLike,
    opened: BinaryIO | None = None,
    then: Callable[[], object] = nothing,
) -> None:
    """Copy weights into a net by layer name.

    Parameters
    ----------
    net : Net
    path : path
    opened : binary file object, optional
        Read instead of `path`, which then only names it in messages.
    then : callable
        Called when all are copied, see `all_or_none.put_all`.

    Raises
    ------
    WeightsError
        If the file is damaged; nothing was copied then.
    ShapeMismatch
        If it does not fit the net; nothing was copied then.
    """
    try:
        if opened is None:
            hdf5_heaps.check_file(os.fspath(path))
        else:
            hdf5_heaps.check(opened.read())
            opened.seek(0)
        with h5py.File(opened or path, "r") as file:
            group = member(file, "data")
            if not isinstance(group, h5py.Group):
                raise WeightsError(f"{path} has no group 'data': it is not a .caffemodel.h5")
            pairs = _pairs(net, group, path)
            found = {name for name in net.params if member(group, name) is not None}
            # the group of a layer called a/b lies in one called a
            stored = [n for n in group if not any(f.startswith(f"{n}/") for f in found)]
            check_names(net, str(path), stored, found)
            for _, stored in pairs:
                check_dataset(stored)
            with room((blob for blob, _ in pairs), str(path)) as arrays:
                for (_, stored), array in zip(pairs, arrays):
                    if array.size:
                        stored.read_direct(array)
                    if single.is_wider(stored.dtype):
                        single.warn_of_infinite(array, f"{path}: {stored.name}")
    except CaffeError:
        raise
    except Refused as e:
        raise WeightsError(f"{path}: {e}") from None
    except DAMAGE as e:
        raise WeightsError(f"{path} is damaged: {e}: fetch it again") from None
    put_all((blob for blob, _ in pairs), arrays, then)


def _pairs(net, group, path):
    """Return [(Blob, its dataset)]; a blob that layers share may be stored with the first only."""
    pairs, paired = [], set()
    for name, mine in net.params.items():
        layer = member(group, name)
        if layer is None:
            continue
        stored = _indices(layer, len(mine)) if isinstance(layer, h5py.Group) else []
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


def _indices(layer, wanted):
    """Return the indices of a layer's blobs; a group beyond `wanted` is another layer's."""
    if len(layer) > MOST_MEMBERS:
        raise Refused(f"{layer.name} has {len(layer)} members: it is damaged")
    found = [int(key) for key in layer if key.isdecimal() and len(key) < 10]
    return [i for i in found if i < wanted or not isinstance(member(layer, str(i)), h5py.Group)]


def save(net: NetWithWeights, path: PathLike, diff: bool = False) -> None:
    """Write the weights of a net as HDF5; a blob that layers share is written with the first.

    The values go from the net's memory to the file without a copy; see `hdf5_writer`.

    Parameters
    ----------
    net : Net
    path : path
    diff : bool
        Whether to write the gradients too, as /diff/{layer}/{i}.

    Raises
    ------
    WeightsError
        If the file cannot be written, or HDF5 cannot hold the layers' names.
    """
    arrays = _arrays(net, path, diff)
    try:
        with layout() as made:
            for root in ("data", "diff")[: 1 + diff]:
                made.file.create_group(root)  # also of a net without weights
                for name in net.params:
                    made.file.require_group(f"{root}/{name}")
            for name, array in arrays.items():
                made.add(name, array)
    except DAMAGE as e:
        raise WeightsError(
            f"{path}: these layers cannot be written as HDF5: {e}: use save"
        ) from None
    write_whole(path, made.write_to)


def _arrays(net, path, diff):
    """Return {path in the file: array}; raise WeightsError if HDF5 cannot hold these paths."""
    owners, groups, arrays, seen = {}, {}, {}, set()
    for name, blobs in net.params.items():
        names = parts(name)
        if not names or "\0" in name:
            _refuse_name(path, f"layer {name!r} cannot be a group's name in HDF5")
        groups.update({"/".join(names[: k + 1]): name for k in range(len(names))})
        for i, blob in enumerate(blobs):
            place = "/".join((*names, str(i)))
            if place in owners:
                _refuse_name(path, f"layers {owners[place]!r} and {name!r} are one group in HDF5")
            owners[place] = name
            if id(blob) not in seen:
                seen.add(id(blob))
                arrays[f"data/{place}"] = blob.data
                if diff:
                    arrays[f"diff/{place}"] = blob.diff
    for place in owners:
        if place in groups:
            _refuse_name(
                path,
                f"{place!r} would be a blob of layer {owners[place]!r} and a group for layer "
                f"{groups[place]!r}",
            )
    return arrays


def _refuse_name(path, why):
    """Raise the WeightsError for names that HDF5 cannot hold."""
    raise WeightsError(f"{path}: {why}: rename a layer, or save a .caffemodel")
