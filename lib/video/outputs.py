"""The files of a run: overlay video, label maps, a row a frame, and how far the run has come.

``-o street.mp4`` stands for four names: `street.mp4`, the folder `street-labels` with a PNG a
frame, `street.csv`, and `street.json`, the journal. All but the labels grow by whole blocks of
frames; the journal says how long they are with the blocks that are complete. So a run that was
killed goes on from there: what is beyond is cut off and made again.
"""

import csv
import errno
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lib.atomic import write_atomically
from lib.reading import read_json
from lib.video.errors import VideoError

SUFFIXES = (".mp4", ".m4v")
COLUMNS = ("frame", "time_s", "ran", "then", "change", "latency_ms")
Row = tuple[Any, ...]
VERSION = 1
LARGEST = 2**20  # bytes of a journal
NUMBERS = ("blocks", "frames", "frame", "pts", "video_bytes", "csv_bytes")


class Outputs:
    """The files of one run.

    Parameters
    ----------
    video : path-like
        Of the overlay video, ending in .mp4.
    made_by : mapping of str to JSON values
        What the outputs depend on: source, net, clock. A run is only continued with the same.

    Attributes
    ----------
    video, csv, labels, journal : Path
    state : dict
        Of the blocks that are complete: `blocks` and `frames` (how many), `frame` and `pts` (of
        the last one), `end` (its end in units of the source), `first` (where tracks begin),
        `video_bytes`, `csv_bytes`, `done`; and `clock` if it was tuned.
    """

    def __init__(self, video: os.PathLike[str] | str, made_by: Mapping[str, Any]) -> None:
        self.video = Path(video)
        if self.video.suffix.lower() not in SUFFIXES:
            raise VideoError(f"{video}: the video is MP4: give a name that ends in .mp4")
        stem = self.video.stem
        self.csv, self.journal = (self.video.with_name(stem + s) for s in (".csv", ".json"))
        self.labels = self.video.with_name(f"{stem}-labels")
        self._made_by = json.loads(json.dumps(made_by))
        self.state: dict[str, Any] = {}
        self._folder_missing = True

    def start(self) -> None:
        """Begin new files; they appear with the first block.

        Raises VideoError if one is there already, or cannot be written.
        """
        for path in (self.video, self.csv, self.journal):
            if os.path.lexists(path):
                raise VideoError(
                    f"{path} is there already: go on with --resume, replace it with --overwrite, "
                    "or give another name with -o"
                )
        with writing(self.video):
            self.video.touch()  # fails now, and not after the first block
            self.video.unlink()
        self.state = dict.fromkeys(NUMBERS, 0) | {"done": False}

    def overwrite(self) -> None:
        """Begin new files in place of those of an earlier run."""
        with writing(self.video):
            for path in (self.journal, self.csv, self.video):
                path.unlink(missing_ok=True)
            for path in self.labels.glob("[0-9]*.png"):
                path.unlink()
        self.start()

    def resume(self) -> bool:
        """Go on with the files of an interrupted run; return False if there is none.

        Raises
        ------
        VideoError
            If they were made by another net, source or clock, or are damaged.
        """
        if not os.path.lexists(self.journal):
            return False
        journal = _read_journal(self.journal)
        if journal["made by"] != self._made_by:
            before, now = journal["made by"], self._made_by
            other = sorted(k for k in {*before, *now} if before.get(k) != now.get(k))
            raise VideoError(
                f"{self.journal}: the run was started with other settings ({', '.join(other)}): "
                "give the same, or --overwrite"
            )
        self.state = journal["state"]
        for path, length in ((self.video, "video_bytes"), (self.csv, "csv_bytes")):
            if self.state["blocks"]:
                _cut(path, self.state[length], self.journal)
            else:
                path.unlink(missing_ok=True)
        return True

    def write_label(self, number: int, png: bytes) -> None:
        """Write the label map of frame `number`; a kill leaves a whole file or none."""
        path = self.labels / f"{number:06d}.png"
        unfinished = path.with_suffix(".part")  # not synced to disk: the journal does that for all
        with writing(path, number):
            if self._folder_missing:
                self.labels.mkdir(exist_ok=True)
                self._folder_missing = False
            unfinished.write_bytes(png)
            os.replace(unfinished, path)

    def add_block(
        self, video: bytes, rows: Sequence[Row], state: Mapping[str, Any], whole: bool = True
    ) -> None:
        """Append a block.

        Parameters
        ----------
        video : bytes
            Its part of the video.
        rows : sequence of tuple
            A row a frame, by `COLUMNS`.
        state : mapping
            What the journal says after it.
        whole : bool
            False for one that was broken off. It can be seen, but the journal leaves it out, so a
            run that goes on makes it again as a whole.

        Raises
        ------
        VideoError
            With the frame, if the disk is full or the file has gone.
        """
        number = rows[-1][0]
        if not self.state["blocks"]:
            self._write_journal(number)  # so that a run that goes on knows the files for its own
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows if self.state["csv_bytes"] else [COLUMNS, *rows])
        added = text.getvalue().encode()
        _append(self.video, video, self.state["video_bytes"], number)
        _append(self.csv, added, self.state["csv_bytes"], number)
        if not whole:
            return
        self.state = {
            **self.state,
            **state,
            "blocks": self.state["blocks"] + 1,
            "frames": self.state["frames"] + len(rows),
            "frame": number,
            "video_bytes": self.state["video_bytes"] + len(video),
            "csv_bytes": self.state["csv_bytes"] + len(added),
        }
        self._write_journal(number)

    def finish(self) -> None:
        """Note that the run has come to the end of its source."""
        self.state["done"] = True
        self._write_journal()

    def _write_journal(self, number=None):
        content = {"version": VERSION, "made by": self._made_by, "state": self.state}
        with writing(self.journal, number):
            write_atomically(self.journal, json.dumps(content, indent=1) + "\n")


@contextmanager
def writing(path: Path, number: int | None = None) -> Iterator[None]:
    """Turn an OSError of a `with` block into a VideoError with the file, the frame and the fix."""
    try:
        yield
    except OSError as error:
        at = "" if number is None else f", frame {number}"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        fix = "make room, then go on with --resume" if full else "give another name with -o"
        raise VideoError(f"{path}{at} cannot be written: {error.strerror}: {fix}") from None


def _append(path, data, length, number):
    """Write `data` at `length`, the end of what is complete, and wait until it is on the disk."""
    with writing(path, number), open(path, "r+b" if length else "wb") as file:
        try:
            file.seek(length)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                file.truncate(length)  # half a block is of no use
            raise


def _cut(path, length, journal):
    try:
        if path.stat().st_size < length:
            raise VideoError(f"{path} is shorter than {journal} says: start again, --overwrite")
        os.truncate(path, length)
    except OSError as error:
        raise VideoError(
            f"{path} cannot be continued: {error.strerror}: start again with --overwrite"
        ) from None


def _read_journal(path):
    """Return what `Outputs` wrote, checked."""
    bad = VideoError(f"{path} is not the journal of a run, or damaged: start again, --overwrite")
    try:
        journal = read_json(path, LARGEST)
        state = journal["state"]
        whole = all(type(state[name]) is int for name in NUMBERS)
        good = whole and min(state[n] for n in NUMBERS if n != "pts") >= 0
        if journal["version"] != VERSION or not good or type(journal["made by"]) is not dict:
            raise bad
        if state["blocks"] and not all(type(n) is int for n in (*state["first"], state["end"])):
            raise bad
    except (OSError, ValueError, KeyError, TypeError):
        raise bad from None
    return journal
