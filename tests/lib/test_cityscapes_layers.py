"""The Cityscapes data layer: its halves, its order, its param_str, and nets trained on it."""

import numpy as np
import pytest
from PIL import Image

from datasets.cityscapes import cityscapes
from datasets.errors import DatasetError
from datasets.miniature import miniature
from lib.cityscapes_layers import half_image, read_params

caffe = pytest.importorskip("caffe")
from caffe import layers as L  # noqa: E402

WIDTH, HEIGHT, OVERLAP = 64, 32, 10


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with three random images and labels in the official layout."""
    root, rng = tmp_path_factory.mktemp("city"), np.random.default_rng(0)
    for number in range(3):
        for package, ending, shape in (
            ("leftImg8bit", "leftImg8bit", (HEIGHT, WIDTH, 3)),
            ("gtFine", "gtFine_labelTrainIds", (HEIGHT, WIDTH)),
        ):
            path = root / package / "val/ulm" / f"ulm_{number:06d}_000019_{ending}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 19, shape, np.uint8)).save(path)
    return root


def data_layer(root, **params):
    """Return the tops data and label of a net spec."""
    params = {"cityscapes_dir": str(root), "split": "val", "overlap": OVERLAP, **params}
    return L.Python(
        module="lib.cityscapes_layers",
        layer="CityscapesSegDataLayer",
        ntop=2,
        param_str=repr(params),
    )


def write(path, spec):
    path.write_text(str(spec.to_proto()))
    return str(path)


@pytest.fixture
def data_net(root, tmp_path):
    """data_net(**params) builds a net of the data layer alone."""

    def make(**params):
        spec = caffe.NetSpec()
        spec.data, spec.label = data_layer(root, **params)
        return caffe.Net(write(tmp_path / "data.prototxt", spec), caffe.TRAIN)

    return make


def epoch(net, frames=3):
    """Return the [(data, label)] of one epoch, as copies."""
    shown = []
    for _ in range(2 * frames):
        fed = net.forward()
        shown.append((fed["data"].copy(), fed["label"].copy()))
    return shown


def same(ours, theirs):
    return all(np.array_equal(a, b) for x, y in zip(ours, theirs) for a, b in zip(x, y))


def test_the_halves_of_an_official_image():
    label = np.random.default_rng(0).integers(0, 19, (1, 1024, 2048), np.uint8)
    image = Image.new("RGB", (2048, 1024))
    for side, seen, own in (
        (0, slice(0, 1234), slice(0, 1024)),
        (1, slice(814, 2048), slice(210, 1234)),
    ):
        half, kept = half_image(image, label, side)
        assert half.size == (1024 + 210, 1024) and kept.shape == (1, 1024, 1024 + 210)
        assert np.array_equal(kept[..., own], label[..., seen][..., own])
        assert (np.delete(kept, own, axis=-1) == 255).all()


@pytest.mark.parametrize("width", [2, 7, 64])
@pytest.mark.parametrize("overlap", [0, 3, 50])
def test_each_pixel_counts_once_at_any_width(width, overlap):
    label = np.arange(2 * width, dtype=np.uint8).reshape(1, 2, width)
    image = Image.fromarray(label[0])
    counted = []
    for side in (0, 1):
        half, kept = half_image(image, label, side, overlap)
        assert half.size == kept.shape[:0:-1]
        own = kept[0] != 255
        assert np.array_equal(np.asarray(half)[own], kept[0][own])
        counted.extend(kept[0][own])
    assert sorted(counted) == list(range(2 * width))


def test_feeds_what_the_dataset_loads(root, data_net):
    data, frames = cityscapes(root), cityscapes(root).list_label_frames("val")
    fed = epoch(data_net(randomize=False))
    middle = WIDTH // 2
    for frame, (left, left_label), (right, right_label) in zip(frames, fed[::2], fed[1::2]):
        whole = data.preprocess(data.load_image("val", frame))
        assert np.array_equal(left[0], whole[..., : middle + OVERLAP])
        assert np.array_equal(right[0], whole[..., middle - OVERLAP :])
        labels = np.concatenate([left_label[..., :middle], right_label[..., OVERLAP:]], -1)
        assert np.array_equal(labels[0], data.load_label("val", frame))
        assert (left_label[..., middle:] == 255).all() and (right_label[..., :OVERLAP] == 255).all()


def test_an_epoch_shows_all_halves_once_in_an_order_of_its_own(data_net):
    net, plain = data_net(seed=5), epoch(data_net(randomize=False))
    first, second = epoch(net), epoch(net)
    for shown in (first, second):
        assert not same(shown, plain)
        assert all(any(same([half], [wanted]) for half in shown) for wanted in plain)
    assert not same(first, second)
    again = data_net(seed=5)
    assert same(epoch(again), first) and same(epoch(again), second)
    assert not same(epoch(data_net(seed=6)), first)


def test_in_order_every_epoch_without_randomize(data_net):
    net = data_net(randomize=False)
    assert same(epoch(net), epoch(net))


def test_without_a_seed_each_run_has_its_order(data_net):
    orders = [data_net(seed=None).layers[0] for _ in range(4)]
    assert len({tuple(layer.order(e)) for layer in orders for e in (0, 1)}) > 4
    assert orders[0].order(3) == orders[0].order(3)


def test_a_reshape_skips_nothing(data_net):
    net, plain = data_net(randomize=False), epoch(data_net(randomize=False))
    for _ in range(3):
        net.reshape()
    assert same(epoch(net), plain)


@pytest.mark.parametrize(
    "text, words",
    [
        ("{'split': 'val'", "'data'.*not a Python literal.*write a dict"),
        ("val", "not a Python literal"),
        ("{'seed': true}", "not a Python literal"),
        ("(" * 5000, "not a Python literal"),
        ("['val']", "write a dict"),
        ("{'splitt': 'val'}", "'data'.*unknown key 'splitt'.*cityscapes_dir, split"),
        ("{'seed': -1}", "'seed' in param_str is -1: give an integer of 0 or more, or None"),
        ("{'seed': True}", "'seed'"),
        ("{'seed': 1.5}", "'seed'"),
        ("{'overlap': '210'}", "'overlap' in param_str is '210'"),
        ("{'overlap': -1}", "'overlap'"),
        ("{'randomize': 1}", "'randomize' in param_str is 1: give True or False"),
        ("{'split': ''}", "'split'"),
        ("{'split': None}", "'split'"),
        ("{'cityscapes_dir': 3}", "'cityscapes_dir' in param_str is 3: give a folder"),
    ],
)
def test_a_bad_param_str_names_layer_key_and_fix(text, words):
    with pytest.raises(ValueError, match=words):
        read_params(text, "layer 'data'")


def test_defaults():
    wanted = dict(cityscapes_dir=None, split="train", randomize=True, seed=0, overlap=210)
    assert read_params("", "") == read_params("  {} ", "") == wanted


def test_params_of_the_papers_prototxts_are_understood(root, data_net):
    assert read_params("{'cscapes_dir': '/data'}", "")["cityscapes_dir"] == "/data"
    plain = epoch(data_net(randomize=False))
    twice = data_net(randomize=False, split=["val", "val"])
    assert same(epoch(twice), plain + plain)


def test_code_in_param_str_is_not_run(tmp_path):
    trap = tmp_path / "trap"
    for code in (
        f"open({str(trap)!r}, 'w')",
        f"{{'seed': open({str(trap)!r}, 'w')}}",
        f"__import__('os').system('touch {trap}')",
    ):
        spec = caffe.NetSpec()
        spec.data, spec.label = L.Python(
            module="lib.cityscapes_layers", ntop=2, param_str=code, layer="CityscapesSegDataLayer"
        )
        with pytest.raises(ValueError, match="layer 'data'.*not a Python literal"):
            caffe.Net(write(tmp_path / "net.prototxt", spec), caffe.TRAIN)
    assert not trap.exists()


def test_missing_data_is_named(data_net, tmp_path):
    with pytest.raises(DatasetError, match="splits.*val"):
        data_net(split="night")
    with pytest.raises(DatasetError, match="no gtFine/ folder"):
        data_net(cityscapes_dir=str(tmp_path))


def test_it_has_two_tops(root, tmp_path):
    spec = caffe.NetSpec()
    spec.data = L.Python(module="lib.cityscapes_layers", layer="CityscapesSegDataLayer")
    with pytest.raises(ValueError, match="layer 'data'.*1 tops: give it no bottom and the tops"):
        caffe.Net(write(tmp_path / "net.prototxt", spec), caffe.TRAIN)


def scored(spec, normalize):
    """Add two convolutions that see 3 pixels to either side, and the loss of their scores."""
    spec.dim = L.Power(spec.data, scale=0.02)  # to values near 1
    spec.conv = L.Convolution(
        spec.dim, num_output=12, kernel_size=5, pad=2, weight_filler=dict(type="xavier")
    )
    spec.relu = L.ReLU(spec.conv, in_place=True)
    spec.score = L.Convolution(
        spec.relu, num_output=19, kernel_size=3, pad=1, weight_filler=dict(type="xavier")
    )
    spec.loss = L.SoftmaxWithLoss(
        spec.score, spec.label, loss_param=dict(ignore_label=255, normalize=normalize)
    )
    return spec


def test_both_halves_train_as_the_whole_image_does(root, tmp_path):
    """Losses and gradients add up if the overlap covers the receptive field."""
    halves, whole = caffe.NetSpec(), caffe.NetSpec()
    halves.data, halves.label = data_layer(root, randomize=False, overlap=3)
    for name, channels in (("data", 3), ("label", 1)):
        whole[name] = L.Input(shape=dict(dim=[1, channels, HEIGHT, WIDTH]))
    halves, whole = (
        caffe.Net(write(tmp_path / f"{k}.prototxt", scored(spec, normalize=False)), caffe.TRAIN)
        for k, spec in enumerate((halves, whole))
    )
    whole.share_with(halves)
    data, frame = cityscapes(root), cityscapes(root).list_label_frames("val")[0]
    whole.blobs["data"].data[...] = data.preprocess(data.load_image("val", frame))
    whole.blobs["label"].data[...] = data.load_label("val", frame)
    loss = 0
    for _ in range(2):
        loss += halves.forward()["loss"]
        halves.backward()
    summed = {name: [b.diff.copy() for b in blobs] for name, blobs in halves.params.items()}
    assert float(loss) == pytest.approx(float(whole.forward()["loss"]), rel=1e-5)
    halves.clear_param_diffs()
    whole.backward()
    for name, blobs in whole.params.items():
        for blob, diff in zip(blobs, summed[name]):
            np.testing.assert_allclose(blob.diff, diff, rtol=1e-3, atol=1e-4 * abs(diff).max())


def test_a_net_learns_streets_from_it(tmp_path):
    streets = miniature("cityscapes", tmp_path / "city", workers=1, size=(WIDTH, HEIGHT), val=1)
    spec = caffe.NetSpec()
    spec.data, spec.label = data_layer(streets)
    net = write(tmp_path / "net.prototxt", scored(spec, normalize=True))
    (tmp_path / "solver.prototxt").write_text(
        f'train_net: "{net}" base_lr: 0.02 momentum: 0.9 lr_policy: "fixed" random_seed: 1'
    )
    solver = caffe.SGDSolver(str(tmp_path / "solver.prototxt"))
    losses = []
    for _ in range(60):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    assert np.mean(losses[-6:]) < 0.7 * np.mean(losses[:6])


@pytest.mark.parametrize(
    "side, overlap, shape", [(2, 0, (4, 6)), ("left", 0, (4, 6)), (0, -1, (4, 6)), (0, 0, (6, 4))]
)
def test_halves_of_no_image(side, overlap, shape):
    with pytest.raises(ValueError, match=r"image \(6, 4\) \(W, H\).*give side 0 \(left\) or 1"):
        half_image(Image.new("RGB", (6, 4)), np.zeros(shape, np.uint8), side, overlap)
