"""Textures of what lines a street: facades, walls, fences, hedges, poles."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from datasets.drawn.render import CLEAR, Texture
from datasets.drawn.street.classes import BUILDING, FENCE, POLE, VEGETATION, WALL

# Facades, walls and vans share these colours, so that colour alone does not tell them apart.
MASONRY = np.array([
    (168, 150, 122), (138, 134, 128), (150, 96, 78), (186, 176, 156),
    (120, 104, 88), (172, 160, 110), (112, 120, 126), (196, 190, 182),
], float)  # fmt: skip
TEXELS_PER_METRE = 12


def masonry(rng: Generator) -> np.ndarray:
    """Return a random masonry colour, RGB."""
    return MASONRY[rng.integers(len(MASONRY))] * rng.uniform(0.75, 1.1) + rng.normal(0, 8, 3)


def plaster(
    rng: Generator, height: int, width: int, color: npt.ArrayLike, grain: float = 7.0
) -> np.ndarray:
    """Return a mottled surface.

    Parameters
    ----------
    rng : Generator
        Source of the noise.
    height, width : int
        Size in texels.
    color : array-like
        RGB in 0..255.
    grain : float
        Standard deviation of the noise, at each of a fine and a coarse scale.

    Returns
    -------
    np.ndarray
        height x width x 3, in 0..255.
    """
    grey = rng.standard_normal((height, width), np.float32)
    coarse = rng.standard_normal((height // 8 + 1, width // 8 + 1), np.float32)
    grey += coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    texels = np.asarray(color, np.float32) + grain * grey[:, :, None]
    return np.clip(texels, 0, 255, out=texels)


def facade(rng: Generator, width: float, height: float) -> Texture:
    """Draw a house front of `width` x `height` m: rows of windows above doors and shop windows."""
    rows, columns = round(height * TEXELS_PER_METRE), round(width * TEXELS_PER_METRE)
    base = masonry(rng)
    color = plaster(rng, rows, columns, base)
    floors = max(1, round(height / rng.uniform(2.8, 3.6)))
    bays = max(2, round(width / rng.uniform(1.8, 3.4)))
    floor, bay = rows / floors, columns / bays
    frame = np.clip(base + rng.choice([-45, 45]), 0, 255)
    wide, tall = rng.uniform(0.4, 0.75), rng.uniform(0.45, 0.7)
    for j in range(floors):
        ground = j == floors - 1
        if not ground and rng.random() < 0.7:  # a ledge
            color[round((j + 1) * floor) - 2 : round((j + 1) * floor)] = frame
        for i in range(bays):
            w, h = bay * (0.8 if ground else wide), floor * (0.75 if ground else tall)
            x, y = (i + 0.5) * bay, (j + (0.62 if ground else 0.5)) * floor
            glass = rng.choice([40, 62, 90, 150], p=[0.4, 0.3, 0.2, 0.1]) + np.array([-6, 0, 8])
            if ground and rng.random() < 0.35:
                glass = rng.uniform(40, 170) + rng.normal(0, 22, 3)  # a door or a lit shop
            left, right = round(x - w / 2), round(x + w / 2)
            top, bottom = round(y - h / 2), round(y + h / 2)
            color[top - 1 : bottom + 1, left - 1 : right + 1] = frame
            color[top:bottom, left:right] = glass + rng.normal(0, 6)
            color[(top + bottom) // 2, left:right] = frame
    return Texture(color, BUILDING)


def blank_wall(rng: Generator, width: float, height: float, label: int = WALL) -> Texture:
    """Draw a free-standing wall or, with label BUILDING, a windowless gable: courses of stone."""
    rows, columns = round(height * TEXELS_PER_METRE), round(width * TEXELS_PER_METRE)
    base = masonry(rng)
    color = plaster(rng, rows, columns, base, grain=10)
    course = int(rng.integers(4, 9))
    color[::course] *= 0.82
    color[:2] = np.clip(base * 1.15, 0, 255)
    if rng.random() < 0.4:  # a painted sign or graffiti
        top, left = rng.integers(0, rows // 2 + 1), rng.integers(0, columns // 2 + 1)
        color[top : top + rows // 3, left : left + columns // 4] = rng.uniform(20, 230, 3)
    return Texture(color, label)


def fence(rng: Generator, width: float, height: float) -> Texture:
    """Draw bars or boards; the gaps show what is behind, but are labelled fence as well."""
    rows, columns = round(height * 20), round(width * 20)
    base = rng.choice([(70, 74, 70), (140, 112, 84), (150, 152, 150), (58, 84, 62)])
    color = plaster(rng, rows, columns, base, grain=6)
    pitch = int(rng.integers(4, 9))
    board = rng.random() < 0.4
    opaque = np.zeros((rows, columns), bool)
    opaque[:, np.arange(columns) % pitch < (pitch - 1 if board else max(1, pitch // 3))] = True
    opaque[[1, 2, rows - 4, rows - 3]] = True
    color[:, ::pitch] *= 0.8
    return Texture(color, FENCE, opaque)


def hedge(rng: Generator, width: float, height: float) -> Texture:
    """Draw a trimmed hedge with a ragged top."""
    rows, columns = round(height * 16), round(width * 16)
    color = plaster(rng, rows, columns, foliage(rng), grain=16)
    label = np.full((rows, columns), VEGETATION)
    top = rng.integers(0, max(1, rows // 6) + 1, columns)
    label[np.arange(rows)[:, None] < top] = CLEAR
    return Texture(color, label)


def foliage(rng: Generator) -> np.ndarray:
    """Return a random green, RGB."""
    return np.array((72, 96, 48)) * rng.uniform(0.6, 1.3) + rng.normal(0, 8, 3)


def metal(rng: Generator) -> Texture:
    """Draw the surface of a grey or dark pole."""
    base = rng.choice([(150, 152, 152), (96, 98, 100), (52, 66, 58)])
    return Texture(plaster(rng, 32, 4, base), POLE)
