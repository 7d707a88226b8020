"""Who moves in the street: the camera's own car, other vehicles, cyclists and pedestrians."""

import numpy as np

from datasets.drawn.street import figures, vehicles
from datasets.drawn.street.classes import BICYCLE, MOTORCYCLE
from datasets.drawn.street.ground import FRONT, KERB
from datasets.drawn.street.layout import START, Cutout, Mover

LANE = 1.75  # metres from the middle of the road, on the right
LARGE = ("bus", "truck", "tram")
_MAKERS = {"bus": vehicles.bus, "truck": vehicles.truck, "tram": vehicles.tram}


class Drive:
    """The path of the camera: cruising, crawling, or waiting at the crossing and turning."""

    def __init__(self, rng, crossing):
        pace = rng.choice(["cruise", "crawl", "wait"], p=[0.6, 0.2, 0.2])
        self.speed = {"cruise": rng.uniform(3, 8), "crawl": rng.uniform(1, 4), "wait": 0.0}[pace]
        self.acceleration = {
            "cruise": rng.uniform(-1.5, 1.5),
            "crawl": rng.uniform(0, 1.5),
            "wait": rng.uniform(0, 1.0),
        }[pace]
        self.start = crossing[0] - rng.uniform(8, 14) if pace == "wait" else 0.0
        self.waits = pace == "wait"
        self.turn = rng.normal(0, 0.05) if rng.random() < 0.3 else 0.0
        self.sway = rng.uniform(0.002, 0.008), rng.uniform(1, 3), rng.uniform(0, 2 * np.pi)
        self.eye = rng.uniform(1.25, 1.9)
        self.bounce = rng.uniform(0.0, 0.2)

    def position(self, time):
        """(x, y, z) in metres at `time` (s)."""
        width, rate, phase = self.sway
        x = LANE + 8 * width * np.sin(rate * time * 0.7 + phase)
        z = self.start + self.speed * time + self.acceleration * time**2 / 2
        return np.array((x, self.eye, z))

    def yaw(self, time):
        """Heading in radians, positive to the right."""
        width, rate, phase = self.sway
        return width * np.sin(rate * time + phase) + self.turn * time

    def pitch(self, time):
        """How far the horizon has moved, in pixels: bumps in the road."""
        return self.bounce * (np.sin(9 * time) + np.sin(14.3 * time + 1))


def populate(rng, street, drive, large):
    """All Cutouts and Movers that move in `street`; `large` (of LARGE) is sure to be among them."""
    return (
        _lanes(rng, drive, large) + _pedestrians(rng, street, drive) + _crossing(rng, street, drive)
    )


def _lanes(rng, drive, large):
    """Traffic in the own lane (driving at about the own speed) and oncoming."""
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
    if kind in ("cyclist", "motorcyclist"):
        label = BICYCLE if kind == "cyclist" else MOTORCYCLE
        if kind == "cyclist":
            x, z, speed = x + np.sign(x) * 1.5, z - 2, np.sign(speed) * min(abs(speed), 5.5)
        side_view = rng.random() < 0.2  # about to turn off
        textures = figures.two_wheeler(rng, label, True, side_view)
        return Cutout(textures, 2.0, 1.9, (x, 0, z), (0, 0, speed), rate=6)
    vehicle = _MAKERS.get(kind, vehicles.car)(rng)
    z += vehicle.length / 2 - 2 * (kind == "car")
    return Mover(vehicle, (x, 0, z), (0, 0, speed), heading=0.0 if x > 0 else np.pi)


def _pedestrians(rng, street, drive):
    """People who stroll on the pavements and a few who cross in front of us."""
    people = [figures.walker(rng) for _ in range(3)]
    movers = []
    for _ in range(rng.integers(8, 22)):
        side = rng.choice([-1, 1])
        x = side * rng.uniform(KERB + 0.5, FRONT - 0.3)
        z = drive.start + rng.uniform(4, 60)
        pace = rng.choice([-1.4, 0, 1.4]) * rng.uniform(0.7, 1.2)
        size = rng.uniform(0.85, 1.05)
        movers.append(
            Cutout(
                people[rng.integers(3)],
                0.9 * size,
                1.85 * size,
                (x, 0, z),
                (0, 0, pace),
                rate=7 * (pace != 0),
            )
        )
    for _ in range(rng.integers(1, 4)):
        z = drive.start + rng.uniform(8, 30) + drive.speed
        direction = rng.choice([-1, 1])
        movers.append(
            Cutout(
                people[rng.integers(3)],
                0.9,
                1.85,
                (-direction * rng.uniform(0, 6), 0, z),
                (direction * rng.uniform(1.0, 2.0), 0, 0),
                rate=7,
            )
        )
    return movers


def _crossing(rng, street, drive):
    """Traffic on the cross street, dense while we wait for it."""
    middle = (street.crossing[0] + street.crossing[1]) / 2
    movers = []
    for direction in (-1, 1):
        x = -direction * rng.uniform(0, 14)
        for _ in range(3 if drive.waits else 1):
            kind = rng.choice(["car", "car", "car", "car", "bus", "truck", "bike", "moto"])
            velocity = (direction * rng.uniform(3, 7), 0, 0)
            place = (x, 0, middle - direction * 2)
            if kind in ("bike", "moto"):
                label = BICYCLE if kind == "bike" else MOTORCYCLE
                movers.append(
                    Cutout(
                        figures.two_wheeler(rng, label, True, True),
                        2.0,
                        1.9,
                        place,
                        velocity,
                        rate=6,
                    )
                )
                x -= direction * 6
            else:
                vehicle = _MAKERS.get(kind, vehicles.car)(rng)
                movers.append(Mover(vehicle, place, velocity))
                x -= direction * (vehicle.length + rng.uniform(4, 8))
    return [m for m in movers if m.position[2] > START]
