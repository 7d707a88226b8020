"""A furnished room: four walls, floor and ceiling, and the places of all that is in it."""

import numpy as np

from datasets.drawn.render import Quad, Texture
from datasets.drawn.rooms import materials, props
from datasets.drawn.rooms.classes import CEILING, FLOOR, WALL
from datasets.drawn.rooms.kinds import KINDS
from datasets.drawn.rooms.solids import place

WALKWAY = 1.3  # metres before the front wall that are kept free for the camera


class Room:
    """A room of `kind` (of KINDS): x in +-width / 2, z from 0 to depth, in metres.

    parts: the Quads and Billboards of everything in it.
    """

    def __init__(self, rng, kind):
        self.rng, self.plan, self.decor = rng, KINDS[kind], materials.Decor(rng)
        small, large = {"bathroom": (2.6, 3.4), "classroom": (4.6, 6.4)}.get(kind, (3.2, 4.5))
        self.width, self.depth = rng.uniform(small, large), rng.uniform(small, large) + 0.9
        self.height = rng.uniform(2.4, 2.75)
        self.parts = []
        self._taken = []  # (x, z, radius) on the floor
        self._build_shell()
        self._furnish_walls()
        self._hang()
        self._furnish_middle()
        self._strew()

    def _build_shell(self):
        """Floor, ceiling and walls, in squares of a metre so that distant ones are smoothed."""
        rng, half = self.rng, self.width / 2
        floors = self.plan["floor"]
        floor = Texture(floors[rng.integers(len(floors))](rng), FLOOR)
        ceiling = Texture(
            materials.grained(rng, np.full((64, 64, 3), rng.uniform(205, 240)), 3), CEILING
        )
        tiled = floors == (materials.tiles,)
        wall = Texture(materials.tiles(rng) if tiled else self.decor.wall, WALL)
        skirting = Texture(self.decor.white() * rng.uniform(0.6, 1), WALL)
        xs, zs = _cuts(-half, half), _cuts(0, self.depth)
        for x0, x1 in zip(xs, xs[1:]):
            for z0, z1 in zip(zs, zs[1:]):
                self._tile(floor, (x0, 0, z0), (x1 - x0, 0, 0), (0, 0, z1 - z0))
                self._tile(ceiling, (x0, self.height, z1), (x1 - x0, 0, 0), (0, 0, z0 - z1), 0.9)
        for x, z, heading, length in self._walls():
            light, cuts, strips = rng.uniform(0.72, 1.05), _cuts(-length / 2, length / 2), []
            for left, right in zip(cuts, cuts[1:]):
                across = np.array((right - left, 0, 0))
                for low in (0, self.height / 2):
                    strips.append(
                        Quad(
                            np.array((left, low, 0)),
                            across,
                            np.array((0, self.height / 2, 0)),
                            wall,
                            (right - left, self.height / 2),
                            light,
                        )
                    )
                strips.append(
                    Quad(
                        np.array((left, 0, -0.012)),
                        across,
                        np.array((0, 0.09, 0)),
                        skirting,
                        (right - left, 0.09),
                        light,
                    )
                )
            self.parts += place(strips, x, 0, z, heading)
        for z in np.arange(1.5, self.depth, rng.uniform(1.5, 2.5)):
            lamp = props.ceiling_lamp(rng, self.decor)
            self.parts += lamp.placed(rng.normal(0, 0.3), self.height, z)

    def _tile(self, texture, corner, right, up, light=1.0):
        corner, right, up = (np.array(v, float) for v in (corner, right, up))
        repeat = float(abs(right).sum()), float(abs(up).sum())
        self.parts.append(Quad(corner, right, up, texture, repeat, light))

    def _walls(self):
        """(x, z, heading, length) of the back, left, right and front wall."""
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
            for make, chance, on in self.plan["walls"]
            if rng.random() < chance
        ]
        walls, room = ([], [], []), [self.width - 0.1, self.depth - WALKWAY, self.depth - WALKWAY]
        for piece, on in pieces:
            fitting = [k for k in range(3) if piece.width + 0.1 <= room[k]]
            if not fitting:
                continue
            k = 0 if 0 in fitting and rng.random() < 0.45 else fitting[rng.integers(len(fitting))]
            walls[k].append((piece, on))
            room[k] -= piece.width + 0.1
            if k == 0:  # a deep piece may take the corners of the side walls
                room[1:] = [
                    min(
                        r,
                        self.depth - WALKWAY - piece.depth - 0.1 - sum(p.width + 0.1 for p, _ in w),
                    )
                    for r, w in zip(room[1:], walls[1:])
                ]
        reach = max([p.depth for p, _ in walls[0]], default=0) + 0.1
        for row, (x, z, heading, length), k in zip(walls, self._walls(), range(3)):
            rng.shuffle(row)
            near = -length / 2 + (0.05 if k == 0 else 0)
            start = {0: near, 1: near + WALKWAY, 2: near + reach}[k]
            stop = {0: -near, 1: -near - reach, 2: -near - WALKWAY}[k]
            slack = stop - start - sum(p.width for p, _ in row)
            gaps = rng.dirichlet(np.ones(len(row) + 1)) * max(slack, 0)
            at = start
            for (piece, on), gap in zip(row, gaps):
                at += gap + piece.width / 2
                self._put(piece, on, *_on_wall(x, z, heading, at), heading)
                at += piece.width / 2

    def _put(self, piece, on, x, z, heading):
        """Add `piece` and, where it has a top, one to three of `on` along it."""
        rng = self.rng
        self.parts += piece.placed(x, 0, z, heading)
        away = piece.depth / 2
        self._taken.append(
            (
                x - away * np.sin(heading),
                z - away * np.cos(heading),
                max(piece.width, piece.depth) / 2,
            )
        )
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
        """Windows, pictures, mirrors, ... in rows on the walls; the back wall gets the first."""
        rng, rows = self.rng, [[], [], []]
        room = [self.width - 0.2, self.depth - 1.0, self.depth - 1.0]
        for make, chance in self.plan["hung"]:
            piece = make(rng, self.decor)
            k = int(rng.choice(3, p=[0.5, 0.25, 0.25])) if any(rows) else 0
            if rng.random() < chance and piece.width < room[k]:
                rows[k].append(piece)
                room[k] -= piece.width
        for row, (x, z, heading, length), k in zip(rows, self._walls(), range(3)):
            rng.shuffle(row)
            gaps = rng.dirichlet(np.ones(len(row) + 1) * 2) * room[k]
            at = -length / 2 + {0: 0.1, 1: 0.9, 2: 0.1}[k]
            for piece, gap in zip(row, gaps):
                at += gap + piece.width / 2
                wall_x, wall_z = _on_wall(x, z, heading, at)
                self.parts += piece.placed(wall_x, 0, wall_z, heading)
                at += piece.width / 2

    def _furnish_middle(self):
        for make, chance, on in self.plan["middle"]:
            if self.rng.random() < chance:
                piece = make(self.rng, self.decor)
                spot = self._free_spot(max(piece.width, piece.depth) / 2, 2.0)
                if spot:
                    heading = self.rng.uniform(-np.pi, np.pi)
                    x, z = spot
                    away = piece.depth / 2
                    self._put(
                        piece, on, x + away * np.sin(heading), z + away * np.cos(heading), heading
                    )

    def _strew(self):
        """What lies on the floor."""
        rng, loose = self.rng, self.plan["loose"]
        for k in rng.permutation(len(loose))[: rng.integers(2, 6)]:
            piece = loose[k](rng, self.decor)
            flat = loose[k] is props.floormat  # other things may stand on it, it reaches under beds
            spot = self._free_spot(0.15 if flat else piece.width / 2, 1.7)
            if spot and flat:
                x, z = spot
                self.parts += piece.placed(x, 0, z + piece.depth / 2, rng.normal(0, 0.2))
            elif spot:
                self._put(piece, (), *spot, rng.uniform(-1, 1))

    def _free_spot(self, radius, near):
        """(x, z) of a free disc on the floor at least `near` m from the front wall, or None."""
        half = self.width / 2 - radius
        for _ in range(40):
            if half <= 0 or self.depth - radius <= near:
                return None
            x, z = self.rng.uniform(-half, half), self.rng.uniform(near, self.depth - radius)
            if all(np.hypot(x - a, z - b) > radius + r for a, b, r in self._taken):
                return x, z
        return None


def _cuts(start, stop):
    """Boundaries from `start` to `stop`, about a metre apart."""
    return np.linspace(start, stop, max(2, round(stop - start) + 1))


def _on_wall(x, z, heading, at):
    """The point `at` m to the right of a wall's middle (x, z)."""
    return x + at * np.cos(heading), z - at * np.sin(heading)
