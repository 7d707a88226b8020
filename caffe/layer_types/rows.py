"""Layers that select rows, the entries along the first axis: BatchReindex and Filter."""

import torch

from caffe.errors import LabelRange
from caffe.layer_types.base import Geometry, LayerType, Precision, Shapes, Tensors, Tops, register


@register("BatchReindex")
class BatchReindex(LayerType):
    """y[i] = x[index[i]]: bottom 1 indexes the rows of bottom 0.

    An index may repeat; the gradients of a row taken several times add up.
    Source: BVLC Caffe, batch_reindex_layer.
    """

    bottoms = (2, 2)
    precision = Precision.FLOAT32  # row numbers

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return one row per index; raise ShapeMismatch if the indices have not one axis."""
        rows, index = shapes
        if len(index) != 1 or not rows:
            of, indices = self.spec.bottom
            raise self.mismatch(
                f"bottom {indices!r} indexes the rows of bottom {of!r} and must have one axis; "
                f"their shapes are {index} and {rows}"
            )
        return Geometry((tuple(index) + tuple(rows[1:]),))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the indexed rows; raise LabelRange if an index is out of range."""
        x, index = bottoms[0], bottoms[1].long()
        bad = index[(index < 0) | (index >= len(x))]
        if len(bad):
            rows, indices = self.spec.bottom
            raise self.error(
                f"bottom {indices!r} indexes row {bad[0]}, but bottom {rows!r} has {len(x)} rows",
                LabelRange,
            )
        return (x.index_select(0, index),)

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom `i` is the rows: indices have no gradient."""
        return i == 0


@register("Filter")
class Filter(LayerType):
    """For each bottom but the last, y = the rows i with selector[i] != 0, in their order.

    The last bottom is the selector, N x 1 x ...; there is one top for each other bottom. Rows left
    out have gradient 0. The number of rows of a top is known only after forward; until then the top
    has all rows.
    Source: BVLC Caffe, filter_layer.
    """

    bottoms = (2, None)
    tops = (1, None)
    precision = Precision.FLOAT32  # the selector
    content_sized = True

    def check_spec(self) -> None:
        """Raise LayerError unless there is one top for each bottom but the selector."""
        super().check_spec()
        n_bottoms, n_tops = len(self.spec.bottom), len(self.spec.top)
        if n_tops != n_bottoms - 1:
            raise self.error(
                "takes one top for each bottom but the last, the selector: the prototxt gives "
                f"{n_bottoms} bottoms, {n_tops} top(s)"
            )

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the shapes of the bottoms; raise ShapeMismatch if the selector does not fit."""
        *rows, selector = shapes
        last = self.spec.bottom[-1]
        if not selector or any(d != 1 for d in selector[1:]):
            raise self.mismatch(
                f"its selector {last!r} has shape {tuple(selector)}: it needs one value for each "
                "row, N x 1 x ..."
            )
        for name, shape in zip(self.spec.bottom, rows):
            if shape[:1] != selector[:1]:
                raise self.mismatch(
                    f"bottom {name!r} of shape {tuple(shape)} does not have the {selector[0]} rows "
                    f"of its selector {last!r}"
                )
        return Geometry(tuple(map(tuple, rows)))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the selected rows of each bottom but the selector."""
        *rows, selector = bottoms
        index = torch.nonzero(selector.reshape(-1))[:, 0]
        return tuple(x.index_select(0, index) for x in rows)

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom `i` is not the selector."""
        return i < len(self.spec.bottom) - 1
