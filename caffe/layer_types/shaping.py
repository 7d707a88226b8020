"""Layers that only move elements: Concat, Slice, Flatten, Reshape, Tile."""

import math

import torch

from caffe.layer_types.base import Geometry, LayerType, Precision, canonical_axis, register


def _axis(layer, param, older, n):
    """`axis` of a parameter group, or the older name of it where that is given."""
    if param.HasField("axis") and param.HasField(older):
        raise layer.error(f"gives axis and {older}, its older name: keep axis")
    return canonical_axis(layer, getattr(param, older if param.HasField(older) else "axis"), n)


@register("Concat")
class Concat(LayerType):
    """y = x_1, x_2, ... one after the other along `axis` (older: concat_dim); their other axes must
    agree.
    Source: BVLC Caffe, concat_layer.
    """

    bottoms = (1, None)

    def geometry(self, shapes):
        """The sum of the bottoms' sizes along the axis."""
        axis = _axis(self, self.spec.concat_param, "concat_dim", len(shapes[0]))
        rest = [tuple(s[:axis]) + tuple(s[axis + 1 :]) for s in shapes]
        if any(len(s) != len(shapes[0]) for s in shapes) or any(r != rest[0] for r in rest):
            raise self.mismatch(
                "its bottoms differ beside axis %d: %s"
                % (axis, ", ".join("{} {}".format(*pair) for pair in zip(self.spec.bottom, shapes)))
            )
        top = shapes[0][:axis] + (sum(s[axis] for s in shapes),) + shapes[0][axis + 1 :]
        return Geometry((top,), extra={"axis": axis})

    def forward(self, geometry, bottoms, params):
        """See the class."""
        return (torch.cat(bottoms, geometry.extra["axis"]),)


