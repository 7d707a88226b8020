"""Data: images and labels of a database."""

from caffe.errors import DataError
from caffe.layer_types.base import register
from caffe.layer_types.data import datum
from caffe.layer_types.data.base import ImageSource
from caffe.layer_types.data.lmdb_records import Records
from caffe.proto import caffe_pb2


@register("Data")
class Data(ImageSource):
    """Datum records of an LMDB in the order of their keys, round and round.

    data_param: source, the folder of the database, counted from the current one; batch_size;
    backend, LMDB (a LEVELDB, Caffe's default, has to be converted); rand_skip, begin at a random
    one of the first rand_skip records. prefetch has no effect: nothing is read ahead.
    transform_param: see sources/transform.py; its force_color and force_gray decode encoded
    records to 3 channels or 1, others stay as they are.
    Source: BVLC Caffe, data_layer.
    """

    parameters = "data_param"

    def open(self):
        p = self.given
        if p.backend != caffe_pb2.DataParameter.LMDB:
            raise DataError(
                f"{p.source}: data_param.backend is LEVELDB (the default): convert the database "
                "to LMDB, and say backend: LMDB"
            )
        self.colour = True if p.force_encoded_color else self.transform.colour
        self.records = Records(p.source)
        return self.records.count

    def current(self):
        place, value = self.records.current()
        record = datum.parse(value, place)
        return datum.to_array(record, place, self.colour), record.label, place

    def advance(self):
        self.records.advance()
