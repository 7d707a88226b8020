"""Weights files of which some layers, or none, have the name of a layer of the net."""

import logging

import numpy as np
import pytest

from caffe.errors import WeightsError
from tests.caffe.bridge_nets import data


def dense(name, bottom="data"):
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
        'inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }\n'
    )


@pytest.fixture(params=["caffemodel", "h5"])
def saved(request, make_net, tmp_path):
    """Return saved(text) -> path of the weights of that net, in either format."""

    def saved(text):
        net, path = make_net(text), tmp_path / f"w.{request.param}"
        (net.save if request.param == "caffemodel" else net.save_hdf5)(path)
        return path

    return saved


def values(net):
    return [b.data.copy() for blobs in net.params.values() for b in blobs]


def test_none_matches(make_net, saved, caplog):
    path = saved(data(1, 2) + dense("a/one") + dense("b"))
    net = make_net(data(1, 2) + dense("x") + dense("y"))
    before = values(net)
    with pytest.raises(WeightsError, match=r"w\.\w+: nothing in it fits the net.*'a.*'b'.*'x' 'y'"):
        net.copy_from(path)
    for mine, theirs in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not [r for r in caplog.records if r.levelno > logging.INFO]


def test_some_match(make_net, saved, caplog):
    path = saved(data(1, 2) + dense("a/one") + dense("b"))
    net = make_net(data(1, 2) + dense("a/one") + dense("y"))
    before = net.params["y"][0].data.copy()
    net.copy_from(path)
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "has no weights for 'y', which keep" in caplog.text
    assert "of the file, 'b' was ignored" in caplog.text and "a/one" not in caplog.text
    np.testing.assert_array_equal(net.params["y"][0].data, before)


def test_all_match(make_net, saved, caplog):
    """Layers that only the file has are no warning: the net is complete."""
    path = saved(data(1, 2) + dense("a/one") + dense("b"))
    caplog.set_level(logging.INFO, "caffe")
    make_net(data(1, 2) + dense("a/one") + dense("b")).copy_from(path)
    assert not [r for r in caplog.records if r.levelno > logging.INFO]
    make_net(data(1, 2) + dense("a/one")).copy_from(path)
    assert [r.levelno for r in caplog.records] == [logging.INFO] and "'b'" in caplog.text


def test_nets_without_weights_take_any_file(make_net, saved, caplog):
    make_net(data(1, 2)).copy_from(saved(data(1, 2) + dense("a")))
    assert not [r for r in caplog.records if r.levelno > logging.INFO]


def test_long_lists_are_cut(make_net, saved):
    path = saved(data(1, 2) + "".join(dense(f"layer{i}") for i in range(50)))
    with pytest.raises(WeightsError, match="and 30 more"):
        make_net(data(1, 2) + dense("x")).copy_from(path)
