"""Data: labelled images of a database."""

import numpy as np

from caffe.errors import DataError
from caffe.layer_types.base import register
from caffe.layer_types.data import datum
from caffe.layer_types.data.base import ImageSource
from caffe.layer_types.data.lmdb_records import Records
from caffe.proto import caffe_pb2


@register("Data")
class Data(ImageSource):
    """y = the Datum records of an LMDB in the order of their keys, cyclically, and their labels.

    data_param
        source: the folder of the database, relative to the working directory; batch_size;
        backend: LMDB (LEVELDB, the default, has to be converted); rand_skip: begin at a random one
        of the first rand_skip records. prefetch has no effect: nothing is read ahead.
    transform_param
        See `transform`; force_color and force_gray decode encoded records to 3 channels or 1, and
        leave other records as they are.

    Source: BVLC Caffe, data_layer.
    """

    param_name = "data_param"

    def open(self) -> int:
        """Open the database and return its number of records."""
        p = self.param
        if p.backend != caffe_pb2.DataParameter.LMDB:
            raise DataError(
                f"{p.source}: data_param.backend is LEVELDB (the default): convert the database "
                "to LMDB, and say backend: LMDB"
            )
        self.colour = True if p.force_encoded_color else self.transform.colour
        self.records = Records(p.source)
        return self.records.count

    def current(self) -> tuple[np.ndarray, int, str]:
        """Return the image of the current record, its label, and the database and key."""
        place, value = self.records.current()
        record = datum.parse(value, place)
        return datum.to_array(record, place, self.colour), record.label, place

    def advance(self) -> None:
        """Go to the next record, from the last to the first."""
        self.records.advance()
