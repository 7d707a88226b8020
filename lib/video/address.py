"""What an address names (a movie, a folder of images, a camera, a stream), and how far it reaches.

Only what the user named is opened. A movie file can name others (playlists, concatenations,
external tracks), and so can an answer from a network: FFmpeg gets lists of the containers and of
the protocols that it may use, and none of these containers makes it open anything else.
"""

import os
import re
import stat
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lib.video.errors import VideoError

Kind = Literal["movie", "folder", "camera", "stream"]

# containers that hold their data themselves; no playlists, no concat, no numbered images
CONTAINERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,apng,h264,hevc,vvc,obu,ivf,m4v,mjpeg,"
    "mpjpeg,nut,mxf,dv,wtv,yuv4mpegpipe,webp_pipe"
)
CAMERAS = {"linux": "video4linux2", "darwin": "avfoundation", "win32": "dshow"}
# what each scheme of an address needs below it
PROTOCOLS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,tls,rtp,udp,tcp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "http": "http,tcp",
    "https": "https,tls,tcp",
    "srt": "srt",
    "tcp": "tcp",
    "udp": "udp",
}
RTSP = ("rtsp", "rtsps")
LOCAL = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
SIGNS = ("\0", "\n", "\r")


class Address(NamedTuple):
    """What `find_source` found.

    Attributes
    ----------
    text : str
        As the user wrote it, for messages; without a password.
    kind : str
        'movie', 'folder', 'camera' or 'stream'.
    name : str
        What FFmpeg opens; the path of a folder.
    format : str or None
        FFmpeg's name of the input format, None for that which the data has.
    options : dict of str to str
        Of FFmpeg.
    """

    text: str
    kind: Kind
    name: str
    format: str | None
    options: dict[str, str]

    @property
    def is_file(self) -> bool:
        """Whether it is on a disk, so that it has an end and can be read again."""
        return self.kind in ("movie", "folder")


def find_source(address: os.PathLike[str] | str | int) -> Address:
    """Tell what an address names; nothing is read yet.

    Parameters
    ----------
    address : path-like, str or int
        A movie file; a folder of images; the number of a camera, or its device such as
        '/dev/video0'; or the URL of a stream, such as 'rtsp://host/stream'.

    Returns
    -------
    Address

    Raises
    ------
    VideoError
        If there is no such file, folder or camera, or the scheme of the URL is unknown.
    """
    text = os.fspath(address) if isinstance(address, os.PathLike) else str(address)
    if not text or any(sign in text for sign in SIGNS):
        raise VideoError(f"{text!r} is no address of a video: give a file, a folder, or a URL")
    if text.isascii() and text.isdecimal() and not Path(text).exists():
        return _camera(int(text))
    if scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text):
        return _stream(text, scheme[1].lower())
    try:
        mode = os.stat(text).st_mode
    except OSError as error:
        raise VideoError(f"{text}: {error.strerror}: give a file, a folder, or a URL") from None
    if stat.S_ISDIR(mode):
        return Address(text, "folder", text, None, {})
    if stat.S_ISCHR(mode) and Path(text).name.startswith("video"):
        return Address(text, "camera", text, _camera_format(), {})
    if not stat.S_ISREG(mode):
        raise VideoError(f"{text} is neither a file nor a folder: give a movie or its folder")
    # with its scheme, or a name such as concat:a would be one
    return Address(text, "movie", f"file:{os.path.abspath(text)}", None, dict(LOCAL))


def _camera(number: int) -> Address:
    names = {"linux": f"/dev/video{number}", "darwin": str(number), "win32": f"video={number}"}
    name = names.get(sys.platform, str(number))
    if sys.platform == "linux" and not os.path.exists(name):
        raise VideoError(f"camera {number}: there is no {name}: plug it in, or give another number")
    return Address(f"camera {number}", "camera", name, _camera_format(), {})


def _camera_format() -> str:
    if sys.platform not in CAMERAS:
        raise VideoError(f"cameras cannot be opened on {sys.platform}: give the URL of a stream")
    return CAMERAS[sys.platform]


def _stream(text: str, scheme: str) -> Address:
    if scheme not in PROTOCOLS:
        raise VideoError(
            f"{without_password(text)}: the scheme {scheme!r} is not known: give one of "
            f"{', '.join(PROTOCOLS)}, or a path without a scheme for a file"
        )
    containers = "rtsp" if scheme in RTSP else CONTAINERS
    options: dict[str, Any] = {"protocol_whitelist": PROTOCOLS[scheme]}
    options["format_whitelist"] = containers
    if scheme in RTSP:
        options["rtsp_transport"] = "tcp"  # one connection, to the address that the user named
    if scheme in ("http", "https"):
        options["max_redirects"] = "0"  # a redirection leads to where nobody named
    return Address(without_password(text), "stream", text, None, options)


def without_password(text: str) -> str:
    """Return a URL without the user and the password in it, for messages and files."""
    return re.sub(r"//[^/@]*@", "//", text)
