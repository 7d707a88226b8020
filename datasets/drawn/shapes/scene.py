"""Figures before a backdrop: a still with several of them, or a shot with one that moves."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from datasets.drawn.photo import Film
from datasets.drawn.shapes.backdrop import SETTINGS, backdrop
from datasets.drawn.shapes.figures import FIGURES, IDS, clutter, figure_patch

# Seeds below: a last number tells the objects of a picture apart. Not 0: numpy's generators take
# [a, b] and [a, b, 0] for the same seed.
_FLYING = "aeroplane", "bird"
# How large objects of a still are: a unit of the figure, half its extent, over the height.
_MAIN, _OTHERS, _CLUTTER = (0.25, 0.48), (0.1, 0.32), (0.04, 0.17)
_HOME = {name: [s for s, names in SETTINGS.items() if name in names] for name in IDS}


def still(seed, first, size):
    """A photo (h x w x 3 uint8) and its objects, in a picture of `size` (w, h).

    first: the figure of the main object. Returns (photo, instances, ids):
    instances h x w uint8, 0 = background, k = the k-th object; ids[k] is its VOC class.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    setting = _setting(rng, first.__name__)
    color, horizon = backdrop(rng, setting, size)
    figures = [first] + [_companion(rng, setting) for _ in range(rng.integers(0, 4))]
    figures += [clutter] * rng.integers(2, 6)
    placed = []
    for k, figure in enumerate(figures):
        share = rng.uniform(*_MAIN if k == 0 else _CLUTTER if figure is clutter else _OTHERS)
        x = rng.uniform(0.25, 0.75) if k == 0 else rng.uniform(0.02, 0.98)
        foot = horizon + (height - horizon) * rng.uniform(0.15, 1.05)
        aloft = figure.__name__ in _FLYING and rng.random() < 0.7
        if aloft:
            foot = height * rng.uniform(0.35, 0.9)
        patch = figure_patch(
            figure,
            [*seed, k + 1],
            (x * width, height / 2),
            share * height,
            rng.normal(0, 0.06),
            rng.random() < 0.5,
            rng.uniform(0, 2 * np.pi),
        )
        patch.top += round(foot) - patch.foot()
        placed.append((foot, aloft, figure, patch))
    instances, ids = np.zeros((height, width), np.uint8), [0]
    for foot, aloft, figure, patch in sorted(placed, key=lambda item: item[0]):  # nearest last
        if not aloft:
            _shadow(color, patch, foot)
        if figure is not clutter:
            ids.append(IDS[figure.__name__])
        patch.paste(color, instances, 0 if figure is clutter else len(ids) - 1)
    film = Film(rng, np.zeros(3))
    return _expose(film, color, rng.uniform(0, 6), rng), instances, np.array(ids, np.uint8)


