"""Boxes, panels and sheets to build furniture from, and the pieces that are placed in a room.

A piece has its own axes, those of someone who faces it: x to the right, y up from the floor, z
away. A piece that stands against a wall has its back at z = 0 and extends to negative z.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from datasets.drawn.render import Quad, Texture, Vector
from datasets.drawn.rooms.materials import TEXELS, Decor

Span = tuple[float, float]  # an interval on one axis, in metres


def centred(width: float) -> Span:
    """Return the interval of length `width` about 0."""
    return -width / 2, width / 2


@dataclass
class Billboard:
    """A cut-out that always faces the camera.

    Attributes
    ----------
    foot : Vector
        Middle of its lower edge, in metres.
    width, height : float
        Size in metres.
    texture : Texture
        What is on it.
    light : float
        Factor on the colours.
    """

    foot: Vector
    width: float
    height: float
    texture: Texture
    light: float = 1.0

    def __post_init__(self) -> None:
        self.foot = np.asarray(self.foot, float)

    def quad(self, right: np.ndarray) -> Quad:
        """Return the Quad for a camera whose unit vector to the right is `right`."""
        corner = self.foot - right * self.width / 2
        up = (0.0, self.height, 0.0)
        return Quad(corner, right * self.width, up, self.texture, light=self.light)


Part = Quad | Billboard


@dataclass
class Piece:
    """Something to place in a room.

    Attributes
    ----------
    parts : list of Quad and Billboard
        What it consists of, in its own axes.
    width, depth : float
        Size on the floor, in metres.
    top : float
        Height of the surface that other things may be put on, 0 if there is none.
    """

    parts: Sequence[Part]
    width: float
    depth: float = 0.05
    top: float = 0.0

    def placed(self, x: float, y: float, z: float, heading: float = 0.0) -> list[Part]:
        """Return all parts with the origin at (x, y, z), turned right by `heading` (rad)."""
        return place(self.parts, x, y, z, heading)


# A maker builds a piece from a generator and the materials of the room.
Maker = Callable[[Generator, Decor], Piece]


def place(parts: Sequence[Part], x: float, y: float, z: float, heading: float = 0.0) -> list[Part]:
    """Return `parts` turned to the right by `heading` (rad) and then moved to (x, y, z)."""
    c, s = np.cos(heading), np.sin(heading)
    turn, offset = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]), np.array((x, y, z), float)
    return [
        replace(p, foot=turn @ p.foot + offset)
        if isinstance(p, Billboard)
        else replace(p, corner=turn @ p.corner + offset, right=turn @ p.right, up=turn @ p.up)
        for p in parts
    ]


def box(
    tile: np.ndarray,
    label: int,
    x: Span,
    y: Span,
    z: Span,
    front: Texture | None = None,
    below: bool = False,
    light: float = 1.0,
) -> list[Quad]:
    """Build a closed box.

    Parameters
    ----------
    tile : np.ndarray
        1 m of the material, TEXELS x TEXELS x 3.
    label : int
        Class.
    x, y, z : (float, float)
        What the box covers, in metres.
    front : Texture, optional
        The face towards the viewer, instead of the tile.
    below : bool
        Whether the underside can be seen.
    light : float
        Factor on the colours.

    Returns
    -------
    list of Quad
        The front, the sides, the back, the upper face and the underside.
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
        repeat = float(np.linalg.norm(right)), float(np.linalg.norm(up))
        quads.append(Quad(corner, right, up, skin, repeat, shade * light, one_sided=True))
    if front is not None:
        quads[0] = replace(quads[0], texture=front, repeat=(1, 1))
    return quads


def legs(
    tile: np.ndarray, label: int, x: Span, y: Span, z: Span, thickness: float = 0.05
) -> list[Quad]:
    """Build a leg in each corner of the space over `x`, `y`, `z`; see `box` for the rest."""
    parts = []
    for left in (x[0], x[1] - thickness):
        for near in (z[0], z[1] - thickness):
            parts += box(tile, label, (left, left + thickness), y, (near, near + thickness))
    return parts


def panel(texture: Texture, x: Span, y: Span, z: float = -0.02, light: float = 1.0) -> Quad:
    """Return an upright picture over `x`, `y` at depth `z`, seen from the front."""
    right, up = (x[1] - x[0], 0.0, 0.0), (0.0, y[1] - y[0], 0.0)
    return Quad((x[0], y[0], z), right, up, texture, light=light)


def sheet(texture: Texture, x: Span, y: float, z: Span, turn: float = 0.0) -> Quad:
    """Return a flat picture at height `y` over `x`, `z`, turned about its middle by `turn` rad."""
    c, s = np.cos(turn), np.sin(turn)
    right = np.array((c, 0, -s)) * (x[1] - x[0])
    up = np.array((s, 0, c)) * (z[1] - z[0])
    middle = np.array(((x[0] + x[1]) / 2, y, (z[0] + z[1]) / 2))
    return Quad(middle - (right + up) / 2, right, up, texture)


def shadow(width: float, depth: float, light: float = 0.6) -> Quad:
    """Return the shadow on the floor around a `width` x `depth` m piece against the wall."""
    dark = Texture(np.zeros((2, 2, 3)), 0)
    quad = sheet(dark, (-width / 2 - 0.12, width / 2 + 0.12), 0.012, (-depth - 0.15, 0))
    return replace(quad, light=light, shadow=True)


class Board:
    """A front to paint on, in metres from its lower left corner.

    Parameters
    ----------
    tile : np.ndarray
        1 m of the material, TEXELS x TEXELS x 3.
    label : int
        Class.
    width, height : float
        Size in metres.
    scale : int
        Texels per metre.
    """

    def __init__(
        self, tile: np.ndarray, label: int, width: float, height: float, scale: int = TEXELS
    ) -> None:
        rows, columns = max(4, round(height * scale)), max(4, round(width * scale))
        i, j = (np.arange(n) * TEXELS // scale % TEXELS for n in (rows, columns))
        self.color = tile[i][:, j].copy()
        self.label = np.full((rows, columns), label, np.uint8)
        self.scale = scale

    def _box(self, left, bottom, right, top):
        """Return the slices of a rectangle, of at least one texel."""
        rows = len(self.label)
        upper, lower = (rows - round(y * self.scale) for y in (top, bottom))
        start = round(left * self.scale)
        return (
            slice(max(0, upper), max(upper + 1, lower)),
            slice(max(0, start), max(start + 1, round(right * self.scale))),
        )

    def paint(
        self,
        left: float,
        bottom: float,
        right: float,
        top: float,
        color: npt.ArrayLike,
        label: int | None = None,
    ) -> None:
        """Fill a rectangle with RGB or a grey `color`; without `label` the label stays."""
        area = self._box(left, bottom, right, top)
        self.color[area] = color
        if label is not None:
            self.label[area] = label

    def shade(self, left: float, bottom: float, right: float, top: float, factor: float) -> None:
        """Darken or lighten a rectangle."""
        self.color[self._box(left, bottom, right, top)] *= np.float32(factor)

    def outline(
        self,
        left: float,
        bottom: float,
        right: float,
        top: float,
        factor: float = 0.6,
        thickness: float = 0.02,
    ) -> None:
        """Darken or lighten the border of a rectangle."""
        t = thickness
        self.shade(left, bottom, right, bottom + t, factor)
        self.shade(left, top - t, right, top, factor)
        self.shade(left, bottom, left + t, top, factor)
        self.shade(right - t, bottom, right, top, factor)

    def texture(self) -> Texture:
        """Return what was painted."""
        return Texture(np.clip(self.color, 0, 255), self.label)
