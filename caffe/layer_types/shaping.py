"""Layers that only move elements: Concat, Slice, Crop, Tile, Flatten, Reshape."""

import math
from collections.abc import Sequence

import torch

from caffe.layer_types.base import (
    Geometry,
    LayerType,
    Precision,
    Shapes,
    Tensors,
    Tops,
    canonical_axis,
    register,
)


def _axis(layer, param, older, n):
    """Return `axis` of a parameter group, or the field `older` that preceded it if that is set."""
    if param.HasField("axis") and param.HasField(older):
        raise layer.error(f"gives axis and {older}, its older name: keep axis")
    return canonical_axis(layer, getattr(param, older if param.HasField(older) else "axis"), n)


@register("Concat")
class Concat(LayerType):
    """y = x_1, x_2, ... concatenated along `axis` (older name: concat_dim).

    The other axes of the bottoms must agree.
    Source: BVLC Caffe, concat_layer.
    """

    bottoms = (1, None)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottoms' shape with their sizes along the axis summed."""
        axis = _axis(self, self.spec.concat_param, "concat_dim", len(shapes[0]))
        rest = [tuple(s[:axis]) + tuple(s[axis + 1 :]) for s in shapes]
        if any(len(s) != len(shapes[0]) for s in shapes) or any(r != rest[0] for r in rest):
            given = ", ".join(f"{name} {shape}" for name, shape in zip(self.spec.bottom, shapes))
            raise self.mismatch(f"its bottoms differ in other axes than axis {axis}: {given}")
        top = shapes[0][:axis] + (sum(s[axis] for s in shapes),) + shapes[0][axis + 1 :]
        return Geometry((top,), extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the concatenated bottoms."""
        return (torch.cat(tuple(bottoms), geometry.extra["axis"]),)


@register("Slice")
class Slice(LayerType):
    """y_1, y_2, ... = x cut along `axis` (older name: slice_dim).

    Cuts before each slice_point or, if there is none, into equal parts.
    Source: BVLC Caffe, slice_layer.
    """

    tops = (1, None)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the shape of one part per top; raise ShapeMismatch if x cannot be cut so."""
        p, shape, n = self.spec.slice_param, shapes[0], len(self.spec.top)
        axis = _axis(self, p, "slice_dim", len(shape))
        ends: Sequence[int]
        if p.slice_point:
            ends = [0, *p.slice_point, shape[axis]]
            if len(ends) != n + 1 or any(a >= b for a, b in zip(ends, ends[1:])):
                raise self.mismatch(
                    f"slice_point {list(p.slice_point)} cannot cut {shape[axis]} into {n} tops: "
                    "give one value less than there are tops, in increasing order"
                )
        elif shape[axis] % n:
            raise self.mismatch(
                f"axis {axis} of length {shape[axis]} does not divide into {n} equal tops: give "
                "slice_point"
            )
        else:
            ends = range(0, shape[axis] + 1, shape[axis] // n)
        sizes = [b - a for a, b in zip(ends, ends[1:])]
        tops = tuple(shape[:axis] + (size,) + shape[axis + 1 :] for size in sizes)
        return Geometry(tops, extra={"axis": axis, "sizes": sizes})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the parts of the bottom, copied."""
        parts = torch.split(bottoms[0], geometry.extra["sizes"], geometry.extra["axis"])
        return tuple(part.contiguous() for part in parts)


@register("Crop")
class Crop(LayerType):
    """y[i] = x[i + offset] for i within the size of bottom 1, from `axis` on.

    Bottom 1 gives only its shape. `offset` is one value for all axes or one per axis, 0 by default:
    the crop is never centred.
    Sources: BVLC Caffe, crop_layer; Long et al., FCN, 2015.
    """

    any_order = True
    bottoms = (2, 2)
    precision = Precision.AS_HELD  # scores stay in float32

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the cropped shape; raise ShapeMismatch if it reaches outside bottom 0."""
        p, (whole, like) = self.spec.crop_param, shapes
        axis = canonical_axis(self, p.axis, len(whole))
        if len(like) != len(whole):
            raise self.mismatch(f"bottoms have {len(whole)} and {len(like)} axes")
        given, n = list(p.offset), len(whole) - axis
        if len(given) not in (0, 1, n):
            raise self.error(f"offset has {len(given)} values for the {n} axes from axis {axis}")
        offsets = [0] * axis + (given if len(given) == n else (given or [0]) * n)
        size = whole[:axis] + like[axis:]
        for i in range(axis, len(whole)):
            if offsets[i] + size[i] > whole[i]:
                raise self.mismatch(
                    f"axis {i}: offset {offsets[i]} + size {size[i]} is more than the {whole[i]} "
                    f"of bottom {self.spec.bottom[0]!r}"
                )
        return Geometry((size,), extra={"offsets": tuple(offsets)})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the crop, copied."""
        cut = tuple(slice(o, o + d) for o, d in zip(geometry.extra["offsets"], geometry.tops[0]))
        return (bottoms[0][cut].contiguous(),)

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom `i` is the image: bottom 1 gives only its shape."""
        return i == 0


@register("Tile")
class Tile(LayerType):
    """y = `tiles` copies of x, concatenated along `axis`.

    Source: BVLC Caffe, tile_layer.
    """

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape with its size along the axis multiplied by `tiles`."""
        p, shape = self.spec.tile_param, shapes[0]
        axis = canonical_axis(self, p.axis, len(shape))
        if p.tiles < 1:
            raise self.error(f"tiles is {p.tiles}, must be 1 or more")
        top = shape[:axis] + (shape[axis] * p.tiles,) + shape[axis + 1 :]
        return Geometry((top,), extra={"axis": axis})

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the copies, concatenated."""
        return (torch.cat([bottoms[0]] * self.spec.tile_param.tiles, geometry.extra["axis"]),)


class Regroup(LayerType):
    """Base class of layers that give the same elements, in the same order, another shape."""

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom in the top's shape."""
        return (bottoms[0].contiguous().reshape(geometry.tops[0]),)


@register("Flatten")
class Flatten(Regroup):
    """y = x with the axes from `axis` to `end_axis`, both inclusive, merged into one.

    Source: BVLC Caffe, flatten_layer.
    """

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape with the merged axes replaced by their product."""
        p, shape = self.spec.flatten_param, shapes[0]
        first = canonical_axis(self, p.axis, len(shape))
        last = canonical_axis(self, p.end_axis, len(shape))
        if first > last:
            raise self.error(f"end_axis {last} lies before axis {first}")
        merged = math.prod(shape[first : last + 1])
        return Geometry((shape[:first] + (merged,) + shape[last + 1 :],))


@register("Reshape")
class Reshape(Regroup):
    """y = x with `num_axes` axes from `axis` on replaced by the dimensions of `shape`.

    num_axes -1 means to the end. In `shape`, 0 copies the bottom's size at that place, and one -1
    takes what is left.
    Source: BVLC Caffe, reshape_layer.
    """

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the new shape; raise ShapeMismatch if it has another number of elements."""
        p, shape = self.spec.reshape_param, tuple(shapes[0])
        n = len(shape)
        first = p.axis if p.axis >= 0 else p.axis + n + 1
        last = n if p.num_axes == -1 else first + p.num_axes
        if not 0 <= first <= last <= n:
            raise self.error(
                f"axis {p.axis} and num_axes {p.num_axes} reach outside the {n} axes of its bottom"
            )
        dims = list(p.shape.dim)
        for i, d in enumerate(dims):
            if d == 0 and first + i >= n:
                raise self.error(
                    f"dim 0 at place {i} copies an axis that its bottom {shape} does not have"
                )
            dims[i] = shape[first + i] if d == 0 else d
        if dims.count(-1) > 1 or min(dims, default=0) < -1:
            raise self.error(f"dims {dims}: one may be -1, the others must be 0 or more")
        if -1 in dims:
            known = math.prod(d for d in dims if d != -1)
            left = math.prod(shape[first:last])
            dims[dims.index(-1)] = left // known if known else 0
        top = shape[:first] + tuple(dims) + shape[last:]
        if math.prod(top) != math.prod(shape):
            raise self.mismatch(
                f"{shape} has {math.prod(shape)} elements, {top} would have {math.prod(top)}"
            )
        return Geometry((top,))
