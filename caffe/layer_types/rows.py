"""Layers that pick rows, the entries along the first axis: BatchReindex and Filter."""

import torch

from caffe.errors import LabelRange
from caffe.layer_types.base import Geometry, LayerType, Precision, register


@register("BatchReindex")
class BatchReindex(LayerType):
    """y[i] = x[index[i]]: bottom 1 numbers the rows of bottom 0, in any order and any number of
    times. The gradients of a row taken several times add up.
    Source: BVLC Caffe, batch_reindex_layer.
    """

    bottoms = (2, 2)
    precision = Precision.FLOAT32  # numbers of rows

    def geometry(self, shapes):
        """One row for each number; bottom 1 has one axis."""
        rows, index = shapes
        if len(index) != 1 or not rows:
            raise self.mismatch(
                "bottom {!r} numbers rows of bottom {!r} and has one axis; their shapes"
                " are {} and {}".format(*reversed(self.spec.bottom), index, rows)
            )
        return Geometry((tuple(index) + tuple(rows[1:]),))

    def forward(self, geometry, bottoms, params):
        """See the class; LabelRange where a number is no row."""
        x, index = bottoms[0], bottoms[1].long()
        bad = index[(index < 0) | (index >= len(x))]
        if len(bad):
            raise self.error(
                "%d in bottom %r is no row of the %d of bottom %r"
                % (bad[0], self.spec.bottom[1], len(x), self.spec.bottom[0]),
                LabelRange,
            )
        return (x.index_select(0, index),)

    def takes_gradient(self, i):
        """Numbers of rows have none."""
        return i == 0


@register("Filter")
class Filter(LayerType):
    """Of each bottom but the last the rows i where selector[i] != 0, in their order.

    The last bottom is the selector, N x 1 x ...; there is one top for each other bottom. Rows left
    out have the gradient 0. How many rows a top has is known once forward has run; until then it
    has all of them.
    Source: BVLC Caffe, filter_layer.
    """

    bottoms = (2, None)
    tops = (1, None)
    precision = Precision.FLOAT32  # the selector
    content_sized = True

    def check_counts(self):
        super().check_counts()
        if len(self.spec.top) != len(self.spec.bottom) - 1:
            raise self.error(
                "takes one top for each bottom but the last, the selector: the "
                "prototxt gives %d bottoms, %d top(s)" % (len(self.spec.bottom), len(self.spec.top))
            )

    def geometry(self, shapes):
        """Every row; ShapeMismatch where the selector has not one value for each."""
        *rows, selector = shapes
        if not selector or any(d != 1 for d in selector[1:]):
            raise self.mismatch(
                f"its selector {self.spec.bottom[-1]!r} has shape {tuple(selector)}: it needs one value for each row, "
                "N x 1 x ..."
            )
        for name, shape in zip(self.spec.bottom, rows):
            if shape[:1] != selector[:1]:
                raise self.mismatch(
                    "bottom %r of shape %s does not have the %d rows of its "
                    "selector %r" % (name, tuple(shape), selector[0], self.spec.bottom[-1])
                )
        return Geometry(tuple(map(tuple, rows)))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        *rows, selector = bottoms
        index = torch.nonzero(selector.reshape(-1))[:, 0]
        return tuple(x.index_select(0, index) for x in rows)

    def takes_gradient(self, i):
        """The selector has none."""
        return i < len(self.spec.bottom) - 1
