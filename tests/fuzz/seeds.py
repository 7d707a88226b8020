"""What the fuzzers begin with: a small sound file of each kind and generation."""

import h5py

from caffe.proto import caffe_pb2
from tests.fuzz import targets

PROTOTXT = [
    targets.NET,
    'name: "x" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    'layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 weight_decay: 0\n'
    '  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }\n',
    'input: "data" input_shape { dim: 1 dim: 3 }\nlayers { layer { name: "p" type: "padding" '
    'pad: 1 } bottom: "data" top: "p" }\nlayers { layer { name: "c" type: "conv" num_output: 2 '
    'kernelsize: 3 blobs_lr: 1. } bottom: "p" top: "c" }\n',
    'net: "net.prototxt" base_lr: 1e-3 lr_policy: "step" stepsize: 10 solver_type: ADAM  # text\n'
    "test_iter: [1, 0x2]; test_interval: 017 snapshot_prefix: 'a' \"b\" solver_mode: GPU\n",
    'input: "d" input_shape { dim: 1 } input_dim: 3 layers { layer { name: "r" type: "relu" '
    'stride: 1 source: "C:\\data\\q" } bottom: "d" top: "r" }  # \u201ctext\u201d\n',
]


def _models():
    net = targets.net()
    path = targets.path_of(b"", "seed.caffemodel")
    net.save(path)
    model = caffe_pb2.NetParameter()
    with open(path, "rb") as f:
        model.ParseFromString(f.read())
    yield model
    second, first = caffe_pb2.NetParameter(), caffe_pb2.NetParameter()
    for layer in model.layer:
        blobs = []
        for blob in layer.blobs:
            shape = [1] * (4 - len(blob.shape.dim)) + list(blob.shape.dim)
            axes = dict(zip(("num", "channels", "height", "width"), shape))
            blobs.append(caffe_pb2.BlobProto(double_data=blob.data, **axes))
        second.layers.add(name=layer.name, blobs=blobs)
        first.layers.add().layer.MergeFrom(caffe_pb2.V0LayerParameter(name=layer.name, blobs=blobs))
    yield from (second, first)


def _hdf5(**options):
    path = targets.path_of(b"", "seed.h5")
    with h5py.File(path, "w", libver=options.pop("libver", None)) as f:
        for name, blobs in targets.net().params.items():
            for i, blob in enumerate(blobs):
                f.create_dataset(f"data/{name}/{i}", data=blob.data, **options)
    with open(path, "rb") as f:
        return f.read()


def seeds(target):
    """Sound files for one of targets.TARGETS, as bytes."""
    if target == "prototxt":
        return [text.encode() for text in PROTOTXT]
    if target == "caffemodel":
        return [model.SerializeToString() for model in _models()]
    packed = dict(compression="gzip", shuffle=True, fletcher32=True)
    return [_hdf5(), _hdf5(libver="latest"), _hdf5(**packed), _hdf5(libver="latest", **packed)]
