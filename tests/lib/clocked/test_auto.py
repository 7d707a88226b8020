from itertools import combinations

import pytest
import torch
from torch import nn

from lib.clocked import auto
from lib.clocked.trace import trace


@pytest.mark.parametrize(
    "n, names",
    [
        (1, ("whole",)),
        (2, ("shallow", "deep")),
        (3, ("shallow", "deep", "fuse")),
        (4, ("shallow", "middle", "deep", "fuse")),
        (6, ("shallow", "middle", "middle2", "middle3", "deep", "fuse")),
    ],
)
def test_names(n, names):
    assert auto.stage_names(n) == names


@pytest.mark.parametrize("n", [0, 1.5, "3"])
def test_no_number_of_stages(n):
    with pytest.raises(ValueError, match="number of stages"):
        auto.stage_names(n)


def test_equal_pieces_are_cut_into_equal_stages():
    assert auto.choose_cuts([1.0] * 9, [1.0] * 9, 3) == [3, 6]
    assert auto.choose_cuts([4.0, 1, 1, 1, 1, 4], [1.0] * 6, 3) == [1, 5]
    assert auto.choose_cuts([1.0, 1], [0.0, 0], 2) == [1]
    assert auto.choose_cuts([1.0, 1], [0.0, 0], 1) == []


def test_a_cut_moves_a_little_to_keep_less():
    assert auto.choose_cuts([1.0] * 20, [1.0] * 20, 2) == [10]
    kept = [1.0] * 20
    kept[10] = 5
    assert auto.choose_cuts([1.0] * 20, kept, 2) in ([9], [11])


def test_no_other_cut_is_better():
    costs = [3.0, 1, 4, 1, 5, 9, 2, 6]
    kept = [0.0, 2, 7, 1, 8, 2, 8, 1]

    def price(cuts):
        ends = [0, *cuts, len(costs)]
        shares = [sum(costs[a:b]) / sum(costs) for a, b in zip(ends, ends[1:], strict=False)]
        unit = sum(kept[1:]) / 7
        return len(shares) * sum(s**2 for s in shares) + 0.1 * sum(kept[c] for c in cuts) / unit

    for n in (2, 3, 4):
        best = min(combinations(range(1, 8), n - 1), key=price)
        assert price(auto.choose_cuts(costs, kept, n)) == pytest.approx(price(best))


class Chain(nn.Sequential):
    """Convolutions on maps of one size; the middle one has 64 times the work of its neighbours."""

    def __init__(self):
        layers = [nn.Conv2d(i, o, 3, padding=1) for i, o in [(3, 8), (8, 8), (8, 256), (256, 256)]]
        layers += [nn.Conv2d(i, o, 3, padding=1) for i, o in [(256, 8), (8, 8), (8, 4)]]
        super().__init__(
            *(
                nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU(True))
                for layer in layers
            )
        )


def test_the_costly_layer_is_in_the_middle_stage():
    frame = torch.randn(1, 3, 48, 64)
    stages = auto.cut_by_cost(trace(Chain().eval(), (frame,), {}), [frame], 3)
    # its neighbours cost next to nothing, so the cut may go where it keeps less
    assert int(stages["deep"]) <= 3 < int(stages["fuse"])


def test_stages_start_with_layers_that_have_weights_or_blocks(small, frames):
    recorded = trace(small, (frames[0],), {})
    every = auto.cut_by_cost(recorded, [frames[0]], 4)
    assert list(every.values()) == ["enc", "low", "low.1", "head"]
    with pytest.raises(ValueError, match="5 stages of a model that can be cut at 3 modules"):
        auto.cut_by_cost(recorded, [frames[0]], 5)