@register("Slice")
class Slice(LayerType):
    """y_1, y_2, ... = x cut along `axis` (older: slice_dim) before each slice_point, or into equal
    parts.
    Source: BVLC Caffe, slice_layer.
    """

    tops = (1, None)

    def geometry(self, shapes):
        """One part for each top."""
        p, shape, n = self.spec.slice_param, shapes[0], len(self.spec.top)
        axis = _axis(self, p, "slice_dim", len(shape))
        if p.slice_point:
            ends = [0, *p.slice_point, shape[axis]]
            if len(ends) != n + 1 or any(a >= b for a, b in zip(ends, ends[1:])):
                raise self.mismatch(
                    "slice_point %s cannot cut %d into %d tops: give one less than "
                    "tops, rising" % (list(p.slice_point), shape[axis], n)
                )
        elif shape[axis] % n:
            raise self.mismatch(
                "axis %d of %d does not part into %d equal tops: give slice_point"
                % (axis, shape[axis], n)
            )
        else:
            ends = range(0, shape[axis] + 1, shape[axis] // n)
        sizes = [b - a for a, b in zip(ends, ends[1:])]
        tops = tuple(shape[:axis] + (size,) + shape[axis + 1 :] for size in sizes)
        return Geometry(tops, extra={"axis": axis, "sizes": sizes})

    def forward(self, geometry, bottoms, params):
        """See the class."""
        parts = torch.split(bottoms[0], geometry.extra["sizes"], geometry.extra["axis"])
        return tuple(part.contiguous() for part in parts)


class Regroup(LayerType):
    """The same elements in the same order under another shape."""

    def forward(self, geometry, bottoms, params):
        """The bottom in the top's shape."""
        return (bottoms[0].contiguous().reshape(geometry.tops[0]),)


@register("Flatten")
class Flatten(Regroup):
    """y = x with the axes `axis` to `end_axis`, both inclusive, made one.
    Source: BVLC Caffe, flatten_layer.
    """

    def geometry(self, shapes):
        """The product of the joined axes."""
        p, shape = self.spec.flatten_param, shapes[0]
        first = canonical_axis(self, p.axis, len(shape))
        last = canonical_axis(self, p.end_axis, len(shape))
        if first > last:
            raise self.error("end_axis %d lies before axis %d" % (last, first))
        joined = math.prod(shape[first : last + 1])
        return Geometry((shape[:first] + (joined,) + shape[last + 1 :],))


@register("Reshape")
class Reshape(Regroup):
    """y = x with `num_axes` axes from `axis` on (-1: to the end) given the dimensions of `shape`,
    in which 0 copies the bottom's axis at that place and one -1 takes what is left.
    Source: BVLC Caffe, reshape_layer.
    """

    def geometry(self, shapes):
        """ShapeMismatch where the elements do not fit."""
        p, shape = self.spec.reshape_param, tuple(shapes[0])
        n = len(shape)
        first = p.axis if p.axis >= 0 else p.axis + n + 1
        last = n if p.num_axes == -1 else first + p.num_axes
        if not 0 <= first <= last <= n:
            raise self.error(
                "axis %d and num_axes %d reach outside the %d axes of its bottom"
                % (p.axis, p.num_axes, n)
            )
        dims = list(p.shape.dim)
        for i, d in enumerate(dims):
            if d == 0 and first + i >= n:
                raise self.error(
                    "dim 0 at place %d copies an axis that its bottom %s does not have" % (i, shape)
                )
            dims[i] = shape[first + i] if d == 0 else d
        if dims.count(-1) > 1 or min(dims, default=0) < -1:
            raise self.error(f"dims {dims}: one may be -1, the others are 0 or more")
        if -1 in dims:
            known = math.prod(d for d in dims if d != -1)
            left = math.prod(shape[first:last])
            dims[dims.index(-1)] = left // known if known else 0
        top = shape[:first] + tuple(dims) + shape[last:]
        if math.prod(top) != math.prod(shape):
            raise self.mismatch(
                "%s has %d elements, %s would have %d"
                % (shape, math.prod(shape), top, math.prod(top))
            )
        return Geometry((top,))


@register("Tile")
class Tile(LayerType):
    """y = x, x, ... `tiles` times, one after the other along `axis`.
    Source: BVLC Caffe, tile_layer.
    """

    def geometry(self, shapes):
        """`tiles` times the size along the axis."""
        p, shape = self.spec.tile_param, shapes[0]
        axis = canonical_axis(self, p.axis, len(shape))
        if p.tiles < 1:
            raise self.error("tiles is %d, must be 1 or more" % p.tiles)
        return Geometry(
            (shape[:axis] + (shape[axis] * p.tiles,) + shape[axis + 1 :],), extra={"axis": axis}
        )

    def forward(self, geometry, bottoms, params):
        """See the class."""
        return (torch.cat([bottoms[0]] * self.spec.tile_param.tiles, geometry.extra["axis"]),)


@register("Crop")
class Crop(LayerType):
    """y[i] = x[i + offset] for i in the size of bottom 1, from `axis` on; `offset` is 0 unless
    given, one for all axes or one each, and never centres. Bottom 1 only gives its shape.
    Sources: BVLC Caffe, crop_layer; Long et al., FCN, 2015.
    """

    any_order = True
    bottoms = (2, 2)
    precision = Precision.AS_HELD

    def geometry(self, shapes):
        """ShapeMismatch where the cut would reach outside bottom 0."""
        p, (whole, like) = self.spec.crop_param, shapes
        axis = canonical_axis(self, p.axis, len(whole))
        if len(like) != len(whole):
            raise self.mismatch("bottoms have %d and %d axes" % (len(whole), len(like)))
        given, n = list(p.offset), len(whole) - axis
        if len(given) not in (0, 1, n):
            raise self.error(
                "offset has %d values for the %d axes from axis %d" % (len(given), n, axis)
            )
        offsets = [0] * axis + (given if len(given) == n else (given or [0]) * n)
        size = whole[:axis] + like[axis:]
        for i in range(axis, len(whole)):
            if offsets[i] + size[i] > whole[i]:
                raise self.mismatch(
                    "axis %d: offset %d + size %d is more than the %d of bottom %r"
                    % (i, offsets[i], size[i], whole[i], self.spec.bottom[0])
                )
        return Geometry((size,), extra={"offsets": tuple(offsets)})

    def forward(self, geometry, bottoms, params):
        """The cut, copied."""
        cut = tuple(slice(o, o + d) for o, d in zip(geometry.extra["offsets"], geometry.tops[0]))
        return (bottoms[0][cut].contiguous(),)

    def takes_gradient(self, i):
        """Bottom 1 gives only its shape."""
        return i == 0
