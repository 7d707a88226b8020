"""The sheet that one figure is drawn on: shapes in the figure's units, shaded, ready to paste."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from datasets.drawn.sketch import Color, rgb

OVER = 2  # supersampling
REACH = 1.3  # half the width of the sheet, in the figure's units


class Sheet:
    """An empty square sheet.

    A figure fills about (-1, -1) to (1, 1), with x to the right and y upwards.

    Parameters
    ----------
    middle : (float, float)
        (x, y) of the figure's origin in the image, in pixels.
    scale : float
        Pixels per unit.
    angle : float
        Turn of the figure, anticlockwise, in radians.
    mirror : bool
        The figure faces left instead of right.
    """

    def __init__(
        self, middle: npt.ArrayLike, scale: float, angle: float = 0.0, mirror: bool = False
    ) -> None:
        middle = np.asarray(middle)
        half = int(np.ceil(REACH * scale)) + 1
        self.left, self.top = (int(np.floor(m)) - half for m in middle)
        self._origin = middle - (self.left, self.top)
        c, s, flip = np.cos(angle), np.sin(angle), -1 if mirror else 1
        self._axes = np.array([[c * flip, -s * flip], [-s, -c]]) * scale
        self._sheets = [Image.new(mode, (2 * half * OVER,) * 2) for mode in ("RGB", "L", "L")]
        self._color, self._opaque, self._mask = map(ImageDraw.Draw, self._sheets)
        self._pixel = scale * OVER  # texels per unit

    def polygon(self, points: npt.ArrayLike, color: Color) -> None:
        """Fill the polygon of (x, y) `points`."""
        corners = self._texels(points)
        for pen, ink in self._inks(color):
            pen.polygon(corners, ink)

    def blob(self, points: npt.ArrayLike, color: Color) -> None:
        """Fill the polygon of `points` with its corners rounded."""
        points = np.asarray(points, float)
        for _ in range(3):  # Chaikin's corner cutting
            after = np.roll(points, -1, axis=0)
            points = np.stack([points * 0.75 + after * 0.25, points * 0.25 + after * 0.75], 1)
            points = points.reshape(-1, 2)
        self.polygon(points, color)

    def box(self, left: float, bottom: float, right: float, top: float, color: Color) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, bottom), (right, bottom), (right, top), (left, top)], color)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        color: Color,
        stretch: float = 1.0,
        lean: float = 0.0,
    ) -> None:
        """Fill an ellipse, `stretch` times as high as wide, turned anticlockwise by `lean` rad."""
        self.polygon(_ellipse(x, y, radius, stretch, lean), color)

    def limb(self, points: npt.ArrayLike, thickness: float, color: Color) -> None:
        """Draw a line with round joints and ends."""
        corners = self._texels(points)
        width = max(1, round(thickness * self._pixel))
        for pen, ink in self._inks(color):
            pen.line(corners, ink, width, joint="curve")
            for x, y in (corners[0], corners[-1]):
                r = width / 2
                pen.ellipse((x - r, y - r, x + r, y + r), ink)

    def wheel(
        self,
        x: float,
        y: float,
        radius: float,
        thickness: float,
        color: Color,
        turn: float,
        spokes: int = 0,
    ) -> None:
        """Draw a tyre and `spokes` turned by `turn` rad; the gaps belong to the mask as well."""
        rim = _ellipse(x, y, radius - thickness / 2)
        self._mask.polygon(self._texels(_ellipse(x, y, radius)), 255)
        self.limb([*rim, *rim[:2]], thickness, color)
        self.spokes(x, y, radius, 0.9, 0.02, color, turn, spokes)

    def spokes(
        self,
        x: float,
        y: float,
        radius: float,
        share: float,
        thickness: float,
        color: Color,
        turn: float,
        count: int,
    ) -> None:
        """Draw `count` diameters turned by `turn` rad that cover a `share` of the `radius`."""
        for angle in turn + np.arange(count) * np.pi / max(count, 1):
            dx, dy = radius * np.cos(angle) * share, radius * np.sin(angle) * share
            self.limb([(x - dx, y - dy), (x + dx, y + dy)], thickness, color)

    def patch(self, rng: Generator) -> "Patch":
        """Return the finished figure, shaded as a solid body with a texture that `rng` chooses."""
        sheets = [sheet.reduce(OVER) for sheet in self._sheets]
        color, opaque, mask = (np.asarray(sheet, np.float32) for sheet in sheets)
        color = color * _shading(sheets[1], rng)[:, :, None]
        return Patch(self.left, self.top, color, opaque[:, :, None] / 255, mask > 127)

    def _texels(self, points):
        """Transform points from the figure's units to texels of the sheets."""
        return [tuple(p) for p in ((np.asarray(points) @ self._axes.T + self._origin) * OVER)]

    def _inks(self, color):
        """Return the pen of each sheet and what it draws with."""
        return (self._color, rgb(color)), (self._opaque, 255), (self._mask, 255)


# A figure draws itself on a sheet: its looks come from the generator, its pose from the phase
# (rad), which grows from frame to frame.
Figure = Callable[[Sheet, Generator, float], None]


class Patch:
    """A figure that is ready to paste.

    Parameters
    ----------
    left, top : int
        Upper left corner in the image, in pixels.
    color : np.ndarray
        RGB times opacity, h x w x 3.
    opaque : np.ndarray
        Opacity in 0..1, h x w x 1.
    mask : np.ndarray
        h x w bool, True on the figure.
    """

    def __init__(
        self, left: int, top: int, color: np.ndarray, opaque: np.ndarray, mask: np.ndarray
    ) -> None:
        self.left, self.top, self.color, self.opaque, self.mask = left, top, color, opaque, mask

    def foot(self) -> int:
        """Return the image row just below the figure."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return self.top + (int(rows[-1]) + 1 if len(rows) else 0)

    def paste(self, color: np.ndarray, label: np.ndarray | None = None, value: int = 0) -> None:
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


def smooth_noise(rng: Generator, cells: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return noise of about -1..1: a grid of `cells` (across, down) resized to `size` (w, h)."""
    grid = rng.normal(0, 0.5, cells[::-1]).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


def _ellipse(x, y, radius, stretch=1.0, lean=0.0):
    """Return the corners of an ellipse, 32 x 2."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    u, v = radius * np.cos(angle), radius * stretch * np.sin(angle)
    c, s = np.cos(lean), np.sin(lean)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


def _shading(opaque, rng):
    """Return factors on the colours: light from above on a rounded body, and a texture."""
    size = opaque.size
    shade = 1 + rng.uniform(0.05, 0.3) * smooth_noise(rng, (6, 6), size)
    shade += rng.uniform(0.02, 0.3) * smooth_noise(rng, (24, 24), size)
    if rng.random() < 0.25:  # stripes
        y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
        turn, waves = rng.uniform(0, np.pi), rng.uniform(15, 45)
        along = (x * np.cos(turn) + y * np.sin(turn)) * waves
        shade += np.float32(rng.uniform(0.1, 0.25)) * np.sin(along)
    step = max(1, size[0] // 40)
    solid = np.asarray(opaque.filter(ImageFilter.BoxBlur(step)), np.float32) / 255
    bulge = np.roll(solid, (-step, -step), (0, 1)) - np.roll(solid, (step, step), (0, 1))
    return np.clip(shade + rng.uniform(0.2, 0.5) * bulge, 0.2, 1.7).astype(np.float32)
