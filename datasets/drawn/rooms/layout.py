"""A furnished room: four walls, floor and ceiling, and the places of all that is in it."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Quad, Texture
from datasets.drawn.rooms import materials, props
from datasets.drawn.rooms.classes import CEILING, FLOOR, WALL
from datasets.drawn.rooms.kinds import KINDS
from datasets.drawn.rooms.solids import Part, place

WALKWAY = 1.3  # metres before the front wall that are kept free for the camera
GAP = 0.1  # metres between two pieces against a wall
_SIDES = {"bathroom": (2.6, 3.4), "classroom": (4.6, 6.4)}  # metres, from and to


class Room:
    """A furnished room with x in +-width / 2 and z from 0 to depth, in metres.

    Parameters
    ----------
    rng : Generator
        Decides everything that is random.
    kind : str
        One of KINDS.

    Attributes
    ----------
    width, depth, height : float
        Size in metres.
    parts : list of Quad and Billboard
        Everything in the room.
    """

    def __init__(self, rng: Generator, kind: str) -> None:
        self.rng, self.kind, self.decor = rng, KINDS[kind], materials.Decor(rng)
        side = _SIDES.get(kind, (3.2, 4.5))
        self.width, self.depth = rng.uniform(*side), rng.uniform(*side) + 0.9
        self.height = rng.uniform(2.4, 2.75)
        self.parts: list[Part] = []
        self._occupied: list[tuple[float, float, float]] = []  # discs on the floor: (x, z, radius)
        self._build_shell()
        self._furnish_walls()
        self._hang()
        self._furnish_middle()
        self._strew()

    def _build_shell(self):
        """Build floor, ceiling, walls and lamps, from squares of a metre to smooth distant ones."""
        rng, half, floors = self.rng, self.width / 2, self.kind.floor
        floor = Texture(floors[rng.integers(len(floors))](rng), FLOOR)
        white = np.full((materials.TEXELS, materials.TEXELS, 3), rng.uniform(205, 240))
        ceiling = Texture(materials.grained(rng, white, 3), CEILING)
        tiled = floors == (materials.tiles,)
        wall = Texture(materials.tiles(rng) if tiled else self.decor.wall, WALL)
        skirting = Texture(self.decor.white() * rng.uniform(0.6, 1), WALL)
        xs, zs = _cuts(-half, half), _cuts(0, self.depth)
        for x0, x1 in zip(xs, xs[1:]):
            for z0, z1 in zip(zs, zs[1:]):
                self._tile(floor, (x0, 0, z0), (x1 - x0, 0, 0), (0, 0, z1 - z0))
                self._tile(ceiling, (x0, self.height, z1), (x1 - x0, 0, 0), (0, 0, z0 - z1), 0.9)
        middle = self.height / 2
        for x, z, heading, length in self._walls():
            light, cuts, strips = rng.uniform(0.72, 1.05), _cuts(-length / 2, length / 2), []
            for left, right in zip(cuts, cuts[1:]):
                wide = right - left
                for foot, high, depth, texture in (
                    (0, middle, 0, wall),
                    (middle, middle, 0, wall),
                    (0, 0.09, -0.012, skirting),
                ):
                    corner, repeat = (left, foot, depth), (wide, high)
                    strips.append(Quad(corner, (wide, 0, 0), (0, high, 0), texture, repeat, light))
            self.parts += place(strips, x, 0, z, heading)
        for z in np.arange(1.5, self.depth, rng.uniform(1.5, 2.5)):
            lamp = props.ceiling_lamp(rng, self.decor)
            self.parts += lamp.placed(rng.normal(0, 0.3), self.height, z)

    def _tile(self, texture, corner, right, up, light=1.0):
        """Add a quad along the axes on which the texture repeats once a metre."""
        repeat = float(np.abs(right).sum()), float(np.abs(up).sum())
        self.parts.append(Quad(corner, right, up, texture, repeat, light))

    def _walls(self):
        """Return (x, z, heading, length) of the back, left, right and front wall."""
        half = self.width / 2
        return (
            (0, self.depth, 0, self.width),
            (-half, self.depth / 2, -np.pi / 2, self.depth),
            (half, self.depth / 2, np.pi / 2, self.depth),
            (0, 0, np.pi, self.width),
        )

    def _furnish_walls(self):
        """Deal the pieces out to back, left and right wall while they fit, then space them."""
        rng = self.rng
        pieces = [
            (make(rng, self.decor), on)
            for make, chance, on in self.kind.walls
            if rng.random() < chance
        ]
        side = self.depth - WALKWAY
        rows, room = ([], [], []), [self.width - GAP, side, side]
        for piece, on in pieces:
            fitting = [k for k in range(3) if piece.width + GAP <= room[k]]
            if not fitting:
                continue
            k = 0 if 0 in fitting and rng.random() < 0.45 else fitting[rng.integers(len(fitting))]
            rows[k].append((piece, on))
            room[k] -= piece.width + GAP
            if k == 0:  # a deep piece may take the corners of the side walls
                for j in (1, 2):
                    used = sum(p.width + GAP for p, _ in rows[j])
                    room[j] = min(room[j], self.depth - WALKWAY - piece.depth - GAP - used)
        reach = max([p.depth for p, _ in rows[0]], default=0) + GAP
        margins = (0.05, 0.05), (WALKWAY, reach), (reach, WALKWAY)  # left and right ends
        for row, (x, z, heading, length), (left, right) in zip(rows, self._walls(), margins):
            rng.shuffle(row)
            start, stop = -length / 2 + left, length / 2 - right
            slack = stop - start - sum(p.width for p, _ in row)
            gaps = rng.dirichlet(np.ones(len(row) + 1)) * max(slack, 0)
            at = start
            for (piece, on), gap in zip(row, gaps):
                at += gap + piece.width / 2
                self._put(piece, on, *_on_wall(x, z, heading, at), heading)
                at += piece.width / 2

    def _put(self, piece, on, x, z, heading):
        """Add `piece` and, if it has a top, those of the props `on` that fit side by side."""
        rng = self.rng
        self.parts += piece.placed(x, 0, z, heading)
        away, radius = piece.depth / 2, max(piece.width, piece.depth) / 2
        self._occupied.append((x - away * np.sin(heading), z - away * np.cos(heading), radius))
        if not (piece.top and on):
            return
        at = -piece.width / 2
        for k in rng.permutation(len(on)):
            prop = on[k](rng, self.decor)
            at += rng.uniform(0, 0.3)
            if at + prop.width > piece.width / 2 or prop.depth > piece.depth + 0.3:
                continue
            back = -rng.uniform(0.02, max(0.03, piece.depth - prop.depth))
            parts = prop.placed(at + prop.width / 2, piece.top + 0.003, back)
            self.parts += place(parts, x, 0, z, heading)
            at += prop.width

    def _hang(self):
        """Hang windows, pictures, mirrors, ... in rows; the back wall gets the first."""
        rng, rows = self.rng, [[], [], []]
        room = [self.width - 0.2, self.depth - 1.0, self.depth - 1.0]
        for make, chance in self.kind.hung:
            piece = make(rng, self.decor)
            k = int(rng.choice(3, p=[0.5, 0.25, 0.25])) if any(rows) else 0
            if rng.random() < chance and piece.width < room[k]:
                rows[k].append(piece)
                room[k] -= piece.width
        for row, (x, z, heading, length), space, margin in zip(
            rows, self._walls(), room, (0.1, 0.9, 0.1)
        ):
            rng.shuffle(row)
            gaps = rng.dirichlet(np.ones(len(row) + 1) * 2) * space
            at = -length / 2 + margin
            for piece, gap in zip(row, gaps):
                at += gap + piece.width / 2
                wall_x, wall_z = _on_wall(x, z, heading, at)
                self.parts += piece.placed(wall_x, 0, wall_z, heading)
                at += piece.width / 2

    def _furnish_middle(self):
        """Put pieces on free spots, turned at random."""
        for make, chance, on in self.kind.middle:
            if self.rng.random() < chance:
                piece = make(self.rng, self.decor)
                spot = self._free_spot(max(piece.width, piece.depth) / 2, 2.0)
                if spot:
                    heading, away = self.rng.uniform(-np.pi, np.pi), piece.depth / 2
                    x, z = spot[0] + away * np.sin(heading), spot[1] + away * np.cos(heading)
                    self._put(piece, on, x, z, heading)

    def _strew(self):
        """Scatter a few things on the floor."""
        rng, loose = self.rng, self.kind.loose
        for k in rng.permutation(len(loose))[: rng.integers(2, 6)]:
            piece = loose[k](rng, self.decor)
            flat = loose[k] is props.floormat  # reaches under furniture, and things stand on it
            spot = self._free_spot(0.15 if flat else piece.width / 2, 1.7)
            if spot and flat:
                x, z = spot
                self.parts += piece.placed(x, 0, z + piece.depth / 2, rng.normal(0, 0.2))
            elif spot:
                self._put(piece, (), *spot, rng.uniform(-1, 1))

    def _free_spot(self, radius, near):
        """Find the middle of a free disc at least `near` m from the front wall, or None."""
        half = self.width / 2 - radius
        for _ in range(40):
            if half <= 0 or self.depth - radius <= near:
                return None
            x, z = self.rng.uniform(-half, half), self.rng.uniform(near, self.depth - radius)
            if all(np.hypot(x - a, z - b) > radius + r for a, b, r in self._occupied):
                return x, z
        return None


def _cuts(start, stop):
    """Return boundaries from `start` to `stop`, about a metre apart."""
    return np.linspace(start, stop, max(2, round(stop - start) + 1))


def _on_wall(x, z, heading, at):
    """Return the point `at` m to the right of a wall's middle (x, z)."""
    return x + at * np.cos(heading), z - at * np.sin(heading)
