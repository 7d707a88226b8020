"""Cupboards, drawers, shelves and kitchen units; each function gives a Piece."""

import numpy as np

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
from datasets.drawn.rooms.solids import Board, Piece, box, legs, shadow, sheet


def doors(tile, label, wide, high, count, drawers=False):
    """A front with `count` doors side by side and perhaps a row of drawers above them."""
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
            board.paint(
                (left + right) / 2 - 0.06, high - 0.1, (left + right) / 2 + 0.06, high - 0.08, 50
            )
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def cabinet(rng, decor, low=False):
    """A wardrobe or cupboard as high as a man, or a low sideboard."""
    tile, wide = decor.wood(), rng.uniform(0.8, 1.5)
    high, deep = (rng.uniform(0.6, 0.95), 0.45) if low else (rng.uniform(1.7, 2.2), 0.55)
    front = doors(tile, CABINET, wide, high, 2 + (wide > 1.2), drawers=low)
    parts = [
        shadow(wide, deep),
        *box(tile, CABINET, (-wide / 2, wide / 2), (0, high), (-deep, 0), front=front),
    ]
    return Piece(parts, wide, deep, top=high if low else 0)


def _drawers(tile, label, wide, high, rows, columns):
    board = Board(tile, label, wide, high)
    tall, each = (high - 0.1) / rows, wide / columns
    for i in range(rows):
        for j in range(columns):
            left, low = j * each + 0.02, 0.08 + i * tall
            board.outline(left, low, left + each - 0.04, low + tall - 0.02, 0.55)
            for x in (0.3, 0.7) if each > 0.5 else (0.5,):
                board.paint(
                    left + each * x - 0.03,
                    low + tall / 2 - 0.02,
                    left + each * x,
                    low + tall / 2 + 0.01,
                    210,
                )
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def dresser(rng, decor):
    """A chest of drawers on short legs, with bright knobs."""
    tile, wide, high = decor.wood(), rng.uniform(0.9, 1.5), rng.uniform(0.75, 1.15)
    front = _drawers(tile, DRESSER, wide, high - 0.08, int(rng.integers(3, 6)), 1 + (wide > 1.1))
    x, z = (-wide / 2, wide / 2), (-0.5, 0)
    parts = [shadow(wide, 0.5), *box(tile, DRESSER, x, (0.08, high), z, front=front)]
    return Piece(parts + legs(tile, DRESSER, x, (0, 0.08), z), wide, 0.5, top=high)


def nightstand(rng, decor):
    """A bedside table with a drawer above an open compartment."""
    tile, wide, high = decor.wood(), rng.uniform(0.42, 0.6), rng.uniform(0.5, 0.62)
    board = Board(tile, NIGHTSTAND, wide, high)
    board.outline(0.02, high - 0.22, wide - 0.02, high - 0.03, 0.55)
    board.paint(wide / 2 - 0.03, high - 0.14, wide / 2 + 0.03, high - 0.11, 210)
    board.shade(0.04, 0.08, wide - 0.04, high - 0.25, 0.35)
    parts = [
        shadow(wide, 0.42),
        *box(tile, NIGHTSTAND, (-wide / 2, wide / 2), (0, high), (-0.42, 0), front=board.texture()),
    ]
    return Piece(parts, wide, 0.42, top=high)


def _row_of_books(rng, board, left, right, low, space):
    """Books that stand on the shelf at height `low` between `left` and `right`."""
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


def bookshelf(rng, decor):
    """Shelves full of books, between sides and on a back: one label for case, one for books."""
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
                board.paint(
                    x,
                    low,
                    x + 0.25,
                    low + space * 0.7,
                    rng.uniform(60, 200, 3),
                    int(rng.choice([BOX, OTHERPROP, UNLABELLED])),
                )
    parts = [
        shadow(wide, 0.3),
        *box(tile, BOOKSHELF, (-wide / 2, wide / 2), (0, high), (-0.3, 0), front=board.texture()),
    ]
    return Piece(parts, wide, 0.3)


def shelves(rng, decor):
    """Open boards between metal or wooden posts, with boxes and bottles on them."""
    tile, wide, high, deep = decor.wood(), rng.uniform(0.8, 1.3), rng.uniform(1.4, 1.9), 0.4
    post = decor.metal if rng.random() < 0.6 else tile
    x = -wide / 2, wide / 2
    parts = [shadow(wide, deep), *legs(post, SHELVES, x, (0, high), (-deep, 0), 0.04)]
    for y in np.linspace(0.2, high - 0.03, 4):
        parts += box(tile, SHELVES, x, (y, y + 0.03), (-deep, 0), below=True)
        at = x[0] + 0.1
        while at < x[1] - 0.25 and y < high - 0.1:
            size = rng.uniform(0.1, 0.25)
            label = int(rng.choice([BOX, OTHERPROP, BOOKS, UNLABELLED], p=[0.35, 0.4, 0.15, 0.1]))
            parts += box(
                np.zeros((64, 64, 3)) + rng.uniform(40, 210, 3),
                label,
                (at, at + size),
                (y + 0.03, y + 0.03 + rng.uniform(0.1, 0.3)),
                (-0.32, -0.1),
            )
            at += size + rng.uniform(0.03, 0.2)
    return Piece(parts, wide, deep)


def counter(rng, decor, sink=True):
    """A row of kitchen cabinets under a worktop, with a sink and its tap, and cupboards above."""
    tile, wide, deep = decor.wood(), rng.uniform(1.5, 2.4), 0.6
    x, tap = (-wide / 2, wide / 2), decor.metal * 0 + 190
    front = doors(tile, CABINET, wide, 0.87, int(wide / 0.5), drawers=True)
    parts = [
        shadow(wide, deep),
        *box(tile, CABINET, x, (0, 0.87), (-deep, 0), front=front),
        *box(decor.stone, COUNTER, x, (0.87, 0.91), (-deep - 0.03, 0)),
        *box(decor.stone, COUNTER, x, (0.91, 1.0), (-0.02, 0)),
    ]
    if sink:
        at = rng.uniform(-wide / 4, wide / 4)
        bowl = Board(decor.metal * 0 + 175, SINK, 0.65, 0.42)
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


def refridgerator(rng, decor):
    """A refrigerator: two doors, long handles, white or steel."""
    tile = decor.white() if rng.random() < 0.65 else decor.metal * 0.5 + 80
    wide, high, split = 0.75, rng.uniform(1.6, 1.85), rng.uniform(0.5, 1.2)
    board = Board(tile, REFRIDGERATOR, wide, high)
    board.shade(0, split, wide, split + 0.02, 0.45)
    board.shade(0, 0, wide, 0.08, 0.4)
    for low, top in ((split - 0.4, split - 0.06), (split + 0.06, split + 0.4)):
        board.shade(0.05, low, 0.09, top, 0.5)
    parts = [
        shadow(wide, 0.7),
        *box(
            tile, REFRIDGERATOR, (-wide / 2, wide / 2), (0, high), (-0.7, 0), front=board.texture()
        ),
    ]
    return Piece(parts, wide, 0.7)
