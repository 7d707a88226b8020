"""Training in float64 NumPy, written from the formulas, as a reference for the solvers.

The net is one inner product and a Euclidean loss. Its gradient is derived by hand, so the reference
does not use the engine.
"""

import numpy as np

BATCH = 4
LAYER = """
import caffe
from tests.caffe.training.solver_oracle import batch
class Rows(caffe.Layer):
    at = 0
    def reshape(self, bottom, top):
        top[0].reshape(4, 5)
        top[1].reshape(4, 3)
    def forward(self, bottom, top):
        top[0].data[...], top[1].data[...] = batch(self.at)
        self.at += 1
"""


def net_of(lr_weight=1, decay_weight=1, lr_bias=1, decay_bias=1):
    """Return the net with these multipliers of its weight and bias."""
    return f"""
layer {{ name: "rows" type: "Python" top: "x" top: "y"
  python_param {{ module: "cycling_rows" layer: "Rows" }} }}
layer {{ name: "fc" type: "InnerProduct" bottom: "x" top: "fc"
  param {{ lr_mult: {lr_weight} decay_mult: {decay_weight} }}
  param {{ lr_mult: {lr_bias} decay_mult: {decay_bias} }}
  inner_product_param {{ num_output: 3 }} }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "y" top: "loss" }}
"""


def batch(i):
    """Return batch i: x (4, 5) and y (4, 3), float32."""
    rng = np.random.default_rng(i % 7)
    return rng.normal(size=(BATCH, 5)).astype("f4"), 2 * rng.normal(size=(BATCH, 3)).astype("f4")


def gradient(w, b, i):
    """Return (loss, d loss / dw, d loss / db) of batch i; loss = sum of squares / (2 rows)."""
    x, y = (a.astype(np.float64) for a in batch(i))
    error = x @ w.T + b - y
    return (error**2).sum() / 2 / BATCH, error.T @ x / BATCH, error.sum(0) / BATCH


def rate(p, i):
    """Return the learning rate of iteration i; steps are counted one by one."""
    base, gamma, kind = p["base_lr"], p.get("gamma", 0), p["lr_policy"]
    if kind in ("step", "multistep"):
        steps = (
            range(p["stepsize"], i + 1, p["stepsize"])
            if kind == "step"
            else [s for s in p["stepvalue"] if s <= i]
        )
        for _ in steps:
            base = base * gamma
        return base
    return {
        "fixed": lambda: base,
        "exp": lambda: base * gamma**i,
        "inv": lambda: base / (1 + gamma * i) ** p["power"],
        "poly": lambda: base * (1 - i / p["max_iter"]) ** p["power"],
        "sigmoid": lambda: base / (1 + np.exp(-gamma * (i - p["stepsize"]))),
    }[kind]()


def train(p, mult, w, b, iterations):
    """Return [(loss, w, b)] after each iteration, starting from weights w, b (float64).

    `p` holds the solver's parameters, `mult` the multipliers as for `net_of`.
    """
    rule, size, states, seen, history = RULES[p["type"]], p.get("iter_size", 1), ({}, {}), 0, []
    for t in range(iterations):
        passes = [gradient(w, b, seen + k) for k in range(size)]
        seen += size
        loss = sum(g[0] for g in passes) / size
        gradients = [sum(g[k] for g in passes) for k in (1, 2)]
        # a blob with lr_mult 0 has no gradient and does not count in the norm
        gradients = [g * (mult[k] != 0) for g, k in zip(gradients, ("lr_weight", "lr_bias"))]
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        limit = p.get("clip_gradients", -1)
        if 0 <= limit < norm:
            gradients = [g * limit / norm for g in gradients]
        new = []
        for value, g, state, what in zip((w, b), gradients, states, ("weight", "bias")):
            lr = rate(p, t) * mult["lr_" + what]
            g = g / size + p.get("weight_decay", 0) * mult["decay_" + what] * (
                np.sign(value) if p.get("regularization_type") == "L1" else value
            )
            new.append(value - rule(g, lr, state, t + 1, p) if lr else value)
        w, b = new
        history.append((loss, w, b))
    return history


# update rules: (gradient, rate, state dict, t from 1, p) -> update


def sgd(g, r, s, t, p):
    s["v"] = p["momentum"] * s.get("v", 0) + r * g
    return s["v"]


def nesterov(g, r, s, t, p):
    before = s.get("v", 0)
    s["v"] = p["momentum"] * before + r * g
    return s["v"] + p["momentum"] * (s["v"] - before)


def adagrad(g, r, s, t, p):
    s["h"] = s.get("h", 0) + g**2
    return r * g / (np.sqrt(s["h"]) + p["delta"])


def rmsprop(g, r, s, t, p):
    s["h"] = p["rms_decay"] * s.get("h", 0) + (1 - p["rms_decay"]) * g**2
    return r * g / (np.sqrt(s["h"]) + p["delta"])


def adadelta(g, r, s, t, p):
    m = p["momentum"]
    s["h"] = m * s.get("h", 0) + (1 - m) * g**2
    u = g * np.sqrt((s.get("k", 0) + p["delta"]) / (s["h"] + p["delta"]))
    s["k"] = m * s.get("k", 0) + (1 - m) * u**2
    return r * u


def adam(g, r, s, t, p):
    a, b = p["momentum"], p["momentum2"]
    s["m"] = a * s.get("m", 0) + (1 - a) * g
    s["v"] = b * s.get("v", 0) + (1 - b) * g**2
    return r * np.sqrt(1 - b**t) / (1 - a**t) * s["m"] / (np.sqrt(s["v"]) + p["delta"])


RULES = {
    "SGD": sgd,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "AdaDelta": adadelta,
    "Adam": adam,
}
