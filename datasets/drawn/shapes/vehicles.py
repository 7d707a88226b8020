"""What drives, rides, sails and flies. Each is a Figure (see sheet.py) that moves with `phase`."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.shapes.colors import any_color, tint
from datasets.drawn.shapes.sheet import Sheet

_GLASS = np.array((150, 185, 205))
_TYRE = 28, 27, 30


def aeroplane(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw an aeroplane: pointed nose, swept wings with engines, tall tail fin."""
    color, trim = any_color(rng) * 0.6 + 90, any_color(rng, bright=True)
    r, wing = rng.uniform(0.11, 0.16), rng.uniform(0.4, 0.65)
    bank = 0.08 * np.sin(phase * 0.3)
    tip = wing * 0.75 + bank
    sheet.polygon([(0.18, 0.06), (-0.12, 0.06), (-0.42, tip), (-0.28, tip)], tint(color, 0.7))
    sheet.polygon([(-0.62, 0.05), (-0.92, 0.55), (-0.74, 0.55), (-0.38, 0.08)], trim)
    back = [(1.02, -0.02), (0.8, r * 1.1), (0.0, r * 1.15), (-0.6, r), (-1.05, 0.12)]
    belly = [(-1.0, 0.04), (-0.5, -r * 1.1), (0.7, -r * 1.2)]
    sheet.blob(back + belly, color)
    sheet.polygon([(-0.6, 0.03), (-0.95, -0.14), (-0.8, -0.16), (-0.42, 0.0)], tint(trim, 0.8))
    for x in np.arange(-0.5, 0.7, 0.13):
        sheet.disc(x, 0.045, 0.028, (60, 70, 90))
    sheet.polygon([(0.78, 0.1), (0.9, 0.02), (0.76, 0.02)], (50, 60, 80))
    sheet.disc(0.02, -0.2, 0.08, tint(color, 0.6), 0.8)
    tip = -wing + bank
    sheet.polygon([(0.3, -0.05), (-0.12, -0.05), (-0.5, tip), (-0.34, tip)], tint(color, 0.9))
    sheet.blob([(0.1, -0.22), (0.1, -0.38), (-0.25, -0.38), (-0.25, -0.22)], tint(trim, 0.7))


