"""The sheet one figure is drawn on: shapes in its own units, shaded, ready to be pasted."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

OVER = 2  # supersampling
REACH = 1.3  # the sheet reaches this far from the figure's middle, in its own units


class Sheet:
    """An empty square sheet. A figure fills about (-1, -1)..(1, 1), x to the right and y upwards.

    scale: pixels a unit. angle: turns the figure anticlockwise (rad). mirror: it faces left.
    middle: (x, y) in pixels of the picture, where the figure's origin comes to lie.
    """

    def __init__(self, middle, scale, angle=0.0, mirror=False):
        half = int(np.ceil(REACH * scale)) + 1
        self.left, self.top = (int(np.floor(m)) - half for m in middle)
        self._origin = np.array(middle) - (self.left, self.top)
        c, s, flip = np.cos(angle), np.sin(angle), -1 if mirror else 1
        self._axes = np.array([[c * flip, -s * flip], [-s, -c]]) * scale
        self._sheets = [Image.new(mode, (2 * half * OVER,) * 2) for mode in ("RGB", "L", "L")]
        self._color, self._opaque, self._mask = map(ImageDraw.Draw, self._sheets)
        self._pixel = scale * OVER  # texels a unit

    def polygon(self, points, color):
        """Fill the polygon of (x, y) `points`."""
        self._fill(points, color)

    def blob(self, points, color):
        """Fill the polygon of `points` with its corners rounded."""
        points = np.asarray(points, float)
        for _ in range(3):  # Chaikin's corner cutting
            after = np.roll(points, -1, axis=0)
            points = np.stack([points * 0.75 + after * 0.25, points * 0.25 + after * 0.75], 1)
            points = points.reshape(-1, 2)
        self._fill(points, color)

    def box(self, left, bottom, right, top, color):
        """Fill an upright rectangle."""
        self._fill([(left, bottom), (right, bottom), (right, top), (left, top)], color)

    def disc(self, x, y, radius, color, stretch=1.0, lean=0.0):
        """Fill an ellipse, `stretch` times as high as wide, turned anticlockwise by `lean` rad."""
        self._fill(_ellipse(x, y, radius, stretch, lean), color)

    def limb(self, points, thickness, color):
        """Draw a line with round joints and ends."""
        corners = self._texels(points)
        width = max(1, round(thickness * self._pixel))
        for pen, ink in self._inks(color):
            pen.line(corners, ink, width, joint="curve")
            for x, y in (corners[0], corners[-1]):
                r = width / 2
                pen.ellipse((x - r, y - r, x + r, y + r), ink)

    def wheel(self, x, y, radius, thickness, color, turn, spokes=0):
        """A wheel to see through: tyre and `spokes`, turned by `turn` rad; all of it is object."""
        rim = _ellipse(x, y, radius - thickness / 2)
        self._mask.polygon(self._texels(_ellipse(x, y, radius)), 255)
        self.limb([*rim, *rim[:2]], thickness, color)
        for angle in turn + np.arange(spokes) * np.pi / max(spokes, 1):
            dx, dy = radius * np.cos(angle) * 0.9, radius * np.sin(angle) * 0.9
            self.limb([(x - dx, y - dy), (x + dx, y + dy)], 0.02, color)

    def patch(self, rng):
        """The finished Patch, shaded as a solid body with a texture that `rng` chooses."""
        color, opaque, mask = (sheet.reduce(OVER) for sheet in self._sheets)
        color = np.asarray(color, np.float32) * _shading(opaque, rng)[:, :, None]
        opaque = np.asarray(opaque, np.float32)[:, :, None] / 255
        return Patch(self.left, self.top, color, opaque, np.asarray(mask) > 127)

    def _texels(self, points):
        return [tuple(p) for p in ((np.asarray(points) @ self._axes.T + self._origin) * OVER)]

    def _fill(self, points, color):
        corners = self._texels(points)
        for pen, ink in self._inks(color):
            pen.polygon(corners, ink)

    def _inks(self, color):
        rgb = tuple(min(max(int(c), 0), 255) for c in color)
        return (self._color, rgb), (self._opaque, 255), (self._mask, 255)


class Patch:
    """A figure to be pasted at (left, top): premultiplied color, opaque in 0..1, mask bool."""

    def __init__(self, left, top, color, opaque, mask):
        self.left, self.top, self.color, self.opaque, self.mask = left, top, color, opaque, mask

    def foot(self):
        """The picture row just below the figure."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return self.top + (int(rows[-1]) + 1 if len(rows) else 0)

    def paste(self, color, label=None, value=0):
        """Paste into `color` (H x W x 3) and write `value` into `label` (H x W) under the mask."""
        height, width = color.shape[:2]
        y0, x0 = max(self.top, 0), max(self.left, 0)
        y1 = min(self.top + len(self.mask), height)
        x1 = min(self.left + self.mask.shape[1], width)
        if y0 >= y1 or x0 >= x1:
            return
        there = slice(y0, y1), slice(x0, x1)
        here = slice(y0 - self.top, y1 - self.top), slice(x0 - self.left, x1 - self.left)
        color[there] = color[there] * (1 - self.opaque[here]) + self.color[here]
        if label is not None:
            label[there][self.mask[here]] = value


def smooth_noise(rng, cells, size):
    """Noise in about -1..1, `cells` (across, down) stretched smoothly to `size` (w, h)."""
    grid = rng.normal(0, 0.5, cells[::-1]).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


def _ellipse(x, y, radius, stretch=1.0, lean=0.0):
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    u, v = radius * np.cos(angle), radius * stretch * np.sin(angle)
    c, s = np.cos(lean), np.sin(lean)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


def _shading(opaque, rng):
    """Factors to multiply the colours with: light from above on a rounded body, and a texture."""
    size = opaque.size
    shade = 1 + rng.uniform(0.05, 0.3) * smooth_noise(rng, (6, 6), size)
    shade += rng.uniform(0.02, 0.3) * smooth_noise(rng, (24, 24), size)
    if rng.random() < 0.25:  # stripes
        y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
        turn, waves = rng.uniform(0, np.pi), rng.uniform(15, 45)
        along = (x * np.cos(turn) + y * np.sin(turn)) * waves
        shade += np.float32(rng.uniform(0.1, 0.25)) * np.sin(along)
    solid = np.asarray(opaque.filter(ImageFilter.BoxBlur(max(1, size[0] // 40))), np.float32) / 255
    step = max(1, size[0] // 40)
    bulge = np.roll(solid, (-step, -step), (0, 1)) - np.roll(solid, (step, step), (0, 1))
    return np.clip(shade + rng.uniform(0.2, 0.5) * bulge, 0.2, 1.7).astype(np.float32)
