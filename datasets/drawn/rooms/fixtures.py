"""What hangs on walls or is built in: windows, doors, pictures, bathroom ware. All are Pieces."""
import numpy as np

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
from datasets.drawn.rooms.materials import grained
from datasets.drawn.rooms.solids import Board, Piece, box, panel, shadow, sheet
from datasets.drawn.rooms.storage import doors


def hanging(rng, tile, label, wide, high, folds=0.12):
    """Cloth in vertical folds, a Texture."""
    board = Board(tile, label, wide, high, scale=48)
    columns = board.color.shape[1]
    phase = np.cumsum(rng.uniform(0.5, 1.5, columns)) / 48 / folds * 2 * np.pi
    board.color *= (0.88 + 0.16 * np.sin(phase))[None, :, None].astype(np.float32)
    return board.texture()


def window(rng, decor, cover=None):
    """A window in a white frame; cover: 'blinds', 'curtain' or None."""
    wide, low, high = rng.uniform(0.9, 1.8), rng.uniform(.8, 1.0), rng.uniform(1.1, 1.3)
    board = Board(decor.white(), WINDOW, wide, high)
    sky, ground = rng.uniform(170, 250) + np.array((-8, 0, 10)), rng.uniform(40, 150, 3)
    panes = 1 + (wide > 1.1)
    for k in range(panes):
        left, right = k * wide / panes + .06, (k + 1) * wide / panes - .06
        board.paint(left, .06, right, high - .06, sky)
        for _ in range(3):  # what is outside
            x, top = rng.uniform(left, right - .1), rng.uniform(.2, .7)
            board.paint(x, .06, min(right, x + rng.uniform(.2, .6)), top,
                        ground + rng.normal(0, 20, 3))
    half = wide / 2
    parts = [panel(board.texture(), (-half, half), (low, low + high), light=1.15)]
    if cover == 'blinds':
        drop = high * rng.uniform(.4, 1.0)
        slats = Board(decor.white(), BLINDS, wide + .1, drop)
        slats.color[::4] *= 0.6
        slats.color[1::4] *= 0.85
        parts.append(panel(slats.texture(), (-half - .05, half + .05),
                           (low + high - drop, low + high + .05), -.06))
    elif cover == 'curtain':
        cloth, foot = decor.fabric(), rng.choice([.05, low - .15])
        for left in (-half - .3, half - .15):
            size = rng.uniform(.4, .55)
            texture = hanging(rng, cloth, CURTAIN, size, low + high + .12 - foot)
            parts.append(panel(texture, (left, left + size), (foot, low + high + .12), -.1))
    return Piece(parts, wide + (.7 if cover == 'curtain' else .2))


def door(rng, decor):
    """A door with a frame, panels and a handle."""
    tile = decor.wood() if rng.random() < .6 else decor.white()
    board = Board(tile, DOOR, .95, 2.08)
    board.outline(0, 0, .95, 2.08, 1.15, .06)
    board.outline(.06, 0, .89, 2.02, 0.5, .015)
    for low, top in ((.2, .9), (1.1, 1.85)) if rng.random() < .6 else ():
        board.outline(.2, low, .75, top, 0.7)
    board.paint(.78, 1.0, .86, 1.04, 190)
    return Piece([panel(board.texture(), (-.475, .475), (0, 2.08))], 1.05)


def picture(rng, decor):
    """A framed picture: fields of colour behind a passe-partout."""
    wide, high, low = rng.uniform(.35, 1.0), rng.uniform(.35, .8), rng.uniform(1.2, 1.5)
    board = Board(decor.wood() * 0.6, PICTURE, wide, high)
    board.paint(.04, .04, wide - .04, high - .04, 225)
    board.paint(.09, .09, wide - .09, high - .09, rng.uniform(30, 220, 3))
    for _ in range(5):
        x, y = rng.uniform(.09, wide - .15), rng.uniform(.09, high - .15)
        board.paint(x, y, min(wide - .09, x + rng.uniform(.05, .3)),
                    min(high - .09, y + rng.uniform(.05, .25)), rng.uniform(20, 235, 3))
    return Piece([panel(board.texture(), (-wide / 2, wide / 2), (low, low + high))], wide + .1)


