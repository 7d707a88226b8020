"""Data: the records of an LMDB in key order, cyclically; shapes, encodings, damage."""

import sys
import threading

import numpy as np
import pytest

import caffe
from caffe.errors import DataError, LayerError, ShapeMismatch
from caffe.proto import caffe_pb2
from tests.caffe.layer_types.data.source_files import datum, encoded, noise, write_lmdb

pytest.importorskip("lmdb")


def data_layer(path, batch=1, data="", more=""):
    return (
        f'layer {{ name: "data" type: "Data" top: "data" top: "label" {more} data_param {{ '
        f'source: "{path}" backend: LMDB batch_size: {batch} prefetch: 2 {data} }} }}'
    )


@pytest.fixture
def data_net(make_net, tmp_path):
    """Return data_net(records, batch, data, more, keys): a Net with one Data layer."""

    def data_net(records, batch=2, data="", more="", keys=None, phase=caffe.TEST, name="db"):
        path = write_lmdb(tmp_path / name, records, keys)
        return make_net(data_layer(path, batch, data, more), phase)

    return data_net


def test_key_order_and_wrap_around(data_net):
    images = noise(5, 3, 4, 6)
    keys = [b"00000003", b"00000001", b"00000004", b"00000000", b"00000002"]  # order written
    net = data_net([datum(images[int(k)], int(k)) for k in keys], keys=keys)
    assert net.blobs["data"].shape == (2, 3, 4, 6) and net.blobs["label"].shape == (2,)
    assert net.inputs == [] and set(net.outputs) == {"data", "label"}
    for wanted in ([0, 1], [2, 3], [4, 0], [1, 2], [3, 4], [0, 1]):
        out = net.forward()
        np.testing.assert_array_equal(out["label"], wanted)
        np.testing.assert_array_equal(out["data"], images[wanted])


def test_a_batch_larger_than_the_database(data_net):
    net = data_net([datum(noise(1, 2, 2, seed=i), i) for i in range(3)], batch=7)
    np.testing.assert_array_equal(net.forward()["label"], [0, 1, 2, 0, 1, 2, 0])


def test_the_label_is_optional(make_net, tmp_path):
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2), 5)])
    net = make_net(data_layer(path).replace('top: "label"', ""))
    assert list(net.forward()) == ["data"]


def test_floats_and_negative_labels(data_net):
    image = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    out = data_net([datum(image, -3)], batch=1).forward()
    np.testing.assert_array_equal(out["data"][0], image)
    assert out["label"] == -3


@pytest.mark.parametrize(
    "image, force, wanted",
    [
        (noise(4, 5, 3), "", lambda i: i[:, :, ::-1].transpose(2, 0, 1)),
        (noise(4, 5, 4), "", lambda i: i[:, :, [2, 1, 0, 3]].transpose(2, 0, 1)),
        (noise(4, 5), "", lambda i: i[None]),
        (noise(4, 5), "force_color: true", lambda i: np.stack([i] * 3)),
        (noise(4, 5, 4), "force_color: true", lambda i: i[:, :, [2, 1, 0]].transpose(2, 0, 1)),
        (noise(4, 5, 3), "force_gray: true", lambda i: (i @ [0.299, 0.587, 0.114])[None]),
    ],
)
def test_encoded_images(data_net, image, force, wanted):
    net = data_net([encoded(image, 7)], batch=1, more=f"transform_param {{ {force} }}")
    out = net.forward()
    np.testing.assert_allclose(out["data"][0], wanted(image.astype(float)), atol=0.51)
    assert out["label"] == 7


def test_force_encoded_color_of_older_nets(data_net):
    assert data_net([encoded(noise(4, 5))], batch=1, data="force_encoded_color: true").blobs[
        "data"
    ].shape == (1, 3, 4, 5)


def test_encoded_jpeg_is_as_opencv_decodes_it(data_net):
    cv2 = pytest.importorskip("cv2")
    smooth = np.kron(noise(5, 6, 3), np.ones((8, 8, 1), np.uint8))
    record = encoded(smooth, form="JPEG")
    wanted = cv2.imdecode(np.frombuffer(record.data, np.uint8), cv2.IMREAD_COLOR)
    got = data_net([record], batch=1).forward()["data"][0]
    assert np.abs(got - wanted.transpose(2, 0, 1)).max() <= 2


