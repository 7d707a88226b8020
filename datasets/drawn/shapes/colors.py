"""Colours of figures: random, so that a class is recognised by its shape."""

import colorsys

import numpy as np
import numpy.typing as npt
from numpy.random import Generator


def any_color(rng: Generator, bright: bool = False) -> np.ndarray:
    """Return a random RGB colour, 0..255; saturated if `bright`."""
    saturation = rng.uniform(0.6, 1.0) if bright else rng.uniform(0.0, 0.85)
    value = rng.uniform(0.6, 1.0) if bright else rng.uniform(0.2, 1.0)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, value)) * 255


def tint(color: npt.ArrayLike, factor: float) -> np.ndarray:
    """Return `color` made lighter (factor > 1) or darker, clipped to 0..255."""
    return np.clip(np.asarray(color) * factor, 0, 255)
