"""The ground as one map seen from above: road, markings, pavements and grass."""

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from datasets.drawn.render import Canvas, halve
from datasets.drawn.street.classes import ROAD, SIDEWALK, TERRAIN
from datasets.drawn.street.surfaces import plaster

TEXEL = 0.125  # metres
HALF_WIDTH = 16.0  # beyond it the margin is repeated
KERB, FRONT = 5.4, 9.6  # metres from the middle of the road to the pavement and to the houses


class Ground:
    """A map of the street, painted in boxes.

    Parameters
    ----------
    rng : Generator
        Chooses colours and details.
    start, stop : float
        Ends of the map along z, in metres.
    """

    def __init__(self, rng: Generator, start: float, stop: float) -> None:
        self.rng, self.start, self.stop = rng, start, stop
        shape = round((stop - start) / TEXEL), round(2 * HALF_WIDTH / TEXEL)
        self.grain = plaster(rng, *shape, np.zeros(3) + 128, grain=6)[:, :, :1] - 128
        self.color = np.zeros((*shape, 3), np.float32)
        self.label = np.zeros(shape, np.uint8)
        self.levels: list[tuple[np.ndarray, np.ndarray]] = []  # finer first

    def paint(
        self,
        left: float,
        right: float,
        near: float,
        far: float,
        color: npt.ArrayLike,
        label: int | None = None,
    ) -> None:
        """Paint x in [left, right], z in [near, far]; without `label` only the colour changes."""
        box = (
            slice(*(max(0, int((z - self.start) / TEXEL)) for z in (near, far))),
            slice(*(max(0, int((x + HALF_WIDTH) / TEXEL)) for x in (left, right))),
        )
        self.color[box] = color
        if label is not None:
            self.label[box] = label

    def lay_street(self) -> None:
        """Paint a road with lane markings between two pavements, and grass beyond."""
        rng, far = self.rng, self.stop
        asphalt = np.ones(3) * rng.uniform(70, 105) + rng.normal(0, 3, 3)
        stone = asphalt * rng.uniform(1.1, 1.5) + rng.normal(0, 5, 3)
        self.asphalt, self.white = asphalt, np.ones(3) * rng.uniform(150, 200)
        self.grass = np.array((96, 112, 62)) * rng.uniform(0.75, 1.2)
        self.paint(-HALF_WIDTH, HALF_WIDTH, self.start, far, self.grass, TERRAIN)
        for side in (-1, 1):
            inner, outer = sorted((side * KERB, side * FRONT))
            self.paint(inner, outer, self.start, far, stone, SIDEWALK)
            columns = slice(*(int((x + HALF_WIDTH) / TEXEL) for x in (inner, outer)))
            self.color[:: round(1 / TEXEL), columns] = stone * 0.88  # joints, a metre apart
            inner, outer = sorted((side * KERB, side * (KERB + 0.25)))
            self.paint(inner, outer, self.start, far, stone * 1.2)
        self.paint(-KERB, KERB, self.start, far, asphalt, ROAD)
        for side in (-1, 1):
            self.paint(side * 3.6, side * 3.6 + 0.13, self.start, far, self.white * 0.8)
        for z in np.arange(self.start, far, 6.0):
            self.paint(-0.07, 0.07, z, z + 3.0, self.white)
        for _ in range(12):  # patches, tar and manholes
            x, z = rng.uniform(-KERB, KERB - 1.5), rng.uniform(self.start, far)
            right, end = x + rng.uniform(0.4, 1.5), z + rng.uniform(0.5, 8)
            self.paint(x, right, z, end, asphalt * rng.uniform(0.75, 1.15))

    def lay_crossing(self, near: float, far: float) -> None:
        """Paint a cross street from z = `near` to `far`, between two zebra crossings."""
        self.paint(-HALF_WIDTH, HALF_WIDTH, near, far, self.asphalt, ROAD)
        for z in (near - 3.2, far + 0.4):
            for x in np.arange(-KERB + 0.2, KERB - 0.4, 1.0):
                self.paint(x, x + 0.5, z, z + 2.8, self.white)

    def lay_verge(self, side: int, near: float, far: float) -> None:
        """Paint a strip of grass between kerb and pavement on `side` (-1 left, 1 right)."""
        inner, outer = sorted((side * (KERB + 0.3), side * (KERB + 1.5)))
        self.paint(inner, outer, near, far, self.grass, TERRAIN)

    def lay_shade(self, side: int, reach: float) -> None:
        """Darken what lies in the houses' shadow, `reach` m wide from the fronts on `side`."""
        inner, outer = sorted((side * FRONT, side * (FRONT - reach)))
        x = np.arange(self.color.shape[1]) * TEXEL - HALF_WIDTH
        self.color[:, (x > inner) & (x < outer)] *= 0.62

    def finish(self) -> None:
        """Add grain and compute the coarser maps for distant ground."""
        color, label = np.clip(self.color + self.grain, 0, 255), self.label
        self.levels = [(color, label)]
        for _ in range(4):
            color, label = halve(color), label[1::2, 1::2]
            self.levels.append((color, label))

    def draw(self, canvas: Canvas) -> None:
        """Fill the part of `canvas` below the horizon."""
        cam = canvas.camera
        first = max(0, int(np.ceil(cam.horizon)))
        rows = np.arange(first, cam.height)
        ray_x, ray_y = cam.rays(rows, np.arange(cam.width))
        eye = cam.position.astype(np.float32)
        depth = eye[1] / np.maximum(-ray_y, np.float32(1e-3))
        c, s = np.cos(cam.yaw, dtype=np.float32), np.sin(cam.yaw, dtype=np.float32)
        across = depth[:, None] * (c * ray_x + s) + eye[0]
        along = depth[:, None] * (c - s * ray_x) + eye[2]
        # A pixel covers depth^2 / (focal * eye height) metres of road along z.
        cover = depth**2 / (cam.focal * cam.position[1]) / TEXEL
        level = np.clip(np.log2(np.maximum(cover, 1)) * 0.6, 0, 4).astype(int)
        for k in np.unique(level):
            band = np.flatnonzero(level == k)
            color, label = self.levels[k]
            size = TEXEL * 2**k
            i = ((along[band] - self.start) / size).astype(np.intp).clip(0, len(label) - 1)
            j = ((across[band] + HALF_WIDTH) / size).astype(np.intp).clip(0, label.shape[1] - 1)
            canvas.color[first + band] = color[i, j]
            canvas.label[first + band] = label[i, j]
        canvas.nearness[first:] = (1 / depth)[:, None]
