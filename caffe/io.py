"""Images and arrays on their way into and out of nets; each part is in the module named."""
from .array_protos import (
    array_to_blobproto,
    array_to_datum,
    arraylist_to_blobprotovector_str,
    blobproto_to_array,
    blobprotovector_str_to_arraylist,
    datum_to_array,
)
from .images import load_image, oversample, resize_image
from .proto import caffe_pb2
from .transformer import Transformer

__all__ = ['Transformer', 'array_to_blobproto', 'array_to_datum',
           'arraylist_to_blobprotovector_str', 'blobproto_to_array',
           'blobprotovector_str_to_arraylist', 'caffe_pb2', 'datum_to_array', 'load_image',
           'oversample', 'resize_image']
