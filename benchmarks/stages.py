"""Each stage's share of a full pass, in time and in multiply-adds."""

from collections.abc import Sequence
from functools import partial

import caffe
from benchmarks.timing import medians
from lib.cost import stage_cost
from lib.stages import FCN8S, Stage, run_stage


def stage_shares(
    net: caffe.Net, repeats: int, stages: Sequence[Stage] = FCN8S
) -> tuple[list[tuple[str, float, float]], float]:
    """Measure the stages of a net relative to a full pass in the same run.

    Parameters
    ----------
    net : Net
        A net with data in its input blob.
    repeats : int
        Measurements of each call.
    stages : sequence of Stage
        Ranges of layers that make up the net.

    Returns
    -------
    rows : list of (stage, share of the time, share of the multiply-adds)
        The last row, "in turn", is the sum over the stages. Its time differs from 1 by the
        overhead of splitting the pass and by cache effects.
    seconds : float
        Median time of a full pass.
    """
    calls = {stage.name: partial(run_stage, net, stage) for stage in stages}
    seconds = medians({"full": net.forward, **calls}, repeats)
    macs = stage_cost(net, stages)
    total = sum(macs.values())
    rows = [
        (stage.name, seconds[stage.name] / seconds["full"], macs[stage.name] / total)
        for stage in stages
    ]
    return [*rows, ("in turn", sum(row[1] for row in rows), 1.0)], seconds["full"]
