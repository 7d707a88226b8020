"""Each stage's share of a full pass, in time and in multiply-adds."""

from benchmarks.timing import medians
from lib.cost import stage_cost
from lib.stages import FCN8S, run_stage


def stage_shares(net, repeats, stages=FCN8S):
    """[(stage, share of the time, share of the multiply-adds)], and the full pass last.

    Shares are of a full pass timed in the same run; the full pass has the sum of the stages as its
    time, which is above 1 by what it costs to cut the pass.
    """
    calls = {stage.name: lambda stage=stage: run_stage(net, stage) for stage in stages}
    taken = medians({"full": net.forward, **calls}, repeats)
    macs = stage_cost(net, stages)
    total = sum(macs.values())
    rows = [
        (stage.name, taken[stage.name] / taken["full"], macs[stage.name] / total)
        for stage in stages
    ]
    return [*rows, ("in turn", sum(row[1] for row in rows), 1.0)], taken["full"]
