"""What lies and stands about: books, lamps, bags, people. Each function gives the parts of a Piece
about its foot, on the floor or on a piece of furniture."""
import numpy as np

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
from datasets.drawn.rooms.materials import grained
from datasets.drawn.rooms.solids import Billboard, Board, Piece, box, place, sheet
from datasets.drawn.sketch import Sketch


def _plain(rng, color):
    return grained(rng, np.zeros((64, 64, 3)) + color, 5)


def books(rng, decor):
    """A pile of books, or a row of them upright."""
    parts, at = [], 0.0
    for _ in range(rng.integers(2, 6)):
        tile, thick = _plain(rng, rng.uniform(30, 220, 3)), rng.uniform(.03, .06)
        wide = rng.uniform(.11, .17)
        one = box(tile, BOOKS, (-wide, wide), (0, thick), (-.24, 0))
        parts += place(one, rng.uniform(-.02, .02), at, 0, rng.normal(0, .12))
        at += thick
    return Piece(parts, .35, .26)


def papers(rng, decor):
    """Sheets of paper, lying."""
    parts = []
    for k in range(rng.integers(1, 5)):
        board = Board(_plain(rng, rng.uniform(210, 240)), PAPER, .22, .3)
        for y in np.arange(.04, .27, .035):
            board.shade(.03, y, rng.uniform(.1, .2), y + .012, 0.55)
        x = rng.uniform(-.12, .12)
        parts.append(sheet(board.texture(), (x - .13, x + .13), .004 + .003 * k, (-.38, -.02),
                           rng.normal(0, .3)))
    return Piece(parts, .45, .4)


def carton(rng, decor):
    """A cardboard box with tape, or a coloured one."""
    brown = rng.random() < .65
    tile = _plain(rng, np.array((172, 132, 88)) * rng.uniform(.75, 1.1) if brown
                  else rng.uniform(50, 220, 3))
    wide, high, deep = rng.uniform(.22, .45), rng.uniform(.15, .38), rng.uniform(.2, .36)
    front = Board(tile, BOX, wide, high)
    front.shade(wide * .42, 0, wide * .58, high, 1.2 if brown else 0.7)
    front.paint(wide * .1, high * .1, wide * .32, high * .35, rng.uniform(60, 240))
    return Piece(box(tile, BOX, (-wide / 2, wide / 2), (0, high), (-deep, 0),
                     front=front.texture()), wide + .05, deep)


def bag(rng, decor):
    """A handbag, rucksack or shopping bag."""
    s, color = Sketch(.5, .55, scale=80), rng.uniform(20, 190, 3)
    wide, high = rng.uniform(.16, .22), rng.uniform(.28, .4)
    s.line([(-wide * .5, high), (-wide * .35, high + .13), (wide * .35, high + .13),
            (wide * .5, high)], .025, color * .6, BAG)
    s.polygon([(-wide, 0), (wide, 0), (wide * .8, high), (-wide * .8, high)], color, BAG)
    s.box(-wide * .6, .05, wide * .6, high * .5, color * .75, BAG)
    s.line([(-wide * .6, high * .72), (wide * .6, high * .72)], .012, color * .4 + 90, BAG)
    return Piece([Billboard(np.array((0, 0, -.15)), .5, .55, s.texture(rng))], .45, .3)


def lamp(rng, decor, tall=False):
    """A table lamp or, `tall`, a standard lamp; its shade is lit or not."""
    high = 1.6 if tall else rng.uniform(.42, .6)
    wide = rng.uniform(.34, .46) if tall else rng.uniform(.24, .34)
    s, shade = Sketch(wide, high, scale=60), np.array((250, 232, 190)) * rng.choice([.7, 1.0])
    low = high - rng.uniform(.2, .28)
    s.box(-.015, 0, .015, low, (70, 60, 50), LAMP)
    s.disc(0, .03, wide * .3, (70, 60, 50), LAMP, stretch=.3)
    if not tall:
        s.disc(0, low * .5, .06, rng.uniform(60, 200, 3), LAMP, stretch=1.4)
    s.polygon([(-wide / 2, low), (wide / 2, low), (wide * .3, high), (-wide * .3, high)], shade,
              LAMP)
    s.box(-wide / 2, low, wide / 2, low + .02, shade * .8, LAMP)
    return Piece([Billboard(np.array((0, 0, -.16)), wide, high, s.texture(rng, 3), 1.1)], .4, .3)


def ceiling_lamp(rng, decor):
    """A round or long lamp just below the ceiling; its foot is the height of the ceiling."""
    tile = _plain(rng, 250)
    if rng.random() < .5:
        return Piece(box(tile, LAMP, (-.6, .6), (-.1, -.02), (-.1, .1), below=True, light=1.3), 1.2)
    return Piece(box(tile, LAMP, (-.2, .2), (-.14, -.01), (-.2, .2), below=True, light=1.3), .4)


