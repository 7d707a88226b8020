"""What hangs on walls or is built in: windows, doors, pictures, bathroom ware.

Each public piece is a Maker (see solids.py).
"""

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import CLEAR, Texture
from datasets.drawn.rooms.classes import (
    BATHTUB,
    BLINDS,
    CABINET,
    COUNTER,
    CURTAIN,
    DOOR,
    MIRROR,
    OTHERSTRUCTURE,
    PAPER,
    PICTURE,
    SHOWERCURTAIN,
    SINK,
    TELEVISION,
    TOILET,
    TOWEL,
    WHITEBOARD,
    WINDOW,
)
from datasets.drawn.rooms.materials import Decor, grained, plain
from datasets.drawn.rooms.solids import Board, Piece, box, centred, panel, shadow, sheet
from datasets.drawn.rooms.storage import doors


def _hanging(rng, tile, label, wide, high, folds=0.12):
    """Draw cloth in vertical folds, one every `folds` m or so."""
    board = Board(tile, label, wide, high, scale=48)
    columns = board.color.shape[1]
    phase = np.cumsum(rng.uniform(0.5, 1.5, columns)) / 48 / folds * 2 * np.pi
    board.color *= (0.88 + 0.16 * np.sin(phase))[None, :, None].astype(np.float32)
    return board.texture()


def _framed(board, wide, high, low):
    """Hang a `wide` x `high` m board with its lower edge `low` m above the floor."""
    return Piece([panel(board.texture(), centred(wide), (low, low + high))], wide + 0.1)


def window(rng: Generator, decor: Decor, cover: str | None = None) -> Piece:
    """Build a window in a white frame; cover: 'blinds', 'curtain' or None."""
    wide, low, high = rng.uniform(0.9, 1.8), rng.uniform(0.8, 1.0), rng.uniform(1.1, 1.3)
    board = Board(decor.white(), WINDOW, wide, high)
    sky, ground = rng.uniform(170, 250) + np.array((-8, 0, 10)), rng.uniform(40, 150, 3)
    panes = 1 + (wide > 1.1)
    for k in range(panes):
        left, right = k * wide / panes + 0.06, (k + 1) * wide / panes - 0.06
        board.paint(left, 0.06, right, high - 0.06, sky)
        for _ in range(3):  # what is outside
            x, top = rng.uniform(left, right - 0.1), rng.uniform(0.2, 0.7)
            stop, color = min(right, x + rng.uniform(0.2, 0.6)), ground + rng.normal(0, 20, 3)
            board.paint(x, 0.06, stop, top, color)
    half, top = wide / 2, low + high
    parts = [panel(board.texture(), (-half, half), (low, top), light=1.15)]
    if cover == "blinds":
        drop = high * rng.uniform(0.4, 1.0)
        slats = Board(decor.white(), BLINDS, wide + 0.1, drop)
        slats.color[::4] *= 0.6
        slats.color[1::4] *= 0.85
        span = (-half - 0.05, half + 0.05), (top - drop, top + 0.05)
        parts.append(panel(slats.texture(), *span, -0.06))
    elif cover == "curtain":
        cloth, foot = decor.fabric(), rng.choice([0.05, low - 0.15])
        for left in (-half - 0.3, half - 0.15):
            size = rng.uniform(0.4, 0.55)
            texture = _hanging(rng, cloth, CURTAIN, size, top + 0.12 - foot)
            parts.append(panel(texture, (left, left + size), (foot, top + 0.12), -0.1))
    return Piece(parts, wide + (0.7 if cover == "curtain" else 0.2))


def door(rng: Generator, decor: Decor) -> Piece:
    """Build a door with a frame, panels and a handle."""
    tile = decor.wood() if rng.random() < 0.6 else decor.white()
    board = Board(tile, DOOR, 0.95, 2.08)
    board.outline(0, 0, 0.95, 2.08, 1.15, 0.06)
    board.outline(0.06, 0, 0.89, 2.02, 0.5, 0.015)
    for low, top in ((0.2, 0.9), (1.1, 1.85)) if rng.random() < 0.6 else ():
        board.outline(0.2, low, 0.75, top, 0.7)
    board.paint(0.78, 1.0, 0.86, 1.04, 190)
    return _framed(board, 0.95, 2.08, 0)


