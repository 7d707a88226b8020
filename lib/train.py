"""Train a net on batches that come from Python, with any Caffe solver."""

import numpy as np
from tqdm import tqdm


def batches(sample, rng, batch_size=1):
    """Endless (data, label) batches of independently drawn samples.

    sample(rng) -> (in_, label): 3 x H x W float32 and H x W (or 1 x H x W) uint8, all of one size.
    Yields (N x 3 x H x W float32, N x 1 x H x W float32).
    """
    while True:
        frames, labels = zip(*(sample(rng) for _ in range(batch_size)), strict=True)
        data = np.stack(frames).astype(np.float32, copy=False)
        label = np.stack(labels).astype(np.float32)
        yield data, label.reshape(len(label), 1, *label.shape[-2:])


def train(solver, batches, iterations, display=20, snapshot=0, after=None, silent=False):
    """Take `iterations` solver steps, one batch each.

    solver    any pycaffe solver with iter_size 1 (a step sees one batch only); its train net has
              the blobs `data` and `label`
    batches   iterator of (data N x C x H x W, label N x 1 x H x W)
    display   the bar shows the mean loss of so many last iterations
    snapshot  call solver.snapshot() every so many iterations and at the end, 0 for never
    after     called as after(iteration, loss) after each step, e.g. to score a net now and then
    silent    no progress bar

    Returns the loss of each iteration, a float64 array: the weighted sum of the net's loss blobs.
    Raises ValueError where the batches run out, and where the loss is no longer finite.
    """
    losses = []
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


def drop_vanished(net, below=1e-20):
    """Set the weights of `net` that are smaller than `below` to 0; returns their share, 0..1.

    Weight decay halves again and again what the loss does not hold up, such as filters that never
    fire. It ends in subnormal numbers, with which most processors are tens of times slower.
    """
    blobs = [blob.data for params in net.params.values() for blob in params]
    vanished = 0
    for values in blobs:
        tiny = np.abs(values) < below
        vanished += int(np.count_nonzero(values[tiny]))
        values[tiny] = 0
    return vanished / sum(values.size for values in blobs)


def feed_batch(net, data, label):
    """Put one batch into the blobs `data` and `label`, which take its shape."""
    for name, values in (("data", data), ("label", label)):
        if name not in net.blobs:
            raise ValueError(
                f"the net has no blob {name!r} to feed: give its train prototxt Input "
                "layers with the tops 'data' and 'label'"
            )
        net.blobs[name].reshape(*values.shape)
        net.blobs[name].data[...] = values


def net_loss(net):
    """Loss of the last forward pass: loss blobs times their weights, as the solver sums them."""
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
