"""What lies and stands about: books, lamps, bags, people. Each function is a Maker (see solids.py).

A prop stands on the floor or on a piece of furniture.
"""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from datasets.drawn.render import CLEAR, Texture
from datasets.drawn.rooms.classes import (
    BAG,
    BOOKS,
    BOX,
    CLOTHES,
    FLOORMAT,
    LAMP,
    OTHERPROP,
    PAPER,
    PERSON,
    TELEVISION,
    UNLABELLED,
)
from datasets.drawn.rooms.fixtures import screen
from datasets.drawn.rooms.materials import TEXELS, Decor, grained
from datasets.drawn.rooms.solids import Billboard, Board, Part, Piece, box, centred, place, sheet
from datasets.drawn.sketch import Sketch, mirrored


def _tile(rng: Generator, color: npt.ArrayLike) -> np.ndarray:
    """Return a tile of one colour with a little grain."""
    return grained(rng, np.full((TEXELS, TEXELS, 3), color, float), 5)


def books(rng: Generator, decor: Decor) -> Piece:
    """Build a pile of books."""
    parts, at = [], 0.0
    for _ in range(rng.integers(2, 6)):
        tile, thick = _tile(rng, rng.uniform(30, 220, 3)), rng.uniform(0.03, 0.06)
        wide = rng.uniform(0.11, 0.17)
        book = box(tile, BOOKS, (-wide, wide), (0, thick), (-0.24, 0))
        parts += place(book, rng.uniform(-0.02, 0.02), at, 0, rng.normal(0, 0.12))
        at += thick
    return Piece(parts, 0.35, 0.26)


def papers(rng: Generator, decor: Decor) -> Piece:
    """Lay out sheets of paper."""
    parts = []
    for k in range(rng.integers(1, 5)):
        board = Board(_tile(rng, rng.uniform(210, 240)), PAPER, 0.22, 0.3)
        for y in np.arange(0.04, 0.27, 0.035):
            board.shade(0.03, y, rng.uniform(0.1, 0.2), y + 0.012, 0.55)
        x, turn = rng.uniform(-0.12, 0.12), rng.normal(0, 0.3)
        span = (x - 0.13, x + 0.13), 0.004 + 0.003 * k, (-0.38, -0.02)
        parts.append(sheet(board.texture(), *span, turn))
    return Piece(parts, 0.45, 0.4)


def carton(rng: Generator, decor: Decor) -> Piece:
    """Build a cardboard box with tape, or a coloured one."""
    brown = rng.random() < 0.65
    cardboard = np.array((172, 132, 88))
    tile = _tile(rng, cardboard * rng.uniform(0.75, 1.1) if brown else rng.uniform(50, 220, 3))
    wide, high, deep = rng.uniform(0.22, 0.45), rng.uniform(0.15, 0.38), rng.uniform(0.2, 0.36)
    front = Board(tile, BOX, wide, high)
    front.shade(wide * 0.42, 0, wide * 0.58, high, 1.2 if brown else 0.7)
    front.paint(wide * 0.1, high * 0.1, wide * 0.32, high * 0.35, rng.uniform(60, 240))
    parts = box(tile, BOX, centred(wide), (0, high), (-deep, 0), front=front.texture())
    return Piece(parts, wide + 0.05, deep)


def bag(rng: Generator, decor: Decor) -> Piece:
    """Draw a handbag, rucksack or shopping bag."""
    s, color = Sketch(0.5, 0.55, BAG, scale=80), rng.uniform(20, 190, 3)
    wide, high = rng.uniform(0.16, 0.22), rng.uniform(0.28, 0.4)
    left = (-wide * 0.5, high), (-wide * 0.35, high + 0.13)
    s.line(mirrored(*left), 0.025, color * 0.6)  # the handle
    s.polygon(mirrored((wide, 0), (wide * 0.8, high)), color)
    s.box(-wide * 0.6, 0.05, wide * 0.6, high * 0.5, color * 0.75)
    s.line([(-wide * 0.6, high * 0.72), (wide * 0.6, high * 0.72)], 0.012, color * 0.4 + 90)
    return Piece([Billboard((0, 0, -0.15), 0.5, 0.55, s.texture(rng))], 0.45, 0.3)


