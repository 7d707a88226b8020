"""A z-buffer for textured quads: just enough graphics for streets and rooms.

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
        return (
            ((columns + 0.5 - self.width / 2) / self.focal).astype(np.float32),
            ((self.horizon - rows - 0.5) / self.focal).astype(np.float32),
        )


class Texture:
    """An image on a surface: colours h x w x 3 in 0..255, a label a texel, holes where not opaque.

    label: one class, or h x w classes with CLEAR where the surface is cut out.
    opaque: h x w bool; where False the colour behind shows but the label is the surface's, as in
    a wire fence. Half-size copies of all three serve distant views.
    """

    def __init__(self, color, label, opaque=None):
        color = np.asarray(color, np.float32)
        label = np.broadcast_to(np.asarray(label, np.uint8), color.shape[:2])
        self.cut_out = bool((label == CLEAR).any())
        self.see_through = opaque is not None and bool((~opaque & (label != CLEAR)).any())
        self.size = label.size
        self._levels = [(color, label, opaque if self.see_through else None)]

    def level(self, texels_per_pixel):
        """The (color, label, opaque) copy with about one texel a pixel; opaque None: all is."""
        wanted = int(np.log2(max(texels_per_pixel, 1)) + 0.5)
        while len(self._levels) <= wanted and min(self._levels[-1][1].shape) >= 8:
            color, label, opaque = self._levels[-1]
            self._levels.append(
                (halve(color), label[1::2, 1::2], None if opaque is None else opaque[1::2, 1::2])
            )
        return self._levels[min(wanted, len(self._levels) - 1)]


def halve(color):
    """Average an h x w x c image over 2 x 2 blocks."""
    h, w = color.shape[0] // 2 * 2, color.shape[1] // 2 * 2
    color = color[:h, :w]
    return (color[::2, ::2] + color[1::2, ::2] + color[::2, 1::2] + color[1::2, 1::2]) / 4


@dataclass
class Quad:
    """A textured parallelogram: lower left corner, then edges `right` and `up` from it.

    repeat: how often the texture repeats along (right, up); negative mirrors it. light scales the
    colours. A shadow darkens what it covers and leaves label and depth alone. A closed body's
    quads are one_sided: not drawn where `right` would point left.
    """

    corner: np.ndarray
    right: np.ndarray
    up: np.ndarray
    texture: Texture
    repeat: tuple = (1, 1)
    light: float = 1.0
    shadow: bool = False
    one_sided: bool = False


class Canvas:
    """The picture in the making: color H x W x 3 float32, label and nearness (1 / depth) H x W."""

    def __init__(self, camera):
        shape = camera.height, camera.width
        self.camera = camera
        self.color = np.zeros((*shape, 3), np.float32)
        self.label = np.zeros(shape, np.uint8)
        self.nearness = np.zeros(shape, np.float32)  # 0 = infinitely far
        self.rays = camera.rays(np.arange(camera.height), np.arange(camera.width))

    def draw(self, quads):
        """Draw `quads`, nearest first; those one sees through come last, farthest first."""
        axes = self.camera.axes()
        corner, right, up = (
            np.array([getattr(quad, name) for quad in quads]) for name in ("corner", "right", "up")
        )
        origin, right, up = (corner - self.camera.position) @ axes.T, right @ axes.T, up @ axes.T
        depth = (origin + (right + up) / 2)[:, 2]
        # A pixel's ray meets the plane where depth * ray = origin + u right + v up. Solved for
        # (u, v, 1) / depth, which is linear in the ray, so that it takes no division a pixel.
        plane = np.stack([right, up, origin], axis=2)
        volume = np.linalg.det(plane)  # its sign says from which side we look
        one_sided = np.array([quad.one_sided for quad in quads])
        candidates = np.flatnonzero(np.where(one_sided, volume, abs(volume)) > 1e-9)
        boxes = self._bounds(
            np.stack([origin, origin + right, origin + right + up, origin + up], axis=1)[candidates]
        )
        inverse = np.linalg.inv(plane[candidates]).astype(np.float32)
        late = np.array([quad.shadow or quad.texture.see_through for quad in quads])[candidates]
        depth = depth[candidates]
        for i in np.lexsort((np.where(late, -depth, depth), late)):
            if boxes[i] is not None:
                self._draw(quads[candidates[i]], inverse[i], *boxes[i])

    def _draw(self, quad, inverse, top, bottom, left, stop, area):
        """Draw one quad where, inside its box, it is the nearest surface so far."""
        x, y = self.rays[0][left:stop], self.rays[1][top:bottom]
        nearness = _plane_map(inverse[2], x, y)
        inside = nearness > self.nearness[top:bottom, left:stop]
        if not inside.any():
            return
        u, v = _plane_map(inverse[0], x, y), _plane_map(inverse[1], x, y)
        for coordinate in (u, v):
            inside &= coordinate >= 0
            inside &= coordinate < nearness
        row, column = np.nonzero(inside)
        near = nearness[row, column]
        u, v = u[row, column] / near, v[row, column] / near
        row, column = row + top, column + left
        texels = quad.texture.size * abs(quad.repeat[0]) * quad.repeat[1]
        color, label, opaque = quad.texture.level(np.sqrt(texels / max(area, 1)))
        height, width = label.shape
        s = (u * (quad.repeat[0] * width)).astype(np.intp) % width
        t = height - 1 - (v * (quad.repeat[1] * height)).astype(np.intp) % height
        if quad.shadow:
            self.color[row, column] *= quad.light
            return
        texel = label[t, s]
        if quad.texture.cut_out:
            kept = texel != CLEAR
            row, column, near, s, t, texel = (a[kept] for a in (row, column, near, s, t, texel))
        self.nearness[row, column] = near
        self.label[row, column] = texel
        if opaque is not None:
            seen = opaque[t, s]
            row, column, s, t = row[seen], column[seen], s[seen], t[seen]
        self.color[row, column] = color[t, s] * np.float32(quad.light)

    def _bounds(self, corners):
        """Boxes in pixels around N x 4 x 3 corners in camera axes: (top, bottom, left, right, area)
        each, None for what is out of sight.
        """
        depth = corners[:, :, 2]
        boxes = self._boxes(corners)
        for i in np.flatnonzero((depth < NEAR).any(axis=1)):
            polygon = _cut_near(corners[i])
            boxes[i] = self._boxes(polygon[None])[0] if len(polygon) else None
        return boxes

    def _boxes(self, polygons):
        cam = self.camera
        depth = np.maximum(polygons[:, :, 2], NEAR)
        columns = cam.width / 2 + cam.focal * polygons[:, :, 0] / depth
        rows = cam.horizon - cam.focal * polygons[:, :, 1] / depth
        left, right = columns.min(axis=1), columns.max(axis=1)
        top, bottom = rows.min(axis=1), rows.max(axis=1)
        seen = (left < cam.width) & (right >= 0) & (top < cam.height) & (bottom >= 0)
        turned = np.roll(rows, -1, axis=1) - np.roll(rows, 1, axis=1)
        area = abs((columns * turned).sum(axis=1)) / 2
        limits = [
            np.clip(v, 0, limit).astype(int).tolist()
            for v, limit in (
                (top, cam.height),
                (bottom + 1, cam.height),
                (left, cam.width),
                (right + 1, cam.width),
            )
        ]
        return [
            box if ok else None
            for *box, ok in zip(*limits, area.tolist(), seen.tolist(), strict=True)
        ]


def _plane_map(row, x, y):
    return row[0] * x + (row[1] * y + row[2])[:, None]


def _cut_near(corners):
    """The part of a polygon (N x 3, camera axes) that lies beyond the near plane."""
    kept = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if a[2] >= NEAR:
            kept.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            kept.append(a + (b - a) * (NEAR - a[2]) / (b[2] - a[2]))
    return np.array(kept)
