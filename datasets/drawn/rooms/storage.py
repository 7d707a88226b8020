"""Cupboards, drawers, shelves and kitchen units. Each public piece is a Maker (see solids.py)."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Texture
from datasets.drawn.rooms.classes import (
    BOOKS,
    BOOKSHELF,
    BOX,
    CABINET,
    COUNTER,
    DRESSER,
    NIGHTSTAND,
    OTHERPROP,
    REFRIDGERATOR,
    SHELVES,
    SINK,
    UNLABELLED,
)
from datasets.drawn.rooms.materials import Decor, plain
from datasets.drawn.rooms.solids import Board, Piece, box, centred, legs, shadow, sheet


def doors(
    tile: np.ndarray, label: int, wide: float, high: float, count: int, drawers: bool = False
) -> Texture:
    """Draw a front with doors.

    Parameters
    ----------
    tile : np.ndarray
        1 m of the material.
    label : int
        Class.
    wide, high : float
        Size in metres.
    count : int
        Doors side by side.
    drawers : bool
        Whether there is a row of drawers above them.

    Returns
    -------
    Texture
        The front.
    """
    board, each = Board(tile, label, wide, high), wide / count
    upper = high - 0.2 if drawers else high - 0.02
    for k in range(count):
        left, right = k * each + 0.015, (k + 1) * each - 0.015
        board.outline(left, 0.06, right, upper, 0.55)
        handle = right - 0.06 if k % 2 == 0 else left + 0.04
        middle = min(upper - 0.15, 1.0)
        board.paint(handle, middle - 0.07, handle + 0.02, middle + 0.07, 50)
        if drawers:
            board.outline(left, high - 0.18, right, high - 0.02, 0.55)
            middle = (left + right) / 2
            board.paint(middle - 0.06, high - 0.1, middle + 0.06, high - 0.08, 50)
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def _case(tile, label, wide, high, deep, front, top=0.0):
    """Build a closed case on the floor with a painted front."""
    case = box(tile, label, centred(wide), (0, high), (-deep, 0), front=front)
    return Piece([shadow(wide, deep), *case], wide, deep, top)


def cabinet(rng: Generator, decor: Decor, low: bool = False) -> Piece:
    """Build a wardrobe or cupboard as high as a man, or a low sideboard."""
    tile, wide = decor.wood(), rng.uniform(0.8, 1.5)
    high, deep = (rng.uniform(0.6, 0.95), 0.45) if low else (rng.uniform(1.7, 2.2), 0.55)
    front = doors(tile, CABINET, wide, high, 2 + (wide > 1.2), drawers=low)
    return _case(tile, CABINET, wide, high, deep, front, top=high if low else 0)


def _drawers(tile, label, wide, high, rows, columns):
    """Draw a front of drawers with bright knobs."""
    board = Board(tile, label, wide, high)
    tall, each = (high - 0.1) / rows, wide / columns
    for i in range(rows):
        for j in range(columns):
            left, low = j * each + 0.02, 0.08 + i * tall
            board.outline(left, low, left + each - 0.04, low + tall - 0.02, 0.55)
            for share in (0.3, 0.7) if each > 0.5 else (0.5,):
                x, y = left + each * share, low + tall / 2
                board.paint(x - 0.03, y - 0.02, x, y + 0.01, 210)
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def dresser(rng: Generator, decor: Decor) -> Piece:
    """Build a chest of drawers on short legs."""
    tile, wide, high = decor.wood(), rng.uniform(0.9, 1.5), rng.uniform(0.75, 1.15)
    front = _drawers(tile, DRESSER, wide, high - 0.08, int(rng.integers(3, 6)), 1 + (wide > 1.1))
    x, z = centred(wide), (-0.5, 0)
    parts = [shadow(wide, 0.5), *box(tile, DRESSER, x, (0.08, high), z, front=front)]
    return Piece(parts + legs(tile, DRESSER, x, (0, 0.08), z), wide, 0.5, top=high)


def nightstand(rng: Generator, decor: Decor) -> Piece:
    """Build a bedside table with a drawer above an open compartment."""
    tile, wide, high = decor.wood(), rng.uniform(0.42, 0.6), rng.uniform(0.5, 0.62)
    board = Board(tile, NIGHTSTAND, wide, high)
    board.outline(0.02, high - 0.22, wide - 0.02, high - 0.03, 0.55)
    board.paint(wide / 2 - 0.03, high - 0.14, wide / 2 + 0.03, high - 0.11, 210)
    board.shade(0.04, 0.08, wide - 0.04, high - 0.25, 0.35)
    return _case(tile, NIGHTSTAND, wide, high, 0.42, board.texture(), top=high)


def _row_of_books(rng, board, left, right, low, space):
    """Put books on the shelf at height `low` between `left` and `right`."""
    x = left + rng.uniform(0, 0.1)
    while x < right - 0.06:
        thick = rng.uniform(0.02, 0.06)
        if rng.random() < 0.06:
            x += rng.uniform(0.05, 0.25)
            continue
        tall = space * rng.uniform(0.6, 0.92)
        color = rng.uniform(30, 220, 3)
        board.paint(x, low, x + thick, low + tall, color, BOOKS)
        board.paint(x, low + tall * 0.7, x + thick, low + tall * 0.8, color * 0.6 + 80)
        x += thick


def bookshelf(rng: Generator, decor: Decor) -> Piece:
    """Build shelves full of books in a case: one label for the case, one for the books."""
    tile, wide, high = decor.wood(), rng.uniform(0.75, 1.3), rng.uniform(1.3, 2.1)
    board, rows = Board(tile, BOOKSHELF, wide, high), int(high / 0.36)
    space = (high - 0.08) / rows - 0.03
    for i in range(rows):
        low = 0.08 + i * (space + 0.03)
        board.shade(0.03, low, wide - 0.03, low + space, 0.35)
        what = rng.random()
        if what < 0.75:
            _row_of_books(rng, board, 0.04, wide - 0.04, low, space)
        elif what < 0.9:
            for x in np.arange(0.08, wide - 0.3, 0.33):
                color, label = rng.uniform(60, 200, 3), rng.choice([BOX, OTHERPROP, UNLABELLED])
                board.paint(x, low, x + 0.25, low + space * 0.7, color, label)
    return _case(tile, BOOKSHELF, wide, high, 0.3, board.texture())


def shelves(rng: Generator, decor: Decor) -> Piece:
    """Build open boards between metal or wooden posts, with boxes and bottles on them."""
    tile, wide, high, deep = decor.wood(), rng.uniform(0.8, 1.3), rng.uniform(1.4, 1.9), 0.4
    post = decor.metal if rng.random() < 0.6 else tile
    x = centred(wide)
    parts = [shadow(wide, deep), *legs(post, SHELVES, x, (0, high), (-deep, 0), 0.04)]
    for y in np.linspace(0.2, high - 0.03, 4):
        parts += box(tile, SHELVES, x, (y, y + 0.03), (-deep, 0), below=True)
        at = x[0] + 0.1
        while at < x[1] - 0.25 and y < high - 0.1:
            size = rng.uniform(0.1, 0.25)
            label = int(rng.choice([BOX, OTHERPROP, BOOKS, UNLABELLED], p=[0.35, 0.4, 0.15, 0.1]))
            color, top = plain(rng.uniform(40, 210, 3)), y + 0.03 + rng.uniform(0.1, 0.3)
            parts += box(color, label, (at, at + size), (y + 0.03, top), (-0.32, -0.1))
            at += size + rng.uniform(0.03, 0.2)
    return Piece(parts, wide, deep)


def counter(rng: Generator, decor: Decor, sink: bool = True) -> Piece:
    """Build kitchen cabinets under a worktop, with cupboards above and perhaps a sink."""
    tile, wide, deep = decor.wood(), rng.uniform(1.5, 2.4), 0.6
    x, tap = centred(wide), plain(190)
    front = doors(tile, CABINET, wide, 0.87, int(wide / 0.5), drawers=True)
    parts = [
        shadow(wide, deep),
        *box(tile, CABINET, x, (0, 0.87), (-deep, 0), front=front),
        *box(decor.stone, COUNTER, x, (0.87, 0.91), (-deep - 0.03, 0)),
        *box(decor.stone, COUNTER, x, (0.91, 1.0), (-0.02, 0)),
    ]
    if sink:
        at = rng.uniform(-wide / 4, wide / 4)
        bowl = Board(plain(175), SINK, 0.65, 0.42)
        bowl.shade(0.05, 0.05, 0.31, 0.37, 0.6)
        bowl.shade(0.35, 0.05, 0.6, 0.37, 0.6)
        if rng.random() < 0.5:  # its front shows
            parts += box(decor.white(), SINK, (at - 0.33, at + 0.33), (0.66, 0.912), (-0.65, -0.5))
        parts += [
            sheet(bowl.texture(), (at - 0.33, at + 0.33), 0.915, (-0.5, -0.08)),
            *box(tap, SINK, (at - 0.015, at + 0.015), (0.91, 1.14), (-0.08, -0.05)),
            *box(tap, SINK, (at - 0.015, at + 0.015), (1.11, 1.14), (-0.26, -0.05)),
        ]
    if rng.random() < 0.75:
        front = doors(tile, CABINET, wide, 0.7, int(wide / 0.45))
        parts += box(tile, CABINET, x, (1.45, 2.15), (-0.33, 0), front=front, below=True)
    return Piece(parts, wide, deep, top=0.91)


def refridgerator(rng: Generator, decor: Decor) -> Piece:
    """Build a refrigerator: two doors, long handles, white or steel."""
    tile = decor.white() if rng.random() < 0.65 else decor.metal * 0.5 + 80
    wide, high, split = 0.75, rng.uniform(1.6, 1.85), rng.uniform(0.5, 1.2)
    board = Board(tile, REFRIDGERATOR, wide, high)
    board.shade(0, split, wide, split + 0.02, 0.45)
    board.shade(0, 0, wide, 0.08, 0.4)
    for low, top in ((split - 0.4, split - 0.06), (split + 0.06, split + 0.4)):
        board.shade(0.05, low, 0.09, top, 0.5)
    return _case(tile, REFRIDGERATOR, wide, high, 0.7, board.texture())
