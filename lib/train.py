"""Train a net on batches that come from Python, with any Caffe solver."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
from tqdm import tqdm

from lib.checks import check_whole
from lib.labels import plane
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

    Raises
    ------
    ValueError
        If a sample is no frame with its label, or samples differ in size.
    """
    check_whole("batch_size", batch_size, least=1)
    if not callable(sample) or not hasattr(rng, "uniform"):
        raise ValueError(
            f"sample is a {type(sample).__name__}, rng a {type(rng).__name__}: give a function of "
            "rng that returns (frame, label), and np.random.default_rng(seed)"
        )
    while True:
        drawn = [_as_sample(sample(rng)) for _ in range(int(batch_size))]
        if len({frame.shape for frame, _ in drawn}) > 1:
            raise ValueError(
                f"samples of the sizes {', '.join(str(f.shape) for f, _ in drawn)} make no batch: "
                "give all one size, as augment(..., crop=size) does"
            )
        frames, labels = zip(*drawn, strict=True)
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
        If the batches run out or the loss is not finite, or a number is none of its kind.
    """
    for what, number, least in (
        ("iterations", iterations, 0),
        ("display", display, 1),
        ("snapshot", snapshot, 0),
    ):
        check_whole(what, number, least)
    batches = _as_batches(batches)
    losses: list[float] = []
    with tqdm(total=iterations, desc="train", unit="it", disable=silent) as bar:
        for iteration in range(1, int(iterations) + 1):
            feed_batch(solver.net, *_next_batch(batches, iteration, iterations))
            solver.step(1)
            losses.append(net_loss(solver.net))
            if not np.isfinite(losses[-1]):
                raise ValueError(
                    f"the loss is {losses[-1]} at iteration {iteration}: "
                    "lower base_lr, or check the batches for non-finite values; the last snapshot "
                    f"is {_last_snapshot(iteration, snapshot)}"
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
    if not 0 <= below < np.inf:  # nan too
        raise ValueError(f"below is {below!r}: give a magnitude of at least 0, such as 1e-20")
    if not sum(values.size for values in blobs):
        raise ValueError("the net has no weights: give the net that was trained")
    vanished = 0
    for values in blobs:
        tiny = np.abs(values) < below
        vanished += int(np.count_nonzero(values[tiny]))
        values[tiny] = 0
    return vanished / sum(values.size for values in blobs)


def feed_batch(net: Net, data: np.ndarray, label: np.ndarray) -> None:
    """Copy one batch into the blobs `data` and `label`, which take its shape.

    Raises ValueError if the net lacks one of them, or a batch has no axis of samples.
    """
    if np.ndim(data) != 4 or np.ndim(label) != 4 or len(data) != len(label):
        raise ValueError(
            f"a batch has data of the shape {np.shape(data)} and labels of {np.shape(label)}: give "
            "N x C x H x W and N x 1 x H x W, frame[np.newaxis] for a single frame"
        )
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


def _as_sample(drawn):
    """Return a frame and its label as arrays; raise ValueError if they are none."""
    fix = "sample(rng) returns a frame, 3 x H x W float, and its label, H x W"
    if not isinstance(drawn, (tuple, list)) or len(drawn) != 2:
        raise ValueError(f"a sample is a {type(drawn).__name__}: {fix}")
    frame, label = np.asarray(drawn[0]), plane(drawn[1], "the label of a sample")
    if frame.ndim != 3 or frame.shape[1:] != label.shape or frame.dtype.kind != "f":
        raise ValueError(
            f"a sample has a frame of the shape {frame.shape}, {frame.dtype}, and a label of "
            f"{label.shape}: {fix}, of one size; preprocess(image) of a dataset makes a frame"
        )
    return frame, label


def _as_batches(batches):
    """Return an iterator over batches; a list of them is one."""
    if not isinstance(batches, Iterable) or isinstance(batches, (str, Mapping, np.ndarray)):
        raise ValueError(
            f"batches are a {type(batches).__name__}: give an iterator over (data, label), "
            "lib.train.batches(sample, rng, batch_size)"
        )
    return iter(batches)


def _last_snapshot(iteration, every):
    """Say of which iteration the last snapshot before this one is."""
    last = (iteration - 1) // every * every if every else 0
    return f"that of iteration {last}" if last else "none"


def _next_batch(batches, iteration, iterations):
    try:
        data, label = next(batches)
        return data, label
    except StopIteration:
        raise ValueError(
            f"the batches ran out at iteration {iteration} of {iterations}: "
            "train needs an endless iterator, see lib.train.batches"
        ) from None
