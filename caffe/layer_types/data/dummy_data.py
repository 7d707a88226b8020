"""DummyData: blobs filled by a filler, to try a net without data."""

from caffe.blobs.fillers import fill
from caffe.layer_types.base import Geometry, LayerType, register
from caffe.proto.caffe_pb2 import FillerParameter

OLD = ("num", "channels", "height", "width")


@register("DummyData")
class DummyData(LayerType):
    """y = what data_filler fills the shapes given with (one each, or one for all), anew at each
    forward.

    Constants (0 without a data_filler) are filled once, when the net is built: what the user writes
    over them stays.
    Source: BVLC Caffe, dummy_data_layer.
    """

    bottoms = (0, 0)
    tops = (1, None)

    def check_counts(self):
        super().check_counts()
        self.each(self.spec.dummy_data_param.data_filler, "data_filler", optional=True)

    def each(self, values, what, optional=False):
        """One value for each top, from as many or from one."""
        n = len(self.spec.top)
        if len(values) not in ((0, 1, n) if optional else (1, n)):
            raise self.error(
                "%s is given %d times for %d tops: give one each, or one for all"
                % (what, len(values), n)
            )
        return list(values) * n if len(values) == 1 else list(values)

    def geometry(self, shapes):
        """The shapes of the prototxt, as `shape` or as num, channels, height, width."""
        p = self.spec.dummy_data_param
        if p.shape:
            return Geometry(tuple(tuple(s.dim) for s in self.each(p.shape, "shape")))
        return Geometry(tuple(zip(*(self.each(getattr(p, name), name) for name in OLD))))

    def fillers(self):
        """The FillerParameter of each top (the default fills with zeros)."""
        p = self.spec.dummy_data_param
        return self.each(p.data_filler or [FillerParameter()], "data_filler")

    def initial(self, geometry):
        """The constants."""
        return self._filled(geometry, constants=True)

    def forward(self, geometry, bottoms, params):
        """The others; None for a constant, which stays as it is."""
        return self._filled(geometry, constants=False)

    def _filled(self, geometry, constants):
        return tuple(
            fill(f, shape, self.name) if (f.type == "constant") == constants else None
            for f, shape in zip(self.fillers(), geometry.tops)
        )
