"""Draw a cut-out texture together with its labels, in metres."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from PIL import Image, ImageDraw

from datasets.drawn.render import CLEAR, Texture

Point = tuple[float, float]
Points = Iterable[Point] | npt.NDArray[np.floating]
Color = Sequence[float] | np.ndarray


def mirrored(*points: Point) -> list[Point]:
    """Return the outline that is symmetric about x = 0 and has `points` on one side."""
    return [*points, *((-x, y) for x, y in reversed(points))]


class Sketch:
    """A sheet to draw on, empty at first.

    x runs from -width / 2 to width / 2, y from 0 at the ground upwards, in metres. Each stroke
    sets a colour (RGB, clipped to 0..255) and a label, by default that of the sketch.

    Parameters
    ----------
    width, height : float
        Size in metres.
    label : int
        Class of the strokes.
    scale : float
        Texels per metre.
    """

    def __init__(self, width: float, height: float, label: int, scale: float = 40) -> None:
        size = max(2, round(width * scale)), max(2, round(height * scale))
        self.width, self.height, self.label = width, height, label
        self.scale = size[0] / width, size[1] / height  # texels per metre, after rounding
        modes = ("RGB", 0), ("L", CLEAR), ("L", 0)  # colour, label, opacity
        self._sheets = [Image.new(mode, size, blank) for mode, blank in modes]
        self._pens = [ImageDraw.Draw(sheet) for sheet in self._sheets]

    def polygon(self, points: Points, color: Color, label: int | None = None) -> None:
        """Fill the polygon of (x, y) `points`."""
        self._stroke("polygon", points, color, label)

    def box(
        self,
        left: float,
        bottom: float,
        right: float,
        top: float,
        color: Color,
        label: int | None = None,
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, bottom), (right, bottom), (right, top), (left, top)], color, label)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        color: Color,
        label: int | None = None,
        stretch: float = 1.0,
        glassy: bool = False,
    ) -> None:
        """Fill a disc about (x, y), `stretch` times as high as wide.

        A `glassy` one sets the label only: the colour behind stays visible, as through spokes.
        """
        corners = [(x - radius, y + radius * stretch), (x + radius, y - radius * stretch)]
        self._stroke("ellipse", corners, color, label, glassy)

    def line(
        self, points: Points, thickness: float, color: Color, label: int | None = None
    ) -> None:
        """Draw a line `thickness` m wide through `points`."""
        width = max(1, round(thickness * self.scale[0]))
        self._stroke("line", points, color, label, width=width)

    def texture(self, rng: Generator, grain: float = 8.0) -> Texture:
        """Return the drawing with grey noise of standard deviation `grain`."""
        color, label, opaque = (np.asarray(sheet) for sheet in self._sheets)
        noise = np.float32(grain) * rng.standard_normal((*label.shape, 1), np.float32)
        texels = color + noise
        return Texture(np.clip(texels, 0, 255, out=texels), label, opaque > 0)

    def _stroke(self, shape, points, color, label, glassy=False, **options):
        """Draw one of ImageDraw's shapes on all sheets, or on that of the labels if `glassy`."""
        (right, up), height = self.scale, self._sheets[0].height
        texels = [((x + self.width / 2) * right, height - y * up) for x, y in points]
        fills = rgb(color), int(self.label if label is None else label), 255
        for pen, fill in zip(self._pens, fills, strict=True):
            if not glassy or pen is self._pens[1]:
                getattr(pen, shape)(texels, fill=fill, **options)


def rgb(color: Color) -> tuple[int, ...]:
    """Return `color` as whole numbers in 0..255, as PIL takes them."""
    return tuple(min(max(int(c), 0), 255) for c in color)
