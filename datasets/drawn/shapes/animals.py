"""Birds, beasts and people. Each is a Figure (see sheet.py) that moves with `phase`."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.shapes.colors import any_color, tint
from datasets.drawn.shapes.sheet import Sheet
from datasets.drawn.sketch import mirrored

_DARK_EYE = 15, 12, 10


def bird(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a bird, in flight or at rest: round body, beak, fanned tail, wings that beat."""
    color, wing, beak = any_color(rng), any_color(rng), any_color(rng, bright=True)
    plump, span = rng.uniform(0.2, 0.34), rng.uniform(0.6, 0.9)
    flies = rng.random() < 0.6
    beat = np.sin(phase) * 0.8 + 0.3 if flies else 0.0
    if flies:
        _bird_wing(sheet, 0.12, span * 0.85, beat * 0.8, tint(wing, 0.7))
    else:
        for x in (-0.05, 0.1):
            sheet.limb([(x, 0), (x + 0.02, -0.6), (x + 0.12, -0.62)], 0.04, beak)
    tail = [(-0.3, 0.06), (-0.98, 0.16), (-0.95, -0.08), (-0.9, -0.2), (-0.3, -0.12)]
    sheet.polygon(tail, tint(wing, 0.85))
    back = [(-0.55, -0.02), (-0.1, plump), (0.5, plump * 0.9)]
    belly = [(0.6, -0.1), (0.1, -plump * 1.3), (-0.3, -plump * 0.7)]
    sheet.blob(back + belly, color)
    head = rng.uniform(0.15, 0.2)
    sheet.disc(0.58, 0.2, head, tint(color, 1.1))
    sheet.polygon([(0.7, 0.27), (0.72 + rng.uniform(0.15, 0.3), 0.17), (0.7, 0.11)], beak)
    sheet.disc(0.63, 0.24, 0.035, (15, 15, 15))
    if flies:
        _bird_wing(sheet, 0.0, span, beat, wing)
    else:
        sheet.blob([(0.35, 0.15), (-0.1, 0.16), (-0.75, -0.05), (-0.2, -0.2), (0.25, -0.12)], wing)


def _bird_wing(sheet, x, span, beat, color):
    """Draw a wing that starts at `x` and is raised by `beat` of its span."""
    lift = span * beat
    front = [(x + 0.32, 0.08), (x + 0.15, 0.1 + lift * 0.75), (x - 0.45, 0.05 + lift)]
    rear = [(x - 0.4, 0.05 + lift * 0.6), (x - 0.3, 0.05 + lift * 0.3), (x - 0.25, 0.0)]
    sheet.polygon(front + rear, color)


