"""Figures before a backdrop: a still with several of them, or a shot with one that moves."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from datasets.drawn.photo import Film
from datasets.drawn.shapes.backdrop import SETTINGS, backdrop
from datasets.drawn.shapes.figures import FIGURES, IDS, clutter, figure_patch
from datasets.drawn.shapes.sheet import Figure

# A number appended to the seed tells the objects of an image apart. It is not 0, because NumPy's
# generators treat [a, b] and [a, b, 0] as the same seed.
_FLYING = "aeroplane", "bird"
# Sizes of the objects of a still: half the extent of a figure over the height of the image.
_MAIN, _OTHERS, _CLUTTER = (0.25, 0.48), (0.1, 0.32), (0.04, 0.17)
_HOME = {name: [s for s, names in SETTINGS.items() if name in names] for name in IDS}


def still(
    seed: Sequence[int], first: Figure, size: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw an image with several objects.

    Parameters
    ----------
    seed : sequence of int
        Decides everything that is random.
    first : Figure
        The main object.
    size : sequence of int
        Width w and height h in pixels.

    Returns
    -------
    photo : np.ndarray
        RGB, h x w x 3 uint8.
    instances : np.ndarray
        h x w uint8: 0 = background, k = the k-th object.
    ids : np.ndarray
        uint8; ids[k] is the VOC class of object k, and ids[0] is 0.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    setting = _setting(rng, first.__name__)
    color, horizon = backdrop(rng, setting, size)
    figures = [first] + [_companion(rng, setting) for _ in range(rng.integers(0, 4))]
    figures += [clutter] * int(rng.integers(2, 6))
    placed = []
    for k, figure in enumerate(figures):
        share = rng.uniform(*_MAIN if k == 0 else _CLUTTER if figure is clutter else _OTHERS)
        x = rng.uniform(0.25, 0.75) if k == 0 else rng.uniform(0.02, 0.98)
        foot = horizon + (height - horizon) * rng.uniform(0.15, 1.05)
        aloft = figure.__name__ in _FLYING and rng.random() < 0.7
        if aloft:
            foot = height * rng.uniform(0.35, 0.9)
        angle, mirror, phase = rng.normal(0, 0.06), rng.random() < 0.5, rng.uniform(0, 2 * np.pi)
        at, scale = (x * width, height / 2), share * height
        patch = figure_patch(figure, [*seed, k + 1], at, scale, angle, mirror, phase)
        patch.top += round(foot) - patch.foot()
        placed.append((foot, aloft, figure, patch))
    instances, ids = np.zeros((height, width), np.uint8), [0]
    for foot, aloft, figure, patch in sorted(placed, key=lambda item: item[0]):  # nearest last
        if not aloft:
            _shadow(color, patch, foot)
        if figure is not clutter:
            ids.append(IDS[figure.__name__])
        patch.paste(color, instances, 0 if figure is clutter else len(ids) - 1)
    film = Film(rng)
    return film.expose(color, rng.uniform(0, 6), rng), instances, np.array(ids, np.uint8)


class Shot:
    """Hand-held video of one moving object: pan, zoom and shake, with clutter around.

    Parameters
    ----------
    seed : sequence of int
        Decides everything that is random.
    figure : Figure
        The object.
    size : sequence of int
        Width and height of a frame in pixels.
    """

    def __init__(self, seed: Sequence[int], figure: Figure, size: Sequence[int]) -> None:
        rng = np.random.default_rng(seed)
        width, height = size
        self._seed, self._figure, self.size = seed, figure, (width, height)
        setting = _setting(rng, figure.__name__)
        self._world = width * 2, round(height * 1.4)  # size of the backdrop, in pixels
        color, horizon = backdrop(rng, setting, self._world)
        for k in range(rng.integers(4, 9)):  # still clutter
            at = rng.uniform(0, self._world[0]), rng.uniform(horizon, self._world[1])
            patch = figure_patch(clutter, [*seed, 100 + k], at, height * rng.uniform(*_CLUTTER))
            _shadow(color, patch, patch.foot())
            patch.paste(color)
        self._behind = Image.fromarray(color.astype(np.uint8))
        self._mirror = rng.random() < 0.5
        self._ahead = -1 if self._mirror else 1  # the direction it faces and moves in
        self._scale = rng.uniform(0.28, 0.42) * height
        self._rate = rng.uniform(0.12, 0.22)  # of steps, wheels and wings, rad per frame
        self._start = rng.uniform(0, 2 * np.pi)
        self._middle = np.array((rng.uniform(0.42, 0.58) * width, rng.uniform(0.5, 0.65) * height))
        self._drift = self._ahead * rng.uniform(0.3, 1.0)  # pixels per frame
        if rng.random() < 0.3:  # it crosses the image
            self._drift = self._ahead * rng.uniform(2.0, 3.5)
        self._pan = self._ahead * rng.uniform(0.5, 2.2)
        self._sway = rng.uniform(0.4, 1.0, 6), rng.uniform(0.06, 0.14, 6), rng.uniform(0, 6.3, 6)
        self._shake = rng.normal(0, 1, (3, 2)), rng.uniform(0.4, 1.3, (3, 1))
        self._before = None  # clutter that it passes behind: x in the backdrop, and scale
        if rng.random() < 0.4:
            x = self._world[0] / 2 + self._ahead * rng.uniform(-20, 90)
            self._before = x, rng.uniform(0.15, 0.32) * height
        self._film = Film(rng)

    def frame(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw a frame; it does not depend on those drawn before.

        Parameters
        ----------
        index : int
            Number of the frame, from 0.

        Returns
        -------
        photo : np.ndarray
            RGB, h x w x 3 uint8.
        mask : np.ndarray
            h x w bool, True on the object.
        """
        time = index - 30.0  # from the middle of the shot
        width, height = self.size
        swing, rate, start = self._sway
        sway = swing * np.sin(rate * time + start)
        amplitude, quiver = self._shake
        shake = (np.sin(quiver * (time + 40)) * amplitude * 1.3).sum(axis=0)
        zoom = 1 + 0.1 * sway[0]
        slack = np.array(self._world) - np.array(self.size) * zoom
        x, y = np.clip(slack / 2 + (self._pan * time, sway[1] * 8) + shake, 0, slack)
        window = zoom, 0, x, 0, zoom, y
        behind = self._behind.transform(
            self.size, Image.Transform.AFFINE, window, Image.Resampling.BILINEAR
        )
        color, mask = np.array(behind, np.float32), np.zeros((height, width), np.uint8)
        middle = self._middle + (self._drift * time + 22 * sway[2], 13 * sway[3]) - shake
        scale, angle = self._scale * (1 + 0.14 * sway[4]), 0.07 * sway[5]
        phase, seed = self._start + self._rate * index, [*self._seed, 1]
        patch = figure_patch(self._figure, seed, middle, scale, angle, self._mirror, phase)
        patch.paste(color, mask, 1)
        if self._before:
            left, half = self._before
            at = (left - x) / zoom, height * 0.72 - y * 0.3
            figure_patch(clutter, [*self._seed, 2], at, half / zoom).paste(color, mask, 0)
        rng = np.random.default_rng([*self._seed, 3, index])
        return self._film.expose(color, index / 30, rng), mask > 0


def _setting(rng: Generator, name: str) -> str:
    """Choose where to film a figure: mostly where it is usual."""
    usual = rng.random() < 0.8
    return str(rng.choice(_HOME[name] if usual else list(SETTINGS)))


def _companion(rng: Generator, setting: str) -> Figure:
    """Choose another figure: mostly one that is usual in the setting."""
    usual = rng.random() < 0.6
    return FIGURES[IDS[str(rng.choice(SETTINGS[setting]))] - 1 if usual else rng.integers(20)]


def _shadow(color, patch, foot):
    """Darken the ground below a figure whose lower edge is at row `foot`."""
    columns = np.flatnonzero(patch.mask.any(axis=0)) + patch.left
    if not len(columns):
        return
    middle, half = (columns[0] + columns[-1]) / 2, max(4.0, len(columns) * 0.55)
    top, stop = (int(np.clip(foot + d * half, 0, len(color))) for d in (-0.3, 0.3))
    y = (np.arange(top, stop)[:, None] + 0.5 - foot) / (0.2 * half)
    x = (np.arange(color.shape[1]) + 0.5 - middle) / half
    dark = 0.5 * np.exp(-1.5 * (x * x + y * y)).astype(np.float32)
    color[top:stop] *= 1 - dark[:, :, None]
