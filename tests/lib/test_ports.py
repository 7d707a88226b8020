from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.clocks import paced
from lib.evaluate import evaluate
from lib.ports import input_blob, output_blob
from lib.run_net import feed_net, get_out_scoremap
from lib.schedule import Step
from lib.stages import Stage
from lib.tuning import changes_over, per_frame_recording, record_signatures
from tests.lib.net_with_own_names import Blob, OwnNet

STAGES = (
    Stage("shallow", "first", "double"),
    Stage("deep", "second", "second"),
    Stage("fuse", "join", "join"),
)


def frame(best):
    """A frame whose channel `best` is the largest."""
    in_ = np.zeros((3, 3, 4), np.float32)
    in_[best] = 5
    return in_


def test_usual_names_come_first(fake_net):
    fake_net.inputs, fake_net.outputs = ["elsewhere"], ["elsewhere"]
    assert input_blob(fake_net) == "data" and output_blob(fake_net) == "score"
    assert input_blob(fake_net, "score_pool3") == "score_pool3"


def test_the_only_input_and_output_are_found():
    net = OwnNet()
    assert input_blob(net) == "image" and output_blob(net) == "out"


@pytest.mark.parametrize("inputs", [[], ["image", "mask"]])
def test_several_inputs_must_be_named(inputs):
    net = OwnNet()
    net.inputs = inputs
    with pytest.raises(ValueError, match="no blob 'data' for a frame.*name one of these, data='N"):
        feed_net(net, frame(0))
    feed_net(net, frame(1), data="image")
    assert net.blobs["image"].data[0, 1].min() == 5


def test_a_blob_that_is_not_there():
    with pytest.raises(ValueError, match="no blob 'prob' to read.*image, a, c, out.*score='NAME'"):
        get_out_scoremap(OwnNet(), "prob")


CLOCKS = [
    schedule.per_frame,
    schedule.every_other,
    schedule.alternating,
    partial(schedule.every, period=2),
    partial(schedule.fixed_rate, rates={"deep": 2}),
    partial(schedule.adaptive, threshold=0.5),
    partial(schedule.pipeline, cuts=("deep",)),
    schedule.pipeline_2stage,
    partial(paced.accumulating, thresholds={"deep": 0.5}),
    partial(paced.moving, threshold=0.5),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_clock_reads_the_named_blobs(clock):
    net = OwnNet()
    net.inputs, net.outputs = [], []
    net.blobs["data"], net.blobs["score"] = Blob(1, 3, 3, 4), Blob(1, 3, 3, 4)  # decoys
    frames = [frame(2)] * 3
    steps = list(clock(net, frames, stages=STAGES, data="image", score="out"))
    assert [np.unique(step.label).tolist() for step in steps] == [[2]] * 3
    result = evaluate(
        clock, net, [[(f, np.full((3, 4), 2)) for f in frames]], 3, stages=STAGES, silent=True,
        data="image", score="out",
    )  # fmt: skip
    assert result.scores.summary().acc == 1 and result.n_labelled == 3


def test_evaluate_passes_stages_on_unless_the_schedule_has_some():
    clip = [(frame(1), np.ones((3, 4), np.uint8))] * 2
    result = evaluate(schedule.per_frame, OwnNet(), [clip], 3, stages=STAGES, silent=True)
    assert result.fired == {"shallow": 1, "deep": 1, "fuse": 1}
    whole = partial(schedule.per_frame, stages=(Stage("whole", "first", "join"),))
    with pytest.raises(ValueError, match="ran the stages \\['whole'\\]"):
        evaluate(whole, OwnNet(), [clip], 3, stages=STAGES, silent=True)


def test_a_schedule_that_takes_no_names():
    def deaf(net, frames):
        yield from (Step(np.zeros((3, 4), np.uint8), ()) for _ in frames)

    with pytest.raises(ValueError, match="deaf takes no option 'data'"):
        evaluate(deaf, OwnNet(), [[(frame(0), None)]], 3, stages=STAGES, data="image", silent=True)


def test_tuning_takes_the_names():
    net, clip = OwnNet(), [(frame(0), None), (frame(1), None), (frame(1), None)]
    net.inputs = []
    [maps] = record_signatures(net, [clip], STAGES, silent=True, data="image")
    assert [np.unique(m).tolist() for m in maps] == [[0], [1], [1]]
    of_oracle = []
    frames = [in_ for in_, _ in clip]
    list(per_frame_recording(net, frames, of_oracle, STAGES, watch="c", data="image", score="out"))
    np.testing.assert_array_equal(of_oracle[0], maps)
    changes = changes_over(net, [clip], (1, 2), STAGES, silent=True, data="image")
    assert changes["shallow"] == {1: 0.5, 2: 1.0}
