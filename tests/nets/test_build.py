"""The committed prototxt are what the specification says."""

import pytest
from google.protobuf import text_format

from caffe.proto import caffe_pb2
from nets import build

FILES = build.prototxts()


@pytest.mark.parametrize("file", FILES)
def test_committed_file_is_up_to_date(file):
    assert (build.FOLDER / file).read_text() == FILES[file], "run: make nets"


def test_no_prototxt_lies_about_that_nothing_writes():
    found = build.FOLDER.rglob("*.prototxt")
    assert {str(path.relative_to(build.FOLDER)) for path in found} == set(FILES)


@pytest.mark.parametrize("name", build.SOLVERS)
def test_solver_names_a_train_net_that_exists(name, root):
    text = FILES[f"training/{name}-solver.prototxt"]
    solver = text_format.Parse(text, caffe_pb2.SolverParameter())
    assert (root / solver.train_net).is_file()


def test_main_writes_all(tmp_path, capsys):
    build.main(tmp_path)
    found = tmp_path.rglob("*.prototxt")
    assert {str(path.relative_to(tmp_path)) for path in found} == set(FILES)
    assert capsys.readouterr().out.count("wrote") == len(FILES)
    build.main(tmp_path)
    assert "wrote" not in capsys.readouterr().out
