"""A hand-held camera in a furnished room: photo and labels at any moment of the video."""

import numpy as np

from datasets.drawn.photo import Film
from datasets.drawn.render import Camera, Canvas
from datasets.drawn.rooms.classes import UNLABELLED
from datasets.drawn.rooms.kinds import KINDS
from datasets.drawn.rooms.layout import Room
from datasets.drawn.rooms.solids import Billboard

RATE = 15.0  # frames a second of the dataset's camera, roughly


class Scene:
    """One video: everything that the generator seeded with `seed` (ints) decides.

    number: rotates the kinds of room.
    """

    def __init__(self, seed, number=0):
        self.seed = [int(part) for part in np.atleast_1d(seed)]
        rng = np.random.default_rng(self.seed)
        self.kind = kind_of(number)
        self.room = Room(rng, self.kind)
        self.walk = Walk(rng, self.room)
        self.film = Film(rng, haze=np.zeros(3))
        self.film.density = 0.0  # no haze indoors

    def frame(self, index, width, height):
        """Frame `index` as (H x W x 3 uint8 RGB, H x W uint8 labels 1..40 with 0 = unlabelled)."""
        time = index / RATE
        camera = self.walk.camera(time, width, height)
        canvas = Canvas(camera)
        right = camera.axes()[0]
        canvas.draw(
            [part.quad(right) if isinstance(part, Billboard) else part for part in self.room.parts]
        )
        photo = self.film.expose(canvas, time, np.random.default_rng([*self.seed, index]))
        return photo, canvas.label


class Walk:
    """The path of the camera: it pans across the room, walks a step or two, and shakes."""

    def __init__(self, rng, room):
        side = room.width / 2 - 0.9
        self.start = np.array(
            (rng.uniform(-side, side), rng.uniform(1.25, 1.6), rng.uniform(0.3, 0.6))
        )
        aim = np.arctan2(-self.start[0] * rng.uniform(0.3, 1.0), room.depth * 0.7)
        self.pan = rng.choice([-1, 1]) * rng.uniform(0.03, 0.18)  # rad/s
        self.aim = aim - self.pan * rng.uniform(0.4, 1.2)
        self.velocity = np.array((rng.uniform(-0.12, 0.12), 0, rng.uniform(0, 0.25)))  # m/s
        self.shake = rng.uniform(0.003, 0.008), rng.uniform(2, 5), rng.uniform(0, 2 * np.pi)
        self.field, self.horizon = rng.uniform(0.72, 0.85), rng.uniform(0.28, 0.42)
        self.tilt = rng.uniform(-0.02, 0.02)  # of the picture's height a second

    def camera(self, time, width, height):
        """The Camera at `time` (s) for frames of `width` x `height` pixels."""
        size, rate, phase = self.shake
        yaw = self.aim + self.pan * time + size * np.sin(rate * time + phase)
        horizon = self.horizon + self.tilt * time + size * 0.6 * np.sin(1.3 * rate * time + 1)
        return Camera(
            self.start + self.velocity * time,
            yaw,
            self.field * width,
            width,
            height,
            horizon * height,
        )


def kind_of(number):
    """The kind of room that unit `number` shows: they take turns."""
    return list(KINDS)[number % len(KINDS)]


def without_outlines(label):
    """`label` with the outlines of things unlabelled, as annotators leave them."""
    outline = np.zeros(label.shape, bool)
    outline[:, 1:] |= label[:, 1:] != label[:, :-1]
    outline[1:] |= label[1:] != label[:-1]
    return np.where(outline, UNLABELLED, label).astype(np.uint8)
