"""More rows than one batch holds: Net.forward_all, forward_backward_all and set_input_arrays."""
from itertools import zip_longest

import numpy as np

from .errors import CaffeError, ShapeMismatch
from .layer_types.memory_data import MemoryData


class Batches:
    """What Net has from here; it stands on forward, backward, blobs, inputs and outputs."""

    def set_input_arrays(self, data, labels):
        """Hand arrays to the MemoryData layer that the net begins with: see its `set_arrays`."""
        first = self._graph.layers[0] if self._graph.layers else None
        if not isinstance(first, MemoryData):
            raise CaffeError('set_input_arrays may only be called if the first layer is a '
                             'MemoryData layer; it is %s'
                             % ('%r (%s)' % (first.name, first.spec.type) if first else 'missing'))
        first.set_arrays(data, labels)

    def forward_all(self, blobs=None, **inputs):
        """Forward any number of rows, a batch at a time: {name: array of all rows}.

        inputs: for each input of the net an array or list of rows; blobs: names to return besides
        the outputs. The last batch is filled up with zeros, whose results are dropped; CaffeError
        where they cannot be told apart, as in a loss.
        """
        self._check_rows(inputs)
        found = [_copied(self.forward(blobs=blobs, **batch)) for batch in self._batch(inputs)]
        return self._joined(found, len(inputs[self.inputs[0]]))

    def forward_backward_all(self, blobs=None, diffs=None, **arrays):
        """Forward and backward any number of rows: ({name: values}, {name: diffs}).

        arrays: rows for each input, as in forward_all, and rows of diffs for the net's outputs
        (none where they are losses). diffs: names whose diff to return besides the inputs'.
        """
        tops = {name: rows for name, rows in arrays.items() if name in self.outputs}
        inputs = {name: rows for name, rows in arrays.items() if name not in tops}
        self._check_rows(inputs, tops)
        values, gradients = [], []
        for batch, top_diffs in zip_longest(self._batch(inputs), self._batch(tops), fillvalue={}):
            values.append(_copied(self.forward(blobs=blobs, **batch)))
            gradients.append(_copied(self.backward(diffs=diffs, **top_diffs)))
        n = len(inputs[self.inputs[0]])
        return self._joined(values, n), self._joined(gradients, n)

    def _check_rows(self, inputs, tops=()):
        """CaffeError unless there are rows for each input, as many for all."""
        if not inputs or set(inputs) != set(self.inputs):
            raise CaffeError('rows were given for %s, the net takes %s: give rows for each input'
                             % (sorted(inputs), sorted(self.inputs)))
        lengths = {name: len(rows) for name, rows in {**inputs, **dict(tops)}.items()}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            raise ShapeMismatch('the numbers of rows must be one or more and agree: %s' % ', '.join(
                '%s has %d' % item for item in lengths.items()))

    def _batch(self, rows):
        """Yield {name: one batch}, the last one filled up with zeros."""
        size = self.blobs[self.inputs[0]].shape[0]
        for begin in range(0, max(map(len, rows.values()), default=0), size):
            batch = {}
            for name, array in rows.items():
                part = np.asarray(array[begin:begin + size])
                batch[name] = np.zeros((size, *part.shape[1:]), part.dtype)
                batch[name][:len(part)] = part
            yield batch

    def _joined(self, found, n):
        """The batches' arrays one after another, without the rows that filled up the last."""
        size, joined = self.blobs[self.inputs[0]].shape[0], {}
        for name in found[0]:
            parts = [np.atleast_1d(part[name]) for part in found]
            if n % size and len(parts[-1]) != size:
                raise CaffeError('%r has shape %s, not a row for each of the %d of a batch: give a '
                                 'multiple of %d rows, as zeros would fill up the last batch'
                                 % (name, found[-1][name].shape, size, size))
            joined[name] = np.concatenate(parts)[:n if n % size else None]
        return joined


def _copied(arrays):
    """The next batch overwrites the arrays that forward and backward return."""
    return {name: array.copy() for name, array in arrays.items()}
