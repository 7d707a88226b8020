"""A small net trained on each kind of source, and tested on a second one."""

import h5py
import numpy as np
import pytest
from PIL import Image

import caffe
from tests.caffe.layer_types.data.source_files import datum, write_lmdb

N, CLASSES = 24, 3


def pictures(seed):
    """Return uint8 images, N x 3 x 4 x 4, and labels: class k is noise, brighter in channel k."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(N) % CLASSES)
    images = rng.integers(0, 120, (N, 3, 4, 4), np.uint8)
    images[np.arange(N), labels] += 110
    return images, labels


def lmdb_source(folder, seed):
    pytest.importorskip("lmdb")
    path = write_lmdb(folder / f"db{seed}", map(datum, *pictures(seed)))
    return (
        "Data",
        f'data_param {{ source: "{path}" backend: LMDB batch_size: 8 }} transform_param {{ '
        "scale: 0.01 mean_value: 100 mirror: true crop_size: 3 }",
    )


def image_source(folder, seed):
    lines = []
    for i, (image, label) in enumerate(zip(*pictures(seed))):
        Image.fromarray(image[::-1].transpose(1, 2, 0)).save(folder / f"{seed}-{i}.png")
        lines.append(f"{seed}-{i}.png {label}\n")
    path = folder / f"list{seed}"
    path.write_text("".join(lines))
    return (
        "ImageData",
        f'image_data_param {{ source: "{path}" root_folder: "{folder}/" shuffle: true '
        "batch_size: 8 new_height: 6 new_width: 5 } "
        "transform_param { scale: 0.01 mean_value: 100 }",
    )


def hdf5_source(folder, seed):
    images, labels = pictures(seed)
    for i, rows in enumerate((slice(0, 10), slice(10, N))):
        with h5py.File(folder / f"{seed}-{i}.h5", "w") as f:
            f["data"], f["label"] = images[rows] * 0.01 - 1, labels[rows]
    path = folder / f"list{seed}"
    path.write_text("".join(f"{folder}/{seed}-{i}.h5\n" for i in range(2)))
    return "HDF5Data", f'hdf5_data_param {{ source: "{path}" batch_size: 8 shuffle: true }}'


def memory_source(folder, seed):
    return "MemoryData", "memory_data_param { batch_size: 8 channels: 3 height: 4 width: 4 }"


REST = """
layer { name: "score" type: "InnerProduct" bottom: "data" top: "score"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "score" bottom: "label" top: "accuracy"
  include { phase: TEST } }"""


@pytest.mark.parametrize("source", [lmdb_source, image_source, hdf5_source, memory_source])
def test_a_solver_trains_on_one_source_and_tests_on_another(source, tmp_path, write):
    caffe.set_random_seed(0)
    text = "".join(
        f'layer {{ name: "data" type: "{kind}" top: "data" top: "label" '
        f"include {{ phase: {phase} }} {rest} }}"
        for phase, (kind, rest) in [("TRAIN", source(tmp_path, 1)), ("TEST", source(tmp_path, 2))]
    )
    solver = caffe.SGDSolver(
        write(f'''net: "{write(text + REST)}" base_lr: 0.1 lr_policy: "fixed" momentum: 0.9
        test_iter: 3 test_interval: 50 max_iter: 60 snapshot_after_train: false
        test_initialization: false''')
    )
    if source is memory_source:
        for net, seed in [(solver.net, 1), (solver.test_nets[0], 2)]:
            images, labels = pictures(seed)
            net.set_input_arrays((images * 0.01 - 1).astype(np.float32), labels.astype(np.float32))
    losses = []
    for _ in range(60):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    assert np.mean(losses[-3:]) < 0.1 < 0.5 < losses[0]
    test = solver.test_nets[0]
    test.share_with(solver.net)
    accuracy = np.mean([float(test.forward()["accuracy"]) for _ in range(3)])  # all N images
    assert accuracy > 0.95


def test_a_net_written_by_net_spec(tmp_path, write):
    pytest.importorskip("lmdb")
    images, labels = pictures(1)
    path = write_lmdb(tmp_path / "db", map(datum, images, labels))
    n = caffe.NetSpec()
    n.data, n.label = caffe.layers.Data(
        batch_size=5,
        backend=caffe.params.Data.LMDB,
        source=str(path),
        ntop=2,
        transform_param=dict(scale=1.0 / 255, mean_value=[1, 2, 3]),
    )
    n.score = caffe.layers.InnerProduct(n.data, num_output=3)
    net = caffe.Net(write(str(n.to_proto())), caffe.TRAIN)
    net.forward()
    np.testing.assert_array_equal(net.blobs["label"].data, labels[:5])
    np.testing.assert_allclose(
        net.blobs["data"].data, (images[:5] - np.arange(1.0, 4)[:, None, None]) / 255, atol=1e-6
    )


def test_training_from_a_shuffled_source_is_repeatable(tmp_path, write):
    def train():
        caffe.set_random_seed(3)
        kind, rest = image_source(tmp_path, 1)
        text = f'layer {{ name: "data" type: "{kind}" top: "data" top: "label" {rest} }}'
        solver = caffe.SGDSolver(
            write(f'net: "{write(text + REST)}" base_lr: 0.1 lr_policy: "fixed"')
        )
        solver.step(5)
        return solver.net.params["score"][0].data.copy()

    np.testing.assert_array_equal(train(), train())
