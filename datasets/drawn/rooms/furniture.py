"""Beds, seats, tables and other furniture on legs. Each function is a Maker (see solids.py)."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.rooms.classes import BED, CHAIR, DESK, OTHERFURNITURE, PILLOW, SOFA, TABLE
from datasets.drawn.rooms.materials import Decor, plain
from datasets.drawn.rooms.solids import Board, Piece, box, centred, legs, shadow


def bed(rng: Generator, decor: Decor) -> Piece:
    """Build a bed with its head at the wall: frame, mattress, blanket and pillows."""
    wide, deep, frame = rng.uniform(1.0, 1.8), 2.05, decor.wood()
    half, head = wide / 2, rng.uniform(0.75, 1.2)
    x, z = (-half, half), (-deep, -0.08)
    parts = [
        shadow(wide, deep),
        *box(frame, BED, x, (0, head), (-0.08, 0)),
        *box(frame, BED, x, (0.06, 0.32), z),
        *box(decor.white(), BED, x, (0.32, 0.52), z),
    ]
    cloth, x = decor.fabric(), (-half - 0.03, half + 0.03)
    y, z = (rng.uniform(0.12, 0.35), 0.56), (-deep - 0.03, -rng.uniform(0.6, 1.0))
    parts += box(cloth, BED, x, y, z)
    for middle in (0,) if wide < 1.3 else (-half / 2, half / 2):
        for row in range(rng.integers(1, 3)):
            back, top = -0.12 - 0.2 * row, 0.52 + rng.uniform(0.28, 0.42)
            cloth = decor.fabric() if rng.random() < 0.5 else decor.white()
            x = middle - 0.32, middle + 0.32
            parts += box(cloth, PILLOW, x, (0.52, top), (back - 0.18, back))
    return Piece(parts, wide + 0.1, deep, top=0.57)


def sofa(rng: Generator, decor: Decor) -> Piece:
    """Build a sofa for one to three, with cushions (pillows) on it."""
    wide, deep, cloth = rng.choice([0.95, 1.5, 2.0]), 0.9, decor.fabric()
    half, seat, back = wide / 2, 0.42, rng.uniform(0.78, 0.95)
    parts = [
        shadow(wide, deep),
        *box(cloth, SOFA, (-half, half), (0.06, seat), (-deep, 0)),
        *box(cloth * 0.92, SOFA, (-half, half), (seat, back), (-0.25, 0)),
    ]
    for side in (-half, half - 0.18):
        parts += box(cloth, SOFA, (side, side + 0.18), (0.06, 0.6), (-deep, -0.02), light=0.95)
    places = np.arange(-half + 0.4, half - 0.2, 0.5)
    front = Board(cloth, SOFA, wide - 0.36, 0.16)
    for x in places[:-1]:
        front.shade(x + half + 0.05, 0, x + half + 0.07, 0.16, 0.6)
    span = (-half + 0.18, half - 0.18), (seat - 0.06, seat + 0.1), (-deep - 0.02, -0.25)
    parts += box(cloth, SOFA, *span, front=front.texture(), light=1.05)
    for x in places:
        if rng.random() < 0.6:
            span = (x - 0.2, x + 0.2), (seat + 0.1, seat + 0.46), (-0.4, -0.25)
            parts += box(decor.fabric(), PILLOW, *span)
    return Piece(parts, wide, deep)


def chair(rng: Generator, decor: Decor) -> Piece:
    """Build a dining chair, or an office chair on one foot; its back is at z = 0."""
    office = rng.random() < 0.3
    tile = decor.fabric() if office or rng.random() < 0.4 else decor.wood()
    frame = decor.metal if office or rng.random() < 0.3 else tile
    seat, top = 0.46, rng.uniform(0.85, 1.05)
    parts = [shadow(0.4, 0.4), *box(tile, CHAIR, (-0.22, 0.22), (seat - 0.05, seat), (-0.46, 0))]
    if office:
        parts += box(frame, CHAIR, (-0.03, 0.03), (0.05, seat - 0.05), (-0.26, -0.2))
        parts += box(frame, CHAIR, (-0.26, 0.26), (0.02, 0.07), (-0.26, -0.2))
        parts += box(frame, CHAIR, (-0.03, 0.03), (0.02, 0.07), (-0.49, 0.03))
        parts += box(frame, CHAIR, (-0.03, 0.03), (seat, 0.62), (-0.04, 0))
        parts += box(tile, CHAIR, (-0.21, 0.21), (0.6, top), (-0.06, 0))
        return Piece(parts, 0.55, 0.5)
    parts += legs(frame, CHAIR, (-0.22, 0.22), (0, seat - 0.05), (-0.46, 0), 0.035)
    if rng.random() < 0.5:
        parts += box(tile, CHAIR, (-0.22, 0.22), (seat + 0.12, top), (-0.03, 0))
    else:  # slats
        parts += box(tile, CHAIR, (-0.22, 0.22), (top - 0.1, top), (-0.03, 0))
        for x in (-0.22, -0.095, 0.03, 0.155):
            parts += box(tile, CHAIR, (x, x + 0.06), (seat, top - 0.1), (-0.025, -0.005))
    return Piece(parts, 0.5, 0.5)


def table(rng: Generator, decor: Decor, low: bool = False) -> Piece:
    """Build a table on four legs, or a low coffee table."""
    tile = decor.wood()
    wide = rng.uniform(0.8, 1.1) if low else rng.uniform(0.9, 1.7)
    deep, high = (0.55, 0.42) if low else (rng.uniform(0.75, 0.95), 0.75)
    x, z = centred(wide), (-deep, 0)
    parts = [shadow(wide, deep, 0.7), *box(tile, TABLE, x, (high - 0.045, high), z)]
    parts += legs(tile, TABLE, x, (0, high - 0.045), z, 0.06)
    return Piece(parts, wide, deep, top=high)


def desk(rng: Generator, decor: Decor) -> Piece:
    """Build a desk with a block of drawers on one side and a board on the other."""
    tile, wide, deep = decor.wood(), rng.uniform(1.1, 1.7), rng.uniform(0.6, 0.75)
    half = wide / 2
    drawers = Board(tile, DESK, 0.4, 0.68)
    for y in np.arange(0.05, 0.6, 0.21):
        drawers.outline(0.02, y, 0.38, y + 0.19)
        drawers.paint(0.15, y + 0.09, 0.25, y + 0.11, 60)
    side = rng.choice([-1, 1])
    block = (half - 0.4, half) if side > 0 else (-half, -half + 0.4)
    board = (-half, -half + 0.04) if side > 0 else (half - 0.04, half)
    parts = [
        shadow(wide, deep),
        *box(tile, DESK, (-half, half), (0.7, 0.74), (-deep, 0)),
        *box(tile, DESK, block, (0.02, 0.7), (-deep + 0.03, 0), front=drawers.texture()),
        *box(tile, DESK, board, (0, 0.7), (-deep + 0.03, 0)),
        *box(tile, DESK, (-half, half), (0.35, 0.7), (-0.04, -0.02), light=0.6),
    ]
    return Piece(parts, wide, deep, top=0.74)


def stool(rng: Generator, decor: Decor) -> Piece:
    """Build a padded stool or ottoman: other furniture."""
    tile, size = decor.fabric(), rng.uniform(0.4, 0.65)
    x, z = centred(size), (-size, 0)
    parts = [shadow(size, size), *box(tile, OTHERFURNITURE, x, (0.16, 0.42), z)]
    return Piece(parts + legs(decor.wood(), OTHERFURNITURE, x, (0, 0.16), z), size, size, top=0.42)


def piano(rng: Generator, decor: Decor) -> Piece:
    """Build an upright piano: other furniture."""
    tile = decor.wood() * np.float32(rng.choice([0.35, 0.8]))
    front = Board(tile, OTHERFURNITURE, 1.4, 1.15)
    front.outline(0.05, 0.72, 1.35, 1.1)
    keys = Board(plain(235), OTHERFURNITURE, 1.4, 0.2)
    for x in np.arange(0.05, 1.4, 0.075):
        keys.paint(x, 0.07, x + 0.03, 0.2, 20)
    parts = [
        shadow(1.4, 0.6),
        *box(tile, OTHERFURNITURE, (-0.7, 0.7), (0, 1.15), (-0.35, 0), front=front.texture()),
        *box(tile, OTHERFURNITURE, (-0.7, 0.7), (0.55, 0.7), (-0.6, -0.35)),
    ]
    lid = parts[-1]
    lid.texture, lid.repeat = keys.texture(), (1, 1)
    return Piece(parts, 1.4, 0.6, top=1.15)
