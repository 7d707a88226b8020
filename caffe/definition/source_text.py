r"""From the bytes of a definition to its text, and what editors and Windows do to such texts.

Caffe reads UTF-8. Files that come from Windows may be UTF-16, have a byte order mark, typographic
quotes, or paths whose \ begin an escape. What can have one meaning only is read; all else is an
error with its place.
"""

import bisect
import codecs
import logging
import re
import unicodedata

from caffe.weights.files import HDF5_MAGIC

log = logging.getLogger("caffe")

# A comment or a string; one that is never closed ends with its line.
TOKEN = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*"?|\'(?:\\.|[^\'\\\n])*\'?')
ESCAPE = re.compile(
    r"\\(?:[abfnrtv\\?'\"]|[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
)
LITERAL = {"\\\\", "\\'", '\\"', "\\?"}  # escapes that stand for the sign itself
ENDED = re.compile(r"\s*(\w+\s*[:{]|\}|$)", re.MULTILINE)  # what follows a string
DRIVE = re.compile(r"[\"'][A-Za-z]:\\(?!\\)")

# The longer marks first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
WEIGHTS_COME_SECOND = (
    'the definition comes first and the weights second: Net("net.prototxt", "net.caffemodel", TEST)'
)
BINARY = (  # how the file begins, what it is
    (HDF5_MAGIC, f"an HDF5 file, not a definition; {WEIGHTS_COME_SECOND}"),
    (b"PK\x03\x04", "a zip archive or a PyTorch file, not a definition"),
    (b"\x93NUMPY", "a NumPy file, not a definition"),
    (b"\x1f\x8b", "compressed: unpack it first"),
)
TEXTUAL = (  # a pattern that the text begins with, what it is
    (r"<(!DOCTYPE|html|\?xml)", "a web page, not a definition: the download went wrong"),
    (r"version https://git-lfs", "a Git LFS pointer, not a definition: run git lfs pull"),
    (r"item\s*:?\s*\{", "a label map (SSD's labelmap_*.prototxt), not a net: it names classes"),
    (r"[\[{]\s*[\"\]}]", "JSON, not a prototxt"),
    (r"\[(net|network)\]\s", "Darknet's cfg, not a prototxt"),
    (r"(node|model|graph|ir_version)\s*[:{]", "a definition for another framework, not for Caffe"),
    (r"(import|from) [\w.]+|def \w+\(|#!.*python", "a Python program, not a prototxt"),
)
LOOK_ALIKES = {  # signs that stand where a plain one is meant
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‘’‚‛′＇`´", "'"),
    **dict.fromkeys("‐‑‒–—−－", "-"),
    "：": ":",
    "；": ";",
    "，": ",",
    "｛": "{",
    "｝": "}",
    "＃": "#",
    "．": ".",
}


class TextError(ValueError):
    """Bytes that are no text of a definition.

    Attributes
    ----------
    line, column : int or None
        Where, from 1; None if it is the file as a whole.
    """

    def __init__(self, what: str, line: int | None = None, column: int | None = None):
        super().__init__(what)
        self.line, self.column = line, column


def binary_kind(content: bytes) -> str | None:
    """Return what bytes are that are no text, such as "this is an HDF5 file"; else None."""
    for magic, what in BINARY:
        if content.startswith(magic):
            return f"this is {what}"
    if b"\0" in content and not _wide_encoding(content):
        return (
            "this looks like a .caffemodel or another binary file, not a definition; "
            f"{WEIGHTS_COME_SECOND}"
        )
    return None


def decode(content: bytes, name: str) -> str:
    """Return the text of a definition.

    UTF-16 and UTF-32 are read, with a warning as Caffe itself reads UTF-8 only. Bytes of another
    encoding are passed over in comments.

    Parameters
    ----------
    content : bytes
    name : str
        Of the file, for the warning.

    Raises
    ------
    TextError
        If it is not UTF-8.
    """
    if encoding := _wide_encoding(content):
        return _decode_wide(content, encoding, name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _without_foreign_comments(content)


def _wide_encoding(content):
    """Return UTF-32, UTF-16 or, without its mark, one of UTF-16's two orders; None for others."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    start = content[:400]
    orders = ("UTF-16-LE", "UTF-16-BE") if b"\0" in start else ()
    return next((order for order in orders if _is_text(start, order)), None)


def _is_text(content, encoding):
    """Tell whether bytes, of which the last character may be cut, are mostly ASCII in an encoding."""
    text = content.decode(encoding, "ignore")
    readable = all(sign.isprintable() or sign in "\t\r\n" for sign in text)
    return readable and len(text) > 1 and 3 * sum(map(str.isascii, text)) > len(text)


def _decode_wide(content, encoding, name):
    """Decode UTF-16 or UTF-32, with a warning."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise TextError(f"this is {encoding}, cut or damaged: save it as UTF-8") from None
    log.warning("%s is %s and is read as such; Caffe itself reads UTF-8 only", name, encoding)
    return text


def _without_foreign_comments(content):
    """Decode UTF-8 with comments in any encoding; Caffe does not look at comments either."""
    text = content.decode("utf-8-sig", "surrogateescape")

    def clean(token):
        return re.sub("[\ud800-\udfff]", "?", token[0]) if token[0][0] == "#" else token[0]

    text = TOKEN.sub(clean, text)
    if foreign := re.search("[\udc80-\udcff]", text):
        byte = ord(foreign[0]) - 0xDC00
        line, column = place(text, foreign.start())
        raise TextError(f"byte 0x{byte:02x} is not UTF-8; save the file as UTF-8", line, column)
    return text


def place(text: str, index: int) -> tuple[int, int]:
    """Return (line, column), both from 1, of a character."""
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def other_kind(text: str) -> str | None:
    """Return what a text is that is no definition, if it can be told; else None."""
    start = re.sub(r"\A(\s+|#[^!\n][^\n]*\n)*", "", text[:10_000])
    for pattern, what in TEXTUAL:
        if re.match(pattern, start):
            return f"this is {what}"
    return None


def bad_path(text: str) -> tuple[int, int, str] | None:
    r"""Find the first string with a \ that begins an escape where a path is meant.

    `"C:\users"` is such a path, and `"data\train\list.txt"`, whose `\t` is a tab and whose `\l` is
    nothing. A string in which no \ begins an escape is read as it stands.

    Returns
    -------
    (line, column, what) or None
    """
    for token in TOKEN.finditer(text):
        string = token[0]
        if string[0] == "#" or "\\" not in string:
            continue
        known = [escape for escape in ESCAPE.findall(string) if escape not in LITERAL]
        unknown = re.findall(r"\\[^\n]?", ESCAPE.sub("", string))
        broken = [escape for escape in unknown if escape[1:] in ("x", "u", "U", "")]
        if DRIVE.match(string) and f"\\{string[0]}" in string:  # C:\folder\ does not end there
            broken.append(f"\\{string[0]}")
        if broken or known and (unknown or DRIVE.match(string)):
            escape = (broken or known)[0]
            shown = string if len(string) <= 100 else f"{string[:100]} ..."
            what = f"in {shown} {escape} begins an escape: write / in paths, or \\\\ for each \\"
            return *place(text, token.start()), what
    return None


def look_alike(text: str, last_line: int) -> tuple[int, int, str] | None:
    """Find the first sign outside strings and comments that no definition has.

    Parameters
    ----------
    text : str
    last_line : int
        The line, from 1, up to which to look.

    Returns
    -------
    (line, column, what) or None
        Its place and what to write.
    """
    text = "\n".join(text.split("\n")[:last_line])
    spans = [(token.start(), token.end(), token[0]) for token in TOKEN.finditer(text)]
    starts, last = [start for start, _, _ in spans], text.rfind("\n") + 1
    for found in re.finditer(r"[^\x20-\x7e\s]|`", text):
        i = bisect.bisect_right(starts, found.start()) - 1
        if i < 0 or found.start() >= spans[i][1]:
            return *place(text, found.start()), _meant(found[0])
        # inside a comment or a string: a quote that should have ended the string?
        string, quote = spans[i][2], LOOK_ALIKES.get(found[0]) in ("'", '"')
        if quote and string[0] != "#" and found.start() >= last and ENDED.match(text, found.end()):
            what = f"this text begins with {string[0]} and ends with {found[0]}: use plain quotes"
            return *place(text, found.start()), what
    return None


def _meant(sign):
    """Say what to write in place of a sign."""
    name = unicodedata.name(sign, "an invisible sign").lower()
    shown = f"{sign} ({name})" if sign.isprintable() else f"U+{ord(sign):04X} ({name})"
    if plain := LOOK_ALIKES.get(sign):
        fix = "use plain quotes" if plain in "\"'" else "use the plain sign"
        return f"{shown} stands in place of {plain} here; {fix}"
    if sign.isalnum():
        return f"{shown} is in no name of a field: write the word again, in ASCII"
    return f"{shown} has no place here: remove it"
