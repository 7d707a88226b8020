"""Cut-out textures that always face the camera: people, cyclists, trees, signs and lights."""

import numpy as np

from datasets.drawn.sketch import Sketch
from datasets.drawn.street.classes import (
    MOTORCYCLE,
    PERSON,
    RIDER,
    TRAFFIC_LIGHT,
    TRAFFIC_SIGN,
    VEGETATION,
)
from datasets.drawn.street.surfaces import foliage

STRIDE = 4  # textures in one walking or pedalling cycle
_SKIN = np.array([(224, 178, 148), (150, 104, 78), (92, 64, 50)], float)


def _clothes(rng):
    return rng.choice([rng.uniform(20, 70, 3), rng.uniform(30, 210, 3)])


def walker(rng):
    """STRIDE textures of a walking person, 0.9 x 1.85 m."""
    shirt, legs, skin = _clothes(rng), _clothes(rng) * 0.7, _SKIN[rng.integers(3)]
    girth, coat = rng.uniform(0.19, 0.28), rng.random() < 0.3
    bag = rng.uniform(30, 200, 3) if rng.random() < 0.4 else None
    frames = []
    for k in range(STRIDE):
        swing = 0.24 * np.sin(2 * np.pi * k / STRIDE)
        s = Sketch(0.9, 1.85)
        for side in (-1, 1):
            s.line(
                [
                    (0.07 * side, 0.95),
                    (0.07 * side + side * swing * 0.6, 0.5),
                    (0.07 * side + side * swing, 0.0),
                ],
                0.15,
                legs,
                PERSON,
            )
            s.line(
                [
                    (girth * 0.85 * side, 1.45),
                    (girth * 1.1 * side, 1.15),
                    (girth * 0.9 * side - side * swing, 0.9),
                ],
                0.1,
                shirt * 0.85,
                PERSON,
            )
        s.polygon(
            [
                (-girth, 1.5),
                (girth, 1.5),
                (girth * 0.9, 0.6 if coat else 0.9),
                (-girth * 0.9, 0.6 if coat else 0.9),
            ],
            shirt,
            PERSON,
        )
        if bag is not None:
            s.box(girth * 0.5, 0.8, girth * 1.4, 1.25, bag, PERSON)
        s.disc(0, 1.67, 0.12, skin, PERSON, stretch=1.25)
        s.disc(0, 1.73, 0.12, skin * 0.35, PERSON, stretch=0.9)
        frames.append(s.texture(rng))
    return frames


def two_wheeler(rng, label, ridden, side_view):
    """Textures of a bicycle or motorcycle (`label`), 2.0 x 1.9 m, seen from the side or from
    behind: STRIDE of them with its rider, one without.
    """
    paint, dark = rng.uniform(20, 200, 3), np.array((34, 34, 36))
    shirt, trousers, skin = _clothes(rng), _clothes(rng) * 0.7, _SKIN[rng.integers(3)]
    motor = label == MOTORCYCLE
    draw = _from_side if side_view else _from_behind
    frames = []
    for k in range(STRIDE if ridden else 1):
        s = Sketch(2.0, 1.9)
        swing = 0.12 * np.sin(2 * np.pi * k / STRIDE) * (not motor)
        draw(s, label, motor, ridden, swing, paint, dark, shirt, trousers)
        if ridden:
            x = 0.15 if side_view else 0.0
            s.disc(x, 1.68, 0.14, dark if motor else skin, RIDER, stretch=1.15)
            s.disc(x, 1.74, 0.14, paint * 0.8 if motor else skin * 0.3, RIDER, stretch=0.8)
        frames.append(s.texture(rng))
    return frames


def _from_side(s, label, motor, ridden, swing, paint, dark, shirt, trousers):
    for x in (-0.6, 0.6):
        s.disc(x, 0.34, 0.34, dark, label)
        s.disc(x, 0.34, 0.25, dark + 50, label, glassy=not motor)
    s.line([(-0.6, 0.34), (-0.2, 0.85), (0.45, 0.85), (0.6, 0.34)], 0.06, paint, label)
    s.line([(-0.6, 0.34), (0.0, 0.34), (0.45, 0.85), (0.4, 1.05)], 0.06, paint, label)
    if motor:
        s.polygon(
            [(-0.75, 0.85), (0.1, 0.75), (0.5, 1.0), (0.55, 0.6), (0.2, 0.3), (-0.4, 0.3)],
            paint,
            label,
        )
        s.box(-0.3, 0.2, 0.2, 0.5, dark + 30, label)
    else:
        s.box(-0.35, 0.85, -0.08, 0.95, dark, label)
    if ridden:
        s.line([(-0.2, 0.95), (0.15, 0.75 + swing), (0.02, 0.3 + swing)], 0.14, trousers, RIDER)
        s.polygon([(-0.3, 0.9), (-0.05, 0.9), (0.28, 1.5), (0.02, 1.58)], shirt, RIDER)
        s.line([(0.12, 1.45), (0.4, 1.08)], 0.1, shirt * 0.8, RIDER)


