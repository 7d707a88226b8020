"""The check of an LMDB before it is opened.

Valid databases of all sizes pass; damaged ones never reach the library, which would crash.
"""

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
    """Return place and size of each record, once around."""
    records, seen = Records(str(path)), []
    while not seen or records.current()[0] != seen[0][0]:
        place, value = records.current()
        seen.append((place, len(value)))
        records.advance()
    return seen


def sizes(n, seed=0):
    return np.random.default_rng(seed).choice([0, 20, 900, 3000, 9000], n)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the content of a valid database: 300 records of all sizes, a tree of two levels."""
    path = write_lmdb(tmp_path_factory.mktemp("lmdb") / "db", [bytes(n) for n in sizes(300)])
    return (path / "data.mdb").read_bytes()


def tree_pages(content):
    """Return the numbers of the pages that look like those of a tree."""
    return [
        i
        for i in range(2, len(content) // PAGE)
        if struct.unpack_from("<QHH", content, i * PAGE)[::2] in [(i, 1), (i, 2)]
    ]


@pytest.mark.parametrize("n", [1, 2, 40, 3000, 40_000])
def test_valid_databases_of_any_depth_pass(tmp_path, n):
    lengths = sizes(n) if n < 40_000 else [30] * n
    path = write_lmdb(tmp_path / "db", [bytes(k) for k in lengths])
    lmdb_check.check(str(path / "data.mdb"))
    if n <= 3000:
        assert [size for _, size in read_all(path)] == list(lengths)


def test_databases_with_updates_and_deletions_pass(tmp_path):
    path = tmp_path / "db"
    rng, expected = np.random.default_rng(0), {}
    for _ in range(6):
        with lmdb.open(str(path), map_size=2**26) as env, env.begin(write=True) as transaction:
            for k in rng.integers(400, size=300).tolist():
                key = f"{k:0{1 + k % 60}}".encode()
                if rng.integers(3):
                    expected[key] = bytes(int(rng.choice([3, 700, 5000])))
                    transaction.put(key, expected[key])
                else:
                    transaction.delete(key)
                    expected.pop(key, None)
        assert read_all(path) == [
            (f"{path}: record {key!r}", len(expected[key])) for key in sorted(expected)
        ]


def damage(content, kind, rng):
    """Return a copy with damage as disks, networks and attackers cause it."""
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
    else:  # a page of the tree overwritten by another
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


def test_damage_never_crashes_the_process(sound, tmp_path, root):
    (tmp_path / "sound").write_bytes(sound)
    (tmp_path / "bad").mkdir()
    kinds = "cut", "head", "nodes", "offsets", "twice"
    done = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "sound", tmp_path / "bad", *kinds],
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


def test_a_tree_with_a_cycle(sound, tmp_path):
    bad = bytearray(sound)
    metas = [struct.unpack_from("<QQQ", sound, start + 128) for start in (0, PAGE)]
    root = max(metas, key=lambda meta: meta[2])[0]  # of the later transaction
    first = struct.unpack_from("<H", bad, root * PAGE + 16)[0]
    struct.pack_into("<HHH", bad, root * PAGE + first, root, 0, 0)  # the root is its own child
    (tmp_path / "data.mdb").write_bytes(bad)
    with pytest.raises(DataError, match=f"page {root} is named twice"):
        Records(str(tmp_path))
