"""Draw a cut-out texture with its labels, in metres."""

import numpy as np
from PIL import Image, ImageDraw

from datasets.drawn.render import CLEAR, Texture


class Sketch:
    """A `width` x `height` m sheet, empty at first, at `scale` texels a metre.

    x runs from -width/2 to width/2, y from 0 at the ground upwards. Each stroke sets colour and
    label; `glassy` strokes set the label and leave the colour behind visible (wheels, fences).
    """

    def __init__(self, width, height, scale=40):
        size = max(2, round(width * scale)), max(2, round(height * scale))
        self.width, self.height = width, height
        self.scale = size[0] / width, size[1] / height  # texels a metre, exactly
        self._sheets = [
            Image.new(mode, size, blank) for mode, blank in (("RGB", 0), ("L", CLEAR), ("L", 0))
        ]
        self._pens = [ImageDraw.Draw(sheet) for sheet in self._sheets]

    def polygon(self, points, color, label, glassy=False):
        """Fill the polygon of (x, y) `points`."""
        self._stroke("polygon", self._pixels(points), color, label, glassy)

    def box(self, left, bottom, right, top, color, label, glassy=False):
        """Fill an upright rectangle."""
        self.polygon(
            [(left, bottom), (right, bottom), (right, top), (left, top)], color, label, glassy
        )

    def disc(self, x, y, radius, color, label, stretch=1.0, glassy=False):
        """Fill a disc, `stretch` times as high as wide."""
        corners = [(x - radius, y + radius * stretch), (x + radius, y - radius * stretch)]
        self._stroke("ellipse", self._pixels(corners), color, label, glassy)

    def line(self, points, thickness, color, label):
        """Draw a line `thickness` m wide through `points`."""
        self._stroke(
            "line",
            self._pixels(points),
            color,
            label,
            False,
            width=max(1, round(thickness * self.scale[0])),
        )

    def texture(self, rng, grain=8.0):
        """The sheet as a Texture with colour noise of standard deviation `grain`."""
        color, label, opaque = (np.asarray(sheet) for sheet in self._sheets)
        noise = np.float32(grain) * rng.standard_normal((*label.shape, 1), np.float32)
        texels = color + noise
        return Texture(np.clip(texels, 0, 255, out=texels), label, opaque > 0)

    def _pixels(self, points):
        (right, up), height = self.scale, self._sheets[0].height
        return [((x + self.width / 2) * right, height - y * up) for x, y in points]

    def _stroke(self, shape, points, color, label, glassy, **options):
        fills = tuple(min(max(int(c), 0), 255) for c in color), int(label), 255
        for pen, fill in zip(self._pens, fills, strict=True):
            if glassy and pen is not self._pens[1]:
                continue
            paint = {"fill": fill, **options}
            getattr(pen, shape)(points, **paint)
