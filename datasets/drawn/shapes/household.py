"""What stands in a room. Each is a Figure (see sheet.py) that ignores the `phase`."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.shapes.colors import any_color, tint
from datasets.drawn.shapes.sheet import Sheet
from datasets.drawn.sketch import mirrored


def bottle(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a bottle: neck, shoulders, paper label, cap."""
    glass, paper = any_color(rng), any_color(rng)
    wide, neck, shoulder = rng.uniform(0.24, 0.34), rng.uniform(0.08, 0.12), rng.uniform(0.1, 0.4)
    side = (wide, -0.95), (wide, shoulder), (neck, shoulder + 0.3), (neck, 0.9)
    sheet.polygon(mirrored(*side), glass)
    sheet.disc(0, -0.93, wide, glass, 0.2)
    sheet.disc(0, shoulder, wide, glass, 0.6)
    sheet.box(-neck * 1.2, 0.85, neck * 1.2, 1.0, any_color(rng, bright=True))
    sheet.box(-wide, -0.6, wide, shoulder - rng.uniform(0.2, 0.4), paper)
    sheet.box(-wide * 0.6, -0.4, wide * 0.6, -0.3, tint(paper, 0.5))
    sheet.limb([(-wide * 0.65, -0.8), (-wide * 0.65, shoulder)], 0.04, tint(glass, 1.6))


