"""Frames of movies: numbers, times, rotation, odd formats, and what is damaged."""

from fractions import Fraction

import av
import numpy as np
import pytest

from lib.video.errors import VideoError
from lib.video.movie import FAR
from lib.video.source import Place, read_frames, source_facts
from tests.lib.video.movies import make_movie, number_of, packets_of, picture, turn_movie


def test_all_frames_in_order_with_their_times(movie):
    frames = list(read_frames(movie))
    assert [frame.number for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == [i / 25 for i in range(30)]
    assert [number_of(frame.rgb()) for frame in frames[:19]] == list(range(19))


def test_variable_frame_rate(tmp_path):
    times = [0, 100, 150, 1150, 1200, 5000]  # ms
    path = make_movie(tmp_path / "v.mkv", times=times, base=Fraction(1, 1000))
    assert [frame.time for frame in read_frames(path)] == [t / 1000 for t in times]


def test_facts(movie):
    facts = source_facts(movie)
    assert (facts.size, facts.rate, facts.frames) == ((48, 64), 25, 30)
    assert facts.duration == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("how", "corner", "size"),
    [
        ("clockwise", (0, -1), (64, 48)),  # the upper left goes to the upper right
        ("half", (-1, -1), (48, 64)),
        ("counterclockwise", (-1, 0), (64, 48)),
        ("mirrored", (0, -1), (48, 64)),
    ],
)
def test_rotation_by_the_display_matrix(movie, how, corner, size):
    turn_movie(movie, how)
    frame = next(read_frames(movie))
    pixels = frame.rgb()
    assert frame.size == size == pixels.shape[:2]
    inner = {0: 4, -1: -5}
    white = pixels[inner[corner[0]], inner[corner[1]]]
    assert white.min() > 240
    others = {(0, 0), (0, -1), (-1, 0), (-1, -1)} - {corner}
    assert all(pixels[inner[r], inner[c]].max() < 30 for r, c in others)


@pytest.mark.parametrize("size", [(47, 63), (1, 2), (33, 17)])
def test_odd_sizes(tmp_path, size):
    path = make_movie(tmp_path / "odd.avi", size=size, codec="ffv1", pix_fmt="bgr0", frames=3)
    assert [frame.rgb().shape for frame in read_frames(path)] == [(*size, 3)] * 3


@pytest.mark.parametrize("pix_fmt", ["gray", "gray16le", "yuv444p10le"])
def test_grey_and_deep_sources(tmp_path, pix_fmt):
    path = make_movie(tmp_path / "grey.mkv", codec="ffv1", pix_fmt=pix_fmt, frames=3)
    for number, frame in enumerate(read_frames(path)):
        assert np.abs(frame.rgb().astype(int) - picture(number)).max() <= 3


@pytest.mark.parametrize("start", [1, 29, FAR + 40])
def test_going_on_in_the_middle_gives_the_same_frames(tmp_path, start):
    path = make_movie(tmp_path / "long.mp4", frames=max(30, start + 20), rate=20)
    whole = [(f.number, f.pts, f.rgb().tobytes()) for f in read_frames(path)]
    part = read_frames(path, start=Place(start, whole[start][1]))
    assert [(f.number, f.pts, f.rgb().tobytes()) for f in part] == whole[start:]


def test_thinned_by_rate(movie):
    frames = list(read_frames(movie, rate=10))  # of 25: in each tenth of a second the first one
    assert [f.number for f in frames] == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28]
    going_on = read_frames(movie, rate=10, start=Place(9, frames[4].pts))
    assert [f.number for f in going_on] == [10, 13, 15, 18, 20, 23, 25, 28]


def test_a_rate_of_zero(movie):
    with pytest.raises(VideoError, match="rate of 0"):
        list(read_frames(movie, rate=0))


def read_until_error(path):
    numbers = []
    with pytest.raises(VideoError) as raised:
        for frame in read_frames(path):
            numbers.append(frame.number)
    return numbers, str(raised.value)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_movie_cut_off(tmp_path, share):
    path = tmp_path / "cut.mp4"
    make_movie(path, frames=100, size=(96, 128), options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    numbers, message = read_until_error(path)
    assert numbers == list(range(len(numbers))) and 0.5 * share < len(numbers) / 100 < share + 0.1
    assert f"cut.mp4, frame {len(numbers)} " in message


def test_a_movie_cut_off_before_its_index(movie):
    movie.write_bytes(movie.read_bytes()[:900])
    assert "street.mp4 cannot be opened" in read_until_error(movie)[1]


def test_damage_in_the_middle(tmp_path):
    path = make_movie(tmp_path / "d.avi", codec="png", pix_fmt="rgb24", frames=9)
    data = bytearray(path.read_bytes())
    (packets,) = packets_of(path, "video")
    at = data.index(packets[5][1])
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    numbers, message = read_until_error(path)
    assert numbers == [0, 1, 2, 3, 4]
    assert "d.avi, frame 5 " in message and "damaged" in message


def test_a_size_that_changes(tmp_path):
    first = make_movie(tmp_path / "1.ts", frames=12).read_bytes()
    second = make_movie(tmp_path / "2.ts", frames=12, size=(64, 64)).read_bytes()
    (tmp_path / "both.ts").write_bytes(first + second)
    numbers, message = read_until_error(tmp_path / "both.ts")
    assert numbers == list(range(12))
    assert "frame 12 " in message and "64 x 48 to 64 x 64" in message


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"some text, not a movie\n" * 100])
def test_no_movie(tmp_path, content):
    (tmp_path / "no.mp4").write_bytes(content)
    assert "no.mp4 cannot be opened" in read_until_error(tmp_path / "no.mp4")[1]


def test_sound_only(tmp_path):
    with av.open(str(tmp_path / "song.m4a"), "w") as out:
        track = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        out.mux(track.encode(frame))
        out.mux(track.encode())
    assert "holds no video, only audio" in read_until_error(tmp_path / "song.m4a")[1]


def test_zero_frames(tmp_path):
    path = make_movie(tmp_path / "none.mkv", frames=1)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(packets_of(path, "video")[0][0][1])])
    assert "none.mkv" in read_until_error(path)[1]
