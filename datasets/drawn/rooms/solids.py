"""Boxes, panels and sheets from which furniture is put together, and pieces that can be placed.

A piece has its own axes, those of someone who faces it: x to the right, y up from the floor, z
away. What stands against a wall has its back at z = 0 and reaches to negative z.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from datasets.drawn.render import Quad, Texture
from datasets.drawn.rooms.materials import TEXELS


@dataclass
class Billboard:
    """A cut-out that always faces the camera; `foot` is the middle of its lower edge."""

    foot: np.ndarray
    width: float
    height: float
    texture: Texture
    light: float = 1.0

    def quad(self, right):
        """The Quad for a camera whose unit vector to the right is `right`."""
        return Quad(
            self.foot - right * self.width / 2,
            right * self.width,
            np.array((0.0, self.height, 0.0)),
            self.texture,
            light=self.light,
        )


@dataclass
class Piece:
    """Quads and Billboards of `width` x `depth` m; things may be put on it at height `top`."""

    parts: list
    width: float
    depth: float = 0.05
    top: float = 0.0
    extras: list = field(default_factory=list)

    def placed(self, x, y, z, heading=0.0):
        """All parts with the origin at (x, y, z), turned right by `heading` (rad)."""
        return place(self.parts, x, y, z, heading)


def place(parts, x, y, z, heading=0.0):
    """`parts` moved to (x, y, z) after a turn to the right by `heading` (rad)."""
    c, s = np.cos(heading), np.sin(heading)
    turn, offset = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]), np.array((x, y, z), float)
    return [
        replace(p, foot=turn @ p.foot + offset)
        if isinstance(p, Billboard)
        else replace(p, corner=turn @ p.corner + offset, right=turn @ p.right, up=turn @ p.up)
        for p in parts
    ]


def box(tile, label, x, y, z, front=None, below=False, light=1.0):
    """A closed box over the intervals `x`, `y`, `z`, covered with a 1 m `tile`.

    front: a Texture for the face towards the viewer. below: whether the underside can be seen.
    """
    skin = Texture(tile, label)
    (x0, x1), (y0, y1), (z0, z1) = x, y, z
    wide, high, deep = x1 - x0, y1 - y0, z1 - z0
    faces = [
        ((x0, y0, z0), (wide, 0, 0), (0, high, 0), 1.0),
        ((x0, y0, z1), (0, 0, -deep), (0, high, 0), 0.8),
        ((x1, y0, z0), (0, 0, deep), (0, high, 0), 0.86),
        ((x1, y0, z1), (-wide, 0, 0), (0, high, 0), 0.75),
        ((x0, y1, z0), (wide, 0, 0), (0, 0, deep), 1.1),
    ]
    if below:
        faces.append(((x0, y0, z1), (wide, 0, 0), (0, 0, -deep), 0.55))
    quads = []
    for corner, right, up, shade in faces:
        right, up = np.array(right, float), np.array(up, float)
        repeat = float(np.linalg.norm(right)), float(np.linalg.norm(up))
        quads.append(
            Quad(np.array(corner, float), right, up, skin, repeat, shade * light, one_sided=True)
        )
    if front is not None:
        quads[0] = replace(quads[0], texture=front, repeat=(1, 1))
    return quads


def legs(tile, label, x, y, z, thickness=0.05):
    """Four legs under the corners of the box over `x`, `y`, `z`."""
    parts = []
    for left in (x[0], x[1] - thickness):
        for near in (z[0], z[1] - thickness):
            parts += box(tile, label, (left, left + thickness), y, (near, near + thickness))
    return parts


def panel(texture, x, y, z=-0.02, light=1.0):
    """An upright picture over `x`, `y` at depth `z`, seen from the front."""
    return Quad(
        np.array((x[0], y[0], z)),
        np.array((x[1] - x[0], 0.0, 0.0)),
        np.array((0.0, y[1] - y[0], 0.0)),
        texture,
        light=light,
    )


def sheet(texture, x, y, z, turn=0.0):
    """A flat picture at height `y` over `x`, `z`, turned by `turn` (rad) about its middle."""
    c, s = np.cos(turn), np.sin(turn)
    right = np.array((c, 0, -s)) * (x[1] - x[0])
    up = np.array((s, 0, c)) * (z[1] - z[0])
    middle = np.array(((x[0] + x[1]) / 2, y, (z[0] + z[1]) / 2))
    return Quad(middle - (right + up) / 2, right, up, texture)


def shadow(width, depth, strength=0.6):
    """What a piece against the wall darkens on the floor around its foot."""
    dark = Texture(np.zeros((2, 2, 3)), 0)
    quad = sheet(dark, (-width / 2 - 0.12, width / 2 + 0.12), 0.012, (-depth - 0.15, 0))
    return replace(quad, light=strength, shadow=True)


class Board:
    """A `width` x `height` m front of a 1 m `tile`, on which to paint in metres from lower left."""

    def __init__(self, tile, label, width, height, scale=TEXELS):
        rows, columns = max(4, round(height * scale)), max(4, round(width * scale))
        i, j = (np.arange(n) * TEXELS // scale % TEXELS for n in (rows, columns))
        self.color = tile[i][:, j].copy()
        self.label = np.full((rows, columns), label, np.uint8)
        self.scale = scale

    def _box(self, left, bottom, right, top):
        rows = len(self.label)
        upper, lower = (rows - round(y * self.scale) for y in (top, bottom))
        start = round(left * self.scale)
        return (
            slice(max(0, upper), max(upper + 1, lower)),
            slice(max(0, start), max(start + 1, round(right * self.scale))),
        )

    def paint(self, left, bottom, right, top, color, label=None):
        """Fill a rectangle; without `label` the label stays."""
        where = self._box(left, bottom, right, top)
        self.color[where] = color
        if label is not None:
            self.label[where] = label

    def shade(self, left, bottom, right, top, factor):
        """Darken or lighten a rectangle."""
        self.color[self._box(left, bottom, right, top)] *= np.float32(factor)

    def outline(self, left, bottom, right, top, factor=0.6, thickness=0.02):
        """Darken a rectangle's border."""
        t = thickness
        for strip in (
            (left, bottom, right, bottom + t),
            (left, top - t, right, top),
            (left, bottom, left + t, top),
            (right - t, bottom, right, top),
        ):
            self.shade(*strip, factor)

    def texture(self):
        """What was painted, as a Texture."""
        return Texture(np.clip(self.color, 0, 255), self.label)
