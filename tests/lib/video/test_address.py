"""What an address names, and that nothing is opened which the user did not name."""

import http.server
import os
import threading

import pytest

from lib.video.address import find_source
from lib.video.errors import VideoError
from lib.video.source import read_frames
from tests.lib.video.movies import make_movie


def test_kinds(movie, tmp_path):
    assert find_source(movie).kind == "movie"
    assert find_source(str(tmp_path)).kind == "folder"
    assert find_source("rtsp://host/stream").kind == "stream"
    assert find_source(movie).is_file and not find_source("http://host/a.mp4").is_file


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "no address"),
        ("a\0b", "no address"),
        ("nowhere.mp4", "nowhere.mp4: No such file"),
        ("gopher://host/x", "scheme 'gopher'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("concat:a|b", "No such file"),
        ("/dev/null", "neither a file nor a folder"),
        ("4321", "4321"),
    ],
)
def test_no_source(address, message):
    with pytest.raises(VideoError, match=message):
        find_source(address)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match="neither a file nor a folder"):
        find_source(tmp_path / "pipe.mp4")


def test_passwords_are_not_shown():
    assert find_source("rtsp://me:secret@host/stream").text == "rtsp://host/stream"
    assert find_source("rtsp://me:secret@host/stream").name == "rtsp://me:secret@host/stream"


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{movie}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{movie}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    "<Period><AdaptationSet><Representation><BaseURL>{movie}</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "mpd", "sdp"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_file_that_names_another_is_not_followed(movie, tmp_path, kind, suffix):
    path = tmp_path / f"list.{suffix}"
    path.write_text(PLAYLISTS[kind].format(movie=movie))
    with pytest.raises(VideoError, match="cannot be opened"):
        next(read_frames(path))


def test_a_name_is_no_pattern_and_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_movie(tmp_path / "concat:x%02d.mp4", frames=3)
    assert len(list(read_frames("concat:x%02d.mp4"))) == 3


class Server(http.server.BaseHTTPRequestHandler):
    """Serves a movie, a redirection to it, and a playlist of it."""

    movie, asked = b"", []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/movie.mp4")
            self.end_headers()
            return
        content = self.movie
        if self.path == "/list.m3u8":
            content = PLAYLISTS["hls"].format(movie="movie.mp4").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_): ...


@pytest.fixture
def server(movie):
    Server.movie, Server.asked = movie.read_bytes(), []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_movie_over_http(server):
    assert len(list(read_frames(f"{server}/movie.mp4"))) == 30


@pytest.mark.parametrize("path", ["/away", "/list.m3u8"])
def test_redirections_and_playlists_over_http_are_not_followed(server, path):
    with pytest.raises(VideoError, match="cannot be opened"):
        list(read_frames(server + path))
    assert set(Server.asked) == {path}
