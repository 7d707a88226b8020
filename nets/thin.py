"""Initial weights for a light net, taken from a wide net: keep the most informative channels.

From the input upwards, each layer of the light net keeps a subset of the wide layer's channels. Its
kernels are fitted to reproduce these channels from the light net's own activations:

    keep = the k channels that pivoted QR picks first from relu(Y) diag(n)
    W, b = argmin |[X 1] (W, b) - Y[:, keep]|^2 + ridge |W|^2

Y: outputs of the wide layer before its ReLU, samples x channels; n: norm of the next wide layer's
weights for each channel; X: patches under the light layer's kernel at the same positions. Channels
are kept or dropped, never mixed, because the ReLU in between does not commute with mixing. This is
channel pruning with reconstruction (He, Zhang, Sun, "Channel Pruning", ICCV 2017) with a different
choice of channels. Training then starts from ImageNet's features instead of from noise.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import qr, solve

import caffe


def thin(
    light: caffe.Net,
    wide: caffe.Net,
    images: np.ndarray,
    samples: int = 20000,
    ridge: float = 1e-3,
    seed: int = 0,
) -> dict[str, float]:
    """Fill the convolutions of `light` from the convolutions of `wide` with the same names.

    Parameters
    ----------
    light, wide : Net
        Nets with the same layers in the same order and different widths. Their convolutions have
        stride 1, are padded to keep the size, and are each followed by a ReLU.
    images : ndarray
        N x 3 x H x W float32, for their blob `data`.
    samples : int
        Number of positions, drawn from all images, that each layer is fitted on.
    ridge : float
        Regularisation, relative to the mean square of the patches (see `fit_ridge`).
    seed : int
        Seed of the drawn positions.

    Returns
    -------
    dict
        Layer -> share of the kept channels' variance that the light layer reproduces, up to 1.
    """
    rng = np.random.default_rng(seed)
    for net in (light, wide):
        net.blobs["data"].reshape(*images.shape)
        net.reshape()
        net.blobs["data"].data[...] = images
    names = [name for name in light.params if name in wide.params]
    explained, start = {}, None
    for i, name in enumerate(names):
        bottom = light.bottom_names[name][0]
        light.forward(start=start, end=_neighbour(light, name, -1))
        wide.forward(start=start, end=name)
        shape = light.blobs[bottom].shape
        places = [rng.integers(0, n, samples) for n in (shape[0], shape[2], shape[3])]
        n, y, x = places
        target = wide.blobs[name].data[n, :, y, x]
        weight, bias = light.params[name]
        following = wide.params[names[i + 1]][0].data if i + 1 < len(names) else None
        keep = choose_channels(target, following, len(bias.data))
        patches = patches_at(light.blobs[bottom].data, places, weight.data.shape[2])
        fitted, bias.data[...], explained[name] = fit_ridge(patches, target[:, keep], ridge)
        weight.data[...] = fitted.reshape(weight.data.shape)
        light.forward(start=name, end=name)
        start = _neighbour(light, name, +1)  # the layer's ReLU, which both nets have
    return explained


def _neighbour(net, name, steps):
    """Return the layer that runs `steps` after layer `name` (before it if negative)."""
    return net._layer_names[net._layer_names.index(name) + steps]


def choose_channels(outputs: np.ndarray, following: np.ndarray | None, k: int) -> np.ndarray:
    """Choose the channels that best span the others.

    Parameters
    ----------
    outputs : ndarray
        Outputs before the ReLU, samples x channels.
    following : ndarray or None
        Weights of the next layer, out x channels x kernel x kernel, which scale the channels.
    k : int
        Number of channels to choose.

    Returns
    -------
    ndarray
        Indices of the k channels, ascending.
    """
    norms = 1 if following is None else np.sqrt((following**2).sum((0, 2, 3)))
    active = np.maximum(outputs, 0) * norms
    return np.sort(qr(active - active.mean(0), mode="r", pivoting=True)[1][:k])


def patches_at(blob: np.ndarray, places: Sequence[np.ndarray], kernel: int) -> np.ndarray:
    """Return the patches of `blob` that a convolution reads at the given positions.

    Parameters
    ----------
    blob : ndarray
        N x C x H x W.
    places : sequence of three ndarrays
        Indices n, y, x of the patch centres.
    kernel : int
        Odd kernel size.

    Returns
    -------
    ndarray
        positions x (C * kernel * kernel), zero outside the blob.
    """
    n, y, x = places
    edge = kernel // 2
    padded = np.pad(blob, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    columns = [padded[n, :, y + dy, x + dx] for dy in range(kernel) for dx in range(kernel)]
    return np.stack(columns, 2).reshape(len(n), -1)


def fit_ridge(
    patches: np.ndarray, target: np.ndarray, ridge: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Fit `target` linearly to `patches` by ridge regression.

    Parameters
    ----------
    patches : ndarray
        samples x inputs.
    target : ndarray
        samples x outputs.
    ridge : float
        Penalty on the squared weights in units of the patches' mean square (the trace of their Gram
        matrix over its size), so that it does not depend on the scale of the patches.

    Returns
    -------
    weights : ndarray
        outputs x inputs.
    bias : ndarray
        One value per output.
    explained : float
        Share of the target's variance that the fit reproduces.
    """
    centre, level = patches.mean(0), target.mean(0)
    a, b = (patches - centre).astype(np.float64), (target - level).astype(np.float64)
    gram = a.T @ a
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram)
    weights = solve(gram, a.T @ b, assume_a="pos")
    left = ((b - a @ weights) ** 2).sum() / max((b**2).sum(), 1e-12)
    return weights.T, level - centre @ weights, float(1 - left)
