"""Training of light nets: complete recipes, initial weights, crops, and phases."""

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from caffe import layers as L
from datasets.miniature import miniature
from nets import build
from nets.training import train
from nets.training.recipes import RECIPES, Phase, Recipe, labelled_frames, youtube_frames
from nets.weights import FOLDER, TABLE, WeightsFileError, find_net


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_has_its_net_solvers_and_table_entry(name):
    recipe = RECIPES[name]
    find_net(f"{name}-train")
    for phase in recipe.phases:
        assert (FOLDER / f"training/{name}{phase.suffix}-solver.prototxt").is_file()
    assert recipe.start in {None, "vgg16", *TABLE}
    assert TABLE[name].command == f"make train-{name}"


def test_layers_of_the_same_shape_are_copied():
    net = caffe.Net(find_net("miniature-voc-fcn8s-light-train"), caffe.TRAIN)
    other = caffe.Net(
        find_net("stage-camvid-fcn8s-light"),
        str(FOLDER / "camvid-fcn8s-light.caffemodel"),
        caffe.TEST,
    )
    new = train.start_from(net, "camvid-fcn8s-light")
    assert {"score_fr", "score_pool4", "score_pool3"} <= set(new)  # 21 classes instead of 11
    assert "fc7" not in new
    assert (net.params["fc7"][0].data == other.params["fc7"][0].data).all()
    assert (net.params["score_fr"][0].data == 0).all()


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    root = tmp_path_factory.mktemp("shots") / "youtube"
    return miniature("youtube", root, size=(192, 144), train=1, test=0, workers=1)


def test_crops_are_drawn_from_the_training_frames(shots):
    data, frames = youtube_frames(shots, shots=1)
    assert len(frames) == 11 and frames[0][0].shape == (240, 320, 3)
    assert set(np.unique(frames[-1][1])) == {0, 1}  # VOC's background and aeroplane
    sample = train.sampler(data, frames, even=1.0, crop=(96, 128), scale=(0.8, 1.2))
    in_, label = sample(np.random.default_rng(0))
    assert in_.shape == (3, 96, 128) and in_.dtype == np.float32
    assert label.shape == (96, 128) and set(np.unique(label)) <= {0, 1, 255}


def test_only_labelled_frames_are_used(shots):
    data, _ = youtube_frames(shots, shots=1)
    [clip] = data.clips(period=6, split="train", warmup=3)
    labels = [clip.label(i) for i in range(len(clip))]
    labelled = [i for i, label in enumerate(labels) if label is not None]
    assert 0 < len(labelled) < len(clip)
    for step in (1, 2):
        expected = [i for i in labelled if i % step == 0]
        frames = labelled_frames([clip], step)
        assert len(frames) == len(expected)
        for (image, label), i in zip(frames, expected, strict=True):
            assert (image == np.array(clip.image(i))).all() and (label == labels[i]).all()


SCORES = ("score_fr", "score_pool4", "score_pool3")


class Noise:
    """A dataset of noise in two classes."""

    def preprocess(self, image):
        return np.array(image, np.float32).transpose(2, 0, 1) / 255

    def frames(self, root):
        rng = np.random.default_rng(0)
        return self, [
            (rng.integers(0, 256, (12, 12, 3), np.uint8), rng.integers(0, 2, (12, 12), np.uint8))
            for _ in range(3)
        ]


def tiny_spec():
    """Return a train net in which three layers score each pixel."""
    n = caffe.NetSpec()
    n.data = L.Input(shape={"dim": [2, 3, 8, 8]})
    n.label = L.Input(shape={"dim": [2, 1, 8, 8]})
    filler = {"type": "gaussian", "std": 0.1}
    for layer in SCORES:
        n[layer] = L.Convolution(
            n.data, num_output=2, kernel_size=1, weight_filler=filler, bias_filler=filler
        )
    n.score = L.Eltwise(*(n[layer] for layer in SCORES))
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


@pytest.fixture
def tiny(tmp_path):
    """Return a folder with the net `tiny`; the solver of its second phase changes no weight."""
    (tmp_path / "training").mkdir()
    net = tmp_path / "training/tiny-train.prototxt"
    net.write_text(text_format.MessageToString(tiny_spec()))
    for suffix, rate in (("", 0.1), ("-second", 0.0)):
        solver = build.solver("davis-fcn8s-light", max_iter=3, base_lr=rate)
        solver.train_net = str(net)
        solver.snapshot_prefix = str(tmp_path / f"tiny{suffix}")
        path = tmp_path / f"training/tiny{suffix}-solver.prototxt"
        path.write_text(text_format.MessageToString(solver))
    yield tmp_path
    caffe.set_precision("float32")


def train_tiny(folder, *phases, **options):
    recipe = Recipe(Noise().frames, start=None, phases=phases)
    train.train_net("tiny", recipe, folder=folder, logs=folder / "logs", **options)