def chair(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a chair: a back, closed or with slats, a seat, four legs."""
    wood, seat = any_color(rng), any_color(rng)
    back, half = rng.uniform(0.8, 1.0), rng.uniform(0.4, 0.5)
    for x in (-half + 0.1, half + 0.12):
        sheet.limb([(x, 0.0), (x, -0.72)], 0.09, tint(wood, 0.65))
    for x in (-half + 0.05, half + 0.05):
        sheet.limb([(x, 0.0), (x + 0.03, back)], 0.1, tint(wood, 0.85))
    if rng.random() < 0.5:
        for y in np.linspace(0.28, back - 0.05, 3):
            sheet.box(-half, y - 0.06, half + 0.08, y + 0.06, tint(wood, 0.95))
    else:
        sheet.box(-half + 0.08, 0.15, half + 0.04, back, seat)
    left, right = -half - 0.12, half - 0.1
    sheet.polygon([(left, -0.15), (right, -0.15), (half + 0.15, 0.08), (-half + 0.08, 0.08)], seat)
    sheet.box(left, -0.25, right, -0.15, tint(seat, 0.65))
    for x in (-half - 0.07, half - 0.15):
        sheet.limb([(x, -0.2), (x, -0.95)], 0.1, wood)


def diningtable(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a table: a broad top seen from above, laid with plates and cups, on four legs."""
    wood = any_color(rng)
    top, deep, narrow = rng.uniform(0.05, 0.2), rng.uniform(0.25, 0.4), rng.uniform(0.65, 0.8)
    for x in (-narrow + 0.1, narrow - 0.1):
        sheet.limb([(x, top), (x, -0.5)], 0.08, tint(wood, 0.5))
    for x in (-0.88, 0.88):
        sheet.limb([(x, top), (x, -0.8)], 0.11, tint(wood, 0.75))
    sheet.polygon(mirrored((1.0, top), (narrow, top + deep)), tint(wood, 1.15))
    sheet.box(-1.0, top - 0.1, 1.0, top, tint(wood, 0.7))
    for x in np.linspace(-0.6, 0.6, rng.integers(1, 5)):
        x, y = x + rng.uniform(-0.1, 0.1), top + deep * rng.uniform(0.3, 0.8)
        china = any_color(rng) * 0.4 + 150
        sheet.disc(x, y, 0.17, china, 0.35)
        sheet.disc(x, y, 0.1, tint(china, 0.8), 0.35)
        if rng.random() < 0.5:
            sheet.box(x + 0.15, y, x + 0.25, y + 0.17, any_color(rng))


def pottedplant(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a plant: leaves on stems that fan out of a tapering pot."""
    pot, leaf = any_color(rng), any_color(rng) * 0.6 + (0, 50, 0)
    wide, long = rng.uniform(0.09, 0.15), rng.uniform(0.2, 0.3)
    for angle in rng.permutation(np.linspace(-1.25, 1.25, rng.integers(7, 12))):
        length = rng.uniform(0.7, 1.25) * (1 - 0.25 * abs(angle))
        x, y = np.sin(angle) * length * 0.75, -0.3 + np.cos(angle) * length
        sheet.limb([(0, -0.35), (x * 0.4, -0.3 + (y + 0.3) * 0.6), (x, y)], 0.035, tint(leaf, 0.7))
        for along in (0.6, 1.0):
            green = tint(leaf, rng.uniform(0.7, 1.25))
            u, v = x * along, -0.3 + (y + 0.3) * along
            sheet.disc(u, v, long, green, stretch=wide / long, lean=np.pi / 2 - angle)
    sheet.polygon(mirrored((0.26, -0.95), (0.36, -0.35)), pot)
    sheet.box(-0.41, -0.42, 0.41, -0.27, tint(pot, 1.2))


def sofa(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a sofa: a wide padded back between two arms, seat cushions, stub feet."""
    cloth = any_color(rng)
    back, arm, seats = rng.uniform(0.4, 0.6), rng.uniform(0.16, 0.26), rng.integers(2, 4)
    for x in (-0.85, 0.85):
        sheet.box(x - 0.06, -0.72, x + 0.06, -0.5, (60, 45, 35))
    sheet.blob(mirrored((0.95, back), (0.95, -0.5)), tint(cloth, 0.75))
    edges = np.linspace(-1 + arm, 1 - arm, seats + 1)
    for left, right in zip(edges[:-1], edges[1:]):
        sheet.box(left + 0.02, -0.1, right - 0.02, back - 0.07, tint(cloth, 0.9))
        left, right = left - 0.03, right + 0.03
        cushion = [(left, 0.02), (right, 0.02), (right, -0.26), (left, -0.26)]
        sheet.blob(cushion, tint(cloth, 1.2))
    sheet.box(-0.95, -0.58, 0.95, -0.22, tint(cloth, 0.85))
    for x in (-1 + arm / 2, 1 - arm / 2):
        sheet.box(x - arm / 2, -0.6, x + arm / 2, 0.12, cloth)
        sheet.disc(x, 0.12, arm * 0.6, tint(cloth, 1.1))
    if rng.random() < 0.5:
        x, color = rng.uniform(-0.5, 0.5), any_color(rng, bright=True)
        pillow = [(x - 0.2, -0.02), (x + 0.18, -0.06), (x + 0.22, 0.28), (x - 0.16, 0.3)]
        sheet.polygon(pillow, color)


def tvmonitor(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a screen: a dark frame around a bright picture, on a foot."""
    frame = any_color(rng) * 0.5
    half, top, rim = rng.uniform(0.65, 0.98), rng.uniform(0.6, 0.75), rng.uniform(0.05, 0.1)
    low = -0.45
    sheet.polygon(mirrored((0.1, low), (0.13, -0.78)), tint(frame, 0.8))
    sheet.disc(0, -0.78, rng.uniform(0.3, 0.5), tint(frame, 1.2), 0.2)
    sheet.box(-half, low, half, top, frame)
    left, right, bottom, up = -half + rim, half - rim, low + rim * 1.5, top - rim
    sheet.box(left, bottom, right, up, any_color(rng))
    middle = rng.uniform(bottom + 0.2, up - 0.2)
    sheet.box(left, bottom, right, middle, any_color(rng))
    for _ in range(3):
        x, y = rng.uniform(left + 0.2, right - 0.2), rng.uniform(bottom + 0.2, up - 0.2)
        sheet.disc(x, y, rng.uniform(0.08, 0.18), any_color(rng))
    glare = [(right - 0.1, up), (right - 0.35, up), (left + 0.3, bottom), (left + 0.5, bottom)]
    sheet.polygon(glare, any_color(rng) * 0.3 + 150)
    sheet.disc(0, low + rim * 0.7, 0.025, (60, 220, 90))
