"""OneCaller: a net serves one thread at a time, and refuses a second one."""

import threading

from caffe.errors import NetInUse


class OneCaller:
    """A `with` block that one thread may be in, as often as it likes; NetInUse in any other.

    The other thread is refused and does not wait. Were it to wait, it would go on to overwrite what
    the first one reads: blobs are filled before a call and read after it, and what forward returns
    are views of them.

    Parameters
    ----------
    what : str
        What is in use, for the message.
    """

    def __init__(self, what: str):
        self._what, self._lock, self._user = what, threading.RLock(), ""

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise NetInUse(
                f"{self._what} is in use by thread {self._user!r}, and serves one thread at a "
                "time: make a Net for each thread (other.share_with(net) shares the weights), or "
                "hold a threading.Lock while you fill, run and read it"
            )
        self._user = threading.current_thread().name

    def __exit__(self, *exception: object) -> None:
        self._lock.release()
