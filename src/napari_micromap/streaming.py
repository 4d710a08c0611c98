"""Work that runs ahead on threads while its results are used."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# ---------------------------------------------------------------------- an ordered map on threads


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None, ahead: int | None = None
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
    """
    workers = workers if workers is not None else max(1, min(8, os.cpu_count() or 1))
    coming = iter(items)
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="micromap")
    try:
        pending.extend(pool.submit(function, item) for item in islice(coming, ahead or 2 * workers))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(coming, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
