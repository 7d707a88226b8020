"""HDF5Data and HDF5Output: blobs from and to HDF5 files."""

import os

import h5py

from caffe.errors import DataError
from caffe.layer_types.base import StatefulLayer, register
from caffe.layer_types.data.base import Source
from caffe.layer_types.data.hdf5_rows import Rows
from caffe.weights.hdf5 import DAMAGE


@register("HDF5Data")
class HDF5Data(Source):
    """Rows of datasets that are named as the tops are; any number of tops, of any shape.

    hdf5_data_param: source, a text file with the path of an HDF5 file on each line, counted from
    the current folder; batch_size; shuffle, files and the rows in them in a random order anew each
    round. The rows are numbers, taken as they are: a transform_param is refused.
    Source: BVLC Caffe, hdf5_data_layer.
    """

    parameters = "hdf5_data_param"
    tops = (1, None)

    def setup(self, bottom, top):
        if self.spec.HasField("transform_param"):
            raise self.error("HDF5 data is not transformed: remove transform_param")
        with self.named():
            self.rows = Rows(
                self.given.source, list(self.spec.top), self.random if self.given.shuffle else None
            )
        for blob, shape in zip(top, self.rows.shapes):
            self.shape_top(blob, (self.given.batch_size, *shape))

    def run(self, bottom, top):
        with self.named():
            arrays = self.rows.draw(self.given.batch_size)
        for blob, array in zip(top, arrays):
            self.fill_top(blob, array)


@register("HDF5Output")
class HDF5Output(StatefulLayer):
    """Writes its two bottoms to the datasets `data` and `label` of a file.

    hdf5_output_param: file_name. The first forward begins the file anew, each further one appends
    its rows (where Caffe stops with an error).
    Source: BVLC Caffe, hdf5_output_layer.
    """

    bottoms = (2, 2)
    tops = (0, 0)
    NAMES = "data", "label"

    def setup(self, bottom, top):
        self.path, self.begun = self.spec.hdf5_output_param.file_name, False
        folder = os.path.dirname(os.path.abspath(self.path))
        if not self.path or os.path.isdir(self.path) or not os.path.isdir(folder):
            raise self.error(
                f"hdf5_output_param.file_name is {self.path!r}: name a file in a folder that "
                "exists",
                DataError,
            )

    def reshape(self, bottom, top):
        rows = [blob.shape[:1] for blob in bottom]
        if rows[0] != rows[1] or not rows[0]:
            raise self.mismatch(
                "its bottoms have shapes {} and {}: they need the same number of rows".format(
                    *tuple(blob.shape for blob in bottom)
                )
            )

    def run(self, bottom, top):
        try:
            with h5py.File(self.path, "a" if self.begun else "w") as file:
                for name, blob in zip(self.NAMES, bottom):
                    self._append(file, name, blob.data)
        except DAMAGE as e:
            raise self.error(f"{self.path} cannot be written: {e}", DataError) from None
        self.begun = True

    def _append(self, file, name, rows):
        if name not in file:
            file.create_dataset(name, data=rows, maxshape=(None, *rows.shape[1:]))
            return
        kept = file[name]
        if kept.shape[1:] != rows.shape[1:]:
            raise ValueError(
                f"dataset {name!r} has rows of shape {kept.shape[1:]}, this batch {rows.shape[1:]}"
            )
        kept.resize(len(kept) + len(rows), 0)
        kept[-len(rows) :] = rows

    def takes_gradient(self, i):
        """None: it only writes."""
        return False
