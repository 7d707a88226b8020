"""The twenty figures in the order of VOC's classes, and clutter that belongs to none."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from datasets.drawn.shapes.animals import bird, cat, cow, dog, horse, person, sheep
from datasets.drawn.shapes.colors import any_color, tint
from datasets.drawn.shapes.household import bottle, chair, diningtable, pottedplant, sofa, tvmonitor
from datasets.drawn.shapes.sheet import Figure, Patch, Sheet
from datasets.drawn.shapes.vehicles import aeroplane, bicycle, boat, bus, car, motorbike, train

# Class k of VOC is the k-th figure, counted from 1; 0 is the background.
FIGURES: tuple[Figure, ...] = (
    aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow,
    diningtable, dog, horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor,
)  # fmt: skip
IDS = {figure.__name__: number for number, figure in enumerate(FIGURES, 1)}


def figure_patch(
    figure: Figure,
    seed: Sequence[int],
    middle: npt.ArrayLike,
    scale: float,
    angle: float = 0.0,
    mirror: bool = False,
    phase: float = 0.0,
) -> Patch:
    """Draw a figure.

    Parameters
    ----------
    figure : Figure
        One of FIGURES, or `clutter`.
    seed : sequence of int
        Fixes the looks, which stay the same as the figure moves.
    middle, scale, angle, mirror
        Where and how large; see Sheet.
    phase : float
        Pose, in radians.

    Returns
    -------
    Patch
        The figure, ready to paste.
    """
    sheet = Sheet(middle, scale, angle, mirror)
    figure(sheet, np.random.default_rng(seed), phase)
    # How many numbers a figure draws may depend on its phase: the texture has its own generator.
    return sheet.patch(np.random.default_rng([*seed, 1]))


def clutter(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a stone, crate, post, bush or heap of boards: coloured and shaded as figures are."""
    color = any_color(rng)
    kind = rng.integers(5)
    if kind == 0:  # stone
        angle = np.linspace(0, 2 * np.pi, 9)[:-1]
        radius = rng.uniform(0.5, 1.0, 8)
        sheet.blob(np.stack([radius * np.cos(angle), radius * np.sin(angle) * 0.7], 1), color)
    elif kind == 1:  # crate: front, lid and right side
        half, top = rng.uniform(0.4, 1.0), rng.uniform(0.3, 0.9)
        back = half + 0.2, top + 0.2
        sheet.box(-half, -0.8, half, top, color)
        sheet.polygon([(-half, top), (half, top), back, (-half + 0.2, top + 0.2)], tint(color, 1.3))
        sheet.polygon([(half, -0.8), (half + 0.2, -0.6), back, (half, top)], tint(color, 0.7))
    elif kind == 2:  # post, perhaps with a sign
        thickness = rng.uniform(0.08, 0.3)
        sheet.limb([(0, -1.0), (rng.uniform(-0.2, 0.2), 1.0)], thickness, color)
        if rng.random() < 0.5:
            sheet.box(-0.5, 0.4, 0.5, 0.9, any_color(rng, bright=True))
    elif kind == 3:  # bush
        for _ in range(14):
            x, y = rng.uniform(-0.7, 0.7), rng.uniform(-0.6, 0.4)
            sheet.disc(x, y, rng.uniform(0.15, 0.35), tint(color, rng.uniform(0.6, 1.2)))
    else:  # boards
        for _ in range(rng.integers(2, 6)):
            x, y = rng.uniform(-0.6, 0.6, 2)
            sheet.polygon(rng.uniform(-0.6, 0.6, (4, 2)) + (x, y), any_color(rng))
