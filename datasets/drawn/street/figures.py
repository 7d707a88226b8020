"""Cut-out textures that always face the camera: people, cyclists, trees, signs and lights."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Texture
from datasets.drawn.sketch import Sketch, mirrored
from datasets.drawn.street.classes import (
    MOTORCYCLE,
    PERSON,
    RIDER,
    TRAFFIC_LIGHT,
    TRAFFIC_SIGN,
    VEGETATION,
)
from datasets.drawn.street.surfaces import foliage

STRIDE = 4  # textures in one cycle of walking or pedalling
WALKER, TWO_WHEELER = (0.9, 1.85), (2.0, 1.9)  # widths and heights in metres
_SKIN = np.array([(224, 178, 148), (150, 104, 78), (92, 64, 50)], float)


def _clothes(rng):
    """Return a colour of clothes: dark, or any."""
    return rng.choice([rng.uniform(20, 70, 3), rng.uniform(30, 210, 3)])


def walker(rng: Generator) -> list[Texture]:
    """Draw a walking person: STRIDE textures of size WALKER."""
    shirt, legs, skin = _clothes(rng), _clothes(rng) * 0.7, _SKIN[rng.integers(3)]
    girth, coat = rng.uniform(0.19, 0.28), rng.random() < 0.3
    hem = 0.6 if coat else 0.9
    bag = rng.uniform(30, 200, 3) if rng.random() < 0.4 else None
    frames = []
    for k in range(STRIDE):
        swing = 0.24 * np.sin(2 * np.pi * k / STRIDE)
        s = Sketch(*WALKER, PERSON)
        for side in (-1, 1):
            hip, step = 0.07 * side, side * swing
            s.line([(hip, 0.95), (hip + step * 0.6, 0.5), (hip + step, 0.0)], 0.15, legs)
            elbow, hand = (girth * 1.1 * side, 1.15), (girth * 0.9 * side - step, 0.9)
            s.line([(girth * 0.85 * side, 1.45), elbow, hand], 0.1, shirt * 0.85)
        s.polygon(mirrored((girth, 1.5), (girth * 0.9, hem)), shirt)
        if bag is not None:
            s.box(girth * 0.5, 0.8, girth * 1.4, 1.25, bag)
        s.disc(0, 1.67, 0.12, skin, stretch=1.25)
        s.disc(0, 1.73, 0.12, skin * 0.35, stretch=0.9)
        frames.append(s.texture(rng))
    return frames


def two_wheeler(rng: Generator, label: int, ridden: bool, side_view: bool) -> list[Texture]:
    """Draw a bicycle or motorcycle.

    Parameters
    ----------
    rng : Generator
        Chooses the looks.
    label : int
        BICYCLE or MOTORCYCLE.
    ridden : bool
        Whether someone rides it, with label RIDER.
    side_view : bool
        Seen from the side instead of from behind.

    Returns
    -------
    list of Texture
        STRIDE textures if `ridden`, else one; of size TWO_WHEELER.
    """
    paint, dark = rng.uniform(20, 200, 3), np.array((34, 34, 36))
    shirt, trousers, skin = _clothes(rng), _clothes(rng) * 0.7, _SKIN[rng.integers(3)]
    motor = label == MOTORCYCLE
    draw = _from_side if side_view else _from_behind
    frames = []
    for k in range(STRIDE if ridden else 1):
        s = Sketch(*TWO_WHEELER, label)
        swing = 0.12 * np.sin(2 * np.pi * k / STRIDE) * (not motor)
        draw(s, motor, ridden, swing, paint, dark, shirt, trousers)
        if ridden:
            x = 0.15 if side_view else 0.0
            s.disc(x, 1.68, 0.14, dark if motor else skin, RIDER, stretch=1.15)
            s.disc(x, 1.74, 0.14, paint * 0.8 if motor else skin * 0.3, RIDER, stretch=0.8)
        frames.append(s.texture(rng))
    return frames


def _from_side(s, motor, ridden, swing, paint, dark, shirt, trousers):
    """Draw a two-wheeler and all of its rider but the head, facing right."""
    for x in (-0.6, 0.6):
        s.disc(x, 0.34, 0.34, dark)
        s.disc(x, 0.34, 0.25, dark + 50, glassy=not motor)
    s.line([(-0.6, 0.34), (-0.2, 0.85), (0.45, 0.85), (0.6, 0.34)], 0.06, paint)
    s.line([(-0.6, 0.34), (0.0, 0.34), (0.45, 0.85), (0.4, 1.05)], 0.06, paint)
    if motor:
        body = [(-0.75, 0.85), (0.1, 0.75), (0.5, 1.0), (0.55, 0.6), (0.2, 0.3), (-0.4, 0.3)]
        s.polygon(body, paint)
        s.box(-0.3, 0.2, 0.2, 0.5, dark + 30)
    else:
        s.box(-0.35, 0.85, -0.08, 0.95, dark)
    if ridden:
        s.line([(-0.2, 0.95), (0.15, 0.75 + swing), (0.02, 0.3 + swing)], 0.14, trousers, RIDER)
        s.polygon([(-0.3, 0.9), (-0.05, 0.9), (0.28, 1.5), (0.02, 1.58)], shirt, RIDER)
        s.line([(0.12, 1.45), (0.4, 1.08)], 0.1, shirt * 0.8, RIDER)


def _from_behind(s, motor, ridden, swing, paint, dark, shirt, trousers):
    """Draw a two-wheeler and all of its rider but the head, from behind."""
    tyre = 0.13 if motor else 0.05
    s.disc(0, 0.34, tyre, dark, stretch=0.34 / tyre)
    s.line([(-0.3, 1.02), (0.3, 1.02)], 0.05, dark)
    s.line([(0, 0.4), (0, 1.0)], 0.07, paint)
    if motor:
        s.polygon(mirrored((0.2, 0.5), (0.26, 0.95)), paint)
        s.box(-0.08, 0.72, 0.08, 0.8, (210, 40, 36))
    if ridden:
        for side in (-1, 1):
            leg = [(0.1 * side, 0.95), (0.19 * side, 0.6), (0.14 * side, 0.25 + side * swing)]
            arm = [(0.22 * side, 1.45), (0.33 * side, 1.2), (0.26 * side, 1.02)]
            s.line(leg, 0.13, trousers, RIDER)
            s.line(arm, 0.1, shirt * 0.8, RIDER)
        s.polygon(mirrored((0.24, 1.5), (0.2, 0.88)), shirt, RIDER)


def tree(rng: Generator, width: float, height: float) -> Texture:
    """Draw a trunk under a crown of overlapping leafy discs; all of it is vegetation."""
    s = Sketch(width, height, VEGETATION, scale=18)
    bark, leaf = np.array((84, 68, 52)) * rng.uniform(0.7, 1.2), foliage(rng)
    s.line([(0, 0), (rng.normal(0, 0.1), height * 0.6)], rng.uniform(0.2, 0.4), bark)
    for _ in range(40):
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x = np.cos(angle) * reach * width * 0.36
        y = height * (0.66 + 0.22 * np.sin(angle) * reach)
        light = 0.75 + 0.4 * (y / height - 0.45) + rng.normal(0, 0.12)
        s.disc(x, y, rng.uniform(0.07, 0.15) * width, leaf * light)
    return s.texture(rng, grain=16)


def traffic_light(rng: Generator) -> Texture:
    """Draw a 0.4 x 1.0 m box with one of its three lamps lit."""
    s = Sketch(0.4, 1.0, TRAFFIC_LIGHT, scale=60)
    s.box(-0.2, 0.0, 0.2, 1.0, (34, 36, 38))
    lit = rng.integers(3)
    for k, lamp in enumerate([(40, 230, 120), (250, 190, 40), (250, 50, 40)]):
        s.disc(0, 0.2 + 0.3 * k, 0.12, np.array(lamp) * (1.0 if k == lit else 0.25))
    return s.texture(rng, grain=3)


def traffic_sign(rng: Generator) -> Texture:
    """Draw a 0.9 x 0.9 m sign: a disc, a triangle, a lozenge or a board."""
    s = Sketch(0.9, 0.9, TRAFFIC_SIGN, scale=50)
    red, blue, white, yellow = (200, 36, 40), (36, 76, 170), (232, 232, 228), (240, 200, 40)
    kind = rng.integers(4)
    if kind == 0:
        rim, face = ((red, white), (blue, blue))[rng.integers(2)]
        s.disc(0, 0.45, 0.42, rim)
        s.disc(0, 0.45, 0.30, face)
        s.box(-0.18, 0.4, 0.18, 0.5, white if face == blue else (40, 40, 40))
    elif kind == 1:
        s.polygon([(-0.45, 0.05), (0.45, 0.05), (0, 0.88)], red)
        s.polygon([(-0.26, 0.16), (0.26, 0.16), (0, 0.64)], white)
    elif kind == 2:
        s.polygon([(0, 0), (0.45, 0.45), (0, 0.9), (-0.45, 0.45)], white)
        s.polygon([(0, 0.14), (0.31, 0.45), (0, 0.76), (-0.31, 0.45)], yellow)
    else:
        s.box(-0.45, 0.1, 0.45, 0.8, blue)
        s.line([(-0.3, 0.45), (0.3, 0.45)], 0.1, white)
    return s.texture(rng, grain=4)
