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
        left, right = k * each + .015, (k + 1) * each - .015
        board.outline(left, 0.06, right, upper, 0.55)
        handle = right - .06 if k % 2 == 0 else left + .04
        middle = min(upper - .15, 1.0)
        board.paint(handle, middle - .07, handle + .02, middle + .07, 50)
        if drawers:
            board.outline(left, high - .18, right, high - .02, 0.55)
            board.paint((left + right) / 2 - .06, high - .1, (left + right) / 2 + .06, high - .08,
                        50)
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def cabinet(rng, decor, low=False):
    """A wardrobe or cupboard as high as a man, or a low sideboard."""
    tile, wide = decor.wood(), rng.uniform(0.8, 1.5)
    high, deep = (rng.uniform(.6, .95), .45) if low else (rng.uniform(1.7, 2.2), .55)
    front = doors(tile, CABINET, wide, high, 2 + (wide > 1.2), drawers=low)
    parts = [shadow(wide, deep),
             *box(tile, CABINET, (-wide / 2, wide / 2), (0, high), (-deep, 0), front=front)]
    return Piece(parts, wide, deep, top=high if low else 0)


def _drawers(tile, label, wide, high, rows, columns):
    board = Board(tile, label, wide, high)
    tall, each = (high - .1) / rows, wide / columns
    for i in range(rows):
        for j in range(columns):
            left, low = j * each + .02, .08 + i * tall
            board.outline(left, low, left + each - .04, low + tall - .02, 0.55)
            for x in (0.3, 0.7) if each > .5 else (0.5,):
                board.paint(left + each * x - .03, low + tall / 2 - .02, left + each * x,
                            low + tall / 2 + .01, 210)
    board.shade(0, 0, wide, 0.05, 0.4)
    return board.texture()


def dresser(rng, decor):
    """A chest of drawers on short legs, with bright knobs."""
    tile, wide, high = decor.wood(), rng.uniform(0.9, 1.5), rng.uniform(0.75, 1.15)
    front = _drawers(tile, DRESSER, wide, high - .08, int(rng.integers(3, 6)), 1 + (wide > 1.1))
    x, z = (-wide / 2, wide / 2), (-.5, 0)
    parts = [shadow(wide, .5), *box(tile, DRESSER, x, (.08, high), z, front=front)]
    return Piece(parts + legs(tile, DRESSER, x, (0, .08), z), wide, 0.5, top=high)


def nightstand(rng, decor):
    """A bedside table with a drawer above an open compartment."""
    tile, wide, high = decor.wood(), rng.uniform(.42, .6), rng.uniform(.5, .62)
    board = Board(tile, NIGHTSTAND, wide, high)
    board.outline(.02, high - .22, wide - .02, high - .03, 0.55)
    board.paint(wide / 2 - .03, high - .14, wide / 2 + .03, high - .11, 210)
    board.shade(.04, .08, wide - .04, high - .25, 0.35)
    parts = [shadow(wide, .42), *box(tile, NIGHTSTAND, (-wide / 2, wide / 2), (0, high), (-.42, 0),
                                     front=board.texture())]
    return Piece(parts, wide, 0.42, top=high)


def _row_of_books(rng, board, left, right, low, space):
    """Books that stand on the shelf at height `low` between `left` and `right`."""
    x = left + rng.uniform(0, .1)
    while x < right - .06:
        thick = rng.uniform(.02, .06)
        if rng.random() < 0.06:
            x += rng.uniform(.05, .25)
            continue
        tall = space * rng.uniform(.6, .92)
        color = rng.uniform(30, 220, 3)
        board.paint(x, low, x + thick, low + tall, color, BOOKS)
        board.paint(x, low + tall * .7, x + thick, low + tall * .8, color * .6 + 80)
        x += thick


