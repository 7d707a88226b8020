"""Work ahead in a thread: a bounded queue between what makes items and what uses them."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
LOOK = 0.1  # seconds between looks at whether the other side is gone
END = object()


class Ahead(Generic[Item]):
    """Items of an iterable that a thread makes ahead of time.

    No more than `size` items wait, so a slow consumer holds up the producer. An exception of the
    producer is raised in the consumer, after the items before it. `close`, or the end of a
    ``with`` block, ends the thread and closes a generator that it runs.

    Parameters
    ----------
    items : iterable
        Iterated in the thread.
    size : int
        Items that may wait.
    """

    def __init__(self, items: Iterable[Item], size: int = 4) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(size)
        self._closed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._produce, args=(items,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._ended:
            raise StopIteration
        item, error = self._next()
        if item is END:
            self._ended = True
            self._thread.join()
            raise StopIteration if error is None else error
        return item

    def __enter__(self) -> "Ahead[Item]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread; items that wait are lost."""
        self._closed.set()
        self._ended = True
        while self._thread.is_alive():
            _drain(self._queue)
            self._thread.join(LOOK)

    def _next(self):
        while True:
            try:
                return self._queue.get(timeout=LOOK)
            except queue.Empty:
                if not self._thread.is_alive() and self._queue.empty():
                    raise RuntimeError("the thread that works ahead has gone") from None

    def _produce(self, items):
        iterator, error = iter(items), None
        try:
            for item in iterator:
                if not self._put((item, None)):
                    break
        except BaseException as raised:
            error = raised
        finally:
            if hasattr(iterator, "close"):
                iterator.close()
        self._put((END, error))

    def _put(self, entry):
        """Put an entry when there is room; return False once the consumer is gone."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=LOOK)
                return True
            except queue.Full:
                continue
        return False


def _drain(waiting):
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        pass


class Behind(Generic[Item]):
    """A consumer that works in a thread on what it is given; no more than `size` items wait.

    At the end of a ``with`` block the consumer finishes what waits, and its error is raised. If
    the block is left by an exception, the consumer gets that exception after the items before it.

    Parameters
    ----------
    consume : callable
        ``consume(items)``, run in the thread, iterates over the items.
    size : int
        Items that may wait.
    """

    def __init__(self, consume: Callable[[Iterator[Item]], object], size: int = 4) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(consume,), daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand over an item; wait for room. Raises what the consumer raised, if it has."""
        self._put((item, None))
        if not self._thread.is_alive() and self._error is not None:
            raise self._error

    def __enter__(self) -> "Behind[Item]":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._put((END, error))
        self._thread.join()
        if self._error is not None and self._error is not error:
            raise self._error

    def _put(self, entry):
        while self._thread.is_alive():
            try:
                return self._queue.put(entry, timeout=LOOK)
            except queue.Full:
                continue

    def _run(self, consume):
        try:
            consume(self._items())
        except BaseException as error:
            self._error = error

    def _items(self):
        while True:
            item, error = self._queue.get()
            if error is not None:
                raise error
            if item is END:
                return
            yield item
