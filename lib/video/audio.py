"""The audio of a movie, as packets that are copied and not decoded."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO

import av
import av.error

from lib.video.address import Address
from lib.video.errors import VideoError
from lib.video.movie import opened

SLACK = 10  # seconds that one track may be read ahead of another that is silent


class AudioTracks:
    """All audio tracks of an open movie, read once from its start to its end.

    Attributes
    ----------
    streams : tuple of av.AudioStream
        As templates for the streams of the output.
    """

    def __init__(self, container: av.container.InputContainer, name: str) -> None:
        self.streams = container.streams.audio
        self._name = name
        self._packets = container.demux(*self.streams) if self.streams else iter(())
        self._waiting: dict[int, deque] = {stream.index: deque() for stream in self.streams}
        self._read_to: dict[int, Fraction] = dict.fromkeys(self._waiting, Fraction(-(10**9)))
        self._ended = not self.streams

    def until(self, end: Fraction | None) -> list[list[av.Packet]]:
        """Return the packets of each track that begin before `end`, and were not returned yet.

        Parameters
        ----------
        end : Fraction or None
            In seconds, None for all that are left.

        Raises
        ------
        VideoError
            If the movie is damaged.
        """
        while not self._ended and (end is None or self._lacks(end)):
            self._read()
        return [self._taken(self._waiting[stream.index], end) for stream in self.streams]

    def skip(self, end: Fraction) -> None:
        """Leave out the packets that begin before `end`, in seconds."""
        while not self._ended and self._lacks(end):
            self._read()
            for waiting in self._waiting.values():
                self._taken(waiting, end)
        self.until(end)

    def _lacks(self, end):
        times = self._read_to.values()
        return min(times) < end and max(times) < end + SLACK

    def _read(self):
        try:
            packet = next(self._packets, None)
        except av.error.EOFError:
            packet = None
        except (av.error.FFmpegError, OSError) as error:
            raise VideoError(f"{self._name}: its audio is damaged: {error}") from None
        if packet is None:
            self._ended = True
        elif packet.size and packet.dts is not None:
            index = packet.stream.index
            self._waiting[index].append(packet)
            self._read_to[index] = _time(packet)

    def _taken(self, waiting, end):
        taken = []
        while waiting and (end is None or _time(waiting[0]) < end):
            taken.append(waiting.popleft())
        return taken


def _time(packet):
    return packet.dts * packet.time_base


@contextmanager
def audio_of(source: Address, wanted: bool = True) -> Iterator[AudioTracks | None]:
    """Open the audio of a movie; None if it has none, or is no movie.

    Raises
    ------
    VideoError
        If MP4 cannot hold one of its tracks.
    """
    if source.kind != "movie" or not wanted:
        yield None
        return
    with opened(source) as container:
        tracks = AudioTracks(container, source.text)
        for stream in tracks.streams:
            _check_fits(stream, source)
        yield tracks if tracks.streams else None


def _check_fits(stream, source):
    try:
        with av.open(BytesIO(), "w", format="mp4", options={"movflags": "empty_moov"}) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(
            f"{source.text}: stream {stream.index} is audio in {stream.codec_context.name}, which "
            f"MP4 cannot hold ({error}): convert it to AAC, or leave the audio out (--no-audio)"
        ) from None