def television(rng, decor):
    """A television on its foot."""
    wide, dark = rng.uniform(.6, 1.0), screen(rng)
    front = Board(dark, TELEVISION, wide, wide * .6)
    front.outline(0, 0, wide, wide * .6, 2.0, .02)
    front.shade(wide * .1, wide * .3, wide * .4, wide * .5, 1.6)
    parts = box(dark, TELEVISION, (-wide / 2, wide / 2), (.05, .05 + wide * .6), (-.2, -.12),
                front=front.texture())
    return Piece(parts + box(dark, TELEVISION, (-.15, .15), (0, .05), (-.28, -.04)), wide, .3)


def clothes(rng, decor):
    """A heap of crumpled clothes: rags of several cloths one over another."""
    parts = []
    for k in range(rng.integers(2, 5)):
        cloth = Texture(*_rag(rng, decor.fabric()))
        x, z = rng.uniform(-.15, .15), rng.uniform(-.45, -.3)
        size = rng.uniform(.24, .42)
        parts.append(sheet(cloth, (x - size, x + size), .03 + .03 * k, (z - size, z + size),
                           rng.uniform(0, 3)))
        parts.append(Billboard(np.array((x, 0, z)), size * 2, size * .8, cloth, .85))
    return Piece(parts, .8, .7)


def _rag(rng, tile):
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    angle = np.arctan2(y, x)
    edge = .8 + sum(rng.uniform(0, .12) * np.sin(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5))
    fold = 0.85 + .2 * np.sin(9 * x + rng.uniform(4, 9) * y + rng.uniform(0, 6))
    return tile * fold[:, :, None], np.where(np.hypot(x, y) < edge, CLOTHES, CLEAR)


def plant(rng, decor):
    """A plant in a pot: other prop."""
    high = rng.uniform(.35, .9)
    s, pot = Sketch(high * .8, high, scale=70), rng.uniform(60, 200, 3)
    for _ in range(26):
        x, y = rng.normal(0, high * .16), rng.uniform(.4, .92) * high
        leaf = np.array((66, 110, 52)) * rng.uniform(.55, 1.3)
        s.line([(0, high * .3), (x, y)], .012, leaf * .8, OTHERPROP)
        s.disc(x, y, high * .07, leaf, OTHERPROP, stretch=rng.uniform(.6, 1.5))
    s.polygon([(-high * .1, 0), (high * .1, 0), (high * .14, high * .3), (-high * .14, high * .3)],
              pot, OTHERPROP)
    return Piece([Billboard(np.array((0, 0, -high * .25)), high * .8, high, s.texture(rng))],
                 high * .6, high * .4)


def things(rng, decor):
    """Bottles, cups, balls and what nobody has named (unlabelled)."""
    s = Sketch(.6, .36, scale=80)
    for x in np.linspace(-.22, .22, int(rng.integers(2, 5))):
        color = rng.uniform(20, 235, 3)
        label = UNLABELLED if rng.random() < .15 else OTHERPROP
        kind = rng.integers(3)
        if kind == 0:
            s.box(x - .035, 0, x + .035, .2, color, label)
            s.box(x - .014, .2, x + .014, .3, color * .8, label)
        elif kind == 1:
            s.box(x - .05, 0, x + .05, .11, color, label)
        else:
            s.disc(x, .08, .08, color, label)
            s.disc(x - .02, .1, .03, color * .5 + 120, label)
    return Piece([Billboard(np.array((0, 0, -.12)), .6, .36, s.texture(rng))], .55, .22)


def floormat(rng, decor):
    """A rug or mat with a border, flat on the floor."""
    wide, deep = rng.uniform(.9, 2.4), rng.uniform(.7, 1.8)
    board = Board(decor.fabric(), FLOORMAT, wide, deep, scale=32)
    board.outline(.03, .03, wide - .03, deep - .03, rng.choice([.65, 1.4]), .08)
    return Piece([sheet(board.texture(), (-wide / 2, wide / 2), .008, (-deep, 0))], wide, deep)


def person(rng, decor):
    """Someone who stands in the room."""
    shirt, legs = decor.fabric().mean((0, 1)), rng.uniform(25, 110, 3)
    skin = np.array([(224, 178, 148), (150, 104, 78), (92, 64, 50)])[rng.integers(3)]
    girth, s = rng.uniform(.19, .25), Sketch(.9, 1.8, scale=50)
    for side in (-1, 1):
        s.line([(.09 * side, .95), (.11 * side, .5), (.12 * side, 0)], .15, legs, PERSON)
        elbow = (girth * 1.35 * side, 1.15)
        hand = (girth * side * rng.uniform(.2, 1.3), .95)
        s.line([(girth * .9 * side, 1.42), elbow, hand], .09, shirt * .85, PERSON)
        s.disc(*hand, .05, skin, PERSON)
    s.polygon([(-girth, 1.47), (girth, 1.47), (girth * .9, .88), (-girth * .9, .88)], shirt, PERSON)
    s.box(-.05, 1.42, .05, 1.55, skin * .9, PERSON)
    s.disc(0, 1.62, .11, skin, PERSON, stretch=1.3)
    s.disc(0, 1.69, .12, skin * .3, PERSON, stretch=.8)
    size = rng.uniform(.88, 1.05)
    return Piece([Billboard(np.zeros(3), .9 * size, 1.8 * size, s.texture(rng))], .6, .4)
