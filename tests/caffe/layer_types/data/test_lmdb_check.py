"""The look at an LMDB before it is opened: sound ones of all sizes pass, damaged ones never get to
the library, which would end the process."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from caffe.errors import DataError
from caffe.layer_types.data import lmdb_check
from caffe.layer_types.data.lmdb_records import Records
from tests.caffe.layer_types.data.source_files import write_lmdb

lmdb = pytest.importorskip("lmdb")
PAGE = 4096


def read_all(path):
    """[(key in words, size)] of one round."""
    records, found = Records(str(path)), []
    while not found or records.current()[0] != found[0][0]:
        place, value = records.current()
        found.append((place, len(value)))
        records.advance()
    return found


def sizes(n, seed=0):
    return np.random.default_rng(seed).choice([0, 20, 900, 3000, 9000], n)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Content of a database of 300 records of all sizes; its tree has two levels."""
    path = write_lmdb(tmp_path_factory.mktemp("lmdb") / "db", [bytes(n) for n in sizes(300)])
    return (path / "data.mdb").read_bytes()


def tree_pages(content):
    """Numbers of the pages that look like those of a tree."""
    return [
        i
        for i in range(2, len(content) // PAGE)
        if struct.unpack_from("<QHH", content, i * PAGE)[::2] in [(i, 1), (i, 2)]
    ]


@pytest.mark.parametrize("n", [1, 2, 40, 3000, 40_000])
def test_sound_databases_pass_whatever_their_depth(tmp_path, n):
    lengths = sizes(n) if n < 40_000 else [30] * n
    path = write_lmdb(tmp_path / "db", [bytes(k) for k in lengths])
    lmdb_check.check(str(path / "data.mdb"))
    if n <= 3000:
        assert [size for _, size in read_all(path)] == list(lengths)


def test_databases_that_were_changed_and_thinned_out_pass(tmp_path):
    path = tmp_path / "db"
    rng, kept = np.random.default_rng(0), {}  # kept: what should be in it now
    for _ in range(6):
        with lmdb.open(str(path), map_size=2**26) as env, env.begin(write=True) as transaction:
            for k in rng.integers(400, size=300).tolist():
                key = b"%0*d" % (1 + k % 60, k)
                if rng.integers(3):
                    kept[key] = bytes(int(rng.choice([3, 700, 5000])))
                    transaction.put(key, kept[key])
                else:
                    transaction.delete(key)
                    kept.pop(key, None)
        found = read_all(path)
        assert found == [(f"{path}: record {key!r}", len(kept[key])) for key in sorted(kept)]


def damage(content, kind, rng):
    """Copies of what disks, networks and ill will do to files."""
    bad, tree = bytearray(content), tree_pages(content)
    page = PAGE * int(rng.choice(tree))
    if kind == "cut":
        return bad[: rng.integers(len(bad))]
    if kind == "head":
        for k in rng.integers(180, size=3):
            bad[int(rng.choice([0, PAGE])) + k] = rng.integers(256)
    elif kind == "nodes":
        for k in rng.integers(PAGE, size=4):
            bad[page + k] = rng.choice([0, 255, rng.integers(256)])
    elif kind == "offsets":
        for k in rng.integers(100, size=2):
            bad[page + k] = rng.integers(256)
    else:  # a page of the tree twice
        other = PAGE * int(rng.choice(tree))
        bad[page : page + PAGE] = bad[other : other + PAGE]
        if rng.integers(2):
            bad[page : page + 8] = struct.pack("<Q", page // PAGE)
    return bad


READ = """
import sys
import numpy as np
from caffe.errors import DataError
from tests.caffe.layer_types.data.test_lmdb_check import damage, read_all
content = open(sys.argv[1], 'rb').read()
rng = np.random.default_rng(0)
for kind in sys.argv[3:]:
    refused = 0
    for trial in range(25):
        with open(sys.argv[2] + '/data.mdb', 'wb') as f:
            f.write(damage(content, kind, rng))
        try:
            read_all(sys.argv[2])
        except DataError as e:
            assert sys.argv[2] in str(e)
            refused += 1
    print(refused)
"""


def test_no_damage_ends_the_process(sound, tmp_path, root):
    (tmp_path / "sound").write_bytes(sound)
    (tmp_path / "bad").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            READ,
            tmp_path / "sound",
            tmp_path / "bad",
            "cut",
            "head",
            "nodes",
            "offsets",
            "twice",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    refused = list(map(int, done.stdout.split()))
    assert refused[0] == 25 and min(refused) > 2  # of 25 each


def test_other_kinds_of_lmdb_are_refused(sound, tmp_path):
    with lmdb.open(str(tmp_path / "inside"), max_dbs=2, map_size=2**24) as env:
        env.open_db(b"within")
    bad = bytearray(sound)
    bad[92] = bad[PAGE + 92] = 4  # flags of the tree of records in both metas: MDB_DUPSORT
    (tmp_path / "twice").mkdir()
    (tmp_path / "twice" / "data.mdb").write_bytes(bad)
    for name, words in [("inside", "databases inside the database"), ("twice", "of another kind")]:
        with pytest.raises(DataError, match=words):
            Records(str(tmp_path / name))


def test_a_tree_that_leads_into_itself(sound, tmp_path):
    bad = bytearray(sound)
    metas = [struct.unpack_from("<QQQ", sound, start + 128) for start in (0, PAGE)]
    root = max(metas, key=lambda meta: meta[2])[0]  # of the later transaction
    first = struct.unpack_from("<H", bad, root * PAGE + 16)[0]
    struct.pack_into("<HHH", bad, root * PAGE + first, root, 0, 0)  # a child that is its parent
    (tmp_path / "data.mdb").write_bytes(bad)
    with pytest.raises(DataError, match="page %d is named twice" % root):
        Records(str(tmp_path))
