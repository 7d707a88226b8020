"""ByName reads as an ordinary OrderedDict and refuses every change."""

import copy
import pickle
from collections import OrderedDict

import pytest

from caffe.blobs.by_name import ByName
from caffe.errors import NotAssignable


@pytest.fixture
def mapping():
    return ByName([("conv1", 1), ("fc", 2)], "layer", "layers", "write [{name}][...] = array")


def test_reads(mapping):
    plain = OrderedDict(conv1=1, fc=2)
    assert mapping == plain and list(mapping.items()) == [("conv1", 1), ("fc", 2)]
    assert mapping["fc"] == 2 and mapping.get("x") is None and "x" not in mapping
    assert list(reversed(mapping)) == ["fc", "conv1"] and {**mapping} == plain
    for copied in (
        mapping.copy(),
        copy.copy(mapping),
        copy.deepcopy(mapping),
        pickle.loads(pickle.dumps(mapping)),
        mapping | {},
        {} | mapping,
    ):
        copied["new"] = 3
        assert copied == {**plain, "new": 3}


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.__setitem__("fc", 5),
        lambda m: m.__delitem__("fc"),
        lambda m: m.pop("fc"),
        lambda m: m.popitem(),
        lambda m: m.clear(),
        lambda m: m.update(fc=5),
        lambda m: m.setdefault("new", 5),
        lambda m: m.move_to_end("conv1"),
        lambda m: m.__ior__({"fc": 5}),
    ],
)
def test_changes_are_refused(mapping, change):
    with pytest.raises(
        NotAssignable, match=r"layers of a net cannot .*write \[.*\]\[...\] = array"
    ):
        change(mapping)
    assert list(mapping.items()) == [("conv1", 1), ("fc", 2)]


def test_unknown_names(mapping):
    with pytest.raises(KeyError, match="no layer 'conv'; there are conv1 fc; did you mean 'conv1'"):
        mapping["conv"]
    with pytest.raises(KeyError, match="no layer 7"):
        mapping[7]
