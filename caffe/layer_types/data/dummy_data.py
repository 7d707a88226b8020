"""DummyData: blobs filled with constants or noise, for trying a net without data."""

from collections.abc import Sequence
from typing import TypeVar

from caffe.blobs.fillers import fill
from caffe.layer_types.base import Geometry, LayerType, Shapes, Tensors, Tops, register
from caffe.proto.caffe_pb2 import FillerParameter

LEGACY = ("num", "channels", "height", "width")
Value = TypeVar("Value")


@register("DummyData")
class DummyData(LayerType):
    """y = a blob of the given shape, filled again by data_filler at each forward.

    Shapes and fillers are given one per top, or one for all. Constants (0 without a data_filler)
    are filled only once, when the net is built: what the user writes over them stays.
    Source: BVLC Caffe, dummy_data_layer.
    """

    bottoms = (0, 0)
    tops = (1, None)

    def check_spec(self) -> None:
        """Raise LayerError if the number of fillers fits neither one for all nor one per top."""
        super().check_spec()
        if self.spec.dummy_data_param.data_filler:
            self.fillers()

    def each(self, values: Sequence[Value], what: str) -> list[Value]:
        """Return one value per top, from one value or from one per top.

        Parameters
        ----------
        values : sequence
            What the prototxt gives.
        what : str
            The name of the field, for the error message.

        Raises
        ------
        LayerError
            If there is any other number of values.
        """
        n = len(self.spec.top)
        if len(values) not in (1, n):
            raise self.error(
                f"{what} is given {len(values)} times for {n} tops: give one each, or one for all"
            )
        return list(values) * n if len(values) == 1 else list(values)

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the shapes of the prototxt: `shape`, or num, channels, height and width."""
        p = self.spec.dummy_data_param
        if p.shape:
            return Geometry(tuple(tuple(s.dim) for s in self.each(p.shape, "shape")))
        return Geometry(tuple(zip(*(self.each(getattr(p, name), name) for name in LEGACY))))

    def fillers(self) -> list[FillerParameter]:
        """Return the filler of each top; the default fills with zeros."""
        p = self.spec.dummy_data_param
        return self.each(p.data_filler or [FillerParameter()], "data_filler")

    def initial(self, geometry: Geometry) -> Tops:
        """Return the constants, and None for the tops that forward fills."""
        return self._filled(geometry, constants=True)

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return new noise, and None for the constants, which keep their content."""
        return self._filled(geometry, constants=False)

    def _filled(self, geometry, constants):
        """Return the tops whose filler is a constant (or is not one), and None for the others."""
        return tuple(
            fill(f, shape, self.name) if (f.type == "constant") == constants else None
            for f, shape in zip(self.fillers(), geometry.tops)
        )
