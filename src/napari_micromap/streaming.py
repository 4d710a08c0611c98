"""Work that runs ahead on threads while its results are used."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
NICE = 5  # how far threads that compute stand back, on Linux

# ---------------------------------------------------------------------- an ordered map on threads


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
    ahead: int | None = None,
    begin: Callable[[], None] | None = None,
) -> Generator[Result, None, None]:
    """Apply a function to items on a few threads and yield the results in the order of the items.

    At most ``ahead`` results wait to be used, so memory is bounded however many items there are. What the function
    raises is raised here when its turn comes. Closing the generator forgets what has not begun and waits for what has.

    Parameters
    ----------
    workers : int, optional
        Threads; as many as there are processors, at most 8, if left out.
    ahead : int, optional
        Items that are begun before their results are wanted; twice the workers if left out.
    begin : callable, optional
        Called once in each thread before its first item.
    """
    workers = workers if workers is not None else max(1, min(8, processors()))
    coming = iter(items)
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="micromap", initializer=begin)
    try:
        pending.extend(pool.submit(function, item) for item in islice(coming, ahead or 2 * workers))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(coming, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def processors() -> int:
    """Return how many processors this process may use; at most MICROMAP_THREADS, where that is set."""
    allowed = getattr(os, "sched_getaffinity", None)
    there = len(allowed(0)) if allowed else os.cpu_count() or 1
    named = os.environ.get("MICROMAP_THREADS", "")
    return max(1, min(there, int(named)) if named.isdecimal() and int(named) else there)


class Stopped(Exception):
    """What a thread raises when nobody wants its result any more."""


class Stop:
    """A wish to end, that threads look at between two steps of long work."""

    def __init__(self) -> None:
        self._wished = threading.Event()

    def wish(self) -> None:
        """Ask all threads to end."""
        self._wished.set()

    def check(self) -> None:
        """Raise Stopped if the end is wished for."""
        if self._wished.is_set():
            raise Stopped


# ---------------------------------------------------------------------- slow things, with a pulse


def with_pulse(
    items: Iterable[Item], errors: tuple[type[Exception], ...], pause: float = 0.2
) -> Generator[Item | None, None, None]:
    """Yield items as they come from something that can hang, and None whenever nothing came for a while.

    Closing the generator leaves a thread that hangs behind; it holds nobody up.

    Parameters
    ----------
    errors : tuple of exception types
        What iterating may raise; raised here.
    pause : float
        Seconds.
    """
    coming: queue.Queue[tuple[Item] | None] = queue.Queue(maxsize=4)
    stop, raised = Stop(), []

    def run() -> None:
        try:
            for item in items:
                _put_until(coming, (item,), stop)
        except errors as error:
            raised.append(error)
        except Stopped:
            return
        finally:
            with contextlib.suppress(Stopped):
                _put_until(coming, None, stop)

    threading.Thread(target=run, name="micromap pulse", daemon=True).start()
    try:
        while True:
            try:
                came = coming.get(timeout=pause)
            except queue.Empty:
                yield None
                continue
            if came is None:
                break
            yield came[0]
    finally:
        stop.wish()
    for error in raised:
        raise error


def _put_until(where: queue.Queue[Item], item: Item, stop: Stop) -> None:
    while True:
        stop.check()
        with contextlib.suppress(queue.Full):
            where.put(item, timeout=0.5)
            return


# ---------------------------------------------------------------------- networks on threads


@contextlib.contextmanager
def one_thread_each(workers: int) -> Iterator[Callable[[], None]]:
    """Give the ``begin`` for threads that each compute a batch of their own with torch; this one takes part, too.

    Threads side by side, each with its own batch, are as fast as several that share one, and several times faster
    where other programs want the processors too: none waits for the slowest of the others. They stand back behind the
    window's thread where the system allows that.
    """
    import torch

    before, each = torch.get_num_threads(), max(1, processors() // workers)

    def begin() -> None:
        torch.set_num_threads(each)
        if sys.platform == "linux":  # elsewhere the number would name a process
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)

    torch.set_num_threads(each)
    try:
        yield begin
    finally:
        torch.set_num_threads(before)
