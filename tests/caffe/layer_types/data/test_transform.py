"""transform_param: scale, mean, crop and mirror, alone and combined; means from files."""

import numpy as np
import pytest

import caffe
from caffe.errors import DataError
from caffe.layer_types.data.transform import Transform, read_mean
from caffe.proto.caffe_pb2 import TransformationParameter
from tests.caffe.layer_types.data.source_files import datum, noise, write_lmdb, write_mean


def apply(image, train=False, seed=0, **parameters):
    transform = Transform(TransformationParameter(**parameters), train, np.random.default_rng(seed))
    return transform(image, "here")


def test_without_parameters():
    out = apply(noise(3, 4, 5))
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, noise(3, 4, 5))


def test_the_mean_is_subtracted_before_the_scale():
    image = noise(3, 4, 5)
    np.testing.assert_allclose(apply(image, mean_value=[10], scale=0.25), (image - 10.0) * 0.25)
    each = np.array([1, 2, 3.5])[:, None, None]
    np.testing.assert_allclose(apply(image, mean_value=[1, 2, 3.5], scale=2), (image - each) * 2)


@pytest.mark.parametrize(
    "height, width, crop, y, x", [(7, 9, 4, 1, 2), (5, 5, 5, 0, 0), (8, 6, 1, 3, 2)]
)
def test_in_test_the_crop_is_central(height, width, crop, y, x):
    image = noise(3, height, width)
    np.testing.assert_array_equal(
        apply(image, crop_size=crop), image[:, y : y + crop, x : x + crop]
    )


def test_in_train_all_crops_are_equally_frequent_and_the_mean_is_cropped_likewise(tmp_path):
    image = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    mean = np.random.default_rng(0).normal(size=(1, 4, 5)).astype(np.float32)
    write_mean(tmp_path / "mean", mean)
    transform = Transform(
        TransformationParameter(crop_size=3, mean_file=str(tmp_path / "mean")),
        True,
        np.random.default_rng(0),
    )
    count = {}
    for _ in range(600):
        out = transform(image, "here")
        y, x = next(
            (y, x)
            for y in range(2)
            for x in range(3)
            if np.allclose(out, (image - mean)[:, y : y + 3, x : x + 3])
        )
        count[y, x] = count.get((y, x), 0) + 1
    assert len(count) == 6 and min(count.values()) > 65  # 100 expected, standard deviation 9


@pytest.mark.parametrize("train", [True, False])
def test_half_of_the_images_are_mirrored_in_both_phases(train, tmp_path):
    image, mean = noise(2, 3, 4), np.float32(noise(2, 3, 4, seed=1))
    write_mean(tmp_path / "mean", mean)
    transform = Transform(
        TransformationParameter(mirror=True, mean_file=str(tmp_path / "mean")),
        train,
        np.random.default_rng(0),
    )
    straight, mirrored = image - mean, (image - mean)[:, :, ::-1]
    outs = [transform(image, "here") for _ in range(200)]
    turned = sum(np.array_equal(out, mirrored) for out in outs)
    assert 70 < turned < 130
    assert turned + sum(np.array_equal(out, straight) for out in outs) == 200


@pytest.mark.parametrize("legacy", [True, False])
def test_means(tmp_path, legacy):
    mean = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    path = write_mean(tmp_path / "mean.binaryproto", mean, legacy)
    np.testing.assert_array_equal(read_mean(str(path)), mean)
    image = noise(3, 4, 5)
    np.testing.assert_allclose(
        apply(image, mean_file=str(path), crop_size=2), (image - mean)[:, 1:3, 1:3]
    )


def test_a_mean_written_by_caffe(shared):
    mean = read_mean(str(shared / "golden/legacy_v1/mean.binaryproto"))
    assert mean.ndim == 3 and np.isfinite(mean).all() and mean.any()


def test_bad_means(tmp_path):
    small = write_mean(tmp_path / "small", np.ones((3, 2, 2)))
    with pytest.raises(DataError, match=r"here: has shape \(3, 4, 5\), the mean .*small has"):
        apply(noise(3, 4, 5), mean_file=str(small))
    several = write_mean(tmp_path / "several", np.ones((2, 3, 2, 2)), legacy=False)
    (tmp_path / "text").write_text("not a mean")
    (tmp_path / "short").write_bytes(small.read_bytes()[:-9])
    (tmp_path / "empty").write_bytes(b"")
    for name, words in [
        ("several", "a mean is one image"),
        ("text", "is not a .binaryproto mean"),
        ("short", "short is not a .binaryproto mean: it is truncated"),
        ("empty", "is empty"),
        ("none", "no such mean file"),
        ("", "is a folder: name the mean file"),
    ]:
        with pytest.raises(DataError, match=words):
            apply(noise(3, 4, 5), mean_file=str(tmp_path / name))
    assert several.exists()


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_mean_raises_only_data_errors(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = write_mean(tmp_path / "mean", rng.normal(size=(3, 2, 2)), legacy=bool(seed % 2))
    content = bytearray(path.read_bytes())
    for k in rng.integers(len(content), size=1 + seed % 3):
        content[k] = rng.integers(256)
    path.write_bytes(content[: len(content) - int(rng.integers(3)) * (seed % 5 == 0)])
    try:
        assert read_mean(str(path)).ndim == 3
    except DataError as e:
        assert str(path) in str(e)


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(mean_value=[1, 2]), "here: has 3 channels, transform_param 2 mean_value"),
        (dict(mean_value=[1], mean_file="m"), "mean_file and mean_value: keep one"),
        (dict(force_color=True, force_gray=True), "force_color and force_gray: keep one"),
        (dict(crop_size=5), "here: is 4 x 5, smaller than crop_size 5"),
        (dict(crop_size=2**32 - 1), "smaller than crop_size 4294967295"),
    ],
)
def test_parameters_that_contradict_each_other_or_the_image(parameters, words):
    with pytest.raises(DataError, match=words):
        apply(noise(3, 4, 5), **parameters)


def data_layer(path, transform, more=""):
    return (
        f'layer {{ name: "data" type: "Data" top: "data" top: "label" {more} '
        f'data_param {{ source: "{path}" backend: LMDB batch_size: 4 }} '
        f"transform_param {{ {transform} }} }}"
    )


def test_random_choices_follow_the_seed(make_net, tmp_path):
    pytest.importorskip("lmdb")
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 8, 9, seed=i), i) for i in range(4)])

    def batches(seed):
        caffe.set_random_seed(seed)
        net = make_net(data_layer(path, "crop_size: 3 mirror: true"), caffe.TRAIN)
        return np.stack([net.forward()["data"].copy() for _ in range(3)])

    first = batches(1)
    np.testing.assert_array_equal(batches(1), first)
    assert not np.array_equal(batches(2), first)
    assert not np.array_equal(first[0], first[1])


def test_the_phase_of_the_layer_decides(make_net, tmp_path):
    pytest.importorskip("lmdb")
    path = write_lmdb(tmp_path / "db", [datum(noise(1, 7, 7), 0)])
    net = make_net(data_layer(path, "crop_size: 3", "phase: TEST"), caffe.TRAIN)
    np.testing.assert_array_equal(net.forward()["data"], [noise(1, 7, 7)[:, 2:5, 2:5]] * 4)
