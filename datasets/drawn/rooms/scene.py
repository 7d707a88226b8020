"""A hand-held camera in a furnished room: photo and labels at any moment of the video."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from datasets.drawn.photo import Film
from datasets.drawn.render import Camera, Canvas
from datasets.drawn.rooms.classes import UNLABELLED
from datasets.drawn.rooms.kinds import KINDS
from datasets.drawn.rooms.layout import Room
from datasets.drawn.rooms.solids import Billboard

RATE = 15.0  # frames per second, about that of the dataset's camera


class Scene:
    """One video of a room.

    Parameters
    ----------
    seed : sequence of int
        Decides everything that is random.
    number : int
        Consecutive numbers take turns to show all kinds of room.
    """

    def __init__(self, seed: Sequence[int], number: int = 0) -> None:
        self.seed = list(seed)
        rng = np.random.default_rng(self.seed)
        self.room = Room(rng, kind_of(number))
        self.walk = Walk(rng, self.room)
        self.film = Film(rng)

    def frame(self, index: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Render a frame.

        Parameters
        ----------
        index : int
            Number of the frame, from 0.
        width, height : int
            Size in pixels.

        Returns
        -------
        photo : np.ndarray
            RGB, height x width x 3 uint8.
        label : np.ndarray
            Classes 1..40, height x width uint8, 0 = unlabelled.
        """
        time = index / RATE
        camera = self.walk.camera(time, width, height)
        canvas = Canvas(camera)
        right = camera.axes()[0]
        canvas.draw([p.quad(right) if isinstance(p, Billboard) else p for p in self.room.parts])
        rng = np.random.default_rng([*self.seed, index])
        return self.film.expose(canvas.color, time, rng), canvas.label


class Walk:
    """The path of the camera: it pans across the room, walks a step or two, and shakes.

    Parameters
    ----------
    rng : Generator
        Chooses the path.
    room : Room
        The camera starts near its front wall.
    """

    def __init__(self, rng: Generator, room: Room) -> None:
        side = room.width / 2 - 0.9
        x, y, z = rng.uniform(-side, side), rng.uniform(1.25, 1.6), rng.uniform(0.3, 0.6)
        self.start = np.array((x, y, z))
        aim = np.arctan2(-x * rng.uniform(0.3, 1.0), room.depth * 0.7)
        self.pan = rng.choice([-1, 1]) * rng.uniform(0.03, 0.18)  # rad/s
        self.aim = aim - self.pan * rng.uniform(0.4, 1.2)
        self.velocity = np.array((rng.uniform(-0.12, 0.12), 0, rng.uniform(0, 0.25)))  # m/s
        self.shake = rng.uniform(0.003, 0.008), rng.uniform(2, 5), rng.uniform(0, 2 * np.pi)
        self.field, self.horizon = rng.uniform(0.72, 0.85), rng.uniform(0.28, 0.42)
        self.tilt = rng.uniform(-0.02, 0.02)  # of the image's height per second

    def camera(self, time: float, width: int, height: int) -> Camera:
        """Return the camera at `time` (s) for frames of `width` x `height` pixels."""
        size, rate, phase = self.shake
        yaw = self.aim + self.pan * time + size * np.sin(rate * time + phase)
        horizon = self.horizon + self.tilt * time + size * 0.6 * np.sin(1.3 * rate * time + 1)
        position, focal = self.start + self.velocity * time, self.field * width
        return Camera(position, yaw, focal, width, height, horizon * height)


def kind_of(number: int) -> str:
    """Return the kind of room that unit `number` shows: they take turns."""
    return list(KINDS)[number % len(KINDS)]


def without_outlines(label: np.ndarray) -> np.ndarray:
    """Return `label` with the outlines of things unlabelled, as annotators leave them."""
    outline = np.zeros(label.shape, bool)
    outline[:, 1:] |= label[:, 1:] != label[:, :-1]
    outline[1:] |= label[1:] != label[:-1]
    return np.where(outline, UNLABELLED, label).astype(np.uint8)