def mirror(rng, decor):
    """A mirror: the room's wall again, brighter, with streaks of reflected light."""
    wide, high, low = rng.uniform(.5, 1.1), rng.uniform(.6, .95), rng.uniform(1.05, 1.2)
    board = Board(decor.wood(), MIRROR, wide, high)
    glass = decor.wall.mean((0, 1)) * 0.8 + np.array((0, 10, 18))
    board.paint(.04, .04, wide - .04, high - .04, glass)
    rows, columns = board.label.shape
    slope = np.arange(columns)[None] + np.arange(rows)[:, None]
    streak = ((slope // 9) % 4 == 0) & (board.color == board.color[rows // 2, columns // 2]).all(2)
    board.color[streak] += 18
    board.paint(wide * .55, .04, wide * .8, high * .6, glass * .55)
    return Piece([panel(board.texture(), (-wide / 2, wide / 2), (low, low + high))], wide + .1)


def whiteboard(rng, decor):
    """A whiteboard in a metal frame, with writing."""
    wide, high = rng.uniform(1.2, 2.6), rng.uniform(.9, 1.2)
    board = Board(decor.white() * 1.05, WHITEBOARD, wide, high)
    board.outline(0, 0, wide, high, 0.55, .03)
    for y in np.arange(.15, high - .1, .11):
        x, pen = rng.uniform(.1, .4), rng.choice([(30, 40, 120), (150, 30, 30), (40, 40, 40)])
        while x < wide * rng.uniform(.3, .95) - .2:
            board.paint(x, y, x + rng.uniform(.03, .12), y + rng.uniform(.015, .05), pen)
            x += rng.uniform(.1, .2)
    return Piece([panel(board.texture(), (-wide / 2, wide / 2), (.95, .95 + high))], wide + .1)


def notices(rng, decor):
    """Sheets of paper pinned to the wall."""
    parts = []
    for k in range(rng.integers(2, 6)):
        board = Board(np.full((64, 64, 3), rng.uniform(205, 240), np.float32), PAPER, .22, .3)
        for y in np.arange(.04, .26, .04):
            board.shade(.03, y, rng.uniform(.1, .2), y + .015, 0.5)
        x, y = -.45 + .19 * k, rng.uniform(1.25, 1.6)
        parts.append(panel(board.texture(), (x, x + .22), (y, y + .3), -.02 - .002 * k))
    return Piece(parts, 1.1)


def towel(rng, decor):
    """A towel over a metal bar."""
    wide = rng.uniform(.4, .65)
    cloth = panel(hanging(rng, decor.fabric(), TOWEL, wide, .75, .3), (-wide / 2, wide / 2),
                  (.7, 1.45), -.07)
    bar = box(decor.metal, TOWEL, (-wide / 2 - .08, wide / 2 + .08), (1.43, 1.46), (-.06, -.03))
    return Piece([cloth, *bar], wide + .2)


def flat_screen(rng, decor):
    """A television on the wall."""
    wide = rng.uniform(.9, 1.3)
    return Piece(box(screen(rng), TELEVISION, (-wide / 2, wide / 2), (1.0, 1.0 + wide * .58),
                     (-.07, 0)), wide + .1)


def screen(rng):
    """A tile of dark glass."""
    return grained(rng, np.full((64, 64, 3), rng.uniform(18, 40), np.float32), 2)


def pillar(rng, decor):
    """A pier of the wall, or a fireplace: other structure."""
    wide, high = rng.uniform(.4, .6), 2.2
    if rng.random() < .5:
        return Piece(box(decor.wall * 0.93, OTHERSTRUCTURE, (-wide / 2, wide / 2), (0, 2.8),
                         (-.35, 0)), wide, .35)
    board = Board(decor.stone, OTHERSTRUCTURE, 1.3, high)
    for k, y in enumerate(np.arange(0, high, .12)):
        board.shade(0, y, 1.3, y + .02, 0.7)
        for x in np.arange(.13 * (k % 2), 1.3, .26):
            board.shade(x, y, x + .02, y + .12, 0.7)
    board.paint(.35, 0, .95, .7, 22)
    return Piece(box(decor.stone, OTHERSTRUCTURE, (-.65, .65), (0, high), (-.4, 0),
                     front=board.texture()), 1.3, .4)


def toilet(rng, decor):
    """A cistern and a bowl with its lid."""
    tile = decor.white()
    lid = np.full((24, 16), TOILET)
    y, x = np.mgrid[-1:1:24j, -1:1:16j]
    lid[x * x + y * y > 1] = CLEAR
    seat = Texture(np.zeros((24, 16, 3)) + tile.mean() * 1.05, lid)
    inner = Texture(np.zeros((24, 16, 3)) + tile.mean() * 0.75, lid)
    parts = [shadow(.45, .7, .7), *box(tile, TOILET, (-.23, .23), (.38, .8), (-.2, 0)),
             *box(tile * .96, TOILET, (-.25, .25), (.8, .84), (-.22, 0)),
             *box(tile * .9, TOILET, (-.12, .12), (0, .25), (-.55, -.05)),
             *box(tile, TOILET, (-.18, .18), (.22, .4), (-.62, -.15)),
             sheet(seat, (-.21, .21), .42, (-.7, -.18)),
             sheet(inner, (-.13, .13), .425, (-.62, -.26))]
    return Piece(parts, .6, .7)


def washbasin(rng, decor):
    """A basin on a pedestal, or let into the counter of a cabinet."""
    tile, tap = decor.white(), decor.metal * 0 + 180
    bowl = Board(tile, SINK, .5, .36)
    bowl.shade(.05, .05, .45, .3, 0.75)
    parts = [shadow(.6, .5, .7)]
    rim = .86
    if rng.random() < .5:
        parts += box(tile * .95, SINK, (-.1, .1), (0, .7), (-.3, -.1))
        parts += box(tile, SINK, (-.3, .3), (.68, .85), (-.48, 0))
        wide = .7
    else:
        wide, wood = rng.uniform(.8, 1.4), decor.wood()
        x = -wide / 2, wide / 2
        parts += box(wood, CABINET, x, (0, .8), (-.5, 0),
                     front=doors(wood, CABINET, wide, .8, 2))
        parts += box(decor.stone, COUNTER, x, (.8, .85), (-.53, 0))
        rim = rng.choice([.87, .98])  # let in, or a bowl that stands on it
        parts += box(tile, SINK, (-.25, .25), (.85, rim), (-.44, -.08))
    parts += [sheet(bowl.texture(), (-.25, .25), rim + .004, (-.44, -.08)),
              *box(tap, SINK, (-.02, .02), (.85, 1.12), (-.08, -.04)),
              *box(tap, SINK, (-.02, .02), (1.09, 1.12), (-.2, -.04))]
    return Piece(parts, wide, .53, top=.85)


def bathtub(rng, decor):
    """A tub along the wall, with a shower curtain drawn across part of it."""
    tile, wide, deep, high = decor.white(), rng.uniform(1.4, 1.7), .75, rng.uniform(.5, .6)
    inside = Board(tile, BATHTUB, wide, deep)
    inside.shade(.08, .08, wide - .08, deep - .08, 0.72)
    inside.shade(.2, .2, wide - .25, deep - .2, 0.9)
    half = wide / 2
    parts = [shadow(wide, deep), *box(tile, BATHTUB, (-half, half), (0, high), (-deep, 0)),
             sheet(inside.texture(), (-half, half), high + .006, (-deep, 0))]
    size = rng.uniform(.3, .65) * wide
    left = -half if rng.random() < .5 else half - size
    cloth = hanging(rng, decor.fabric() if rng.random() < .7 else decor.white(), SHOWERCURTAIN,
                    size, 1.75)
    parts.append(panel(cloth, (left, left + size), (.25, 2.0), -deep - .03))
    parts += box(decor.metal, SHOWERCURTAIN, (-half, half), (2.0, 2.03), (-deep - .04, -deep - .01))
    return Piece(parts, wide, deep)
