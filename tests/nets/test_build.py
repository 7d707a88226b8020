"""The committed prototxt files match the specification."""

import pytest
from google.protobuf import text_format

from caffe.proto import caffe_pb2
from nets import build

FILES = build.prototxts()


@pytest.mark.parametrize("file", FILES)
def test_committed_file_is_up_to_date(file):
    assert (build.FOLDER / file).read_text() == FILES[file], "run: make nets"


def test_every_committed_prototxt_is_generated():
    found = build.FOLDER.rglob("*.prototxt")
    assert {str(path.relative_to(build.FOLDER)) for path in found} == set(FILES)


@pytest.mark.parametrize("name", build.SOLVERS)
def test_solver_refers_to_an_existing_train_net(name, root):
    text = FILES[f"training/{name}-solver.prototxt"]
    solver = text_format.Parse(text, caffe_pb2.SolverParameter())
    assert (root / solver.train_net).is_file()


def test_main_writes_all_files(tmp_path, capsys):
    build.main(tmp_path)
    found = tmp_path.rglob("*.prototxt")
    assert {str(path.relative_to(tmp_path)) for path in found} == set(FILES)
    assert capsys.readouterr().out.count("wrote") == len(FILES)
    build.main(tmp_path)
    assert "wrote" not in capsys.readouterr().out
