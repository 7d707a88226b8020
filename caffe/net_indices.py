"""Layers and blobs of a Net by number: names with an underscore that scripts for pycaffe use."""


class Indices:
    """What Net has from here: blobs and layers are numbered in the order of the net."""

    _blob_names = property(lambda self: list(self.blobs), doc='names of the blobs')
    _blobs = property(lambda self: list(self.blobs.values()), doc='the blobs')
    _blob_loss_weights = property(lambda self: list(self.blob_loss_weights.values()),
                                  doc='loss weight of each blob')
    _inputs = property(lambda self: self._numbers(self.inputs), doc='numbers of the input blobs')
    _outputs = property(lambda self: self._numbers(self.outputs), doc='numbers of the outputs')

    def _numbers(self, names):
        order = {name: i for i, name in enumerate(self.blobs)}
        return [order[name] for name in names]

    def _bottom_ids(self, layer):
        """Numbers of the blobs below layer number `layer`."""
        return self._numbers(self._graph.bottoms[layer])

    def _top_ids(self, layer):
        """Numbers of the blobs above layer number `layer`."""
        return self._numbers(self._graph.tops[layer])

    def _forward(self, first, last):
        """Run layers by number, both inclusive; the loss."""
        self.forward_range(first, last)
        return self.loss()

    def _backward(self, last, first):
        """Propagate diffs through layers by number, both inclusive."""
        self.backward_range(last, first)
