"""What moves in the street: the camera's own car, other vehicles, cyclists and pedestrians."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.street import figures, vehicles
from datasets.drawn.street.classes import BICYCLE, MOTORCYCLE
from datasets.drawn.street.ground import FRONT, KERB
from datasets.drawn.street.layout import START, Cutout, Mover, Street

LANE = 1.75  # metres from the middle of the road, on the right
_BUILDERS = {"bus": vehicles.bus, "truck": vehicles.truck, "tram": vehicles.tram}
LARGE = tuple(_BUILDERS)


class Drive:
    """The path of the camera: cruising, crawling, or waiting at the crossing and turning.

    Parameters
    ----------
    rng : Generator
        Chooses the path.
    crossing : (float, float)
        Near and far side of the cross street, z in metres.
    """

    def __init__(self, rng: Generator, crossing: tuple[float, float]) -> None:
        pace = rng.choice(["cruise", "crawl", "wait"], p=[0.6, 0.2, 0.2])
        cruise, crawl = rng.uniform(3, 8), rng.uniform(1, 4)
        self.speed = {"cruise": cruise, "crawl": crawl, "wait": 0.0}[pace]
        cruise, crawl, wait = rng.uniform(-1.5, 1.5), rng.uniform(0, 1.5), rng.uniform(0, 1.0)
        self.acceleration = {"cruise": cruise, "crawl": crawl, "wait": wait}[pace]
        self.waits = pace == "wait"
        self.start = crossing[0] - rng.uniform(8, 14) if self.waits else 0.0
        self.turn = rng.normal(0, 0.05) if rng.random() < 0.3 else 0.0
        self.sway = rng.uniform(0.002, 0.008), rng.uniform(1, 3), rng.uniform(0, 2 * np.pi)
        self.eye = rng.uniform(1.25, 1.9)
        self.bounce = rng.uniform(0.0, 0.2)

    def position(self, time: float) -> np.ndarray:
        """Return (x, y, z) in metres at `time` (s)."""
        width, rate, phase = self.sway
        x = LANE + 8 * width * np.sin(rate * time * 0.7 + phase)
        z = self.start + self.speed * time + self.acceleration * time**2 / 2
        return np.array((x, self.eye, z))

    def yaw(self, time: float) -> float:
        """Return the heading at `time` (s) in radians, positive to the right."""
        width, rate, phase = self.sway
        return width * np.sin(rate * time + phase) + self.turn * time

    def pitch(self, time: float) -> float:
        """Return how far bumps in the road have moved the horizon at `time` (s), in pixels."""
        return self.bounce * (np.sin(9 * time) + np.sin(14.3 * time + 1))


def populate(rng: Generator, street: Street, drive: Drive, large: str) -> list[Cutout | Mover]:
    """Return all that moves in `street`; a vehicle of kind `large` (of LARGE) is among it."""
    return [
        *_lanes(rng, drive, large),
        *_pedestrians(rng, drive),
        *_cross_traffic(rng, street, drive),
    ]


def _lanes(rng, drive, large):
    """Return traffic in our own lane, driving at about our own speed, and oncoming traffic."""
    movers = []
    own, oncoming = drive.start + rng.uniform(9, 16), drive.start + rng.uniform(8, 20)
    queue = [large, "cyclist", "motorcyclist"] + ["car"] * rng.integers(2, 4)
    rng.shuffle(queue)
    for kind in queue:
        if rng.random() < 0.45:
            speed = max(drive.speed * rng.uniform(0.85, 1.2), 0.3 * (not drive.waits))
            movers.append(_road_user(rng, kind, LANE, own, speed))
            own += rng.uniform(8, 16)
        else:
            movers.append(_road_user(rng, kind, -LANE, oncoming, -rng.uniform(1, 5)))
            oncoming += rng.uniform(8, 16)
    return movers


def _road_user(rng, kind, x, z, speed):
    """Return a vehicle or cyclist that drives along the street."""
    if kind in ("cyclist", "motorcyclist"):
        label = BICYCLE if kind == "cyclist" else MOTORCYCLE
        if kind == "cyclist":
            x, z, speed = x + np.sign(x) * 1.5, z - 2, np.sign(speed) * min(abs(speed), 5.5)
        side_view = rng.random() < 0.2  # about to turn off
        return _rider(rng, label, side_view, (x, 0, z), (0, 0, speed))
    vehicle = _BUILDERS.get(kind, vehicles.car)(rng)
    z += vehicle.length / 2 - 2 * (kind == "car")
    return Mover(vehicle, (x, 0, z), (0, 0, speed), heading=0.0 if x > 0 else np.pi)


def _rider(rng, label, side_view, position, velocity):
    """Return someone on a bicycle or motorcycle."""
    textures = figures.two_wheeler(rng, label, True, side_view)
    return Cutout(textures, *figures.TWO_WHEELER, position, velocity, rate=6)


def _pedestrians(rng, drive):
    """Return people who stroll on the pavements and a few who cross in front of us."""
    people = [figures.walker(rng) for _ in range(3)]
    width, height = figures.WALKER
    movers = []
    for _ in range(rng.integers(8, 22)):
        side = rng.choice([-1, 1])
        place = side * rng.uniform(KERB + 0.5, FRONT - 0.3), 0, drive.start + rng.uniform(4, 60)
        pace = rng.choice([-1.4, 0, 1.4]) * rng.uniform(0.7, 1.2)
        size = rng.uniform(0.85, 1.05)
        person, velocity, rate = people[rng.integers(3)], (0, 0, pace), 7 * (pace != 0)
        movers.append(Cutout(person, width * size, height * size, place, velocity, rate))
    for _ in range(rng.integers(1, 4)):
        z = drive.start + rng.uniform(8, 30) + drive.speed
        direction, person = rng.choice([-1, 1]), people[rng.integers(3)]
        place = -direction * rng.uniform(0, 6), 0, z
        velocity = direction * rng.uniform(1.0, 2.0), 0, 0
        movers.append(Cutout(person, width, height, place, velocity, rate=7))
    return movers


def _cross_traffic(rng, street, drive):
    """Return traffic on the cross street, dense while we wait for it."""
    middle = (street.crossing[0] + street.crossing[1]) / 2
    movers = []
    for direction in (-1, 1):
        x = -direction * rng.uniform(0, 14)
        for _ in range(3 if drive.waits else 1):
            kind = rng.choice(["car", "car", "car", "car", "bus", "truck", "bike", "moto"])
            velocity = direction * rng.uniform(3, 7), 0, 0
            place = x, 0, middle - direction * 2
            if kind in ("bike", "moto"):
                label = BICYCLE if kind == "bike" else MOTORCYCLE
                movers.append(_rider(rng, label, True, place, velocity))
                x -= direction * 6
            else:
                vehicle = _BUILDERS.get(kind, vehicles.car)(rng)
                movers.append(Mover(vehicle, place, velocity))
                x -= direction * (vehicle.length + rng.uniform(4, 8))
    return [m for m in movers if m.position[2] > START]
