"""What the layers have in common that keep something between calls: a cursor, a file, a user's
object. All others are pure functions (see base.py)."""
from .base import Geometry, LayerType


class StatefulLayer(LayerType):
    """Base of Python layers and of data sources and sinks. The Net hands them Blobs, not tensors.

    blobs: the learned ones that `setup` made.
    """
    blobs = ()

    def setup(self, bottom, top):
        """Once, before the first reshape; lists of Blobs."""

    def reshape(self, bottom, top):
        """Before each forward: give each top its shape, where that is known by now."""

    def run(self, bottom, top):
        """Forward: fill the tops' data."""
        raise self.error('this layer type runs nothing itself')

    def run_backward(self, top, propagate_down, bottom):
        """Backward: fill the bottoms' diff where propagate_down. Nothing, unless overridden."""

    def geometry(self, shapes):
        """Unknown: reshape and run decide."""
        return Geometry(())
