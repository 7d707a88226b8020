"""A z-buffer for textured quads: just enough graphics for the miniature street.

World and camera axes: x right, y up, z forward, in metres. A camera looks along z, turned by a
yaw about y; it neither pitches nor rolls, as on a level road.
"""
from dataclasses import dataclass

import numpy as np

CLEAR = 254  # label of texels that are not there at all: one sees, and labels, what is behind
NEAR = 0.4  # metres; nearer geometry is cut off


@dataclass
class Camera:
    """A pinhole at `position` (x, y, z in m), turned right by `yaw` (rad), `focal` in pixels."""

    position: np.ndarray
    yaw: float
    focal: float
    width: int
    height: int
    horizon: float  # image row, in pixels

    def axes(self):
        """World to camera rotation, 3 x 3."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])

    def rays(self, rows, columns):
        """x/z of pixel `columns` and y/z of pixel `rows`, in camera axes, as float32."""
        return (((columns + 0.5 - self.width / 2) / self.focal).astype(np.float32),
                ((self.horizon - rows - 0.5) / self.focal).astype(np.float32))


class Texture:
    """An image on a surface: colours h x w x 3 in 0..255, a label a texel, holes where not opaque.

    label: one class, or h x w classes with CLEAR where the surface is cut out.
    opaque: h x w bool; where False the colour behind shows but the label is the surface's, as in
    a wire fence. Half-size copies of all three serve distant views.
    """

    def __init__(self, color, label, opaque=None):
        color = np.asarray(color, np.float32)
        label = np.broadcast_to(np.asarray(label, np.uint8), color.shape[:2])
        opaque = np.ones(color.shape[:2], bool) if opaque is None else opaque
        self.cut_out = bool((label == CLEAR).any())
        self.see_through = bool((~opaque & (label != CLEAR)).any())
        self.levels = [(color, label, opaque)]
        while min(color.shape[:2]) >= 8:
            color, label, opaque = halve(color), label[1::2, 1::2], opaque[1::2, 1::2]
            self.levels.append((color, label, opaque))

    def level(self, texels_per_pixel):
        """The (color, label, opaque) copy with about one texel a pixel."""
        i = int(np.clip(np.log2(max(texels_per_pixel, 1)) + 0.5, 0, len(self.levels) - 1))
        return self.levels[i]


def halve(color):
    """Average an h x w x c image over 2 x 2 blocks."""
    h, w = color.shape[0] // 2 * 2, color.shape[1] // 2 * 2
    color = color[:h, :w]
    return (color[::2, ::2] + color[1::2, ::2] + color[::2, 1::2] + color[1::2, 1::2]) / 4


@dataclass
class Quad:
    """A textured parallelogram: lower left corner, then edges `right` and `up` from it.

    repeat: how often the texture repeats along (right, up). light scales the colours. A shadow
    darkens what it covers and leaves label and depth alone.
    """

    corner: np.ndarray
    right: np.ndarray
    up: np.ndarray
    texture: Texture
    repeat: tuple = (1, 1)
    light: float = 1.0
    shadow: bool = False

    def centre(self):
        """The middle of the quad in world axes."""
        return self.corner + (self.right + self.up) / 2


class Canvas:
    """The picture in the making: color H x W x 3 float32, label and inverse depth H x W."""

    def __init__(self, camera):
        shape = camera.height, camera.width
        self.camera = camera
        self.axes = camera.axes()
        self.color = np.zeros((*shape, 3), np.float32)
        self.label = np.zeros(shape, np.uint8)
        self.nearness = np.zeros(shape, np.float32)  # 1 / depth, 0 = infinitely far

    def draw(self, quad):
        """Draw one quad wherever it is the nearest surface so far."""
        origin = self.axes @ (quad.corner - self.camera.position)
        right, up = self.axes @ quad.right, self.axes @ quad.up
        box = self._bounds(np.array([origin, origin + right, origin + right + up, origin + up]))
        if box is None:
            return
        (top, bottom, left, stop), pixels = box
        # A pixel's ray meets the plane where depth * ray = origin + u right + v up. Solved for
        # (u, v, 1) / depth, which is linear in the ray, so that it takes no division a pixel.
        plane = np.stack([right, up, origin], axis=1)
        determinant = np.linalg.det(plane)
        if abs(determinant) < 1e-9:
            return
        inverse = np.linalg.inv(plane).astype(np.float32)
        x, y = self.camera.rays(np.arange(top, bottom), np.arange(left, stop))
        u, v, nearness = (m[0] * x + (m[1] * y + m[2])[:, None] for m in inverse)
        part = np.s_[top:bottom, left:stop]
        inside = ((nearness > self.nearness[part]) & (u >= 0) & (v >= 0)
                  & (u < nearness) & (v < nearness))
        row, column = np.nonzero(inside)
        if not len(row):
            return
        near = nearness[row, column]
        self._paint(quad, row + top, column + left, u[row, column] / near, v[row, column] / near,
                    near, pixels)

    def _paint(self, quad, row, column, u, v, near, pixels):
        texels = quad.texture.levels[0][1].size * quad.repeat[0] * quad.repeat[1]
        color, label, opaque = quad.texture.level(np.sqrt(texels / max(pixels, 1)))
        height, width = label.shape
        s = (u * (quad.repeat[0] * width)).astype(np.intp) % width
        t = height - 1 - (v * (quad.repeat[1] * height)).astype(np.intp) % height
        texel = label[t, s]
        if quad.texture.cut_out:
            kept = texel != CLEAR
            row, column, near, s, t, texel = (a[kept] for a in (row, column, near, s, t, texel))
        if quad.shadow:
            self.color[row, column] *= quad.light
            return
        self.nearness[row, column] = near
        self.label[row, column] = texel
        seen = opaque[t, s]
        if not seen.all():
            row, column, s, t = row[seen], column[seen], s[seen], t[seen]
        self.color[row, column] = color[t, s] * quad.light

    def _bounds(self, corners):
        """((top, bottom, left, right), area) in pixels of camera-space corners, None if unseen."""
        corners = _cut_near(corners)
        if not len(corners):
            return None
        cam = self.camera
        columns = cam.width / 2 + cam.focal * corners[:, 0] / corners[:, 2]
        rows = cam.horizon - cam.focal * corners[:, 1] / corners[:, 2]
        left, right = max(int(columns.min()), 0), min(int(columns.max()) + 1, cam.width)
        top, bottom = max(int(rows.min()), 0), min(int(rows.max()) + 1, cam.height)
        if left >= right or top >= bottom or columns.max() < 0 or rows.max() < 0:
            return None
        area = abs(columns @ np.roll(rows, -1) - rows @ np.roll(columns, -1)) / 2
        return (top, bottom, left, right), area


def _cut_near(corners):
    """The part of a polygon (N x 3, camera axes) that lies beyond the near plane."""
    depth = corners[:, 2]
    if (depth >= NEAR).all():
        return corners
    if (depth < NEAR).all():
        return corners[:0]
    kept = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if a[2] >= NEAR:
            kept.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            kept.append(a + (b - a) * (NEAR - a[2]) / (b[2] - a[2]))
    return np.array(kept)