def _from_behind(s, label, motor, ridden, swing, paint, dark, shirt, trousers):
    s.disc(0, 0.34, 0.13 if motor else 0.05, dark, label, stretch=0.34 / (0.13 if motor else 0.05))
    s.line([(-0.3, 1.02), (0.3, 1.02)], 0.05, dark, label)
    s.line([(0, 0.4), (0, 1.0)], 0.07, paint, label)
    if motor:
        s.polygon([(-0.2, 0.5), (0.2, 0.5), (0.26, 0.95), (-0.26, 0.95)], paint, label)
        s.box(-0.08, 0.72, 0.08, 0.8, (210, 40, 36), label)
    if ridden:
        for side in (-1, 1):
            s.line(
                [(0.1 * side, 0.95), (0.19 * side, 0.6), (0.14 * side, 0.25 + side * swing)],
                0.13,
                trousers,
                RIDER,
            )
            s.line(
                [(0.22 * side, 1.45), (0.33 * side, 1.2), (0.26 * side, 1.02)],
                0.1,
                shirt * 0.8,
                RIDER,
            )
        s.polygon([(-0.24, 1.5), (0.24, 1.5), (0.2, 0.88), (-0.2, 0.88)], shirt, RIDER)


def tree(rng, width, height):
    """A trunk under a crown of overlapping leafy discs; all of it is vegetation."""
    s = Sketch(width, height, scale=18)
    bark, leaf = np.array((84, 68, 52)) * rng.uniform(0.7, 1.2), foliage(rng)
    s.line([(0, 0), (rng.normal(0, 0.1), height * 0.6)], rng.uniform(0.2, 0.4), bark, VEGETATION)
    for _ in range(40):
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x = np.cos(angle) * reach * width * 0.36
        y = height * (0.66 + 0.22 * np.sin(angle) * reach)
        light = 0.75 + 0.4 * (y / height - 0.45) + rng.normal(0, 0.12)
        s.disc(x, y, rng.uniform(0.07, 0.15) * width, leaf * light, VEGETATION)
    return s.texture(rng, grain=16)


def traffic_light(rng):
    """A 0.4 x 1.0 m box with one of its three lamps lit."""
    s = Sketch(0.4, 1.0, scale=60)
    s.box(-0.2, 0.0, 0.2, 1.0, (34, 36, 38), TRAFFIC_LIGHT)
    lit = rng.integers(3)
    for k, lamp in enumerate([(40, 230, 120), (250, 190, 40), (250, 50, 40)]):
        s.disc(0, 0.2 + 0.3 * k, 0.12, np.array(lamp) * (1.0 if k == lit else 0.25), TRAFFIC_LIGHT)
    return s.texture(rng, grain=3)


def traffic_sign(rng):
    """A 0.9 x 0.9 m sign: a disc, a triangle, a lozenge or a board."""
    s = Sketch(0.9, 0.9, scale=50)
    red, blue, white, yellow = (200, 36, 40), (36, 76, 170), (232, 232, 228), (240, 200, 40)
    kind = rng.integers(4)
    if kind == 0:
        rim, face = ((red, white), (blue, blue))[rng.integers(2)]
        s.disc(0, 0.45, 0.42, rim, TRAFFIC_SIGN)
        s.disc(0, 0.45, 0.30, face, TRAFFIC_SIGN)
        s.box(-0.18, 0.4, 0.18, 0.5, white if face == blue else (40, 40, 40), TRAFFIC_SIGN)
    elif kind == 1:
        s.polygon([(-0.45, 0.05), (0.45, 0.05), (0, 0.88)], red, TRAFFIC_SIGN)
        s.polygon([(-0.26, 0.16), (0.26, 0.16), (0, 0.64)], white, TRAFFIC_SIGN)
    elif kind == 2:
        s.polygon([(0, 0), (0.45, 0.45), (0, 0.9), (-0.45, 0.45)], white, TRAFFIC_SIGN)
        s.polygon([(0, 0.14), (0.31, 0.45), (0, 0.76), (-0.31, 0.45)], yellow, TRAFFIC_SIGN)
    else:
        s.box(-0.45, 0.1, 0.45, 0.8, blue, TRAFFIC_SIGN)
        s.line([(-0.3, 0.45), (0.3, 0.45)], 0.1, white, TRAFFIC_SIGN)
    return s.texture(rng, grain=4)