def test_batches_of_one_image_may_differ_in_shape(data_net):
    shapes = [(3, 4, 5), (3, 6, 2), (1, 4, 5)]
    net = data_net([datum(noise(*s), i) for i, s in enumerate(shapes)], batch=1)
    for shape in [*shapes, shapes[0]]:
        assert net.forward()["data"].shape == net.blobs["data"].diff.shape == (1, *shape)


def test_a_layer_above_follows_the_shape(make_net, tmp_path):
    path = write_lmdb(tmp_path / "db", [datum(noise(3, 4, 5)), datum(noise(3, 8, 9))])
    net = make_net(
        data_layer(path)
        + """
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
        pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "silence" type: "Silence" bottom: "label" }"""
    )
    shapes = [net.forward()["pool"].shape for _ in range(3)]
    assert shapes == [(1, 3, 2, 3), (1, 3, 4, 5), (1, 3, 2, 3)]


def test_images_of_a_batch_may_not_differ_in_shape(data_net):
    net = data_net([datum(noise(3, 4, 5)), datum(noise(3, 6, 5)), datum(noise(3, 6, 5))])
    with pytest.raises(DataError, match=r"'data' \(Data\).*'00000001': has shape.*crop_size"):
        net.forward()


def test_crops_give_images_one_shape(data_net):
    net = data_net(
        [datum(noise(3, 4, 5)), datum(noise(3, 6, 5))], more="transform_param { crop_size: 4 }"
    )
    assert net.forward()["data"].shape == (2, 3, 4, 4)


def test_a_stage_needs_data_that_was_read(make_net, tmp_path):
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2), 5)])
    net = make_net(
        data_layer(path)
        + """
layer { name: "power" type: "Power" bottom: "data" top: "power" }"""
    )
    with pytest.raises(caffe.errors.StaleInput, match="run forward from layer .data."):
        net.forward(start="power")
    net.forward(end="data")
    np.testing.assert_array_equal(net.forward(start="power")["power"], net.blobs["data"].data)


def test_rand_skip_begins_within_the_first_records(data_net):
    records = [datum(noise(1, 2, 2), i) for i in range(9)]
    begun = set()
    for seed in range(12):
        caffe.set_random_seed(seed)
        net = data_net(records, batch=1, data="rand_skip: 4", name=f"db{seed}")
        first = int(net.forward()["label"][0])
        assert int(net.forward()["label"][0]) == first + 1
        begun.add(first)
    assert begun <= {0, 1, 2, 3} and len(begun) > 1


def test_two_nets_on_one_database_have_their_own_positions(data_net, tmp_path, make_net):
    records = [datum(noise(1, 2, 2), i) for i in range(4)]
    one = data_net(records, batch=1)
    other = make_net(data_layer(tmp_path / "db", batch=3), caffe.TRAIN)
    for wanted in range(3):
        assert one.forward()["label"] == wanted
    np.testing.assert_array_equal(other.forward()["label"], [0, 1, 2])
    np.testing.assert_array_equal(other.forward()["label"], [3, 0, 1])


def test_nets_release_their_database(data_net, tmp_path):
    net = data_net([datum(noise(1, 2, 2), 1)], batch=1)
    net.forward()
    del net
    # fails if the net still holds it: LMDB opens a file only once per process
    write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2), 2)])


def test_the_source_may_be_the_data_file(make_net, tmp_path):
    write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2), 3)])
    net = make_net(data_layer(tmp_path / "db" / "data.mdb"))
    assert net.forward()["label"] == 3
    assert not (tmp_path / "db" / "data.mdb-lock").exists()


@pytest.mark.parametrize(
    "record, words",
    [
        (b"\xff\xff\xff", "'00000000': 3 bytes that are not a Datum"),
        (
            caffe_pb2.Datum(channels=3, height=4, width=5, data=b"123"),
            "holds 3 values for channels x",
        ),
        (
            caffe_pb2.Datum(channels=3, height=4, width=5, float_data=[1]),
            "holds 1 values for channels",
        ),
        (caffe_pb2.Datum(channels=2**20, height=2**20, width=2**20, data=b"1"), "maximum"),
        (caffe_pb2.Datum(channels=-1, height=-1, width=1, data=b"1"), "cannot have shape"),
        (caffe_pb2.Datum(data=b"1"), "is empty"),
        (caffe_pb2.Datum(data=b"GIF89a", encoded=True), "encoded image: is not an image"),
        (caffe_pb2.Datum(encoded=True), "encoded image: is not an image"),
    ],
)
def test_records_without_an_image(data_net, record, words):
    record = record if isinstance(record, bytes) else record.SerializeToString()
    with pytest.raises(DataError, match=r"layer 'data' \(Data\): .*db: record.*" + words):
        data_net([record])


