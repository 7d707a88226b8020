"""Colours of figures: at random, so that a class is told by its shape."""

import colorsys

import numpy as np


def any_color(rng, bright=False):
    """A random RGB colour, 0..255; saturated if `bright`."""
    saturation = rng.uniform(0.6, 1.0) if bright else rng.uniform(0.0, 0.85)
    value = rng.uniform(0.6, 1.0) if bright else rng.uniform(0.2, 1.0)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, value)) * 255


def tint(color, factor):
    """`color` lighter (factor > 1) or darker."""
    return np.clip(np.asarray(color) * factor, 0, 255)
