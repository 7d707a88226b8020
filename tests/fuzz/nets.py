"""Nets of one layer with extreme parameters: python -m tests.fuzz.nets [SEED [NUMBER]]

Each is built, run forward and backward, within 6 GB and 20 seconds of the processor; it gives a
result or a CaffeError, and anything else is printed and makes the exit status 1.
"""

import random
import resource
import signal
import sys

from google.protobuf import text_format

import caffe
from caffe.errors import CaffeError
from caffe.layer_types import registry
from caffe.proto import caffe_pb2

MEMORY, SECONDS = int(6e9), 20
WHOLE = [
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    -1,
    -(2**31),
    0,
    1,
    2,
    3,
    46341,
    65536,
    19999,
    20000,
    20001,
    10**6,
]
REAL = [0.0, -1.0, 1e38, -1e38, float("inf"), float("nan"), 1e-38]
SHAPES = [(1, 2, 8, 8)] * 4 + [(1, 2), (), (0, 2, 3, 3), (1, 2, 1, 1)]
SOUND = {  # what a layer needs to be built at all
    "Convolution": "convolution_param { num_output: 2 kernel_size: 3 }",
    "Deconvolution": "convolution_param { num_output: 2 kernel_size: 3 }",
    "Im2col": "convolution_param { kernel_size: 3 }",
    "SPP": "spp_param { pyramid_height: 2 }",
    "InnerProduct": "inner_product_param { num_output: 2 }",
    "Tile": "tile_param { tiles: 2 }",
    "Pooling": "pooling_param { kernel_size: 2 }",
    "Clip": "clip_param { min: 0 max: 1 }",
    "Embed": "embed_param { num_output: 2 input_dim: 4 }",
    "Reshape": "reshape_param { shape { dim: 0 dim: -1 } }",
    "Parameter": "parameter_param { shape { dim: 2 } }",
    "DummyData": "dummy_data_param { shape { dim: 2 } }",
    "Input": "input_param { shape { dim: 2 } }",
    "MemoryData": "memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 }",
}
GROUP = {
    "Deconvolution": "convolution_param",
    "Im2col": "convolution_param",
    "SoftmaxWithLoss": "softmax_param",
}  # of settings, where not called like the type
FIELDS = caffe_pb2.LayerParameter.DESCRIPTOR.fields


def settings(kind):
    """Paths, lists of FieldDescriptors, to the numbers and flags that a layer type may read."""
    for field in FIELDS:
        own = field.name.replace("_param", "").replace("_", "") == kind.lower()
        if own or field.name in ("param", "loss_param", GROUP.get(kind)):
            yield from _leaves(field, [])


def _leaves(field, path):
    path = [*path, field]
    if field.message_type:
        for inner in field.message_type.fields:
            yield from _leaves(inner, path)
    elif field.cpp_type != field.CPPTYPE_STRING:
        yield path


def _extreme(rng, field):
    if field.enum_type:
        return rng.choice(field.enum_type.values).number
    if field.cpp_type == field.CPPTYPE_BOOL:
        return rng.random() < 0.5
    real = field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE)
    return rng.choice(REAL if real else WHOLE)


def _put(message, path, value):
    for field in path[:-1]:
        message = getattr(message, field.name)
        if field.is_repeated:
            message = message[0] if len(message) else message.add()
    if path[-1].is_repeated:
        held = getattr(message, path[-1].name)
        held[:] = [value] * max(1, len(held))
    else:
        setattr(message, path[-1].name, value)


def random_net(rng):
    """A NetParameter: Input layers and one layer of a random type with a few extreme settings."""
    kind = rng.choice([name for name in sorted(registry) if name != "Python"])
    net = caffe_pb2.NetParameter(force_backward=True)
    (bottoms, most), (tops, _) = registry[kind].bottoms, registry[kind].tops
    if rng.random() < 0.2 or most is None and not bottoms:
        bottoms += 1
    for i in range(bottoms):
        shape = caffe_pb2.BlobShape(dim=rng.choice(SHAPES))
        net.layer.add(name=f"in{i}", type="Input", top=[f"in{i}"], input_param=dict(shape=[shape]))
    layer = net.layer.add(
        name="layer",
        type=kind,
        bottom=[f"in{i}" for i in range(bottoms)],
        top=[f"top{i}" for i in range(tops + (rng.random() < 0.2))],
    )
    text_format.Parse(SOUND.get(kind, ""), layer)
    paths = list(settings(kind))
    for path in rng.choices(paths, k=rng.randint(1, 5)):
        try:
            _put(layer, path, _extreme(rng, path[-1]))
        except ValueError:  # more than the field holds: protobuf has refused it
            pass
    return net


class TookTooLong(BaseException):
    """No CaffeError: nothing in the package may catch it."""


def _ring(*_):
    raise TookTooLong(f"more than {SECONDS} s")


def findings(seed, number):
    """Yield (net, exception) of those of `number` random nets that end in anything but a result or
    a CaffeError. Changes the process: its memory is limited."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, _ring)
    rng = random.Random(seed)
    for _ in range(number):
        net, phase = random_net(rng), rng.choice([caffe.TRAIN, caffe.TEST])
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            made = caffe.Net.from_param(net, phase)
            made.forward()
            made.backward()
        except CaffeError:
            pass
        except (Exception, TookTooLong) as error:
            yield net, error
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        made = None  # before the next one needs the room


def main(seed=0, number=4000):
    """Print what was found; the exit status."""
    found = 0
    for net, error in findings(int(seed), int(number)):
        print(f"{net}-> {type(error).__name__}: {error}\n", flush=True)
        found += 1
    print(f"{number} nets, {found} findings")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
