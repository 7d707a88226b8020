"""A small model with a skip, as the models of lib.clocked's tests are in kind."""

import pytest
import torch
from torch import nn


class Small(nn.Module):
    """A U: `enc` runs at full size, `low` at half, `head` joins both. In-place ReLUs, as usual."""

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        )
        self.low = nn.Sequential(
            nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU(inplace=True)
        )
        self.head = nn.Conv2d(14, 4, 1)

    def forward(self, x):
        enc = self.enc(x)
        return self.fuse(enc, self.low(enc))

    def fuse(self, enc, low):
        up = nn.functional.interpolate(low, enc.shape[2:], mode="bilinear", align_corners=False)
        return self.head(torch.cat([enc, up], 1))


STAGES = {"shallow": "enc", "deep": "low", "fuse": "head"}


@pytest.fixture
def small():
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture
def stages():
    return dict(STAGES)


@pytest.fixture
def frames():
    """Four frames, 1 x 3 x 8 x 12."""
    return list(torch.randn(4, 1, 3, 8, 12, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def stale():
    """stale(model, old, new, modules): what the model returns for `new` if these modules return
    what they returned for `old`; worked out on the model itself, without lib.clocked."""

    def stale(model, old, new, modules):
        modules = [model.get_submodule(name) for name in modules]
        kept = {}
        hooks = [
            module.register_forward_hook(lambda m, _, out: kept.update({m: out.clone()}))
            for module in modules
        ]
        with torch.no_grad():
            model(old)
            for hook in hooks:
                hook.remove()
            for module in modules:
                module.forward = lambda *_, module=module, **__: kept[module]
            out = model(new)
        for module in modules:
            del module.forward
        return out

    return stale
