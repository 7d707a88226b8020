"""Timer: milliseconds between start and stop."""
import time

from . import device


class Timer:
    """timer.start(); ...; timer.stop(); timer.ms. Work that a GPU still has to do is waited for."""

    def __init__(self):
        self._began, self._ms = None, 0.

    def start(self):
        """Begin; a timer that runs goes on."""
        if self._began is None:
            device.synchronize()
            self._began = time.perf_counter()

    def stop(self):
        """End; a timer that stands keeps its last time."""
        if self._began is not None:
            device.synchronize()
            self._ms = 1000 * (time.perf_counter() - self._began)
            self._began = None

    @property
    def ms(self):
        """Milliseconds of the last run; stops a timer that runs."""
        self.stop()
        return self._ms
