"""What is behind the objects: five settings, each an image of gradients, noise and a few lines."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from datasets.drawn.shapes.colors import any_color
from datasets.drawn.shapes.sheet import smooth_noise
from datasets.drawn.sketch import rgb

# The figures that are usual in a setting. Others occur too: the surroundings hint at a class, but
# do not determine it.
SETTINGS = {
    "sky": "aeroplane bird".split(),
    "sea": "boat bird".split(),
    "road": "bicycle bus car motorbike person train dog".split(),
    "meadow": "bird cat cow dog horse person sheep train motorbike".split(),
    "room": "bottle chair diningtable pottedplant sofa tvmonitor person cat dog".split(),
}
_HORIZON = dict(  # share of the height, from and to
    sky=(0.8, 1.0), sea=(0.3, 0.6), road=(0.3, 0.55), meadow=(0.25, 0.55), room=(0.45, 0.7)
)


def backdrop(rng: Generator, setting: str, size: Sequence[int]) -> tuple[np.ndarray, int]:
    """Draw what is behind the objects.

    Parameters
    ----------
    rng : Generator
        Chooses colours, horizon and details.
    setting : str
        One of SETTINGS.
    size : sequence of int
        Width w and height h in pixels.

    Returns
    -------
    color : np.ndarray
        RGB, h x w x 3 in 0..255.
    horizon : int
        First row of the ground.
    """
    width, height = size
    horizon = min(round(height * rng.uniform(*_HORIZON[setting])), height - 2)  # some ground
    above = _wall(rng, width, horizon) if setting == "room" else _sky(rng, width, horizon)
    below = _GROUND[setting](rng, width, height - horizon)
    color = np.concatenate([above, below])
    if setting in _SKYLINE:
        color = _SKYLINE[setting](rng, color, horizon)
    return np.clip(color, 0, 255), horizon


def _sky(rng, width, height):
    """Draw a sky with clouds."""
    zenith, haze = np.array((95, 140, 210)), np.array((200, 212, 225))
    if rng.random() < 0.25:  # at dusk
        zenith, haze = np.array((80, 75, 130)), np.array((240, 170, 120))
    color = _gradient(zenith * rng.uniform(0.6, 1.15), haze * rng.uniform(0.75, 1.1), width, height)
    cloud = smooth_noise(rng, (5, 7), (width, height)) + _fine(rng, width, height, (14, 20), 0.4)
    cover = np.clip(cloud * rng.uniform(0.3, 1.5) + rng.uniform(-0.5, 0.3), 0, 0.9)[:, :, None]
    return color + (235 * rng.uniform(0.7, 1) - color) * cover


def _sea(rng, width, height):
    """Draw water with waves of two sizes."""
    blue = np.array((60, 105, 130)) * rng.uniform(0.5, 1.4) + rng.normal(0, 15, 3)
    waves = _fine(rng, width, height, (8, 40), 14) + _fine(rng, width, height, (30, 90), 14)
    return _gradient(blue * 1.3, blue, width, height) + waves[:, :, None]


def _asphalt(rng, width, height):
    """Draw a road with a kerb and a dashed line."""
    grey = rng.uniform(70, 150) + rng.normal(0, 6, 3)
    color = _gradient(grey * 1.1, grey * 0.9, width, height) + _grain(rng, width, height, 9)
    sheet, pen = _drawing(color)
    kerb = max(2, height // 8)
    pen.rectangle((0, 0, width, kerb), rgb(grey * 1.35))
    y, dash = height * rng.uniform(0.4, 0.8), int(rng.integers(20, 60))
    for x in range(int(rng.integers(-40, 1)), width, dash * 2):
        stroke = [(x, y), (x + dash, y), (x + dash - 6, y + 5), (x - 6, y + 5)]
        pen.polygon(stroke, (225, 222, 205))
    return _floats(sheet)


def _grass(rng, width, height):
    """Draw grass in patches, with blades."""
    green = np.array((95, 130, 60)) * rng.uniform(0.6, 1.3) + rng.normal(0, 18, 3)
    color = _gradient(green * 1.1, green * 0.85, width, height) + _grain(rng, width, height, 18)
    blades = _fine(rng, width, height, (width // 3, max(2, height // 12)), 22)
    return color + blades[:, :, None] + _fine(rng, width, height, (8, 5), 22)[:, :, None]


def _wall(rng, width, height):
    """Draw a painted or papered wall with pictures, windows and doors."""
    paint = any_color(rng) * 0.6 + rng.uniform(20, 90)
    color = _gradient(paint * rng.uniform(0.8, 1.1), paint, width, height)
    if rng.random() < 0.5:  # papered
        along = np.arange(width) / rng.uniform(3, 20)
        color = color + (np.sin(along) * rng.uniform(3, 16))[None, :, None]
    sheet, pen = _drawing(color + _grain(rng, width, height, 5))
    for _ in range(rng.integers(0, 4)):  # pictures, windows, doors
        w, h = rng.uniform(0.08, 0.3, 2) * (width, height * 1.6)
        x, y = rng.uniform(0, width - w), rng.uniform(0, height * 0.6)
        pen.rectangle((x, y, x + w, y + h), rgb(any_color(rng)))
        rim = min(4, w / 3, h / 3)
        pen.rectangle((x + rim, y + rim, x + w - rim, y + h - rim), rgb(any_color(rng) * 0.7 + 50))
    return _floats(sheet) + _fine(rng, width, height, (5, 4), 14)[:, :, None]


def _floor(rng, width, height):
    """Draw floor boards that run to a vanishing point, and a skirting."""
    wood = any_color(rng) * 0.5 + 40
    sheet, pen = _drawing(_gradient(wood * 0.85, wood * 1.1, width, height))
    pen.rectangle((0, 0, width, max(2, height // 20)), rgb(wood * rng.choice((0.5, 1.6))))
    vanish = rng.uniform(0.3, 0.7) * width
    for x in np.arange(-width, 2 * width, rng.uniform(25, 90)):
        pen.line([(vanish + (x - vanish) * 0.5, 0), (x, height)], rgb(wood * 0.7), 1)
    color = _floats(sheet) + _grain(rng, width, height, 10)
    return color + _fine(rng, width, height, (12, 9), 14)[:, :, None]


def _houses(rng, color, horizon):
    """Draw a row of house fronts on the horizon."""
    sheet, pen = _drawing(color)
    x = -int(rng.integers(60))
    while x < sheet.width and horizon > 30:
        w, h = int(rng.integers(40, 140)), int(rng.uniform(0.3, 1.0) * horizon)
        front = any_color(rng) * 0.5 + 60
        pen.rectangle((x, horizon - h, x + w, horizon), rgb(front))
        pane = rgb(front * rng.choice((0.5, 1.4)))
        for u in range(x + 8, x + w - 12, 22):
            for v in range(horizon - h + 8, horizon - 14, 24):
                pen.rectangle((u, v, u + 10, v + 13), pane)
        x += w + int(rng.integers(0, 60))
    return _floats(sheet) + _grain(rng, *sheet.size, 4)


def _trees(rng, color, horizon):
    """Draw a row of bushes and trees on the horizon."""
    sheet, pen = _drawing(color)
    green = np.array((55, 85, 50)) * rng.uniform(0.6, 1.4) + rng.normal(0, 10, 3)
    tall = rng.uniform(0.05, 0.4) * horizon
    for x in rng.uniform(0, sheet.width, 40):
        r = rng.uniform(0.3, 0.7) * tall
        y = horizon - rng.uniform(0, 0.8) * tall
        pen.ellipse((x - r * 1.4, y - r, x + r * 1.4, y + r), rgb(green * rng.uniform(0.7, 1.3)))
    below = color[horizon:]
    color = _floats(sheet) + _grain(rng, *sheet.size, 8)
    color[horizon:] = below
    return color


_GROUND = {"sky": _grass, "sea": _sea, "road": _asphalt, "meadow": _grass, "room": _floor}
_SKYLINE = {"road": _houses, "meadow": _trees}


def _gradient(top, bottom, width, height):
    """Blend from the colour `top` to `bottom`, h x w x 3 float32."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    rows = np.asarray(top, np.float32) * (1 - down) + np.asarray(bottom, np.float32) * down
    return np.repeat(rows, width, axis=1)


def _fine(rng, width, height, cells, strength):
    """Return smooth noise of about +-`strength`, h x w."""
    return smooth_noise(rng, cells, (width, height)) * np.float32(strength)


def _grain(rng, width, height, strength):
    """Return pixel noise of standard deviation `strength`, h x w x 1."""
    return np.float32(strength) * rng.standard_normal((height, width, 1), np.float32)


def _drawing(color):
    """Return `color` as a PIL image and the pen that draws on it."""
    sheet = Image.fromarray(np.clip(color, 0, 255).astype(np.uint8))
    return sheet, ImageDraw.Draw(sheet)


def _floats(sheet):
    """Return a PIL image as float32."""
    return np.asarray(sheet, np.float32)