def lamp(rng: Generator, decor: Decor, tall: bool = False) -> Piece:
    """Draw a table lamp or, `tall`, a standard lamp; its shade is lit or not."""
    high = 1.6 if tall else rng.uniform(0.42, 0.6)
    wide = rng.uniform(0.34, 0.46) if tall else rng.uniform(0.24, 0.34)
    s, shade = Sketch(wide, high, LAMP, scale=60), np.array((250, 232, 190)) * rng.choice([0.7, 1])
    low = high - rng.uniform(0.2, 0.28)
    s.box(-0.015, 0, 0.015, low, (70, 60, 50))
    s.disc(0, 0.03, wide * 0.3, (70, 60, 50), stretch=0.3)
    if not tall:
        s.disc(0, low * 0.5, 0.06, rng.uniform(60, 200, 3), stretch=1.4)
    s.polygon(mirrored((wide / 2, low), (wide * 0.3, high)), shade)
    s.box(-wide / 2, low, wide / 2, low + 0.02, shade * 0.8)
    return Piece([Billboard((0, 0, -0.16), wide, high, s.texture(rng, 3), 1.1)], 0.4, 0.3)


def ceiling_lamp(rng: Generator, decor: Decor) -> Piece:
    """Build a long or square lamp; y = 0 is the height of the ceiling."""
    tile = _tile(rng, 250)
    if rng.random() < 0.5:
        wide, y, z = 1.2, (-0.1, -0.02), (-0.1, 0.1)
    else:
        wide, y, z = 0.4, (-0.14, -0.01), (-0.2, 0.2)
    return Piece(box(tile, LAMP, centred(wide), y, z, below=True, light=1.3), wide)


def television(rng: Generator, decor: Decor) -> Piece:
    """Build a television on its foot."""
    wide, dark = rng.uniform(0.6, 1.0), screen(rng)
    front = Board(dark, TELEVISION, wide, wide * 0.6)
    front.outline(0, 0, wide, wide * 0.6, 2.0, 0.02)
    front.shade(wide * 0.1, wide * 0.3, wide * 0.4, wide * 0.5, 1.6)
    y, z = (0.05, 0.05 + wide * 0.6), (-0.2, -0.12)
    parts = box(dark, TELEVISION, centred(wide), y, z, front=front.texture())
    return Piece(parts + box(dark, TELEVISION, (-0.15, 0.15), (0, 0.05), (-0.28, -0.04)), wide, 0.3)


def clothes(rng: Generator, decor: Decor) -> Piece:
    """Build a heap of crumpled clothes: rags of several cloths on top of each other."""
    parts: list[Part] = []
    for k in range(rng.integers(2, 5)):
        cloth = _rag(rng, decor.fabric())
        x, z = rng.uniform(-0.15, 0.15), rng.uniform(-0.45, -0.3)
        size, turn = rng.uniform(0.24, 0.42), rng.uniform(0, 3)
        span = (x - size, x + size), 0.03 + 0.03 * k, (z - size, z + size)
        parts.append(sheet(cloth, *span, turn))
        parts.append(Billboard((x, 0, z), size * 2, size * 0.8, cloth, 0.85))
    return Piece(parts, 0.8, 0.7)