class Shot:
    """A few seconds of one moving object, filmed by hand: pan, zoom and shake, clutter around."""

    def __init__(self, seed, figure, size):
        rng = np.random.default_rng(seed)
        self._seed, self._figure, self.size = seed, figure, size
        width, height = size
        setting = _setting(rng, figure.__name__)
        self._world = width * 2, round(height * 1.4)  # the backdrop, in pixels
        color, horizon = backdrop(rng, setting, self._world)
        for k in range(rng.integers(4, 9)):  # still clutter
            at = rng.uniform(0, self._world[0]), rng.uniform(horizon, self._world[1])
            patch = figure_patch(clutter, [*seed, 100 + k], at, height * rng.uniform(*_CLUTTER))
            _shadow(color, patch, patch.foot())
            patch.paste(color)
        self._behind = Image.fromarray(color.astype(np.uint8))
        self._mirror = rng.random() < 0.5
        self._ahead = -1 if self._mirror else 1  # the way it faces, and goes
        self._scale = rng.uniform(0.28, 0.42) * height
        self._rate = rng.uniform(0.12, 0.22)  # of steps, wheels and wings, rad a frame
        self._start = rng.uniform(0, 2 * np.pi)
        self._middle = np.array((rng.uniform(0.42, 0.58) * width, rng.uniform(0.5, 0.65) * height))
        self._drift = self._ahead * rng.uniform(0.3, 1.0)  # pixels a frame
        if rng.random() < 0.3:  # it crosses the picture
            self._drift = self._ahead * rng.uniform(2.0, 3.5)
        self._pan = self._ahead * rng.uniform(0.5, 2.2)
        self._sway = rng.uniform(0.4, 1.0, 6), rng.uniform(0.06, 0.14, 6), rng.uniform(0, 6.3, 6)
        self._shake = rng.normal(0, 1, (3, 2)), rng.uniform(0.4, 1.3, (3, 1))
        self._before = None  # what it passes behind: where in the world, and how large
        if rng.random() < 0.4:
            self._before = (
                self._world[0] / 2 + self._ahead * rng.uniform(-20, 90),
                rng.uniform(0.15, 0.32) * height,
            )
        self._film = Film(rng, np.zeros(3))

    def frame(self, index):
        """Frame `index` (from 0): photo h x w x 3 uint8 and mask h x w bool."""
        time = index - 30.0  # from the middle of the shot
        width, height = self.size
        swing, rate, phase = self._sway
        sway = swing * np.sin(rate * time + phase)
        shake, quiver = self._shake
        shake = (np.sin(quiver * (time + 40)) * shake * 1.3).sum(axis=0)
        zoom = 1 + 0.1 * sway[0]
        corner = (np.array(self._world) - np.array(self.size) * zoom) / 2
        corner += (self._pan * time, sway[1] * 8) + shake
        corner = np.clip(corner, 0, np.array(self._world) - np.array(self.size) * zoom)
        window = zoom, 0, corner[0], 0, zoom, corner[1]
        behind = self._behind.transform(
            self.size, Image.Transform.AFFINE, window, Image.Resampling.BILINEAR
        )
        color, mask = np.array(behind, np.float32), np.zeros((height, width), np.uint8)
        middle = self._middle + (self._drift * time + 22 * sway[2], 13 * sway[3]) - shake
        phase = self._start + self._rate * index
        patch = figure_patch(
            self._figure,
            [*self._seed, 1],
            middle,
            self._scale * (1 + 0.14 * sway[4]),
            0.07 * sway[5],
            self._mirror,
            phase,
        )
        patch.paste(color, mask, 1)
        if self._before:
            x, size = self._before
            at = (x - corner[0]) / zoom, height * 0.72 - corner[1] * 0.3
            figure_patch(clutter, [*self._seed, 2], at, size / zoom).paste(color, mask, 0)
        rng = np.random.default_rng([*self._seed, 3, index])
        return _expose(self._film, color, index / 30, rng), mask > 0


def _setting(rng, name):
    """Where to film a figure: mostly where one expects it."""
    usual = rng.random() < 0.8
    return str(rng.choice(_HOME[name] if usual else list(SETTINGS)))


def _companion(rng, setting):
    usual = rng.random() < 0.6
    return FIGURES[IDS[str(rng.choice(SETTINGS[setting]))] - 1 if usual else rng.integers(20)]


def _shadow(color, patch, foot):
    """Darken the ground below a figure."""
    columns = np.flatnonzero(patch.mask.any(axis=0)) + patch.left
    if not len(columns):
        return
    middle, half = (columns[0] + columns[-1]) / 2, max(4.0, len(columns) * 0.55)
    top, stop = (int(np.clip(foot + d * half, 0, len(color))) for d in (-0.3, 0.3))
    y = (np.arange(top, stop)[:, None] + 0.5 - foot) / (0.2 * half)
    x = (np.arange(color.shape[1]) + 0.5 - middle) / half
    dark = 0.5 * np.exp(-1.5 * (x * x + y * y)).astype(np.float32)
    color[top:stop] *= 1 - dark[:, :, None]


def _expose(film, color, time, rng):
    plate = SimpleNamespace(color=color, nearness=np.zeros(color.shape[:2], np.float32))
    return film.expose(plate, time, rng)
