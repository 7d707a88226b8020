"""The examples of lib/README.md run as they stand."""

import re

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def blocks(root):
    return re.findall(r"```python\n(.*?)```", (root / "lib/README.md").read_text(), re.S)


def test_the_modules_of_the_table_exist(root):
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (root / "lib/README.md").read_text(), re.M)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    modules = {path.stem for path in (root / "lib").glob("*.py")} - {"__init__"}
    assert modules <= listed


def test_the_clock_to_write_runs_the_deep_stage_on_a_share(blocks, fake_net, fake):
    [code] = [block for block in blocks if "def random_clock" in block]
    names = {}
    exec(code.split("\nresult =")[0], names)
    frames = [fake.frame(t % 4) for t in range(100)]
    for share, ran in ((0, [0]), (1, list(range(100)))):
        steps = list(names["random_clock"](fake_net, frames, share))
        assert [t for t, step in enumerate(steps) if "deep" in step.ran] == ran
        assert [fake.seen_by_stages(step.label)[0] for step in steps] == [t % 4 for t in range(100)]
    steps = list(names["random_clock"](fake_net, frames, 0.25))
    assert 15 < sum("deep" in step.ran for step in steps) < 35


@pytest.mark.slow  # draws a miniature if there is none
def test_examples_run(blocks, capsys):
    pytest.importorskip("caffe")
    plt.switch_backend("agg")
    names = {}
    exec(compile("\n".join(blocks), "lib/README.md", "exec"), names)
    plt.close("all")
    assert "alternating" in capsys.readouterr().out
    assert names["result"].name == "random_clock(share=0.25)"
    assert 0 < names["result"].fired["deep"] < 1