def bookshelf(rng, decor):
    """Shelves full of books, between sides and on a back: one label for case, one for books."""
    tile, wide, high = decor.wood(), rng.uniform(0.75, 1.3), rng.uniform(1.3, 2.1)
    board, rows = Board(tile, BOOKSHELF, wide, high), int(high / 0.36)
    space = (high - .08) / rows - .03
    for i in range(rows):
        low = .08 + i * (space + .03)
        board.shade(.03, low, wide - .03, low + space, 0.35)
        what = rng.random()
        if what < 0.75:
            _row_of_books(rng, board, .04, wide - .04, low, space)
        elif what < 0.9:
            for x in np.arange(.08, wide - .3, .33):
                board.paint(x, low, x + .25, low + space * .7, rng.uniform(60, 200, 3),
                            int(rng.choice([BOX, OTHERPROP, UNLABELLED])))
    parts = [shadow(wide, .3), *box(tile, BOOKSHELF, (-wide / 2, wide / 2), (0, high), (-.3, 0),
                                    front=board.texture())]
    return Piece(parts, wide, 0.3)


def shelves(rng, decor):
    """Open boards between metal or wooden posts, with boxes and bottles on them."""
    tile, wide, high, deep = decor.wood(), rng.uniform(.8, 1.3), rng.uniform(1.4, 1.9), 0.4
    post = decor.metal if rng.random() < .6 else tile
    x = -wide / 2, wide / 2
    parts = [shadow(wide, deep), *legs(post, SHELVES, x, (0, high), (-deep, 0), .04)]
    for y in np.linspace(0.2, high - .03, 4):
        parts += box(tile, SHELVES, x, (y, y + .03), (-deep, 0), below=True)
        at = x[0] + .1
        while at < x[1] - .25 and y < high - .1:
            size = rng.uniform(.1, .25)
            label = int(rng.choice([BOX, OTHERPROP, BOOKS, UNLABELLED], p=[.35, .4, .15, .1]))
            parts += box(np.zeros((64, 64, 3)) + rng.uniform(40, 210, 3), label, (at, at + size),
                         (y + .03, y + .03 + rng.uniform(.1, .3)), (-.32, -.1))
            at += size + rng.uniform(.03, .2)
    return Piece(parts, wide, deep)


def counter(rng, decor, sink=True):
    """A row of kitchen cabinets under a worktop, with a sink and its tap, and cupboards above."""
    tile, wide, deep = decor.wood(), rng.uniform(1.5, 2.4), 0.6
    x, tap = (-wide / 2, wide / 2), decor.metal * 0 + 190
    front = doors(tile, CABINET, wide, .87, int(wide / .5), drawers=True)
    parts = [shadow(wide, deep), *box(tile, CABINET, x, (0, .87), (-deep, 0), front=front),
             *box(decor.stone, COUNTER, x, (.87, .91), (-deep - .03, 0)),
             *box(decor.stone, COUNTER, x, (.91, 1.0), (-.02, 0))]
    if sink:
        at = rng.uniform(-wide / 4, wide / 4)
        bowl = Board(decor.metal * 0 + 175, SINK, .65, .42)
        bowl.shade(.05, .05, .31, .37, 0.6)
        bowl.shade(.35, .05, .6, .37, 0.6)
        if rng.random() < .5:  # its front shows
            parts += box(decor.white(), SINK, (at - .33, at + .33), (.66, .912), (-.65, -.5))
        parts += [sheet(bowl.texture(), (at - .33, at + .33), .915, (-.5, -.08)),
                  *box(tap, SINK, (at - .015, at + .015), (.91, 1.14), (-.08, -.05)),
                  *box(tap, SINK, (at - .015, at + .015), (1.11, 1.14), (-.26, -.05))]
    if rng.random() < 0.75:
        front = doors(tile, CABINET, wide, .7, int(wide / .45))
        parts += box(tile, CABINET, x, (1.45, 2.15), (-.33, 0), front=front, below=True)
    return Piece(parts, wide, deep, top=.91)


def refridgerator(rng, decor):
    """A refrigerator: two doors, long handles, white or steel."""
    tile = decor.white() if rng.random() < .65 else decor.metal * 0.5 + 80
    wide, high, split = .75, rng.uniform(1.6, 1.85), rng.uniform(.5, 1.2)
    board = Board(tile, REFRIDGERATOR, wide, high)
    board.shade(0, split, wide, split + .02, 0.45)
    board.shade(0, 0, wide, .08, 0.4)
    for low, top in ((split - .4, split - .06), (split + .06, split + .4)):
        board.shade(.05, low, .09, top, 0.5)
    parts = [shadow(wide, .7), *box(tile, REFRIDGERATOR, (-wide / 2, wide / 2), (0, high),
                                    (-.7, 0), front=board.texture())]
    return Piece(parts, wide, .7)
