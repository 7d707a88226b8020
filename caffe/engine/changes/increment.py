"""Increment: the report of an incremental forward."""

from dataclasses import dataclass, field

from caffe.engine.changes.regions import Region


@dataclass
class Increment:
    """What an incremental forward did.

    Attributes
    ----------
    changed : dict of str to tuple of Window
        By input, the windows that were taken to have changed.
    computed : dict of str to tuple of Window
        By layer, the windows of its tops that were computed; none if it had nothing to do.
    multiply_adds : dict of str to int
        By layer, those of these windows.
    all_multiply_adds : int
        What a whole forward of the same layers takes.
    ignored : float
        Largest difference of an input value that counted as unchanged, at most the tolerance.
    ignored_share : float
        Largest share of an input's pixels, 0..1, that differ and counted as unchanged.
    """

    changed: dict[str, Region] = field(default_factory=dict)
    computed: dict[str, Region] = field(default_factory=dict)
    multiply_adds: dict[str, int] = field(default_factory=dict)
    all_multiply_adds: int = 0
    ignored: float = 0.0
    ignored_share: float = 0.0

    @property
    def share(self) -> float:
        """The share, 0..1, of a whole forward's multiply-adds that were computed."""
        done = sum(self.multiply_adds.values())
        return done / self.all_multiply_adds if self.all_multiply_adds else 0.0
