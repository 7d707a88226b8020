"""What a schedule did on a clip, kept for later: packed, as a label map is mostly even areas."""
import zlib
from collections.abc import Sequence

import numpy as np

from lib.schedule import Step


class KeptRun(Sequence):
    """The label maps of one run over a clip, H x W uint8 each, and with `steps` its Steps.

    Takes a few hundredths of a byte a pixel; a map is unpacked each time it is asked for.
    """

    def __init__(self):
        self._kept = []

    def append(self, step, label):
        """Keep one Step of lib.schedule with `label`, H x W uint8, in place of its own."""
        self._kept.append((label.shape, zlib.compress(label.tobytes(), 1), step.ran, step.then))

    def __len__(self):
        return len(self._kept)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [_unpack(*kept) for kept in self._kept[i]]
        return _unpack(*self._kept[i])

    def steps(self):
        """A list of the Steps, one a frame, as lib.plot_clock.filmstrip takes them."""
        return [Step(_unpack(*kept), ran, then) for *kept, ran, then in self._kept]


def _unpack(shape, packed, *_):
    return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)
