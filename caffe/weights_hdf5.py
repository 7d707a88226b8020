"""Weights to and from .caffemodel.h5 files: dataset /data/{layer}/{i} for blob i of a layer."""
import h5py
import numpy as np

from .errors import CaffeError, WeightsError
from .weight_files import check_number, check_shape, write_whole

DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)    # what h5py raises


def read(net, path):
    """[(Blob, array)] of all the weights that net and file share, checked."""
    try:
        with h5py.File(path, 'r') as file:
            group = file.get('data')
            if not isinstance(group, h5py.Group):
                raise WeightsError("%s has no group 'data': it is not a .caffemodel.h5" % path)
            pairs = _pairs(net, group, path)
            return [(blob, np.asarray(stored, np.float32)) for blob, stored in pairs]
    except CaffeError:
        raise
    except DAMAGE as e:
        raise WeightsError('%s is damaged: %s: fetch it again' % (path, e)) from None


def _pairs(net, group, path):
    """[(Blob, its dataset)]; a blob that several layers share may be stored with the first only."""
    pairs, found = [], set()
    for name, mine in net.params.items():
        layer = group.get(name)
        if layer is None:
            continue
        stored = [key for key in layer if key.isdigit()] if isinstance(layer, h5py.Group) else []
        if any(int(key) >= len(mine) for key in stored):
            check_number(path, name, len(stored), len(mine))
        for i, blob in enumerate(mine):
            if str(i) not in stored:
                if id(blob) in found:
                    continue
                check_number(path, name, len(stored), len(mine))
            dataset = layer[str(i)]
            if not isinstance(dataset, h5py.Dataset):
                raise WeightsError('%s: /data/%s/%d is no dataset: the file is of another kind'
                                   % (path, name, i))
            check_shape(path, name, i, blob.shape, tuple(dataset.shape))
            pairs.append((blob, dataset))
            found.add(id(blob))
    return pairs


def save(net, path):
    """Write /data/{layer}/{i}; a blob shared by several layers is written with the first."""
    def write(part):
        with h5py.File(part, 'w') as file:
            seen = set()
            for name, blobs in net.params.items():
                group = file.require_group('data/' + name)
                for i, blob in enumerate(blobs):
                    if id(blob) not in seen:
                        group.create_dataset(str(i), data=blob.data)
                        seen.add(id(blob))
    write_whole(path, write)
