"""A street scene from a seed, photographed and labelled at any moment of its snippet."""

from collections.abc import Sequence

import numpy as np

from datasets.drawn.photo import Film, Sky
from datasets.drawn.render import Camera, Canvas
from datasets.drawn.street.classes import SKY
from datasets.drawn.street.layout import Street
from datasets.drawn.street.traffic import LARGE, Drive, populate
from datasets.files import IGNORE

RATE = 17.0  # frames a second, as in Cityscapes
FAR = 120.0  # metres; beyond this the haze hides figures
BONNET = 0.05  # share of the image, at its bottom, that shows our own car


class Scene:
    """One snippet of a drive along a street.

    Parameters
    ----------
    seed : sequence of int
        Decides everything that is random.
    number : int
        Consecutive numbers take turns to show a bus, a truck and a tram.
    """

    def __init__(self, seed: Sequence[int], number: int = 0) -> None:
        self.seed = list(seed)
        rng = np.random.default_rng(self.seed)
        self.street = Street(rng)
        self.drive = Drive(rng, self.street.crossing)
        large = LARGE[number % len(LARGE)]
        self.figures = self.street.figures + populate(rng, self.street, self.drive, large)
        self.sky = Sky(rng)
        self.film = Film(rng, self.sky.haze)
        self.horizon = rng.uniform(0.42, 0.5)
        self.field = rng.uniform(0.85, 1.0)  # focal length over image width

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
            Train ids, height x width uint8, 255 = ignore.
        """
        time = index / RATE
        drive, horizon = self.drive, self.horizon * height + self.drive.pitch(time)
        focal = self.field * width
        camera = Camera(drive.position(time), drive.yaw(time), focal, width, height, horizon)
        canvas = Canvas(camera)
        canvas.label[:] = SKY
        self.sky.draw(canvas)
        self.street.ground.draw(canvas)
        canvas.draw(self._quads(camera, time))
        self._bonnet(canvas)
        rng = np.random.default_rng([*self.seed, index])
        return self.film.expose(canvas.color, time, rng, canvas.nearness), canvas.label

    def _quads(self, camera, time):
        """Return the quads of all that is neither too far away nor behind us."""
        right, _, ahead = camera.axes()
        quads = list(self.street.fixed)
        for figure in self.figures:
            depth = (figure.position + figure.velocity * time - camera.position) @ ahead
            if -15 < depth < FAR:
                quads += figure.quads(time, right)
        return quads

    def _bonnet(self, canvas):
        """Draw our own car at the bottom of the image."""
        height, width = canvas.label.shape
        x = np.linspace(-1, 1, width)
        edge = height * (1 - BONNET * (1 - 0.7 * x**4))
        covered = np.arange(height)[:, None] >= edge
        canvas.color[covered] = 40
        canvas.label[covered] = IGNORE
        canvas.nearness[covered] = 1.0
