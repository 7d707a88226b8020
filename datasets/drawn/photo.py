"""Turn a clean rendering into a camera image: sky, haze, exposure drift, lens blur and noise."""

import numpy as np
from numpy.random import Generator

from datasets.drawn.render import Canvas


class Sky:
    """A cloudy sky that covers all directions the camera can turn to.

    Parameters
    ----------
    rng : Generator
        Chooses the colours and the clouds.
    """

    def __init__(self, rng: Generator) -> None:
        self.zenith = np.array((96, 140, 205)) * rng.uniform(0.8, 1.1)
        self.haze = np.ones(3) * rng.uniform(170, 235) + rng.normal(0, 5, 3)
        if rng.random() < 0.4:  # overcast
            self.zenith = self.haze * rng.uniform(0.8, 1.0)
        coarse = rng.uniform(0, 1, (16, 32)).astype(np.float32)
        self.clouds: np.ndarray = coarse.repeat(4, axis=0).repeat(32, axis=1)  # wider than high
        for axis, step in ((0, 2), (1, 8)) * 6:  # soften
            before, after = (np.roll(self.clouds, k, axis) for k in (-step, step))
            self.clouds = (before + self.clouds + after) / 3

    def draw(self, canvas: Canvas) -> None:
        """Fill the part of `canvas` above the horizon."""
        cam = canvas.camera
        rows = np.arange(min(cam.height, int(np.ceil(cam.horizon))))
        x, y = cam.rays(rows, np.arange(cam.width))
        steep = np.clip(y / 0.5, 0, 1)[:, None, None]
        color = self.haze + (self.zenith - self.haze) * steep
        j = ((np.arctan(x) + cam.yaw) * 260).astype(int) % self.clouds.shape[1]
        i = np.clip(y * 90, 0, len(self.clouds) - 1).astype(int)
        cloud = np.clip(self.clouds[i][:, j] * 3 - 1.3, 0, 0.8)[:, :, None]
        canvas.color[rows] = color + (245 - color) * cloud * steep**0.5


class Film:
    """Exposure, white balance, vignette, noise and haze of the camera during one clip.

    Parameters
    ----------
    rng : Generator
        Chooses the camera's properties.
    haze : np.ndarray or None
        RGB colour that distant surfaces fade to, None for clear air.
    """

    def __init__(self, rng: Generator, haze: np.ndarray | None = None) -> None:
        self.haze = haze
        self.density = rng.uniform(0.002, 0.012)  # of the haze, 1/m
        self.gain = rng.uniform(0.7, 1.2) * (1 + rng.normal(0, 0.025, 3))
        self.drift = rng.uniform(0.02, 0.18), rng.uniform(1, 4), rng.uniform(0, 2 * np.pi)
        self.noise = rng.uniform(2, 6)

    def expose(
        self, color: np.ndarray, time: float, rng: Generator, nearness: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the photo of a rendering.

        Parameters
        ----------
        color : np.ndarray
            The rendering, H x W x 3 in 0..255.
        time : float
            Seconds since the start of the clip; the exposure drifts.
        rng : Generator
            Source of the noise.
        nearness : np.ndarray, optional
            1 / depth (1/m), H x W; 0 = infinitely far and free of haze. Needed if there is haze.

        Returns
        -------
        np.ndarray
            H x W x 3 uint8, RGB.
        """
        color = color.copy() if self.haze is None else self._fog(color, nearness)
        color = _blur(color)
        swing, rate, phase = self.drift
        color *= (self.gain * (1 + swing * np.sin(rate * time + phase))).astype(np.float32)
        height, width = color.shape[:2]
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        color *= (1 - 0.12 * (x * x + y * y))[:, :, None].astype(np.float32)
        # The sum of two uniform bytes: close enough to a Gaussian, and much faster to draw.
        dice = rng.integers(0, 256, (2, *color.shape), np.uint8)
        color += np.add(*dice, dtype=np.float32) * np.float32(self.noise / 104.5)
        color -= np.float32(self.noise * 255 / 104.5)
        return np.clip(color, 0, 255).astype(np.uint8)

    def _fog(self, color, nearness):
        """Fade `color` to the haze with distance."""
        clear = np.exp(np.float32(-self.density) / np.maximum(nearness, np.float32(1e-3)))
        clear[nearness == 0] = 1
        haze = self.haze.astype(np.float32)
        return haze + (color - haze) * clear[:, :, None]


def _blur(color):
    """Blur as a soft lens does: (1 2 1)/4 along both axes, in place."""
    color[1:-1] = (color[:-2] + 2 * color[1:-1] + color[2:]) / 4
    color[:, 1:-1] = (color[:, :-2] + 2 * color[:, 1:-1] + color[:, 2:]) / 4
    return color
