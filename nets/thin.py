"""First weights for a light net, taken from a wide one: keep the channels that say most.

Layer by layer, from the image upwards, the light net keeps a subset of the wide net's channels and
gets the kernels that reproduce them best from what the light net itself has computed so far:

    keep = the k channels that pivoted QR picks first from relu(Y) diag(n)
    W, b = argmin |[X 1] (W, b) - Y[:, keep]|^2 + ridge |W|^2

Y: outputs of the wide layer before its ReLU, samples x channels; n: norm of what the next wide
layer does with each channel; X: patches under the light layer's kernel at the same places. A
channel is kept or left, never mixed, because the ReLU in between does not commute with mixing. It
is channel pruning with reconstruction (He, Zhang, Sun, "Channel Pruning", ICCV 2017) with another
choice of channels. Trained further, such a net starts from ImageNet's features instead of from
noise.
"""

import numpy as np
from scipy.linalg import qr, solve


def thin(light, wide, images, samples=20000, ridge=1e-3, seed=0):
    """Fill the convolutions of `light` from the convolutions of `wide` with the same names.

    light, wide: nets of the same layers in the same order but for their widths, with stride-1
    convolutions padded to keep the size, each followed by a ReLU. images: N x 3 x H x W float32 for
    their `data`. samples: places drawn from all images to fit each layer on.
    Returns {layer: share of the kept channels' variance that the light layer reproduces}.
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
        light.forward(start=start, end=neighbour(light, name, -1))
        wide.forward(start=start, end=name)
        shape = light.blobs[bottom].shape
        places = [rng.integers(0, n, samples) for n in (shape[0], shape[2], shape[3])]
        n, y, x = places
        target = wide.blobs[name].data[n, :, y, x]
        weight, bias = light.params[name]
        following = wide.params[names[i + 1]][0].data if i + 1 < len(names) else None
        keep = choose(target, following, len(bias.data))
        reach = weight.data.shape[2]
        patches = cut(light.blobs[bottom].data, places, reach)
        fitted, bias.data[...], explained[name] = fit(patches, target[:, keep], ridge)
        weight.data[...] = fitted.reshape(weight.data.shape)
        light.forward(start=name, end=name)
        start = neighbour(light, name, +1)  # its ReLU, which the wide net has too
    return explained


def neighbour(net, name, steps):
    """The layer that runs `steps` after layer `name`, before it where negative."""
    return net._layer_names[net._layer_names.index(name) + steps]


def choose(outputs, following, k):
    """Indices of the k channels of `outputs` (samples x channels) that span the others best."""
    norms = 1 if following is None else np.sqrt((following**2).sum((0, 2, 3)))
    active = np.maximum(outputs, 0) * norms
    return np.sort(qr(active - active.mean(0), mode="r", pivoting=True)[1][:k])


def cut(blob, places, kernel):
    """Patches of kernel x kernel of an N x C x H x W array around (n, y, x), zero outside."""
    n, y, x = places
    edge = kernel // 2
    padded = np.pad(blob, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    columns = [padded[n, :, y + dy, x + dx] for dy in range(kernel) for dx in range(kernel)]
    return np.stack(columns, 2).reshape(len(n), -1)


def fit(patches, target, ridge):
    """Least squares (weights as rows, bias, share of variance explained), ridge relative to the
    patches' mean square.
    """
    centre, level = patches.mean(0), target.mean(0)
    a, b = (patches - centre).astype(np.float64), (target - level).astype(np.float64)
    gram = a.T @ a
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram)
    weights = solve(gram, a.T @ b, assume_a="pos")
    left = ((b - a @ weights) ** 2).sum() / max((b**2).sum(), 1e-12)
    return weights.T, level - centre @ weights, float(1 - left)