def _rag(rng, tile):
    """Draw a round rag of `tile` with folds and a wavy edge."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    angle = np.arctan2(y, x)
    waves = (rng.uniform(0, 0.12) * np.sin(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5))
    edge = 0.8 + sum(waves)
    fold = 0.85 + 0.2 * np.sin(9 * x + rng.uniform(4, 9) * y + rng.uniform(0, 6))
    return Texture(tile * fold[:, :, None], np.where(np.hypot(x, y) < edge, CLOTHES, CLEAR))


def plant(rng: Generator, decor: Decor) -> Piece:
    """Draw a plant in a pot: other prop."""
    high = rng.uniform(0.35, 0.9)
    s, pot = Sketch(high * 0.8, high, OTHERPROP, scale=70), rng.uniform(60, 200, 3)
    for _ in range(26):
        x, y = rng.normal(0, high * 0.16), rng.uniform(0.4, 0.92) * high
        leaf = np.array((66, 110, 52)) * rng.uniform(0.55, 1.3)
        s.line([(0, high * 0.3), (x, y)], 0.012, leaf * 0.8)
        s.disc(x, y, high * 0.07, leaf, stretch=rng.uniform(0.6, 1.5))
    s.polygon(mirrored((high * 0.1, 0), (high * 0.14, high * 0.3)), pot)
    figure = Billboard((0, 0, -high * 0.25), high * 0.8, high, s.texture(rng))
    return Piece([figure], high * 0.6, high * 0.4)


def things(rng: Generator, decor: Decor) -> Piece:
    """Draw bottles, cups and balls; some are unlabelled."""
    s = Sketch(0.6, 0.36, OTHERPROP, scale=80)
    for x in np.linspace(-0.22, 0.22, int(rng.integers(2, 5))):
        color = rng.uniform(20, 235, 3)
        label = UNLABELLED if rng.random() < 0.15 else OTHERPROP
        kind = rng.integers(3)
        if kind == 0:
            s.box(x - 0.035, 0, x + 0.035, 0.2, color, label)
            s.box(x - 0.014, 0.2, x + 0.014, 0.3, color * 0.8, label)
        elif kind == 1:
            s.box(x - 0.05, 0, x + 0.05, 0.11, color, label)
        else:
            s.disc(x, 0.08, 0.08, color, label)
            s.disc(x - 0.02, 0.1, 0.03, color * 0.5 + 120, label)
    return Piece([Billboard((0, 0, -0.12), 0.6, 0.36, s.texture(rng))], 0.55, 0.22)


def floormat(rng: Generator, decor: Decor) -> Piece:
    """Lay out a rug or mat with a border."""
    wide, deep = rng.uniform(0.9, 2.4), rng.uniform(0.7, 1.8)
    board = Board(decor.fabric(), FLOORMAT, wide, deep, scale=32)
    board.outline(0.03, 0.03, wide - 0.03, deep - 0.03, rng.choice([0.65, 1.4]), 0.08)
    return Piece([sheet(board.texture(), centred(wide), 0.008, (-deep, 0))], wide, deep)


def person(rng: Generator, decor: Decor) -> Piece:
    """Draw someone who stands in the room."""
    shirt, legs = decor.fabric().mean((0, 1)), rng.uniform(25, 110, 3)
    skin = np.array([(224, 178, 148), (150, 104, 78), (92, 64, 50)])[rng.integers(3)]
    girth, s = rng.uniform(0.19, 0.25), Sketch(0.9, 1.8, PERSON, scale=50)
    for side in (-1, 1):
        s.line([(0.09 * side, 0.95), (0.11 * side, 0.5), (0.12 * side, 0)], 0.15, legs)
        elbow, hand = (girth * 1.35 * side, 1.15), (girth * side * rng.uniform(0.2, 1.3), 0.95)
        s.line([(girth * 0.9 * side, 1.42), elbow, hand], 0.09, shirt * 0.85)
        s.disc(*hand, 0.05, skin)
    s.polygon(mirrored((girth, 1.47), (girth * 0.9, 0.88)), shirt)
    s.box(-0.05, 1.42, 0.05, 1.55, skin * 0.9)
    s.disc(0, 1.62, 0.11, skin, stretch=1.3)
    s.disc(0, 1.69, 0.12, skin * 0.3, stretch=0.8)
    size = rng.uniform(0.88, 1.05)
    return Piece([Billboard(np.zeros(3), 0.9 * size, 1.8 * size, s.texture(rng))], 0.6, 0.4)
