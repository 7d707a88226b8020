"""Small movies made in the test, and what is in a movie."""

import struct
from fractions import Fraction

import av
import numpy as np

STEP = 8  # of the grey level, from frame to frame
ROTATIONS = {
    "clockwise": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "counterclockwise": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
}


def picture(number, size=(48, 64)):
    """Grey by the number of the frame, the upper left quarter white."""
    pixels = np.full((*size, 3), STEP * number % 160, np.uint8)
    pixels[: size[0] // 2, : size[1] // 2] = 255
    return pixels


def number_of(pixels):
    """The number of the frame that `picture` drew, up to 19, from its lower right corner."""
    return round(float(np.mean(pixels[-8:, -8:])) / STEP)


def make_movie(
    path,
    frames=30,
    size=(48, 64),
    times=None,
    rate=25,
    audio=0,
    codec="libx264",
    pix_fmt="yuv420p",
    paint=picture,
    options=None,
    base=None,
):
    """Write a movie; `times` are in units of `base`, one a frame; `audio` is a number of tracks.

    Audio comes first, so that video is not stream 0.
    """
    base = base or Fraction(1, 12800)
    times = [round(i / rate / base) for i in range(frames)] if times is None else times
    with av.open(str(path), "w", options=options or {}) as out:
        tracks = [out.add_stream("aac", rate=44100) for _ in range(audio)]
        settings = {"preset": "ultrafast", "crf": "5"} if codec == "libx264" else {}
        video = out.add_stream(codec, rate=rate, options=settings)
        video.height, video.width = size
        video.pix_fmt = pix_fmt
        video.time_base = video.codec_context.time_base = base
        video.codec_context.gop_size = 12
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(paint(number, size), "rgb24")
            frame.pts, frame.time_base = time, base
            out.mux(video.encode(frame))
        out.mux(video.encode())
        for k, track in enumerate(tracks):
            tone = np.sin(np.arange(1024) * 0.05 * (k + 1))[None].astype(np.float32)
            for i in range(int(times[-1] * base * 44100 / 1024) + 2):
                frame = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
                frame.sample_rate, frame.pts = 44100, 1024 * i
                frame.time_base = Fraction(1, 44100)
                out.mux(track.encode(frame))
            out.mux(track.encode())
    return path


def turn_movie(path, how):
    """Write a display matrix into the header of an MP4 with one track."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") - 4 + 48
    a, b, c, d = (65536 * value for value in ROTATIONS[how])
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def packets_of(path, kind):
    """The packets of each stream of a kind, as (time, content), in order of time."""
    with av.open(str(path)) as movie:
        found = {stream.index: [] for stream in movie.streams if stream.type == kind}
        for packet in movie.demux():
            if packet.size and packet.stream.index in found:
                time = packet.pts * packet.time_base
                found[packet.stream.index].append((time, bytes(packet)))
    return [sorted(stream) for stream in found.values()]


def times_of(path):
    """The times of the frames of a movie."""
    (video,) = packets_of(path, "video")
    return [time for time, _ in video]
