"""All six solvers with random settings against the float64 reference and torch.optim."""

import numpy as np
import pytest
import torch

import caffe
from tests.caffe.training.solver_oracle import LAYER, RULES, gradient, net_of, train

ITERATIONS = 12
SETTINGS = 40  # per solver


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Make the Python layer with the oracle's batches importable."""
    (tmp_path / "cycling_rows.py").write_text(LAYER)
    monkeypatch.syspath_prepend(tmp_path)


def text_of(p):
    """Return the prototxt of a dict of solver parameters."""

    def line(key, value):
        return f'{key}: "{value}"' if isinstance(value, str) else f"{key}: {value!r}"

    return " ".join(
        line(k, v)
        for k, values in p.items()
        for v in (values if isinstance(values, list) else [values])
    )


def start(write, p, mult, seed):
    """Return a solver with random weights, and these weights in float64."""
    solver = caffe.get_solver(write(f'net: "{write(net_of(**mult))}" {text_of(p)}'))
    rng = np.random.default_rng(seed)
    for blob in solver.net.params["fc"]:
        blob.data[...] = rng.normal(size=blob.shape)
    return solver, [blob.data.astype(np.float64) for blob in solver.net.params["fc"]]


def some(rng, *choices):
    return choices[rng.integers(len(choices))]


def policy(rng):
    """Return parameters of a random learning rate policy."""
    kind = some(rng, "fixed", "step", "multistep", "exp", "inv", "poly", "sigmoid")
    gamma = float(rng.uniform(0.5, 0.95))
    return {"lr_policy": kind} | {
        "fixed": {},
        "exp": dict(gamma=gamma),
        "step": dict(gamma=gamma, stepsize=int(rng.integers(1, 6))),
        "multistep": dict(
            gamma=gamma,
            stepvalue=sorted(
                int(v) for v in rng.choice(np.arange(1, 14), int(rng.integers(1, 4)), False)
            ),
        ),
        "inv": dict(gamma=gamma, power=float(rng.uniform(0.5, 2))),
        "poly": dict(power=float(rng.uniform(0.5, 2)), max_iter=int(rng.integers(12, 40))),
        "sigmoid": dict(gamma=-gamma, stepsize=int(rng.integers(1, 10))),
    }[kind]


def rule_settings(kind, rng):
    """Return random parameters of the update rule."""
    delta = float(10 ** rng.uniform(-4, -1))
    return {
        "SGD": dict(momentum=float(rng.uniform(0, 0.95))),
        "Nesterov": dict(momentum=float(rng.uniform(0, 0.95))),
        "AdaGrad": dict(delta=delta),
        "RMSProp": dict(delta=delta, rms_decay=float(rng.uniform(0.1, 0.99))),
        "AdaDelta": dict(delta=delta, momentum=float(rng.uniform(0.5, 0.99))),
        "Adam": dict(
            delta=delta,
            momentum=float(rng.uniform(0.5, 0.95)),
            momentum2=float(rng.uniform(0.8, 0.999)),
        ),
    }[kind]


def random_setting(kind, rng):
    """Return (solver parameters, multipliers)."""
    p = (
        {"type": kind, "base_lr": float(10 ** rng.uniform(-3, -1.3))}
        | policy(rng)
        | rule_settings(kind, rng)
    )
    if rng.random() < 0.6:
        p |= dict(
            weight_decay=float(10 ** rng.uniform(-3, -0.5)),
            regularization_type=some(rng, "L1", "L2"),
        )
    if rng.random() < 0.4:
        p["clip_gradients"] = float(10 ** rng.uniform(-1, 1.3))
    if rng.random() < 0.5:
        p["iter_size"] = int(rng.integers(2, 5))
    return p, dict(
        lr_weight=some(rng, 1, 0.5, 2),
        lr_bias=some(rng, 1, 0, 2),
        decay_weight=some(rng, 1, 0.5),
        decay_bias=some(rng, 1, 0),
    )


@pytest.mark.parametrize("kind", RULES)
def test_random_settings_against_the_reference(rows, write, kind):
    rng, worst = np.random.default_rng(list(RULES).index(kind)), 0
    for n in range(SETTINGS):
        p, mult = random_setting(kind, rng)
        solver, (w, b) = start(write, p, mult, n)
        for loss, *wanted in train(p, mult, w, b, ITERATIONS):
            solver.step(1)
            assert np.mean(solver._losses) == pytest.approx(loss, rel=1e-4)
            for blob, value in zip(solver.net.params["fc"], wanted):
                error = np.abs(blob.data - value).max() / max(1, np.abs(value).max())
                worst = max(worst, error)
                assert error < 2e-5, (p, mult, solver.iter)
        assert solver.iter == ITERATIONS
    assert worst > 0


def optimizer(p, mult, w, b):
    """Return the torch.optim equivalent of a solver at a fixed rate.

    Adam's formulas agree only for a very small delta.
    """
    groups = [
        dict(
            params=[t],
            lr=p["base_lr"] * mult["lr_" + k],
            weight_decay=p["weight_decay"] * mult["decay_" + k],
        )
        for t, k in ((w, "weight"), (b, "bias"))
    ]
    o = torch.optim
    return {
        "SGD": lambda: o.SGD(groups, momentum=p["momentum"]),
        "Nesterov": lambda: o.SGD(groups, momentum=p["momentum"], nesterov=True),
        "AdaGrad": lambda: o.Adagrad(groups, eps=p["delta"]),
        "RMSProp": lambda: o.RMSprop(groups, alpha=p["rms_decay"], eps=p["delta"]),
        "AdaDelta": lambda: o.Adadelta(groups, rho=p["momentum"], eps=p["delta"]),
        "Adam": lambda: o.Adam(groups, betas=(p["momentum"], p["momentum2"]), eps=p["delta"]),
    }[p["type"]]()


@pytest.mark.parametrize("kind", RULES)
def test_random_settings_against_torch_optim(rows, write, kind):
    rng = np.random.default_rng(100 + list(RULES).index(kind))
    for n in range(SETTINGS // 2):
        p, mult = random_setting(kind, rng)
        p = {
            "type": kind,
            "base_lr": p["base_lr"],
            "lr_policy": "fixed",
            "weight_decay": p.get("weight_decay", 0.0),
        } | rule_settings(kind, rng)
        p["momentum"] = max(0.1, p.get("momentum", 0.0)) if kind != "AdaGrad" else 0.0
        if kind == "RMSProp":
            del p["momentum"]
        if kind == "Adam":
            p["delta"] = 1e-9
        mult["lr_bias"] = 1
        solver, values = start(write, p, mult, n)
        w, b = (torch.from_numpy(v).requires_grad_() for v in values)
        rule = optimizer(p, mult, w, b)
        for t in range(ITERATIONS):
            _, dw, db = gradient(w.detach().numpy(), b.detach().numpy(), t)
            w.grad, b.grad = torch.from_numpy(dw), torch.from_numpy(db)
            rule.step()
            solver.step(1)
            for blob, tensor in zip(solver.net.params["fc"], (w, b)):
                np.testing.assert_allclose(blob.data, tensor.detach(), rtol=2e-5, atol=2e-5)
