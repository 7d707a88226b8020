"""A street scene from a seed, photographed and labelled at any moment of its snippet."""

import numpy as np

from datasets.drawn.photo import Film, Sky
from datasets.drawn.render import Camera, Canvas
from datasets.drawn.street.classes import SKY
from datasets.drawn.street.layout import Street
from datasets.drawn.street.traffic import LARGE, Drive, populate
from datasets.files import IGNORE

RATE = 17.0  # frames a second, as in Cityscapes
FAR = 120.0  # metres; what is beyond is hidden in haze
BONNET = 0.05  # share of the picture, at its bottom, that shows our own car


class Scene:
    """One snippet: everything that the generator seeded with `seed` (int or ints) decides.

    number: rotates buses, trucks and trams, so that consecutive numbers feature them all.
    """

    def __init__(self, seed, number=0):
        self.seed = list(np.atleast_1d(seed).astype(int))
        rng = np.random.default_rng(self.seed)
        self.street = Street(rng)
        self.drive = Drive(rng, self.street.crossing)
        large = LARGE[number % len(LARGE)]
        self.figures = self.street.figures + populate(rng, self.street, self.drive, large)
        self.sky = Sky(rng)
        self.film = Film(rng, self.sky.haze)
        self.horizon = rng.uniform(0.42, 0.5)
        self.field = rng.uniform(0.85, 1.0)  # focal length over picture width

    def frame(self, index, width, height):
        """Frame `index` as (H x W x 3 uint8 RGB, H x W uint8 train ids with 255 = ignore)."""
        time = index / RATE
        horizon = self.horizon * height + self.drive.pitch(time)
        camera = Camera(
            self.drive.position(time),
            self.drive.yaw(time),
            self.field * width,
            width,
            height,
            horizon,
        )
        canvas = Canvas(camera)
        canvas.label[:] = SKY
        self.sky.draw(canvas)
        self.street.ground.draw(canvas)
        canvas.draw(self._quads(camera, time))
        self._bonnet(canvas)
        photo = self.film.expose(canvas, time, np.random.default_rng([*self.seed, index]))
        return photo, canvas.label

    def _quads(self, camera, time):
        """The quads of all that is not too far or behind us."""
        right, _, ahead = camera.axes()
        quads = list(self.street.fixed)
        for figure in self.figures:
            depth = (figure.position + figure.velocity * time - camera.position) @ ahead
            if -15 < depth < FAR:
                quads += figure.quads(time, right)
        return quads

    def _bonnet(self, canvas):
        height, width = canvas.label.shape
        x = np.linspace(-1, 1, width)
        edge = height * (1 - BONNET * (1 - 0.7 * x**4))
        covered = np.arange(height)[:, None] >= edge
        canvas.color[covered] = 40
        canvas.label[covered] = IGNORE
        canvas.nearness[covered] = 1.0
