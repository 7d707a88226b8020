"""The exception that every dataset raises for bad input."""


class DatasetError(Exception):
    """A dataset, split, frame or file cannot be used; the message names it and the fix."""
