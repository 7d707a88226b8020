"""Label maps of one set of classes as those of another: a net's as the truth's."""
import numpy as np


def relabelled(label, lookup):
    """The label map with each class replaced by lookup[class]; as it is where `lookup` is None.

    label   H x W uint8
    lookup  256 uint8, one entry a value that a label can have, e.g. datasets.youtube's from_voc
    """
    return label if lookup is None else lookup[label]


def check_lookup(lookup):
    """Raise ValueError unless `lookup` is None or an array for `relabelled`."""
    if lookup is None:
        return
    shape, kind = np.shape(lookup), getattr(lookup, 'dtype', type(lookup).__name__)
    if shape != (256,) or kind != np.uint8:
        raise ValueError(f'relabel has the shape {shape} and holds {kind}: give 256 uint8, the new '
                         'class of each value 0..255')