def cat(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a cat: round face to us with pointed ears and whiskers, a long curled tail."""
    color = any_color(rng)
    back = rng.uniform(0.02, 0.14)
    wag = 0.15 * np.sin(phase)
    sheet.limb([(-0.6, 0.0), (-0.85, 0.2), (-0.9, 0.5 + wag), (-0.75, 0.75 + wag)], 0.1, color)
    _legs(sheet, (-0.5, 0.25), -0.15, -0.75, 0.13, color, phase)
    upper = [(-0.75, -0.1), (-0.6, 0.15), (-0.1, back), (0.35, 0.2)]
    lower = [(0.5, -0.1), (0.3, -0.32), (-0.2, -0.25), (-0.6, -0.35)]
    sheet.blob(upper + lower, color)
    x, y, r = 0.52, 0.3, rng.uniform(0.27, 0.34)  # the head
    ear = [(0.25, 0.8), (0.95, 0.4), (0.9, 1.6)]
    inside = [(0.45, 0.85), (0.8, 0.6), (0.82, 1.25)]
    for side in (-1, 1):
        sheet.polygon([(x + side * r * u, y + r * v) for u, v in ear], color)
        sheet.polygon([(x + side * r * u, y + r * v) for u, v in inside], (205, 140, 140))
    sheet.disc(x, y, r, tint(color, 1.1), 0.88)
    sheet.disc(x, y - r * 0.4, r * 0.45, tint(color, 1.4), 0.7)
    for side in (-1, 1):
        sheet.disc(x + side * r * 0.42, y + r * 0.15, r * 0.2, (190, 205, 90))
        sheet.disc(x + side * r * 0.42, y + r * 0.15, r * 0.09, (10, 10, 10), 2.0)
        for lift in (-0.12, 0.1):
            whisker = (x + side * r * 0.3, y - r * 0.35), (x + side * r * 1.2, y + r * (lift - 0.3))
            sheet.limb(whisker, 0.012, (235, 235, 235))
    nose = [(x - 0.05, y - r * 0.2), (x + 0.05, y - r * 0.2), (x, y - r * 0.38)]
    sheet.polygon(nose, (200, 90, 100))


def dog(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a dog: long snout with a black nose, hanging ears, deep chest, tail held up."""
    color, ear = any_color(rng), any_color(rng)
    legs = rng.uniform(0.14, 0.2)
    wag = 0.2 * np.sin(phase * 1.7)
    sheet.limb([(-0.6, 0.1), (-0.8, 0.35), (-0.75 + wag, 0.68)], 0.09, color)
    _legs(sheet, (-0.5, 0.28), -0.1, -0.85, legs, color, phase)
    back = [(-0.75, 0.22), (0.0, 0.18), (0.5, 0.35)]
    belly = [(0.55, -0.15), (0.25, -0.38), (-0.2, -0.12), (-0.72, -0.25)]
    sheet.blob(back + belly, color)
    sheet.limb([(0.35, 0.1), (0.5, 0.45)], 0.3, color)
    y = rng.uniform(0.48, 0.56)
    snout = rng.uniform(0.9, 1.05)
    sheet.disc(0.52, y, 0.23, tint(color, 1.05))
    muzzle = [(0.5, y + 0.14), (snout, y + 0.04), (snout + 0.02, y - 0.14), (0.5, y - 0.22)]
    sheet.blob(muzzle, tint(color, 1.2))
    sheet.disc(snout - 0.03, y + 0.01, 0.06, (20, 18, 18))
    sheet.disc(0.6, y + 0.1, 0.035, _DARK_EYE)
    flap = [(0.32, y + 0.24), (0.48, y + 0.14), (0.45, y - 0.3), (0.28, y - 0.32), (0.25, y)]
    sheet.blob(flap, ear)
    if rng.random() < 0.5:  # a collar
        sheet.limb([(0.3, 0.22), (0.55, 0.2)], 0.06, any_color(rng, bright=True))


def cow(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a cow: heavy patched body, udder, a broad low head with horns and a pale muzzle."""
    color, patch = any_color(rng), any_color(rng)
    _legs(sheet, (-0.55, 0.35), -0.1, -0.72, 0.14, tint(color, 0.9), phase)
    tail = -0.84 + 0.06 * np.sin(phase)
    sheet.limb([(-0.75, 0.35), (-0.86, 0.0), (tail, -0.35)], 0.04, color)
    sheet.disc(tail, -0.4, 0.06, tint(color, 0.6), 1.5)
    sheet.disc(-0.3, -0.35, 0.14, (225, 165, 160))
    deep = rng.uniform(-0.42, -0.3)
    back = [(-0.88, 0.5), (-0.4, 0.46), (0.4, 0.5), (0.62, 0.3)]
    belly = [(0.5, deep), (-0.2, deep), (-0.85, -0.25)]
    sheet.blob(back + belly, color)
    for _ in range(rng.integers(2, 5)):
        x, y, r = rng.uniform(-0.6, 0.3), rng.uniform(-0.12, 0.25), rng.uniform(0.08, 0.2)
        sheet.disc(x, y, r, patch, rng.uniform(0.6, 1.2))
    y = rng.uniform(0.3, 0.45)
    horn = [(0.1, 0.18), (0.24, 0.24), (0.25, 0.4)]
    for side in (-1, 1):
        sheet.limb([(0.68 + side * u, y + v) for u, v in horn], 0.05, (225, 215, 190))
        sheet.disc(0.68 + side * 0.26, y + 0.1, 0.12, tint(color, 0.8), 0.5, -side * 0.3)
    sheet.blob([(0.46, y + 0.28), (0.9, y + 0.28), (0.86, y - 0.3), (0.52, y - 0.3)], color)
    sheet.disc(0.69, y - 0.2, 0.17, (215, 170, 160), 0.75)
    for side in (-1, 1):
        sheet.disc(0.69 + side * 0.07, y - 0.2, 0.03, (60, 35, 35))
        sheet.disc(0.69 + side * 0.11, y + 0.08, 0.03, _DARK_EYE)


def horse(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a horse: long legs, arched neck with a mane, long narrow head, flowing tail."""
    color, mane = any_color(rng), any_color(rng)
    sway = 0.08 * np.sin(phase)
    tail = [(-0.6, 0.22), (-0.85, 0.15), (-0.95 + sway, -0.3), (-0.82 + sway, -0.55), (-0.72, -0.1)]
    sheet.blob(tail, mane)
    _legs(sheet, (-0.5, 0.28), 0.0, -0.95, 0.1, color, phase, swing=0.28)
    back = [(-0.75, 0.22), (-0.3, 0.2), (0.3, 0.22), (0.5, 0.1)]
    belly = [(0.35, -0.25), (-0.2, -0.18), (-0.72, -0.2)]
    sheet.blob(back + belly, color)
    top = rng.uniform(0.68, 0.82)
    nape, throat = [(0.12, 0.2), (0.38, top), (0.58, top + 0.12)], [(0.68, top - 0.1), (0.52, 0.1)]
    sheet.blob([*nape, *throat, (0.3, -0.1)], color)
    crest = [(0.25, top - 0.1), (0.42, top + 0.16), (0.52, top + 0.05)]
    sheet.blob([(0.02, 0.22), *crest, (0.33, 0.3)], mane)
    sheet.polygon([(0.46, top), (0.5, top + 0.24), (0.58, top + 0.05)], tint(color, 0.85))
    brow = [(0.44, top + 0.1), (0.62, top + 0.12), (0.95, top - 0.24)]
    jaw = [(0.88, top - 0.38), (0.72, top - 0.28), (0.52, top - 0.12)]
    sheet.blob(brow + jaw, tint(color, 1.08))
    sheet.disc(0.62, top, 0.03, _DARK_EYE)
    sheet.disc(0.88, top - 0.28, 0.025, (30, 20, 20))


def sheep(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw a sheep: a cloud of curls on thin short legs, with a small dark face."""
    wool = any_color(rng) * 0.4 + 140
    face = any_color(rng) * 0.45
    _legs(sheet, (-0.4, 0.3), -0.2, -0.72, 0.09, face, phase)
    for angle in np.linspace(0, 2 * np.pi, 13)[:-1]:
        x, y = -0.1 + 0.48 * np.cos(angle), 0.05 + 0.28 * np.sin(angle)
        sheet.disc(x, y, rng.uniform(0.15, 0.22), tint(wool, rng.uniform(0.85, 1.1)))
    sheet.disc(-0.1, 0.05, 0.46, wool, 0.7)
    for _ in range(12):  # curls
        x, y = rng.uniform(-0.5, 0.3), rng.uniform(-0.2, 0.3)
        sheet.disc(x, y, 0.07, tint(wool, rng.uniform(0.85, 1.1)))
    y = 0.2 + rng.uniform(-0.1, 0.12)
    sheet.disc(0.42, y + 0.06, 0.13, face, 0.45, 0.5)
    sheet.disc(0.62, y, 0.17, face, 1.45, 0.45)
    sheet.disc(0.52, y + 0.2, 0.16, wool, 0.8)
    sheet.disc(0.66, y + 0.05, 0.03, (235, 230, 200))


def person(sheet: Sheet, rng: Generator, phase: float) -> None:
    """Draw someone who walks: head, trunk, swinging arms and legs."""
    skin = np.array((235, 190, 160)) * rng.uniform(0.35, 1.05)
    shirt, trousers, hair = any_color(rng), any_color(rng), any_color(rng) * 0.6
    broad = rng.uniform(0.17, 0.26)
    swing = 0.25 * np.sin(phase)
    arm = rng.uniform(0.0, 0.15)
    elbow, hand = (-broad - arm + swing * 0.4, 0.1), (-broad - arm + swing, -0.15)
    sheet.limb([(-broad, 0.4), elbow, hand], 0.12, tint(shirt, 0.8))
    for side, shade in ((-1, 0.8), (1, 1.0)):
        foot = side * 0.1 + side * swing
        knee = side * 0.1 + side * swing * 0.4, -0.5
        sheet.limb([(side * 0.08, -0.1), knee, (foot, -0.92)], 0.17, tint(trousers, shade))
        sheet.limb([(foot, -0.95), (foot + 0.12, -0.96)], 0.1, (40, 32, 30))
    sheet.blob(mirrored((broad * 1.2, 0.52), (broad, 0.1), (broad * 1.1, -0.22)), shirt)
    elbow, hand = (broad + arm - swing * 0.4, 0.1), (broad + arm - swing, -0.15)
    sheet.limb([(broad, 0.4), elbow, hand], 0.12, tint(shirt, 1.1))
    sheet.disc(*hand, 0.07, skin)
    sheet.limb([(0, 0.45), (0, 0.6)], 0.12, tint(skin, 0.85))
    sheet.disc(0, 0.78, 0.18, hair, 1.15)
    sheet.disc(0.04, 0.73, 0.15, skin, 1.15)
    for x in (0.02, 0.11):
        sheet.disc(x, 0.76, 0.02, (20, 15, 15))
    if rng.random() < 0.3:  # a skirt
        sheet.polygon(mirrored((broad * 1.5, -0.5), (broad, 0.0)), trousers)


def _legs(sheet, hips, top, foot, thickness, color, phase, swing=0.18):
    """Draw two pairs of trotting legs, the far pair darker."""
    for far in (True, False):
        for hip, lag in zip(hips, (0.0, 2.2), strict=True):
            x = hip + (0.14 if far else 0.0)
            step = swing * np.sin(phase + lag + np.pi * far)
            knee = x + step * 0.3, (top + foot) / 2
            low = foot + max(0.0, 0.35 * swing * np.cos(phase + lag + np.pi * far))
            leg = [(x, top), knee, (x + step, low), (x + step + 0.05, low)]
            sheet.limb(leg, thickness, tint(color, 0.7 if far else 0.95))