def weights_of(folder, file):
    """Return the weights and biases in `file` by layer, as lists."""
    net = caffe.Net(folder / "training/tiny-train.prototxt", folder / file, caffe.TEST)
    return {layer: [blob.data.tolist() for blob in net.params[layer]] for layer in SCORES}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_second_phase_starts_from_the_weights_of_the_first(tiny, precision):
    train_tiny(tiny, Phase(), Phase("-second"), precision=precision)
    first = weights_of(tiny, "tiny_iter_3.caffemodel")
    assert weights_of(tiny, "tiny.caffemodel") == first
    untrained = caffe.get_solver(tiny / "training/tiny-second-solver.prototxt").net
    assert untrained.params["score_fr"][0].data.tolist() != first["score_fr"][0]
    for suffix in ("", "-second"):
        losses = np.load(tiny / f"logs/tiny{suffix}-loss.npy")
        assert losses.shape == (3,) and np.isfinite(losses).all()


def test_training_resumes_at_a_phase(tiny):
    train_tiny(tiny, Phase())
    first = weights_of(tiny, "tiny.caffemodel")
    train_tiny(tiny, Phase(), Phase("-second"), first_phase=2)
    assert weights_of(tiny, "tiny.caffemodel") == first
    assert (tiny / "tiny-second_iter_3.caffemodel").exists()


def test_phase_without_skips_zeroes_the_scores_of_both_pools(tiny):
    train_tiny(tiny, Phase(), Phase("-second", skips=False))
    first, second = (weights_of(tiny, f"tiny{s}_iter_3.caffemodel") for s in ("", "-second"))
    assert second["score_fr"] == first["score_fr"]
    for layer in ("score_pool3", "score_pool4"):
        assert np.all(first[layer][0]) and np.all(first[layer][1])
        assert not np.any(second[layer][0]) and not np.any(second[layer][1])


def test_command_line(monkeypatch):
    calls = []
    monkeypatch.setattr(train, "train_net", lambda *args: calls.append(args))
    name = "davis-fcn8s-light"
    monkeypatch.setattr("sys.argv", ["train", name])
    train.main()
    options = ["--root", "r", "--vgg", "v", "--precision", "float32", "--phase", "2"]
    monkeypatch.setattr("sys.argv", ["train", name, *options])
    train.main()
    assert calls == [
        (name, RECIPES[name], None, None, "bfloat16", 1),
        (name, RECIPES[name], "r", "v", "float32", 2),
    ]


PHASES = (Phase(), Phase("-second"))


@pytest.mark.parametrize("phase", [0, -1, 3, 4])
def test_a_phase_that_the_recipe_lacks_is_refused(tiny, phase):
    with pytest.raises(ValueError, match=f"no phase {phase} .*its phases are 1 to 2"):
        train_tiny(tiny, *PHASES, first_phase=phase)
    assert not (tiny / "tiny.caffemodel").exists() and not (tiny / "logs").exists()


def test_what_cannot_be_used_is_refused_before_the_data_is_read(tiny):
    def frames(root):
        raise AssertionError("the data was read")

    vgg, noise = (Recipe(frames, start=start, phases=PHASES) for start in ("vgg16", None))
    for recipe, options, error, message in (
        (noise, {"precision": "float16"}, ValueError, "float16.*use bfloat16 or float32"),
        (noise, {"vgg": "none"}, ValueError, "begins from noise"),
        (vgg, {"vgg": "none", "first_phase": 2}, ValueError, "continues"),
        (vgg, {"vgg": str(tiny / "no.caffemodel")}, WeightsFileError, "no file has that path"),
        (noise, {"first_phase": 2}, WeightsFileError, "is missing.*begin with phase 1"),
    ):
        with pytest.raises(error, match=message):
            train.train_net("tiny", recipe, folder=tiny, logs=tiny / "logs", **options)


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--phase", "0"], 1, "no phase 0"),
        (["--phase", "4"], 1, "no phase 4"),
        (["--precision", "half"], 2, "invalid choice: 'half'"),
        (["--vgg", "nowhere.caffemodel"], 1, "nowhere.caffemodel"),
        (["--vgg", "none", "--root", "nowhere"], 1, "nowhere has no"),
    ],
)
def test_command_line_that_cannot_work_ends_with_a_message(
    monkeypatch, tmp_path, capsys, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train", "camvid-fcn8s-light", *arguments])
    with pytest.raises(SystemExit) as ended:
        train.main()
    assert ended.value.code == status and message in capsys.readouterr().err


def test_an_interrupted_phase_leaves_the_weights_of_the_one_before(tiny, monkeypatch):
    train_tiny(tiny, *PHASES[:1])
    before = (tiny / "tiny.caffemodel").read_bytes()

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_tiny(tiny, *PHASES, first_phase=2)
    assert (tiny / "tiny.caffemodel").read_bytes() == before
    monkeypatch.undo()
    train_tiny(tiny, *PHASES, first_phase=2)
    assert np.load(tiny / "logs/tiny-second-loss.npy").shape == (3,)