def test_a_truncated_image_in_the_middle_of_a_batch(data_net):
    good = encoded(noise(40, 50, 3))
    bad = caffe_pb2.Datum(data=good.data[: len(good.data) // 2], encoded=True)
    net = data_net([good, bad])
    for _ in range(2):
        with pytest.raises(DataError, match="record b'00000001': encoded image.*damaged"):
            net.forward()


def test_databases_that_cannot_be_opened(make_net, tmp_path, data_net):
    def build(path, **kwargs):
        return make_net(data_layer(path, **kwargs))

    (tmp_path / "level").mkdir()
    (tmp_path / "level" / "CURRENT").write_text("MANIFEST-000001")
    (tmp_path / "folder").mkdir()
    for path, words in [
        ("level", "is a LevelDB: convert it"),
        ("folder", "holds no data.mdb"),
        ("nothing", "no such database"),
    ]:
        with pytest.raises(DataError, match=words):
            build(tmp_path / path)
    with pytest.raises(DataError, match="no source is given"):
        build("")
    write_lmdb(tmp_path / "empty", [])
    with pytest.raises(DataError, match="holds no records"):
        build(tmp_path / "empty")
    with pytest.raises(LayerError, match="batch_size is 0: give 1 or more"):
        build(tmp_path / "empty", batch=0)
    with pytest.raises(ShapeMismatch, match="make it smaller"):
        data_net([datum(noise(1, 200, 200))], batch=2**31)


def test_leveldb_is_refused_even_as_the_default(make_net, tmp_path):
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2))])
    text = data_layer(path).replace("backend: LMDB", "")
    with pytest.raises(DataError, match="LEVELDB .the default.*say backend: LMDB"):
        make_net(text)


def test_a_database_that_is_open_elsewhere_in_the_process(tmp_path, make_net):
    lmdb = pytest.importorskip("lmdb")
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2))])
    env = lmdb.open(str(path))
    with pytest.raises(DataError, match="close.. it first"):
        make_net(data_layer(path))
    env.close()
    make_net(data_layer(path))


def test_without_the_package(make_net, tmp_path, monkeypatch):
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 2, 2))])
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DataError, match="pip install lmdb"):
        make_net(data_layer(path))


def test_data_layers_of_the_second_generation(make_net, tmp_path):
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 6, 6), 3)])
    net = make_net(f'''layers {{ name: "data" type: DATA top: "data" top: "label" data_param {{
        source: "{path}" backend: LMDB batch_size: 1 scale: 0.5 crop_size: 4 }} }}''')
    np.testing.assert_array_equal(
        net.forward()["data"][0], noise(1, 6, 6)[:, 1:5, 1:5] * np.float32(0.5)
    )


def test_rand_skip_beyond_the_end_wraps_around(data_net):
    net = data_net([datum(noise(1, 2, 2), i) for i in range(3)], data="rand_skip: 4294967295")
    assert net.forward()["label"][0] in (0, 1, 2)


def test_nets_in_two_threads_on_one_database_are_independent(make_net, tmp_path):
    n = 50
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 9, 9, seed=i), i) for i in range(n)])
    nets = [make_net(data_layer(path, batch)) for batch in (1, 3)]
    wrong = []

    def run(net, batch):
        for k in range(150):
            labels = net.forward()["label"]
            wanted = np.arange(k * batch, (k + 1) * batch) % n
            if not np.array_equal(labels, wanted) or not all(
                np.array_equal(image, noise(1, 9, 9, seed=int(label)))
                for image, label in zip(net.blobs["data"].data, labels)
            ):
                wrong.append((k, labels))

    threads = [threading.Thread(target=run, args=pair) for pair in zip(nets, (1, 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
