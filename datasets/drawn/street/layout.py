"""What stands along the street: houses, walls, fences, parks, poles, trees and parked vehicles."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Quad, Texture, Vector
from datasets.drawn.street import figures, surfaces, vehicles
from datasets.drawn.street.classes import BICYCLE, BUILDING, MOTORCYCLE
from datasets.drawn.street.ground import FRONT, KERB, Ground
from datasets.drawn.street.vehicles import Vehicle

START, STOP = -12.0, 150.0  # metres along z
UP = np.array((0.0, 1.0, 0.0))


def upright(
    x0: float,
    z0: float,
    x1: float,
    z1: float,
    height: float,
    texture: Texture,
    repeat: float = 1.0,
    light: float = 1.0,
) -> Quad:
    """Return a vertical quad on the ground line from (x0, z0) to (x1, z1).

    Seen from its front, (x0, z0) is at the left. `repeat` counts the textures side by side.
    """
    return Quad((x0, 0, z0), (x1 - x0, 0, z1 - z0), UP * height, texture, (repeat, 1), light)


class Cutout:
    """A flat figure that always faces the camera and may move.

    Parameters
    ----------
    textures : sequence of Texture
        Shown one at a time, in a cycle.
    width, height : float
        Size in metres.
    position : Vector
        Middle of its lower edge at time 0, in metres.
    velocity : Vector
        In m/s.
    rate : float
        Textures per second.
    """

    def __init__(
        self,
        textures: Sequence[Texture],
        width: float,
        height: float,
        position: Vector,
        velocity: Vector = (0, 0, 0),
        rate: float = 0.0,
    ) -> None:
        self.textures, self.width, self.height = textures, width, height
        self.position = np.array(position, float)
        self.velocity, self.rate = np.array(velocity, float), rate

    def quads(self, time: float, right: np.ndarray) -> list[Quad]:
        """Return the figure at `time` (s), for a camera whose unit vector `right` is given."""
        texture = self.textures[int(time * self.rate) % len(self.textures)]
        middle = self.position + self.velocity * time
        corner, across = middle - right * self.width / 2, right * self.width
        return [Quad(corner, across, UP * self.height, texture)]


class Mover:
    """A vehicle, parked or moving.

    Parameters
    ----------
    vehicle : Vehicle
        What it looks like.
    position, velocity : Vector
        As for Cutout.
    heading : float, optional
        Turn to the right, in radians; by default it points where it drives.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        position: Vector,
        velocity: Vector = (0, 0, 0),
        heading: float | None = None,
    ) -> None:
        self.vehicle, self.position = vehicle, np.array(position, float)
        self.velocity = np.array(velocity, float)
        self.heading = np.arctan2(velocity[0], velocity[2]) if heading is None else heading

    def quads(self, time: float, right: np.ndarray) -> list[Quad]:
        """Return the vehicle at `time` (s); it does not depend on the camera."""
        return self.vehicle.placed(self.position + self.velocity * time, self.heading)


