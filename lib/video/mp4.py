"""Video as MP4 in blocks: each block is complete, so the file can be played at any moment.

The file is a fragmented MP4: a header (`ftyp`, `moov`), then fragments (`moof`, `mdat`) with the
frames of a block and the audio of the same time. Each block is made by an encoder and a muxer of
its own, in memory. So it does not depend on those before it, and after an interruption the next
one is appended to what is there. Block 0 brings the header. Each track counts its time from its
first packet; an edit list in the header says when that is.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import av

from lib.video.audio import AudioTracks
from lib.video.errors import VideoError

# the fastest preset: the net needs the time
QUALITY = {"preset": "ultrafast", "crf": "23", "threads": "1", "bf": "0", "sc_threshold": "0"}
FLAGS = "default_base_moof+skip_trailer+frag_keyframe+delay_moov"
LONGEST = 2**31 - 1  # units of time a second


class Mp4Blocks:
    """Makes the blocks of one MP4 file.

    Parameters
    ----------
    size : (int, int)
        Even height and width in pixels.
    time_base : Fraction
        Unit of the times of the frames, in seconds.
    rate : Fraction
        Frames a second, roughly; for players.
    most : int
        Frames of a block: a key frame comes no more often.
    audio : AudioTracks, optional
    first : list of int, optional
        To go on with a file: what `first` was after block 0.

    Attributes
    ----------
    first : list of int or None
        Where each track begins, in its own units: video, then audio. None before block 0.
    """

    def __init__(
        self,
        size: tuple[int, int],
        time_base: Fraction,
        rate: Fraction,
        most: int,
        audio: AudioTracks | None = None,
        first: list[int] | None = None,
    ) -> None:
        if not 0 < time_base.denominator <= LONGEST:
            raise VideoError(f"a unit of time of {time_base} s is too short for MP4")
        self._size, self._time_base, self._most = size, time_base, most
        self._rate = rate.limit_denominator(1001)
        self._audio, self.first = audio, first

    def begin(self, number: int) -> "Block":
        """Begin block `number`, the first is 0."""
        return Block(self, number)

    def _open(self, number, file):
        """Return a muxer in memory, its video stream, and its audio streams."""
        scale = str(self._time_base.denominator)
        options = {"movflags": FLAGS, "video_track_timescale": scale, "movie_timescale": scale}
        options |= {"avoid_negative_ts": "disabled", "fragment_index": str(number + 1)}
        if number:
            options["movflags"] += "+frag_discont"
        muxer = av.open(file, "w", format="mp4", options=options)
        video = muxer.add_stream("libx264", rate=self._rate, options=QUALITY)
        video.height, video.width = self._size
        video.pix_fmt = "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, self._time_base.denominator)
        video.codec_context.gop_size = self._most
        tracks = self._audio.streams if self._audio else ()
        return muxer, video, [muxer.add_stream_from_template(track) for track in tracks]


class Block:
    """A block in the making; see `Mp4Blocks.begin`."""

    def __init__(self, file: Mp4Blocks, number: int) -> None:
        self._blocks, self._number, self._file = file, number, BytesIO()
        self._muxer, self._video, self._tracks = file._open(number, self._file)
        self._durations: dict[int, int] = {}
        self._first: int | None = None

    def add(self, picture: av.VideoFrame, pts: int, duration: int) -> None:
        """Add a frame.

        Parameters
        ----------
        picture : av.VideoFrame
            yuv420p, of the size of the file.
        pts, duration : int
            When and how long it is shown, in the units of the file.
        """
        factor = self._blocks._time_base.numerator
        if self._first is None:
            self._first = pts * factor
        picture.pts = pts * factor - self._shift(0)
        picture.time_base = self._video.time_base
        self._durations[picture.pts] = duration * factor
        self._mux(self._video.encode(picture))

    def finish(self, end: Fraction | None) -> bytes:
        """End the block, and return its bytes.

        Parameters
        ----------
        end : Fraction or None
            When it ends, in seconds: audio that begins before goes into it. None for the last one.
        """
        self._mux(self._video.encode())
        first: list[int] = [self._first or 0]
        audio = self._blocks._audio
        packets = audio.until(end) if audio else []
        for i, (track, of_track) in enumerate(zip(self._tracks, packets), 1):
            # one that begins later has no edit list, and counts from 0
            first.append(of_track[0].dts or 0 if of_track else 0)
            for packet in of_track:
                self._muxer.mux(_moved(packet, track, self._shift(i)))
        self._muxer.close()
        made = list(boxes(self._file.getvalue()))
        if self._number:
            made = [(kind, box) for kind, box in made if kind in ("moof", "mdat")]
        else:
            self._blocks.first = first
        return b"".join(box for _, box in made)

    def drop(self) -> None:
        """End the block without a result."""
        self._muxer.close()

    def _shift(self, track):
        """Return what to subtract from the times of a track: the header of block 0 has it."""
        return self._blocks.first[track] if self._number and self._blocks.first else 0

    def _mux(self, packets):
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)
            self._muxer.mux(packet)


def _moved(packet, stream, shift):
    """Return a packet of another file, for this stream and `shift` earlier; the data is shared."""
    moved = av.Packet(packet)
    moved.dts = packet.dts - shift
    moved.pts = (packet.dts if packet.pts is None else packet.pts) - shift
    moved.duration, moved.time_base = packet.duration, packet.time_base
    moved.is_keyframe = packet.is_keyframe
    moved.stream = stream
    return moved


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (type, box) of the top-level boxes of an MP4 file."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise VideoError(f"box {kind!r} at byte {at} of an MP4 file has {size} bytes")
        yield kind.decode("latin-1"), data[at : at + size]
        at += size
