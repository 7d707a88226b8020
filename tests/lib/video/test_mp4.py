"""MP4 in blocks: times, audio, and that every state of the file can be played."""

from fractions import Fraction

import av
import numpy as np
import pytest

from lib.video.audio import audio_of
from lib.video.errors import VideoError
from lib.video.mp4 import Mp4Blocks, boxes
from lib.video.overlay import Overlay
from lib.video.run import with_durations
from lib.video.source import as_source, read_frames, source_facts
from tests.lib.video.movies import make_movie, number_of, packets_of, times_of

BLOCK = 12


def copy_movie(path, out, resume_at=None):
    """Copy a movie block by block; begin anew, as after a kill, at one of them.

    Returns the length of the file after each block.
    """
    source, facts = as_source(path), source_facts(path)
    frames = list(with_durations(read_frames(path), facts))
    overlay, blank = Overlay([(0, 0, 0)]), np.full((4, 4), 9, np.uint8)
    blocks = [frames[i : i + BLOCK] for i in range(0, len(frames), BLOCK)]
    first, written = None, b""
    parts = [range(len(blocks))]
    if resume_at is not None:
        parts = [range(resume_at), range(resume_at, len(blocks))]
    lengths = []
    for part in parts:
        with audio_of(source) as tracks:
            if part.start and tracks:
                tracks.skip(blocks[part.start][0].pts * facts.time_base)
            size = overlay.draw(frames[0], blank)
            movie = Mp4Blocks(
                (size.height, size.width), facts.time_base, facts.rate, BLOCK, tracks, first
            )
            for number in part:
                block = movie.begin(number)
                for frame in blocks[number]:
                    block.add(overlay.draw(frame, blank), frame.pts, frame.duration)
                last = number == len(blocks) - 1
                end = (frame.pts + frame.duration) * facts.time_base
                written += block.finish(None if last else end)
                lengths.append(len(written))
            first = movie.first
    out.write_bytes(written)
    return lengths


def test_browsers_play_it(movie, tmp_path):
    copy_movie(movie, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        context = out.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert [number_of(f.to_ndarray(format="rgb24")) for f in out.decode(video=0)][:19] == [
            *range(19)
        ]
    kinds = [kind for kind, _ in boxes((tmp_path / "out.mp4").read_bytes())]
    assert kinds == ["ftyp", "moov", *["moof", "mdat"] * 3]


@pytest.mark.parametrize("resume_at", [None, 1, 2])
@pytest.mark.parametrize("tracks", [0, 1, 3])
def test_times_and_all_audio(tmp_path, tracks, resume_at):
    path = make_movie(tmp_path / "in.mp4", frames=30, audio=tracks)
    copy_movie(path, tmp_path / "out.mp4", resume_at)
    assert times_of(tmp_path / "out.mp4") == times_of(path)
    audio = packets_of(path, "audio")
    # encoders begin before time 0: players leave that out by an edit list, which is kept
    assert len(audio) == tracks and all(track[0][0] < 0 for track in audio)
    assert packets_of(tmp_path / "out.mp4", "audio") == audio


@pytest.mark.parametrize(
    ("name", "times", "base"),
    [
        ("late.mkv", [1400 + 40 * i for i in range(30)], Fraction(1, 1000)),
        ("varying.mkv", [0, 7, 1000, 1003, 5000, *range(6000, 7000, 50)], Fraction(1, 1000)),
        ("ntsc.mov", [1001 * i for i in range(30)], Fraction(1, 30000)),
        ("slow.avi", list(range(30)), Fraction(1, 2)),
    ],
)
@pytest.mark.parametrize("resume_at", [None, 1])
def test_times_of_all_kinds(tmp_path, name, times, base, resume_at):
    codec = {"codec": "mjpeg", "pix_fmt": "yuvj420p"} if name == "slow.avi" else {}
    rate = round(1 / base / 500) or 2
    path = make_movie(tmp_path / name, times=times, base=base, rate=rate, **codec)
    copy_movie(path, tmp_path / "out.mp4", resume_at)
    got = times_of(tmp_path / "out.mp4")
    assert got == times_of(path)
    assert [float(t) for t in got] == pytest.approx([float(t * base) for t in times], abs=1e-9)


def test_the_duration_is_that_of_the_source(tmp_path):
    path = make_movie(tmp_path / "in.mp4", frames=30, audio=1)
    copy_movie(path, tmp_path / "out.mp4")
    with av.open(str(path)) as before, av.open(str(tmp_path / "out.mp4")) as after:
        assert abs(after.duration - before.duration) / av.time_base <= 1 / 25


def test_going_on_gives_the_same_file(tmp_path):
    path = make_movie(tmp_path / "in.mp4", frames=40, audio=2)
    copy_movie(path, tmp_path / "whole.mp4")
    copy_movie(path, tmp_path / "parts.mp4", resume_at=2)
    assert (tmp_path / "whole.mp4").read_bytes() == (tmp_path / "parts.mp4").read_bytes()


def test_it_can_be_played_wherever_it_is_cut_off(tmp_path):
    path = make_movie(tmp_path / "in.mp4", frames=40, audio=1)
    lengths = copy_movie(path, tmp_path / "out.mp4")
    data, cut = (tmp_path / "out.mp4").read_bytes(), tmp_path / "cut.mp4"
    for at in [*lengths, *range(lengths[0], len(data), 997)]:
        cut.write_bytes(data[:at])
        whole = sum(length <= at for length in lengths)
        with av.open(str(cut)) as out:
            frames = 0
            try:
                for _ in out.decode(video=0):
                    frames += 1
            except av.error.FFmpegError:
                pass  # the last packet may be half there
        assert frames >= min(40, BLOCK * whole)


def test_audio_that_begins_later(tmp_path):
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        track = out.add_stream("flac", rate=8000)
        for i in range(60):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        for i in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = 8000, Fraction(1, 8000)
            frame.pts = 12000 + 4096 * i
            out.mux(track.encode(frame))
        out.mux(track.encode())
    copy_movie(path, tmp_path / "out.mp4")
    (before,), (after,) = packets_of(path, "audio"), packets_of(tmp_path / "out.mp4", "audio")
    assert [data for _, data in after] == [data for _, data in before]
    late = [float(a - b) for (a, _), (b, _) in zip(after, before)]
    assert before[0][0] >= 1.5 and max(map(abs, late)) < 0.001


def test_audio_that_mp4_cannot_hold(tmp_path):
    path = tmp_path / "in.wmv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("msmpeg4v3", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        track = out.add_stream("wmav2", rate=44100)
        track.bit_rate = 64000
        frame = av.VideoFrame(64, 48, "yuv420p")
        out.mux([*video.encode(frame), *video.encode()])
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        out.mux([*track.encode(sound), *track.encode()])
    with pytest.raises(VideoError, match="stream 1 is audio in wmav2, which MP4 cannot hold"):
        with audio_of(as_source(path)):
            pass
    with audio_of(as_source(path), wanted=False) as tracks:
        assert tracks is None


def test_boxes_of_no_mp4():
    with pytest.raises(VideoError, match="at byte 0"):
        list(boxes(b"\0\0\0\1moof"))
