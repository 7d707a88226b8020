"""UsedInput: an input of the net as the layers last used it, and how it differs from its blob.

An incremental forward computes what the changed pixels reach. Changed is what differs from the
pixel that was last used, not from the frame before: else slow changes, each below the tolerance,
would add up unnoticed. Layers read the used input, in which pixels that count as unchanged are as
they were, so the blobs of the net always are exactly those of a whole forward on the used input.
"""

from collections.abc import Sequence

import torch

from caffe.blobs.device import CPU
from caffe.blobs.synced import SyncedTensor
from caffe.engine.changes.regions import NOTHING, Region, boxes, joined
from caffe.engine.reach import CHANNELS, Window, is_empty, place, whole


class UsedInput:
    """A copy of an input blob, brought up to date window by window.

    Attributes
    ----------
    synced : SyncedTensor
        The values that layers read.
    ignored : float
        Largest difference of a pixel that counted as unchanged in the last `update`.
    ignored_share : float
        Share of the pixels, 0..1, that differ and counted as unchanged.
    """

    def __init__(self) -> None:
        self.synced = SyncedTensor()
        self.ignored, self.ignored_share = 0.0, 0.0
        self._filled = False

    def update(
        self, now: torch.Tensor, tolerance: float = 0, changed: Sequence[Window] | None = None
    ) -> Region:
        """Take the pixels of `now` that have changed; return windows that hold them.

        Parameters
        ----------
        now : torch.Tensor
            The blob's values, float32 on the CPU.
        tolerance : float
            A pixel whose values differ by at most that much counts as unchanged.
        changed : sequence of Window, optional
            Where `now` has changed, if the caller knows. Nothing is compared then, and other
            pixels count as unchanged whatever they are.
        """
        self.ignored, self.ignored_share = 0.0, 0.0
        shape = tuple(now.shape)
        if not self._filled or self.synced.shape != shape:
            self.synced.put(now.clone(memory_format=torch.contiguous_format))
            self._filled = True
            return (whole(shape),)
        used = self.synced.tensor(CPU)
        if changed is not None:
            region = joined(changed)
        else:
            region = self._differing(used, now, tolerance)
        if region:
            for window in region:
                used[place(window)] = now[place(window)]
            self.synced.put(used)
        return region

    def _differing(self, used, now, tolerance):
        """Return windows around the pixels that differ by more than the tolerance."""
        spatial = now.dim() > CHANNELS + 1
        if not tolerance:  # by bits: NaN is equal to itself, and -0 is not 0
            differ = used.view(torch.int32) != now.contiguous().view(torch.int32)
            return self._around(differ, now.shape) if spatial else self._all(differ, now.shape)
        distance = (used - now).abs_()
        differ = ~(distance <= tolerance)  # NaN is a change
        differ &= used.view(torch.int32) != now.contiguous().view(torch.int32)
        region = self._around(differ, now.shape) if spatial else self._all(differ, now.shape)
        for window in region:
            distance[place(window)] = 0
        distance = distance.nan_to_num_(0)  # the same NaN in both
        self.ignored = float(distance.max()) if distance.numel() else 0.0
        if self.ignored:
            pixels = distance.amax((0, 1)) if spatial else distance
            self.ignored_share = float((pixels > 0).float().mean())
        return region

    def _around(self, differ, shape):
        if is_empty(whole(shape)) or not differ.numel():
            return NOTHING
        return boxes(differ.flatten(0, 1).any(0).numpy())

    def _all(self, differ, shape):
        return (whole(shape),) if bool(differ.any()) else NOTHING
