"""HDF5Data and HDF5Output: blobs from and to HDF5 files."""

import os

from caffe.errors import DataError, WeightsError
from caffe.layer_types.base import Blobs, StatefulLayer, register
from caffe.layer_types.data.base import Source
from caffe.layer_types.data.hdf5_append import RowFile
from caffe.layer_types.data.hdf5_rows import Rows


@register("HDF5Data")
class HDF5Data(Source):
    """y = the next batch_size rows of the dataset that has the top's name, cyclically.

    hdf5_data_param
        source: a text file with the path of an HDF5 file on each line, relative to the working
        directory; batch_size; shuffle: draw files, and rows within a file, in a new random order in
        each epoch.

    There may be any number of tops, of any shape. The values are used as they are; a
    transform_param is an error.
    Source: BVLC Caffe, hdf5_data_layer.
    """

    param_name = "hdf5_data_param"
    tops = (1, None)

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Open the list of files and give the tops their shapes."""
        if self.spec.HasField("transform_param"):
            raise self.error("HDF5 data is not transformed: remove transform_param")
        with self.naming_errors():
            random = self.random if self.param.shuffle else None
            self.rows = Rows(self.param.source, list(self.spec.top), random)
        for blob, shape in zip(top, self.rows.shapes):
            self.shape_top(blob, (self.param.batch_size, *shape))

    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Fill the tops with the next rows."""
        with self.naming_errors():
            arrays = self.rows.draw(self.param.batch_size)
        for blob, array in zip(top, arrays):
            self.fill_top(blob, array)


@register("HDF5Output")
class HDF5Output(StatefulLayer):
    """Writes its two bottoms to the datasets `data` and `label` of the file file_name.

    The first forward overwrites the file, each later one appends its rows (Caffe fails there). The
    file has all rows of the forwards that have returned, whenever the process ends or the disk is
    full; see `hdf5_append`.
    Source: BVLC Caffe, hdf5_output_layer.
    """

    bottoms = (2, 2)
    tops = (0, 0)
    DATASETS = "data", "label"

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Raise DataError unless the file can be created; nothing is written yet."""
        self.path = self.spec.hdf5_output_param.file_name
        self.file: RowFile | None = None
        folder = os.path.dirname(os.path.abspath(self.path))
        if not self.path or os.path.isdir(self.path) or not os.path.isdir(folder):
            raise self.error(
                f"hdf5_output_param.file_name is {self.path!r}: name a file in a folder that "
                "exists",
                DataError,
            )

    def reshape(self, bottom: Blobs, top: Blobs) -> None:
        """Raise ShapeMismatch unless both bottoms have the same number of rows."""
        data, label = (blob.shape for blob in bottom)
        if data[:1] != label[:1] or not data:
            raise self.mismatch(
                f"its bottoms have shapes {data} and {label}: they need the same number of rows"
            )

    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Write the rows of the bottoms to the file."""
        arrays = {name: blob.data for name, blob in zip(self.DATASETS, bottom)}
        try:
            file = self.file or RowFile(
                self.path, {name: array.shape[1:] for name, array in arrays.items()}
            )
            file.append(arrays)
        except WeightsError as e:
            raise self.error(str(e), DataError) from None
        except (OSError, ValueError) as e:
            raise self.error(f"{self.path} cannot be written: {e}", DataError) from None
        self.file = file

    def takes_gradient(self, i: int) -> bool:
        """Return False: the layer only writes."""
        return False
