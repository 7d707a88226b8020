"""Cards of nets."""

import json

import numpy as np
import pytest

from datasets.camvid import camvid
from datasets.palette import voc_palette
from lib.net_card import NetCardError, find_card, read_card, spread_palette
from lib.stages import FCN8S, Stage

GOOD = {"net": "a.prototxt", "weights": "a.caffemodel", "size": [2, 3], "mean": [1, 2, 3.5]}
GOOD |= {"classes": {"road": [1, 2, 3], "car": [4, 5, 6]}}


@pytest.fixture
def folder(tmp_path):
    for name in ("a.prototxt", "a.caffemodel"):
        (tmp_path / name).write_text("")
    return tmp_path


def write(folder, **changed):
    (folder / "card.json").write_text(json.dumps({**GOOD, **changed}))
    return folder / "card.json"


def test_the_net_of_the_clone_is_that_of_camvid():
    card = find_card()
    assert card.classes == camvid.classes
    assert np.array_equal(card.palette, camvid.palette.colors)
    np.testing.assert_allclose(card.mean, camvid.mean, atol=1e-3)
    assert card.net.endswith("nets/stage-camvid-fcn8s-light.prototxt")
    assert find_card("camvid-fcn8s-light").weights == card.weights


def test_a_card(folder):
    card = find_card(write(folder, stages=[["all", "conv1", "score"]]))
    assert card.net == str(folder / "a.prototxt") and card.size == (2, 3)
    assert card.stages == (Stage("all", "conv1", "score"),)
    assert card.classes == ("road", "car") and card.palette.tolist() == [[1, 2, 3], [4, 5, 6]]
    (folder / "b.caffemodel").write_text("")
    assert find_card(folder / "card.json", folder / "b.caffemodel").weights.endswith("b.caffemodel")


def test_a_net_without_a_card(folder):
    card = find_card(folder / "a", folder / "a.caffemodel")
    assert card.size is None and card.stages is None
    with pytest.raises(NetCardError, match="needs weights"):
        find_card(folder / "a.prototxt")


def test_colours_without_a_card():
    assert np.array_equal(spread_palette(64), voc_palette(64).colors)


def test_stages_by_default(fake_net, folder):
    card = read_card(write(folder))
    assert card.stages_of(fake_net) == FCN8S
    fake_net._layer_names = ["data", "conv", "score"]
    assert card.stages_of(fake_net) == (Stage("whole", "data", "score"),)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("net", "../a.prototxt"),
        ("net", "/etc/passwd"),
        ("weights", "missing"),
        ("weights", None),
        ("size", [0, 3]),
        ("size", "2x3"),
        ("mean", [1, 2]),
        ("mean", [1, 2, 300]),
        ("classes", {}),
        ("classes", {"a": [1, 2]}),
        ("classes", ["a"]),
        ("stages", [["a", "b"]]),
    ],
)
def test_damaged_cards(folder, entry, value):
    with pytest.raises(NetCardError, match=rf'card.json: "({entry}|a)"'):
        read_card(write(folder, **{entry: value}))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 10**5])
def test_no_cards(folder, text):
    (folder / "card.json").write_text(text)
    with pytest.raises(NetCardError, match="card.json"):
        find_card(folder / "card.json")


def test_nothing_by_that_name():
    with pytest.raises(NetCardError, match="no such card.*camvid-fcn8s-light"):
        find_card("nothing")