def bicycle(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a bicycle: two large open wheels and a frame of tubes, saddle and handlebar on top."""
    color, tyre = any_color(rng, bright=True), any_color(rng) * 0.35
    r = rng.uniform(0.38, 0.44)
    back, front, crank = (-0.55, -0.35), (0.55, -0.35), (-0.08, -0.35 - 0.02)
    seat, stem = (-0.22, 0.28), (0.38, 0.3)
    for hub in (back, front):
        sheet.wheel(*hub, r, 0.075, tyre, -phase, spokes=5)
    tubes = [back, crank], [crank, seat], [seat, back], [crank, stem], [seat, stem], [stem, front]
    for tube in tubes:
        sheet.limb(tube, 0.075, color)
    sheet.disc(*crank, 0.1, (90, 90, 95))
    pedal = 0.17 * np.cos(-phase), 0.17 * np.sin(-phase)
    for side in (-1, 1):
        end = crank[0] + side * pedal[0], crank[1] + side * pedal[1]
        sheet.limb([crank, end], 0.045, (70, 70, 75))
    sheet.limb([seat, (-0.26, 0.42)], 0.05, color)
    sheet.blob([(-0.48, 0.5), (-0.08, 0.48), (-0.08, 0.42), (-0.4, 0.36)], (35, 30, 30))
    sheet.limb([stem, (0.34, 0.48), (0.52, 0.56), (0.6, 0.46)], 0.06, (60, 60, 65))


def boat(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a boat: a hull with a raking bow, under sail or with a cabin and funnel."""
    hull, sail = any_color(rng), any_color(rng) * 0.4 + 145
    deck, sway = -0.38, 0.02 * np.sin(phase)
    if rng.random() < 0.55:
        mast, boom = rng.uniform(-0.1, 0.15), rng.uniform(0.45, 0.75)
        sheet.limb([(mast, deck), (mast + sway, 1.0)], 0.045, (110, 80, 55))
        x, y = mast - 0.04, deck + 0.14
        sheet.polygon([(x, 0.92), (x, y), (mast - boom + sway, y)], sail)
        x = mast + 0.05
        sheet.polygon([(x, 0.85), (x, deck + 0.12), (0.85, deck + 0.08)], tint(sail, 0.85))
    else:
        cabin = any_color(rng) * 0.5 + 110
        high = rng.uniform(0.3, 0.5)
        sheet.limb([(-0.35, deck), (-0.35, 0.55)], 0.04, (90, 80, 70))
        sheet.box(-0.55, deck - 0.05, 0.35, deck + high, cabin)
        sheet.box(-0.3, deck + high, 0.2, deck + high + 0.25, tint(cabin, 0.9))
        for x in np.arange(-0.45, 0.25, 0.2):
            sheet.box(x, deck + 0.12, x + 0.12, deck + 0.26, tint(_GLASS, 0.6))
        sheet.box(-0.15, deck + high + 0.2, 0.02, deck + high + 0.5, any_color(rng, bright=True))
    stern, bow = (-0.85, deck + 0.02), (1.0, deck + 0.1)
    sheet.polygon([stern, bow, (0.68, -0.8), (-0.7, -0.8)], hull)
    sheet.polygon([stern, bow, (0.96, deck), (-0.83, deck - 0.08)], tint(hull, 1.4))
    sheet.polygon([(-0.74, -0.68), (0.74, -0.68), (0.68, -0.8), (-0.7, -0.8)], tint(hull, 0.5))


def bus(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a bus: a tall long box with one or two bands of windows, a door, small wheels."""
    color, stripe = any_color(rng), any_color(rng, bright=True)
    top, doubled = rng.uniform(0.38, 0.5), rng.random() < 0.3
    top += 0.3 * doubled
    sheet.blob([(-0.98, top), (0.98, top), (1.0, -0.45), (-1.0, -0.45)], color)
    sheet.box(-0.92, -0.45, 0.95, top - 0.1, color)
    sheet.box(-0.94, -0.22, 0.96, -0.14, stripe)
    for low in (0.0, 0.38)[: 1 + doubled]:
        for x in np.linspace(-0.88, 0.45, 6):
            sheet.box(x, low - 0.02, x + 0.22, low + 0.25, tint(_GLASS, rng.uniform(0.4, 1.0)))
    sheet.polygon([(0.76, 0.28), (0.95, 0.28), (0.97, -0.08), (0.76, -0.08)], tint(_GLASS, 0.7))
    sheet.box(0.5, -0.42, 0.68, -0.06, tint(color, 0.6))
    sheet.disc(0.94, -0.33, 0.045, (250, 240, 190))
    for x in (-0.58, 0.36):
        _solid_wheel(sheet, x, -0.45, 0.16, phase)


def car(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a car: bonnet, cabin, boot; low and rounded, with side windows and two wheels."""
    color = any_color(rng)
    roof, nose, tail = rng.uniform(0.3, 0.44), rng.uniform(0.35, 0.55), rng.uniform(-0.85, -0.55)
    cabin = [(tail, 0.02), (tail + 0.22, roof), (0.1, roof + 0.03), (nose, 0.02)]
    sheet.blob([*cabin, (nose, -0.2), (tail, -0.2)], tint(color, 0.95))
    rear = [(tail + 0.16, 0.03), (tail + 0.29, roof - 0.07), (-0.17, roof - 0.05), (-0.17, 0.03)]
    front = [(-0.1, 0.03), (-0.1, roof - 0.05), (0.1, roof - 0.07), (nose - 0.13, 0.03)]
    for window in (rear, front):
        sheet.polygon(window, tint(_GLASS, rng.uniform(0.35, 0.9)))
    upper = [(-0.98, 0.0), (-0.6, 0.06), (0.4, 0.06), (0.9, -0.04), (1.02, -0.2)]
    lower = [(0.98, -0.42), (-0.96, -0.42), (-1.02, -0.2)]
    sheet.blob(upper + lower, color)
    sheet.limb([(-0.13, 0.0), (-0.13, -0.36)], 0.015, tint(color, 0.5))
    sheet.disc(0.9, -0.16, 0.07, (250, 240, 200), 0.7)
    sheet.disc(-0.94, -0.14, 0.05, (200, 40, 35))
    for x in (-0.57, 0.57):
        _solid_wheel(sheet, x, -0.4, rng.uniform(0.19, 0.22), phase)


def motorbike(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a motorbike: two fat wheels, engine, tank and seat between, a fork to the handlebar."""
    color = any_color(rng, bright=True)
    y, r = -0.42, rng.uniform(0.3, 0.35)
    for x in (-0.58, 0.6):
        sheet.wheel(x, y, r, 0.12, _TYRE, -phase, spokes=3)
        sheet.disc(x, y, 0.1, (120, 120, 125))
    sheet.limb([(0.6, y), (0.36, 0.32), (0.22, 0.44)], 0.075, (130, 130, 135))
    sheet.blob([(-0.35, -0.5), (0.3, -0.52), (0.4, -0.1), (0.2, 0.05), (-0.35, 0.0)], (75, 74, 78))
    for dy in (-0.35, -0.25, -0.15):
        sheet.limb([(-0.18, dy), (0.2, dy)], 0.035, (150, 150, 155))
    sheet.limb([(0.1, -0.5), (-0.4, -0.52), (-0.88, -0.4)], 0.1, (175, 172, 165))
    sheet.blob([(-0.15, 0.05), (0.0, 0.28), (0.3, 0.32), (0.45, 0.1), (0.2, -0.02)], color)
    seat = [(-0.95, 0.22), (-0.5, 0.1), (-0.1, 0.16), (-0.05, 0.0), (-0.6, -0.06)]
    sheet.blob(seat, (40, 34, 34))
    sheet.polygon([(-0.9, 0.12), (-0.35, 0.02), (-0.3, -0.12), (-0.7, -0.12)], color)
    mudguard = [(0.28, y + r * 1.05), (0.6, y + r * 1.25), (0.85, y + r * 0.9), (0.6, y + r * 1.0)]
    sheet.blob(mudguard, color)
    sheet.disc(0.46, 0.3, 0.09, (245, 240, 205))
    if rng.random() < 0.4:  # a windscreen
        sheet.polygon([(0.3, 0.36), (0.3, 0.72), (0.5, 0.36)], tint(_GLASS, 0.9))


def train(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a train: streamlined engine and a carriage on many wheels, windows, pantograph."""
    color, stripe = any_color(rng), any_color(rng, bright=True)
    top, gap = rng.uniform(0.24, 0.36), rng.uniform(-0.3, 0.05)
    snout = rng.uniform(0.5, 0.85)
    arm = [(gap + 0.3, top), (gap + 0.2, top + 0.13), (gap + 0.36, top + 0.25)]
    sheet.limb(arm, 0.025, (50, 50, 55))
    for x in (*np.arange(-1.05, gap - 0.1, 0.2), *np.arange(gap + 0.15, 0.95, 0.2)):
        _solid_wheel(sheet, x, -0.4, 0.085, phase)
    sheet.box(gap - 0.1, -0.3, gap + 0.1, top - 0.1, (45, 45, 48))
    sheet.box(-1.2, -0.36, gap - 0.03, top, tint(color, 0.9))
    rear = [(gap + 0.03, -0.36), (gap + 0.03, top), (snout, top)]
    nose = [(1.0, 0.05), (1.12, -0.2), (1.08, -0.36)]
    sheet.polygon(rear + nose, color)
    screen = [(snout + 0.04, top - 0.05), (0.98, 0.04), (snout - 0.04, 0.04)]
    sheet.polygon(screen, tint(_GLASS, 0.5))
    for left, stop in ((-1.12, gap - 0.14), (gap + 0.1, snout - 0.25)):
        for x in np.arange(left, stop, 0.19):
            sheet.box(x, 0.0, x + 0.13, 0.16, tint(_GLASS, rng.uniform(0.3, 1.0)))
    sheet.box(-1.2, -0.18, gap - 0.03, -0.1, stripe)
    sheet.box(gap + 0.03, -0.18, 1.1, -0.1, stripe)
    sheet.disc(1.03, -0.22, 0.04, (250, 245, 200))


def _solid_wheel(sheet, x, y, radius, phase):
    """Draw a wheel with a closed rim that turns with `phase`."""
    sheet.disc(x, y, radius, _TYRE)
    sheet.disc(x, y, radius * 0.58, (150, 150, 152))
    sheet.spokes(x, y, radius, 0.5, radius * 0.14, (80, 80, 84), -phase, 3)
