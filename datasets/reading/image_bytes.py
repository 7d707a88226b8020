"""What Pillow gets to see of an image file: bounded work, and no metadata that nobody asked for.

Pillow reads the heads of files in Python: millions of tiny parts take minutes and gigabytes, and so
do the tags of a camera, each of which may claim the whole file. No sound image comes near.
"""

import io

from PIL import Image

from datasets.errors import DatasetError

MAX_READS = 500_000  # by Pillow of one file; it reads a part of a PNG in four
MAX_PARTS = 10_000  # of a JPEG file, before its first scan
MAX_SCANS = 200  # of a JPEG file; a progressive one has about ten, each a pass over the image
MAX_SLOW = 1 << 22  # bytes of a PPM file whose numbers Pillow reads in Python
MAX_COMMENTS = 100  # in one that is a text; each costs a pass over the rest

_JPEG = b"\xff\xd8"
_SCAN, _COMMENT, _APPS = 0xDA, 0xFE, range(0xE0, 0xF0)
_KEPT = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}  # they tell how to decode the colours
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))


class ImageBytes(io.BytesIO):
    """The bytes of an image file, of which a bounded number of parts can be read.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    DatasetError
        If it is a JPEG file of too many parts; without the name of the file. The same on reading.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(_plain_jpeg(content) if content.startswith(_JPEG) else content)
        self._left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as io.BytesIO does."""
        self._left -= 1
        if self._left < 0:
            raise DatasetError("an image of too many parts; save it again")
        return super().read(size)


def check_slow(image: Image.Image, content: bytes) -> None:
    """Raise DatasetError if the pixels of an opened image would be read too slowly."""
    codecs = {tile[0] for tile in getattr(image, "tile", ())}
    if "ppm_plain" in codecs and content.count(b"#") > MAX_COMMENTS:
        raise DatasetError("a PPM image of too many comments; save it again")
    if codecs & {"ppm", "ppm_plain"} and len(content) > MAX_SLOW:
        raise DatasetError(
            f"a PPM image of {len(content):,} bytes that is a text, or whose values do not go up "
            "to 255; save it again as PNG, or as PPM with 8 bits"
        )


def _plain_jpeg(content):
    """Return a JPEG file without the metadata before its first scan."""
    parts = [_JPEG]
    at = 2
    while len(parts) <= MAX_PARTS:
        at = content.find(b"\xff", at)  # bytes between parts have no meaning
        if at < 0 or at + 4 > len(content):
            return b"".join(parts)  # damaged, as Pillow will say
        marker = content[at + 1]
        if marker == _SCAN:
            scans = content.count(b"\xff\xda", at)
            if scans > MAX_SCANS:
                raise DatasetError(
                    f"a JPEG image of {scans} scans, but {MAX_SCANS} are the most; save it again"
                )
            return b"".join([*parts, content[at:]])
        if marker in (0x00, 0xFF):  # filling
            parts.append(b"")
            at = _after_filling(content, at)
        elif marker in _WITHOUT_LENGTH:
            parts.append(content[at : at + 2])
            at += 2
        else:
            end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
            parts.append(b"" if _is_metadata(content, at) else content[at:end])
            at = max(end, at + 4)
    raise DatasetError(f"a JPEG image of more than {MAX_PARTS:,} parts; save it again")


def _after_filling(content, at):
    """Return where to go on after a 0xff that begins no part, at the last of several 0xff."""
    if content[at + 1] == 0:
        return at + 2
    some = content[at : at + (1 << 16)]
    return at + len(some) - len(some.lstrip(b"\xff")) - 1


def _is_metadata(content, at):
    """Return whether the part at `at` tells nothing of the pixels."""
    marker = content[at + 1]
    kept = _KEPT.get(marker)
    if kept is None:
        return marker == _COMMENT or marker in _APPS
    return content[at + 4 : at + 4 + len(kept)] != kept
