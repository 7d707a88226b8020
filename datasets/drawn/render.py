"""A z-buffer renderer for textured quads: just enough graphics for streets and rooms.

World and camera axes: x right, y up, z forward, in metres. A camera looks along z, turned by a
yaw about y. It neither pitches nor rolls, as on a level road.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CLEAR = 254  # label of texels that are cut out: what is behind shows, with its own label
NEAR = 0.4  # metres; nearer geometry is clipped
Vector = Sequence[float] | np.ndarray  # (x, y, z)


@dataclass
class Camera:
    """A pinhole camera.

    Attributes
    ----------
    position : np.ndarray
        (x, y, z) in metres.
    yaw : float
        Turn to the right, in radians.
    focal : float
        Focal length in pixels.
    width, height : int
        Size of the image in pixels.
    horizon : float
        Image row of the horizon.
    """

    position: np.ndarray
    yaw: float
    focal: float
    width: int
    height: int
    horizon: float

    def axes(self) -> np.ndarray:
        """Return the 3 x 3 rotation from world to camera axes; row 0 points to the right."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])

    def rays(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x / z of pixel `columns` and y / z of pixel `rows`, in camera axes, float32."""
        return (
            ((columns + 0.5 - self.width / 2) / self.focal).astype(np.float32),
            ((self.horizon - rows - 0.5) / self.focal).astype(np.float32),
        )


class Texture:
    """An image on a surface, with a label for each texel. Half-size copies serve distant views.

    Parameters
    ----------
    color : array-like
        RGB, h x w x 3 in 0..255.
    label : array-like
        One class, or h x w classes with CLEAR for texels that are cut out.
    opaque : np.ndarray, optional
        h x w bool. Through a texel that is not opaque one sees the colour behind, but the label is
        the texture's own, as for a wire fence. By default all texels are opaque.
    """

    def __init__(
        self, color: npt.ArrayLike, label: npt.ArrayLike, opaque: np.ndarray | None = None
    ) -> None:
        color = np.asarray(color, np.float32)
        label = np.broadcast_to(np.asarray(label, np.uint8), color.shape[:2])
        self.cut_out = bool((label == CLEAR).any())
        self.see_through = opaque is not None and bool((~opaque & (label != CLEAR)).any())
        self.size = label.size
        self._levels = [(color, label, opaque if self.see_through else None)]

    def level(self, texels_per_pixel: float) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the (color, label, opaque) copy with about one texel per pixel.

        `texels_per_pixel` counts texels of the full size along one side of a pixel. `opaque` is
        None if all texels are.
        """
        wanted = int(np.log2(max(texels_per_pixel, 1)) + 0.5)
        while len(self._levels) <= wanted and min(self._levels[-1][1].shape) >= 8:
            color, label, opaque = self._levels[-1]
            opaque = None if opaque is None else opaque[1::2, 1::2]
            self._levels.append((halve(color), label[1::2, 1::2], opaque))
        return self._levels[min(wanted, len(self._levels) - 1)]


def halve(color: np.ndarray) -> np.ndarray:
    """Average an h x w x c image over blocks of 2 x 2; an odd last row or column is left out."""
    h, w = color.shape[0] // 2 * 2, color.shape[1] // 2 * 2
    color = color[:h, :w]
    return (color[::2, ::2] + color[1::2, ::2] + color[::2, 1::2] + color[1::2, 1::2]) / 4


@dataclass
class Quad:
    """A textured parallelogram.

    Attributes
    ----------
    corner : Vector
        Lower left corner, in metres.
    right, up : Vector
        The edges that start at the corner.
    texture : Texture
        What is on it.
    repeat : (float, float)
        How often the texture repeats along (right, up); a negative `right` mirrors it.
    light : float
        Factor on the colours.
    shadow : bool
        Darken by `light` what the quad covers, and change neither labels nor depth.
    one_sided : bool
        Draw the quad only if `right` points to the right in the image, as for a closed body.
    """

    corner: Vector
    right: Vector
    up: Vector
    texture: Texture
    repeat: tuple[float, float] = (1, 1)
    light: float = 1.0
    shadow: bool = False
    one_sided: bool = False

    def __post_init__(self) -> None:
        for edge in ("corner", "right", "up"):
            setattr(self, edge, np.asarray(getattr(self, edge), float))


class Canvas:
    """The image that a camera sees, to be drawn on.

    Parameters
    ----------
    camera : Camera
        The viewpoint; fixes the size H x W.

    Attributes
    ----------
    color : np.ndarray
        RGB, H x W x 3 float32 in 0..255.
    label : np.ndarray
        Classes, H x W uint8.
    nearness : np.ndarray
        1 / depth (1/m), H x W float32; 0 = infinitely far.
    """

    def __init__(self, camera: Camera) -> None:
        shape = camera.height, camera.width
        self.camera = camera
        self.color = np.zeros((*shape, 3), np.float32)
        self.label = np.zeros(shape, np.uint8)
        self.nearness = np.zeros(shape, np.float32)
        self.rays = camera.rays(np.arange(camera.height), np.arange(camera.width))

    def draw(self, quads: Sequence[Quad]) -> None:
        """Draw `quads`, nearest first; those one sees through come last, farthest first."""
        axes = self.camera.axes()
        corner = np.array([quad.corner for quad in quads])
        right, up = np.array([quad.right for quad in quads]), np.array([quad.up for quad in quads])
        origin, right, up = (corner - self.camera.position) @ axes.T, right @ axes.T, up @ axes.T
        depth = (origin + (right + up) / 2)[:, 2]
        # A pixel's ray meets the plane at depth * ray = origin + u right + v up. We solve for
        # (u, v, 1) / depth, which is linear in the ray and takes no division per pixel.
        plane = np.stack([right, up, origin], axis=2)
        volume = np.linalg.det(plane)  # its sign tells the side we look from
        one_sided = np.array([quad.one_sided for quad in quads])
        candidates = np.flatnonzero(np.where(one_sided, volume, abs(volume)) > 1e-9)
        corners = np.stack([origin, origin + right, origin + right + up, origin + up], axis=1)
        boxes = self._bounds(corners[candidates])
        inverse = np.linalg.inv(plane[candidates]).astype(np.float32)
        late = np.array([quad.shadow or quad.texture.see_through for quad in quads])[candidates]
        depth = depth[candidates]
        for i in np.lexsort((np.where(late, -depth, depth), late)):
            if boxes[i] is not None:
                self._draw(quads[candidates[i]], inverse[i], *boxes[i])

    def _draw(self, quad, inverse, top, bottom, left, stop, area):
        """Draw the pixels of a box in which `quad` is the nearest surface so far."""
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
            solid = texel != CLEAR
            row, column, near, s, t, texel = (a[solid] for a in (row, column, near, s, t, texel))
        self.nearness[row, column] = near
        self.label[row, column] = texel
        if opaque is not None:
            seen = opaque[t, s]
            row, column, s, t = row[seen], column[seen], s[seen], t[seen]
        self.color[row, column] = color[t, s] * np.float32(quad.light)

    def _bounds(self, corners):
        """Return the box around each of N x 4 x 3 corners in camera axes, None if out of sight."""
        boxes = self._boxes(corners)
        for i in np.flatnonzero((corners[:, :, 2] < NEAR).any(axis=1)):
            polygon = _clip_near(corners[i])
            boxes[i] = self._boxes(polygon[None])[0] if len(polygon) else None
        return boxes

    def _boxes(self, polygons):
        """Project polygons: (top, bottom, left, right, area) in pixels, None if outside."""
        cam = self.camera
        depth = np.maximum(polygons[:, :, 2], NEAR)
        columns = cam.width / 2 + cam.focal * polygons[:, :, 0] / depth
        rows = cam.horizon - cam.focal * polygons[:, :, 1] / depth
        left, right = columns.min(axis=1), columns.max(axis=1)
        top, bottom = rows.min(axis=1), rows.max(axis=1)
        seen = (left < cam.width) & (right >= 0) & (top < cam.height) & (bottom >= 0)
        turned = np.roll(rows, -1, axis=1) - np.roll(rows, 1, axis=1)
        area = abs((columns * turned).sum(axis=1)) / 2
        vertical = np.clip([top, bottom + 1], 0, cam.height).astype(int)
        horizontal = np.clip([left, right + 1], 0, cam.width).astype(int)
        boxes = zip(*vertical.tolist(), *horizontal.tolist(), area.tolist())
        return [box if visible else None for box, visible in zip(boxes, seen)]


def _plane_map(row, x, y):
    """Evaluate row @ (x, y, 1) for all columns x and rows y."""
    return row[0] * x + (row[1] * y + row[2])[:, None]


def _clip_near(corners):
    """Return the part of a polygon (N x 3, camera axes) beyond the near plane."""
    beyond = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0)):
        if a[2] >= NEAR:
            beyond.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            beyond.append(a + (b - a) * (NEAR - a[2]) / (b[2] - a[2]))
    return np.array(beyond)