class Street:
    """A street without its traffic: the ground and everything that does not move.

    Parameters
    ----------
    rng : Generator
        Chooses what stands where.

    Attributes
    ----------
    ground : Ground
        Road, pavements and grass.
    fixed : list of Quad
        Houses, walls and fences.
    figures : list of Cutout and Mover
        Trees, poles, signs and parked vehicles.
    crossing : (float, float)
        Near and far side of the cross street, z in metres.
    """

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.fixed: list[Quad] = []
        self.figures: list[Cutout | Mover] = []
        near = rng.uniform(24, 60)
        self.crossing = near, near + rng.uniform(8, 11)
        self.sunny_side = rng.choice([-1, 1])
        self.ground = Ground(rng, START, STOP)
        self.ground.lay_street()
        self.ground.lay_crossing(*self.crossing)
        self.trees = [figures.tree(rng, 5.0, 7.0) for _ in range(3)]
        self.fronts = [(surfaces.facade(rng, 11.0, h), h) for h in rng.uniform(7, 17, 5)]
        self.gables = [surfaces.blank_wall(rng, 9, 12, BUILDING) for _ in range(2)]
        self.pole_skin = surfaces.metal(rng)
        self.cars = [vehicles.car(rng) for _ in range(4)]
        self.parked = {
            label: [figures.two_wheeler(rng, label, False, side) for side in (True, True, False)]
            for label in (BICYCLE, MOTORCYCLE)
        }
        for side in (-1, 1):
            self._line(side)
            self._furnish(side)
            self._park(side)
        if rng.random() < 0.7:
            self.ground.lay_shade(-self.sunny_side, rng.uniform(1, 9))
        self.ground.finish()

    def _light(self, side):
        """Return the light on the fronts of a side."""
        # The fronts on the sunny side are those that look at the sun from across the street.
        return 1.1 if side == self.sunny_side else 0.78

    def _line(self, side):
        """Fill one side of the street, plot by plot; the cross street stays open."""
        rng, z = self.rng, START
        plots = [self._houses, self._walled, self._fenced, self._park_plot]
        near, far = self.crossing
        while z < STOP:
            length = rng.uniform(9, 18)
            if z < far and z + length > near:
                length = max(near - z, 0)
            if length > 3:
                plots[rng.choice(4, p=[0.36, 0.22, 0.25, 0.17])](side, z, z + length)
            z = far if z < far and z + length >= near else z + length
        back = side * 45
        texture, height = self.fronts[0]
        self.fixed.append(upright(back, START, back, STOP, height, texture, repeat=14, light=0.9))

    def _houses(self, side, near, far, setback=0.0):
        """Build a row of houses with gables at both ends."""
        rng = self.rng
        texture, height = self.fronts[rng.integers(len(self.fronts))]
        x = side * (FRONT + rng.uniform(0, 0.8) + setback)
        repeat = max(1, round((far - near) / 11.0))
        self.fixed.append(upright(x, far, x, near, height, texture, repeat, self._light(side)))
        gable = self.gables[rng.integers(2)]
        for z in (near, far):
            self.fixed.append(upright(x, z, x + side * 10, z, height, gable, light=0.9))

    def _walled(self, side, near, far):
        """Build a garden wall."""
        height = self.rng.uniform(2.0, 3.6)
        wall = surfaces.blank_wall(self.rng, far - near, height)
        self._enclose(side, near, far, height, wall)

    def _fenced(self, side, near, far):
        """Build a fence."""
        height = self.rng.uniform(1.4, 2.4)
        fence = surfaces.fence(self.rng, far - near, height)
        self._enclose(side, near, far, height, fence)

    def _enclose(self, side, near, far, height, texture):
        """Put a wall or fence on the line of the fronts, and something behind it."""
        x, light = side * FRONT, self._light(side)
        self.fixed.append(upright(x, far, x, near, height, texture, light=light))
        self._behind(side, near, far)

    def _park_plot(self, side, near, far):
        """Leave a lawn, perhaps behind a hedge."""
        if self.rng.random() < 0.4:
            height = self.rng.uniform(0.8, 1.6)
            hedge = surfaces.hedge(self.rng, far - near, height)
            x = side * (FRONT + 0.2)
            self.fixed.append(upright(x, far, x, near, height, hedge))
        self._behind(side, near, far)

    def _behind(self, side, near, far):
        """Put trees, perhaps in front of houses, behind a wall, a fence or a lawn."""
        if self.rng.random() < 0.45:
            self._houses(side, near, far, setback=self.rng.uniform(3, 8))
        for z in np.arange(near + 2, far, 4.5):
            self._tree(side * self.rng.uniform(FRONT + 2, FRONT + 7), z)

    def _tree(self, x, z):
        """Plant a tree."""
        size = self.rng.uniform(0.7, 1.4)
        crown = self.trees[self.rng.integers(len(self.trees))]
        self.figures.append(Cutout([crown], 5.0 * size, 7.0 * size, (x, 0, z)))

    def _furnish(self, side):
        """Put up lamp posts, signs, street trees, verges, and traffic lights at the crossing."""
        rng = self.rng
        near, far = self.crossing
        if rng.random() < 0.6:
            self.ground.lay_verge(side, START, near - 6)
        leafy = rng.random() < 0.5
        for z in np.arange(START + rng.uniform(0, 9), STOP, rng.uniform(9, 14)):
            x = side * (KERB + rng.uniform(0.5, 0.9))
            if near - 2 < z < far + 2:
                continue
            kind = rng.random()
            if leafy and kind < 0.5:
                self._tree(x + side * 0.4, z)
            elif kind < 0.75:
                self._pole(x, z, rng.uniform(5, 7.5))
            else:
                self._pole(x, z, 2.5)
                self._plate(figures.traffic_sign(rng), 0.9, 0.9, x, z, rng.uniform(2.0, 2.3))
        for z in (near - 3.6, far + 3.4):
            x = side * (KERB + 0.4)
            self._pole(x, z, 3.4)
            self._plate(figures.traffic_light(rng), 0.45, 1.1, x, z, 2.5)
            if rng.random() < 0.6:
                self._plate(figures.traffic_sign(rng), 0.8, 0.8, x, z, 1.6)

    def _pole(self, x, z, height):
        """Put up a pole."""
        self.figures.append(Cutout([self.pole_skin], 0.16, height, (x, 0, z)))

    def _plate(self, texture, width, height, x, z, foot):
        """Mount a sign or traffic light on the front of a pole, `foot` m above the ground."""
        self.figures.append(Cutout([texture], width, height, (x, foot, z - 0.12)))

    def _park(self, side):
        """Park cars, motorcycles and bicycles between the lane and the kerb."""
        rng = self.rng
        fill = rng.uniform(0.1, 0.65)
        for z in np.arange(START, 90, 6.2):
            if self.crossing[0] - 6 < z < self.crossing[1] + 6 or rng.random() > fill:
                continue
            kind, x = rng.random(), side * (KERB - 1.0)
            if kind < 0.65:
                car, heading = self.cars[rng.integers(4)], 0.0 if side > 0 else np.pi
                self.figures.append(Mover(car, (x, 0, z), heading=heading))
            else:
                self._rack(MOTORCYCLE if kind < 0.83 else BICYCLE, x, z)
        for _ in range(3):
            self._rack(BICYCLE, side * rng.uniform(KERB + 0.5, FRONT - 1), rng.uniform(4, 45))

    def _rack(self, label, x, z):
        """Park a few two-wheelers one behind the other, not quite in line."""
        for k in range(self.rng.integers(1, 4)):
            textures = self.parked[label][self.rng.integers(3)]
            place = x + self.rng.uniform(-0.5, 0.5), 0, z + 0.9 * k
            self.figures.append(Cutout(textures, *figures.TWO_WHEELER, place))
