"""What things are made of: tiles of one square metre, and the few of them that one room shares."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

TEXELS = 64  # a tile is TEXELS x TEXELS, one metre wide
_WOODS = np.array([(176, 132, 88), (132, 88, 54), (92, 60, 42), (206, 170, 126), (150, 72, 44)])
_FABRICS = np.array([
    (150, 44, 48), (52, 76, 128), (190, 172, 140), (84, 112, 84), (96, 84, 78),
    (206, 200, 190), (120, 88, 130), (200, 150, 70), (60, 62, 70),
])  # fmt: skip
_PAINTS = np.array([
    (214, 206, 190), (196, 204, 206), (222, 214, 168), (178, 194, 170),
    (226, 224, 220), (196, 170, 150), (160, 176, 196),
])  # fmt: skip


def plain(color: npt.ArrayLike) -> np.ndarray:
    """Return a tile of one colour, TEXELS x TEXELS x 3 float32."""
    return np.zeros((TEXELS, TEXELS, 3), np.float32) + np.asarray(color, np.float32)


def grained(rng: Generator, tile: np.ndarray, amount: float) -> np.ndarray:
    """Return `tile` (h x w x 3) with grey noise of standard deviation `amount`, in 0..255."""
    noise = np.float32(amount) * rng.standard_normal((*tile.shape[:2], 1), np.float32)
    return np.clip(tile + noise, 0, 255)


def wood(rng: Generator) -> np.ndarray:
    """Return wood with streaks along the board, more or less marked."""
    tile = plain(_WOODS[rng.integers(len(_WOODS))] * rng.uniform(0.8, 1.15))
    streaks = np.repeat(rng.standard_normal((TEXELS // 2, 1, 1)), 2, axis=0)
    return grained(rng, tile + rng.uniform(4, 14) * streaks, 4)


def boards(rng: Generator, tile: np.ndarray) -> np.ndarray:
    """Return a floor of 4 or 8 boards per metre of a wooden `tile`, each with its own tone."""
    count = int(rng.choice([4, 8]))
    tones = np.repeat(rng.uniform(0.85, 1.1, count), TEXELS // count)
    tile = tile * tones[:, None, None]
    tile[:: TEXELS // count] *= 0.7
    return tile


def fabric(rng: Generator) -> np.ndarray:
    """Return plain, striped, checked or dotted cloth."""
    base = _FABRICS[rng.integers(len(_FABRICS))] * rng.uniform(0.8, 1.2)
    other = _FABRICS[rng.integers(len(_FABRICS))] * rng.uniform(0.8, 1.2)
    tile, pitch = plain(base), int(rng.choice([8, 16, 32]))
    stripe = np.arange(TEXELS) % pitch < pitch // 2
    pattern = rng.choice(["plain", "stripes", "checks", "dots"], p=[0.55, 0.2, 0.15, 0.1])
    if pattern == "stripes":
        tile[:, stripe] = other
    elif pattern == "checks":
        tile[stripe[:, None] ^ stripe] = other
    elif pattern == "dots":
        tile[stripe[:, None] & stripe] = other
    return grained(rng, tile, rng.uniform(4, 9))


def paint(rng: Generator) -> np.ndarray:
    """Return a painted wall, sometimes with the faint stripes of wallpaper."""
    tile = plain(_PAINTS[rng.integers(len(_PAINTS))] * rng.uniform(0.8, 1.08))
    if rng.random() < 0.25:
        tile[:, ::8] *= 0.9
    return grained(rng, tile, 3)


def enamel(rng: Generator) -> np.ndarray:
    """Return shiny white or cream: toilets, tubs, refrigerators, doors, window frames."""
    return grained(rng, plain(np.ones(3) * rng.uniform(205, 240) + rng.normal(0, 5, 3)), 3)


def metal(rng: Generator) -> np.ndarray:
    """Return brushed grey or black metal."""
    return grained(rng, plain(np.ones(3) * rng.choice([60, 130, 170]) * rng.uniform(0.8, 1.1)), 4)


def stone(rng: Generator) -> np.ndarray:
    """Return the speckled stone or laminate of worktops."""
    return grained(rng, plain(np.array((150, 140, 128)) * rng.uniform(0.5, 1.3)), 14)


def tiles(rng: Generator) -> np.ndarray:
    """Return square tiles with light or dark joints."""
    tile = plain(_PAINTS[rng.integers(len(_PAINTS))] * rng.uniform(0.7, 1.05))
    count = int(rng.choice([2, 4, 8]))
    tones = rng.uniform(0.94, 1.04, (count, count)).repeat(TEXELS // count, 0)
    tile *= tones.repeat(TEXELS // count, 1)[:, :, None]
    joint = rng.choice([0.75, 1.15])
    tile[:: TEXELS // count] *= joint
    tile[:, :: TEXELS // count] *= joint
    return grained(rng, tile, 3)


def carpet(rng: Generator) -> np.ndarray:
    """Return a fitted carpet."""
    return grained(rng, plain(_FABRICS[rng.integers(len(_FABRICS))] * 0.5 + 70), 10)


class Decor:
    """The materials of one room: furniture of all classes, floor and doors share a few of each.

    Parameters
    ----------
    rng : Generator
        Chooses the materials, and later which of them a piece gets.
    """

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self._woods = [wood(rng) for _ in range(2)]
        self._fabrics = [fabric(rng) for _ in range(4)]
        self._whites = [enamel(rng) for _ in range(2)]
        self.wall, self.metal, self.stone = paint(rng), metal(rng), stone(rng)

    def wood(self) -> np.ndarray:
        """Return one of the room's woods; one piece in five is painted white."""
        return self.white() if self.rng.random() < 0.2 else self._woods[self.rng.integers(2)]

    def fabric(self) -> np.ndarray:
        """Return one of the room's fabrics."""
        return self._fabrics[self.rng.integers(4)]

    def white(self) -> np.ndarray:
        """Return one of the room's enamels."""
        return self._whites[self.rng.integers(2)]
