"""The errors of lib.video."""


class VideoError(Exception):
    """A source or an output cannot be used; the message names it, the frame, and the fix."""


class EndOfStreamError(VideoError):
    """A live source has ended, or has gone away and may come back."""
