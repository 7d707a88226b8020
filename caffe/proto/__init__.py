"""The messages of Caffe's files: caffe.proto, and caffe_pb2 generated from it."""

import copyreg

from caffe.proto import caffe_pb2


def _parse(name, content):
    return getattr(caffe_pb2, name).FromString(content)


def _reduce(message):
    return _parse, (type(message).__name__, message.SerializeToString())


# protoc writes "caffe_pb2" as the name of the module, under which pickle does not find it
for _name in caffe_pb2.DESCRIPTOR.message_types_by_name:
    copyreg.pickle(getattr(caffe_pb2, _name), _reduce)
