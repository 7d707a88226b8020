import numpy as np

from lib.evaluate import KeptRun
from lib.schedule import Step


def test_a_run_gives_back_its_maps_and_steps():
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 256, (3, 5 + t), np.uint8) for t in range(4)]
    run = KeptRun()
    for t, label in enumerate(maps):
        run.append(Step(label.T, ("shallow",) * t, ("deep",)), label[:, ::-1])
    assert len(run) == len(list(run)) == 4
    for t, label in enumerate(maps):
        np.testing.assert_array_equal(run[t], label[:, ::-1])
    assert run[-1].shape == (3, 8) and [label.shape for label in run[::2]] == [(3, 5), (3, 7)]
    steps = run.steps()
    assert [step.ran for step in steps] == [("shallow",) * t for t in range(4)]
    assert steps[3].then == ("deep",) and (steps[3].label == run[3]).all()


def test_even_areas_take_little_room():
    label = np.zeros((240, 320), np.uint8)
    label[100:150, 80:200] = 7
    run = KeptRun()
    run.append(Step(label, ()), label)
    assert len(run._kept[0][1]) < label.size / 50
