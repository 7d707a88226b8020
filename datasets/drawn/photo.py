"""From a clean rendering to what a car's camera records: haze, light that drifts, blur, noise."""

import numpy as np


class Sky:
    """A sky with clouds, as wide as the camera can turn."""

    def __init__(self, rng):
        self.zenith = np.array((96, 140, 205)) * rng.uniform(0.8, 1.1)
        self.haze = np.ones(3) * rng.uniform(170, 235) + rng.normal(0, 5, 3)
        if rng.random() < 0.4:  # overcast
            self.zenith = self.haze * rng.uniform(0.8, 1.0)
        coarse = rng.uniform(0, 1, (16, 32)).astype(np.float32)
        self.clouds = coarse.repeat(4, axis=0).repeat(32, axis=1)  # wider than they are high
        for axis, step in ((0, 2), (1, 8)) * 6:  # soften
            self.clouds = sum(np.roll(self.clouds, k, axis) for k in (-step, 0, step)) / 3

    def draw(self, canvas):
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
    """The camera's exposure, white balance, vignette and noise over a snippet."""

    def __init__(self, rng, haze):
        self.haze = haze
        self.density = rng.uniform(0.002, 0.012)  # 1/m
        self.gain = rng.uniform(0.7, 1.2) * (1 + rng.normal(0, 0.025, 3))
        self.drift = rng.uniform(0.02, 0.18), rng.uniform(1, 4), rng.uniform(0, 2 * np.pi)
        self.noise = rng.uniform(2, 6)

    def expose(self, canvas, time, rng):
        """The H x W x 3 uint8 RGB photo of `canvas` at `time` (s), with noise from `rng`."""
        near = canvas.nearness
        clear = np.exp(np.float32(-self.density) / np.maximum(near, np.float32(1e-3)))
        clear[near == 0] = 1
        haze = self.haze.astype(np.float32)
        color = haze + (canvas.color - haze) * clear[:, :, None]
        swing, rate, phase = self.drift
        color = _blur(color)
        color *= (self.gain * (1 + swing * np.sin(rate * time + phase))).astype(np.float32)
        height, width = near.shape
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        color *= (1 - 0.12 * (x * x + y * y))[:, :, None].astype(np.float32)
        # The sum of two uniform bytes: as good as a Gaussian here, and much quicker to draw.
        dice = rng.integers(0, 256, (2, *color.shape), np.uint8)
        color += np.add(*dice, dtype=np.float32) * np.float32(self.noise / 104.5)
        color -= np.float32(self.noise * 255 / 104.5)
        return np.clip(color, 0, 255).astype(np.uint8)


def _blur(color):
    """A soft lens: (1 2 1)/4 along both axes."""
    color[1:-1] = (color[:-2] + 2 * color[1:-1] + color[2:]) / 4
    color[:, 1:-1] = (color[:, :-2] + 2 * color[:, 1:-1] + color[:, 2:]) / 4
    return color
