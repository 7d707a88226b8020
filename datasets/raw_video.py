"""The raw video of NYUDv2: a folder a video, in which the name of a frame holds its time."""

from datasets.errors import DatasetError

SUFFIXES = (".ppm", ".png", ".jpg")  # the official one, and what copies are converted to
RGB = "r-"  # what the names of frames begin with; those of depth images with d-


def frame_name(file_name):
    """The name of a frame: that of its file without the suffix, if it has one of SUFFIXES."""
    for suffix in SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)]
    return file_name


def frame_time(name):
    """When frame `name` was taken: the number between its first two dashes."""
    try:
        _, time, _ = name.split("-", 2)
        return float(time)
    except ValueError:
        raise DatasetError(
            f"{name}: no time in the name of this frame; expected {RGB}{{time}}-"
            "{n}, such as r-1294890493.094019-1806686197"
        ) from None


def list_raw_frames(video):
    """Names of the RGB frames in the folder `video`, in time order.

    Raises DatasetError naming the folder if it is missing or holds none, and a frame that has no
    time in its name.
    """
    if not video.is_dir():
        raise DatasetError(f"{video}: no such video; unpack the raw video of NYUDv2 there")
    names = {
        frame_name(file.name)
        for file in video.iterdir()
        if file.name.startswith(RGB) and file.suffix.lower() in SUFFIXES
    }
    if not names:
        raise DatasetError(
            f"{video}: holds no frame {RGB}{{time}}-{{n}}{SUFFIXES[0]}; unpack the video again"
        )
    return sorted(names, key=lambda name: (frame_time(name), name))


def raw_frame_path(video, frame):
    """The file of `frame`, with or without its suffix, in the folder `video`.

    Raises DatasetError if there is none.
    """
    frame = frame_name(frame)
    for suffix in SUFFIXES:
        path = video / f"{frame}{suffix}"
        if path.is_file():
            return path
    raise DatasetError(
        f"{video / frame}{SUFFIXES[0]}: no such frame, nor as {SUFFIXES[1]} or "
        f"{SUFFIXES[2]}; is the raw video unpacked completely?"
    )


def every(skip, frames, through=0):
    """Every `skip`-th of the list `frames`, in step with the one at index `through`."""
    if skip < 1:
        raise DatasetError(f"every {skip}-th frame was asked for: give a skip of at least 1")
    return frames[through % skip :: skip]
