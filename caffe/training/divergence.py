"""Training that no longer gives numbers: it stops, and names the snapshot to go on from.

Once a loss is NaN, the gradients are, and the next update makes all weights NaN. So an iteration
ends with `Diverged` before it changes a weight, and no snapshot is written of such weights.
"""

import math
from collections.abc import Iterable

import torch

from caffe.errors import Diverged


class Watch:
    """Checks the numbers of one training, and keeps in mind which of its snapshots is good.

    A snapshot is good once its weights have given a finite loss.

    Parameters
    ----------
    advice : str
        What to change, for messages.
    """

    def __init__(self, advice: str):
        self._advice = advice
        self._good: str | None = None
        self._latest: str | None = None

    def saw_snapshot(self, path: str) -> None:
        """Take note of a solver state that was written, or that the training goes on from."""
        self._latest = path

    def check_loss(self, iteration: int, loss: float) -> None:
        """Raise Diverged if the loss of an iteration is not a finite number."""
        if not math.isfinite(loss):
            self._stop(f"iteration {iteration}: the loss is {loss}", self._latest)
        self._good, self._latest = self._latest or self._good, None

    def check(self, iteration: int, what: str, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Raise Diverged if tensors are not all finite.

        Parameters
        ----------
        iteration : int
        what : str
            What the tensors are, for the message.
        tensors : iterable of (str, torch.Tensor)
            With the name of the layer.
        """
        tensors = list(tensors)
        sums = [tensor.sum() for _, tensor in tensors]
        # One number for all, as each one asked for waits for the GPU. NaN and infinity stay in it.
        if not sums or bool(torch.stack([s.to(sums[0].device) for s in sums]).sum().isfinite()):
            return
        for name, tensor in tensors:  # finite numbers may have an infinite sum
            if not bool(tensor.isfinite().all()):
                self._stop(f"iteration {iteration}: {what} of layer {name!r} is not finite")

    def _stop(self, what, doubtful=None):
        good = self._good or (self._latest if doubtful is None else None)
        if good:
            where = f"the last good snapshot is {good}"
        elif doubtful:
            where = f"no snapshot is known to be good ({doubtful} has the weights of this loss)"
        else:
            where = "no snapshot has been written"
        raise Diverged(
            f"{what}: {self._advice}; the weights are as they were before this iteration; {where}"
        )