def picture(rng: Generator, decor: Decor) -> Piece:
    """Build a framed picture: fields of colour behind a passe-partout."""
    wide, high, low = rng.uniform(0.35, 1.0), rng.uniform(0.35, 0.8), rng.uniform(1.2, 1.5)
    board = Board(decor.wood() * 0.6, PICTURE, wide, high)
    board.paint(0.04, 0.04, wide - 0.04, high - 0.04, 225)
    board.paint(0.09, 0.09, wide - 0.09, high - 0.09, rng.uniform(30, 220, 3))
    for _ in range(5):
        x, y = rng.uniform(0.09, wide - 0.15), rng.uniform(0.09, high - 0.15)
        right = min(wide - 0.09, x + rng.uniform(0.05, 0.3))
        top = min(high - 0.09, y + rng.uniform(0.05, 0.25))
        board.paint(x, y, right, top, rng.uniform(20, 235, 3))
    return _framed(board, wide, high, low)


def mirror(rng: Generator, decor: Decor) -> Piece:
    """Build a mirror: the colour of the wall, brighter, with streaks of reflected light."""
    wide, high, low = rng.uniform(0.5, 1.1), rng.uniform(0.6, 0.95), rng.uniform(1.05, 1.2)
    board = Board(decor.wood(), MIRROR, wide, high)
    glass = decor.wall.mean((0, 1)) * 0.8 + np.array((0, 10, 18))
    board.paint(0.04, 0.04, wide - 0.04, high - 0.04, glass)
    rows, columns = board.label.shape
    slope = np.arange(columns)[None] + np.arange(rows)[:, None]
    streak = ((slope // 9) % 4 == 0) & (board.color == board.color[rows // 2, columns // 2]).all(2)
    board.color[streak] += 18
    board.paint(wide * 0.55, 0.04, wide * 0.8, high * 0.6, glass * 0.55)
    return _framed(board, wide, high, low)


def whiteboard(rng: Generator, decor: Decor) -> Piece:
    """Build a whiteboard in a metal frame, with writing."""
    wide, high = rng.uniform(1.2, 2.6), rng.uniform(0.9, 1.2)
    board = Board(decor.white() * 1.05, WHITEBOARD, wide, high)
    board.outline(0, 0, wide, high, 0.55, 0.03)
    for y in np.arange(0.15, high - 0.1, 0.11):
        x, pen = rng.uniform(0.1, 0.4), rng.choice([(30, 40, 120), (150, 30, 30), (40, 40, 40)])
        while x < wide * rng.uniform(0.3, 0.95) - 0.2:
            board.paint(x, y, x + rng.uniform(0.03, 0.12), y + rng.uniform(0.015, 0.05), pen)
            x += rng.uniform(0.1, 0.2)
    return _framed(board, wide, high, 0.95)


def notices(rng: Generator, decor: Decor) -> Piece:
    """Pin sheets of paper to the wall."""
    parts = []
    for k in range(rng.integers(2, 6)):
        board = Board(plain(rng.uniform(205, 240)), PAPER, 0.22, 0.3)
        for y in np.arange(0.04, 0.26, 0.04):
            board.shade(0.03, y, rng.uniform(0.1, 0.2), y + 0.015, 0.5)
        x, y = -0.45 + 0.19 * k, rng.uniform(1.25, 1.6)
        parts.append(panel(board.texture(), (x, x + 0.22), (y, y + 0.3), -0.02 - 0.002 * k))
    return Piece(parts, 1.1)


def towel(rng: Generator, decor: Decor) -> Piece:
    """Hang a towel over a metal bar."""
    wide = rng.uniform(0.4, 0.65)
    cloth = _hanging(rng, decor.fabric(), TOWEL, wide, 0.75, 0.3)
    bar = box(decor.metal, TOWEL, (-wide / 2 - 0.08, wide / 2 + 0.08), (1.43, 1.46), (-0.06, -0.03))
    return Piece([panel(cloth, centred(wide), (0.7, 1.45), -0.07), *bar], wide + 0.2)


def flat_screen(rng: Generator, decor: Decor) -> Piece:
    """Hang a television on the wall."""
    wide = rng.uniform(0.9, 1.3)
    parts = box(screen(rng), TELEVISION, centred(wide), (1.0, 1.0 + wide * 0.58), (-0.07, 0))
    return Piece(parts, wide + 0.1)


def screen(rng: Generator) -> np.ndarray:
    """Return a tile of dark glass."""
    return grained(rng, plain(rng.uniform(18, 40)), 2)


def pillar(rng: Generator, decor: Decor) -> Piece:
    """Build a pier of the wall, or a fireplace: other structure."""
    wide, high = rng.uniform(0.4, 0.6), 2.2
    if rng.random() < 0.5:
        pier = box(decor.wall * 0.93, OTHERSTRUCTURE, centred(wide), (0, 2.8), (-0.35, 0))
        return Piece(pier, wide, 0.35)
    board = Board(decor.stone, OTHERSTRUCTURE, 1.3, high)
    for k, y in enumerate(np.arange(0, high, 0.12)):
        board.shade(0, y, 1.3, y + 0.02, 0.7)
        for x in np.arange(0.13 * (k % 2), 1.3, 0.26):
            board.shade(x, y, x + 0.02, y + 0.12, 0.7)
    board.paint(0.35, 0, 0.95, 0.7, 22)
    span, front = (centred(1.3), (0, high), (-0.4, 0)), board.texture()
    return Piece(box(decor.stone, OTHERSTRUCTURE, *span, front=front), 1.3, 0.4)


def toilet(rng: Generator, decor: Decor) -> Piece:
    """Build a toilet: a cistern and a bowl with its lid."""
    tile = decor.white()
    lid = np.full((24, 16), TOILET)
    y, x = np.mgrid[-1:1:24j, -1:1:16j]
    lid[x * x + y * y > 1] = CLEAR
    white = np.full((24, 16, 3), tile.mean())
    seat, hole = Texture(white * 1.05, lid), Texture(white * 0.75, lid)
    parts = [
        shadow(0.45, 0.7, 0.7),
        *box(tile, TOILET, (-0.23, 0.23), (0.38, 0.8), (-0.2, 0)),
        *box(tile * 0.96, TOILET, (-0.25, 0.25), (0.8, 0.84), (-0.22, 0)),
        *box(tile * 0.9, TOILET, (-0.12, 0.12), (0, 0.25), (-0.55, -0.05)),
        *box(tile, TOILET, (-0.18, 0.18), (0.22, 0.4), (-0.62, -0.15)),
        sheet(seat, (-0.21, 0.21), 0.42, (-0.7, -0.18)),
        sheet(hole, (-0.13, 0.13), 0.425, (-0.62, -0.26)),
    ]
    return Piece(parts, 0.6, 0.7)


def washbasin(rng: Generator, decor: Decor) -> Piece:
    """Build a basin on a pedestal or on a cabinet."""
    tile, tap = decor.white(), plain(180)
    bowl = Board(tile, SINK, 0.5, 0.36)
    bowl.shade(0.05, 0.05, 0.45, 0.3, 0.75)
    parts = [shadow(0.6, 0.5, 0.7)]
    if rng.random() < 0.5:
        wide, rim = 0.7, 0.86
        parts += box(tile * 0.95, SINK, (-0.1, 0.1), (0, 0.7), (-0.3, -0.1))
        parts += box(tile, SINK, (-0.3, 0.3), (0.68, 0.85), (-0.48, 0))
    else:
        wide, wood = rng.uniform(0.8, 1.4), decor.wood()
        x, front = centred(wide), doors(wood, CABINET, wide, 0.8, 2)
        parts += box(wood, CABINET, x, (0, 0.8), (-0.5, 0), front=front)
        parts += box(decor.stone, COUNTER, x, (0.8, 0.85), (-0.53, 0))
        rim = rng.choice([0.87, 0.98])  # sunk into the counter, or a bowl on top of it
        parts += box(tile, SINK, (-0.25, 0.25), (0.85, rim), (-0.44, -0.08))
    parts += [
        sheet(bowl.texture(), (-0.25, 0.25), rim + 0.004, (-0.44, -0.08)),
        *box(tap, SINK, (-0.02, 0.02), (0.85, 1.12), (-0.08, -0.04)),
        *box(tap, SINK, (-0.02, 0.02), (1.09, 1.12), (-0.2, -0.04)),
    ]
    return Piece(parts, wide, 0.53, top=0.85)


def bathtub(rng: Generator, decor: Decor) -> Piece:
    """Build a tub along the wall, with a shower curtain drawn across part of it."""
    tile, wide, deep, high = decor.white(), rng.uniform(1.4, 1.7), 0.75, rng.uniform(0.5, 0.6)
    inside = Board(tile, BATHTUB, wide, deep)
    inside.shade(0.08, 0.08, wide - 0.08, deep - 0.08, 0.72)
    inside.shade(0.2, 0.2, wide - 0.25, deep - 0.2, 0.9)
    half = wide / 2
    parts = [
        shadow(wide, deep),
        *box(tile, BATHTUB, (-half, half), (0, high), (-deep, 0)),
        sheet(inside.texture(), (-half, half), high + 0.006, (-deep, 0)),
    ]
    size = rng.uniform(0.3, 0.65) * wide
    left = -half if rng.random() < 0.5 else half - size
    cloth = decor.fabric() if rng.random() < 0.7 else decor.white()
    curtain = _hanging(rng, cloth, SHOWERCURTAIN, size, 1.75)
    parts.append(panel(curtain, (left, left + size), (0.25, 2.0), -deep - 0.03))
    rail = (-half, half), (2.0, 2.03), (-deep - 0.04, -deep - 0.01)
    return Piece(parts + box(decor.metal, SHOWERCURTAIN, *rail), wide, deep)
