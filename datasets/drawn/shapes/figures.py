"""The twenty figures in VOC's order of classes, and clutter that is none of them."""

import numpy as np

from datasets.drawn.shapes import animals, household, vehicles
from datasets.drawn.shapes.colors import any_color, tint
from datasets.drawn.shapes.sheet import Sheet

# Class k of VOC is the k-th figure, from 1; 0 is the background.
FIGURES = (
    vehicles.aeroplane,
    vehicles.bicycle,
    animals.bird,
    vehicles.boat,
    household.bottle,
    vehicles.bus,
    vehicles.car,
    animals.cat,
    household.chair,
    animals.cow,
    household.diningtable,
    animals.dog,
    animals.horse,
    vehicles.motorbike,
    animals.person,
    household.pottedplant,
    animals.sheep,
    household.sofa,
    vehicles.train,
    household.tvmonitor,
)
IDS = {figure.__name__: number for number, figure in enumerate(FIGURES, 1)}


def figure_patch(figure, seed, middle, scale, angle=0.0, mirror=False, phase=0.0):
    """Draw `figure`. The `seed` fixes its looks: those stay as it moves."""
    rng = np.random.default_rng(seed)
    sheet = Sheet(middle, scale, angle, mirror)
    figure(sheet, rng, phase)
    # A figure may have drawn more or fewer numbers as it moved: the texture has its own.
    return sheet.patch(np.random.default_rng([*np.atleast_1d(seed), 1]))


def clutter(sheet, rng, phase):
    """A stone, crate, post, bush or heap of boards: coloured and shaded as figures are."""
    color = any_color(rng)
    kind = rng.integers(5)
    if kind == 0:
        angle = np.linspace(0, 2 * np.pi, 9)[:-1]
        radius = rng.uniform(0.5, 1.0, 8)
        sheet.blob(np.stack([radius * np.cos(angle), radius * np.sin(angle) * 0.7], 1), color)
    elif kind == 1:
        half, top = rng.uniform(0.4, 1.0), rng.uniform(0.3, 0.9)
        sheet.box(-half, -0.8, half, top, color)
        sheet.polygon(
            [(-half, top), (half, top), (half + 0.2, top + 0.2), (-half + 0.2, top + 0.2)],
            tint(color, 1.3),
        )
        sheet.polygon(
            [(half, -0.8), (half + 0.2, -0.6), (half + 0.2, top + 0.2), (half, top)],
            tint(color, 0.7),
        )
    elif kind == 2:
        thickness = rng.uniform(0.08, 0.3)
        sheet.limb([(0, -1.0), (rng.uniform(-0.2, 0.2), 1.0)], thickness, color)
        if rng.random() < 0.5:
            sheet.box(-0.5, 0.4, 0.5, 0.9, any_color(rng, bright=True))
    elif kind == 3:
        for _ in range(14):
            x, y = rng.uniform(-0.7, 0.7), rng.uniform(-0.6, 0.4)
            sheet.disc(x, y, rng.uniform(0.15, 0.35), tint(color, rng.uniform(0.6, 1.2)))
    else:
        for _ in range(rng.integers(2, 6)):
            x, y = rng.uniform(-0.6, 0.6, 2)
            sheet.polygon(rng.uniform(-0.6, 0.6, (4, 2)) + (x, y), any_color(rng))
