"""Train a net on batches that come from Python, with any Caffe solver."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from tqdm import tqdm

from lib.stages import Net

Batch = tuple[np.ndarray, np.ndarray]  # data N x C x H x W, label N x 1 x H x W


class Solver(Protocol):
    """What `train` needs of a solver, see `caffe.SGDSolver`."""

    @property
    def net(self) -> Net:
        """The train net."""

    def step(self, n: int, /) -> None:
        """Take `n` steps."""

    def snapshot(self) -> object:
        """Save weights and state."""


def batches(
    sample: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]],
    rng: np.random.Generator,
    batch_size: int = 1,
) -> Iterator[Batch]:
    """Draw batches of independent samples, without end.

    Parameters
    ----------
    sample : callable
        ``sample(rng)`` returns a frame (3 x H x W float) and its label (H x W or 1 x H x W uint8),
        all of one size.
    rng : numpy.random.Generator
    batch_size : int
        N, samples per batch.

    Yields
    ------
    data : N x 3 x H x W float32 array
    label : N x 1 x H x W float32 array
    """
    while True:
        frames, labels = zip(*(sample(rng) for _ in range(batch_size)), strict=True)
        data = np.stack(frames).astype(np.float32, copy=False)
        label = np.stack(labels).astype(np.float32)
        yield data, label.reshape(len(label), 1, *label.shape[-2:])


def train(
    solver: Solver,
    batches: Iterator[Batch],
    iterations: int,
    display: int = 20,
    snapshot: int = 0,
    after: Callable[[int, float], object] | None = None,
    silent: bool = False,
) -> np.ndarray:
    """Take `iterations` solver steps, one batch each.

    Parameters
    ----------
    solver : Solver
        With iter_size 1, as a step sees one batch only. Its train net has the blobs `data` and
        `label`.
    batches : iterator of (data, label)
        N x C x H x W and N x 1 x H x W arrays.
    iterations : int
    display : int
        The progress bar shows the mean loss of this many last iterations.
    snapshot : int
        Call ``solver.snapshot()`` every so many iterations and at the end; 0 for never.
    after : callable, optional
        Called as ``after(iteration, loss)`` after each step, e.g. to evaluate now and then.
    silent : bool
        Show no progress bar.

    Returns
    -------
    float64 array
        The loss of each iteration: the weighted sum of the net's loss blobs.

    Raises
    ------
    ValueError
        If the batches run out or the loss is not finite.
    """
    losses: list[float] = []
    with tqdm(total=iterations, desc="train", unit="it", disable=silent) as bar:
        for iteration in range(1, iterations + 1):
            feed_batch(solver.net, *_next_batch(batches, iteration, iterations))
            solver.step(1)
            losses.append(net_loss(solver.net))
            if not np.isfinite(losses[-1]):
                raise ValueError(
                    f"the loss is {losses[-1]} at iteration {iteration}: "
                    "lower base_lr, or check the batches for non-finite values"
                )
            bar.update()
            if iteration % display == 0:
                bar.set_postfix(loss=f"{np.mean(losses[-display:]):.4g}")
            if snapshot and (iteration % snapshot == 0 or iteration == iterations):
                solver.snapshot()
            if after:
                after(iteration, losses[-1])
    return np.array(losses)


def drop_vanished(net: Net, below: float = 1e-20) -> float:
    """Set the weights of the net whose magnitude is less than `below` to 0.

    Weight decay shrinks weights without a gradient, such as those of filters that never fire,
    until they are subnormal numbers. Most processors are tens of times slower with these.

    Parameters
    ----------
    net : Net
        Its weights are changed in place.
    below : float

    Returns
    -------
    float
        The share of weights, 0..1, that were not 0 and now are.
    """
    blobs = [blob.data for params in net.params.values() for blob in params]
    vanished = 0
    for values in blobs:
        tiny = np.abs(values) < below
        vanished += int(np.count_nonzero(values[tiny]))
        values[tiny] = 0
    return vanished / sum(values.size for values in blobs)


def feed_batch(net: Net, data: np.ndarray, label: np.ndarray) -> None:
    """Copy one batch into the blobs `data` and `label`, which take its shape.

    Raises ValueError if the net lacks one of them.
    """
    for name, values in (("data", data), ("label", label)):
        if name not in net.blobs:
            raise ValueError(
                f"the net has no blob {name!r} to feed: give its train prototxt Input "
                "layers with the tops 'data' and 'label'"
            )
        net.blobs[name].reshape(*values.shape)
        net.blobs[name].data[...] = values


def net_loss(net: Net) -> float:
    """Return the loss of the last forward pass: loss blobs times their weights, summed."""
    return float(
        sum(
            np.sum(net.blobs[name].data) * weight
            for name, weight in net.blob_loss_weights.items()
            if weight
        )
    )


def _next_batch(batches, iteration, iterations):
    try:
        return next(batches)
    except StopIteration:
        raise ValueError(
            f"the batches ran out at iteration {iteration} of {iterations}: "
            "train needs an endless iterator, see lib.train.batches"
        ) from None
