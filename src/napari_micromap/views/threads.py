"""Work off the window's thread, in lanes."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, get_args

from qtpy.QtCore import QEventLoop, QObject, Qt, QTimer, Signal

from napari_micromap.problems import Problem
from napari_micromap.session.running import Lane
from napari_micromap.work import Progress, Work

T = TypeVar("T")

_EVERY = 0.04  # seconds between two deliveries of progress: smooth to the eye, nothing to the event loop
_QUEUED: tuple[Lane, ...] = ("build",)  # in the other lanes the newest wins

_log = logging.getLogger(__name__)


class Lanes(QObject):
    """Drives pieces of work in threads, one at a time in each lane.

    All callbacks and signals come on the thread that made this object. Progress is thinned out: of what came since
    the last delivery the newest is told, together with the newest ``partial``, which stands for all before it.
    """

    failed = Signal(str)  # one sentence for the user; `details` has the rest
    busy_changed = Signal(str, bool)  # lane, whether something runs or waits there
    idle = Signal()  # nothing runs or waits in any lane, and all threads have ended

    _posted = Signal()
    _ended = Signal(object)  # _Job

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.details = ""  # traceback of the last failure, "" where it was a Problem
        self._running: dict[Lane, _Job] = {}
        self._waiting: dict[Lane, deque[_Job]] = {lane: deque() for lane in get_args(Lane)}
        self._busy: set[Lane] = set()
        self._closed = threading.Event()
        self._post_pending = threading.Event()
        self._delivered = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._deliver)
        self._posted.connect(self._on_posted, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    # ------------------------------------------------------------------ asked from outside

    def __call__(
        self,
        start: Callable[[], Work[T]],
        *,
        lane: Lane,
        done: Callable[[T], object],
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Run the work when its turn comes; in all lanes but *build* it takes the place of what is there."""
        if self._closed.is_set():
            return
        if lane not in _QUEUED:
            self._stop(lane)
        self._waiting[lane].append(_Job(lane, start, done, progress))
        self._start_next(lane)
        self._tell_busy(lane)

    def cancel(self, lane: Lane) -> None:
        """Stop what runs in a lane at its next yield, and forget what waits there."""
        self._stop(lane)
        self._tell_busy(lane)

    def cancel_all(self) -> None:
        """Stop what runs and forget what waits, in all lanes."""
        for lane in self._waiting:
            self.cancel(lane)

    def busy(self, lane: Lane) -> bool:
        """Say whether something runs or waits in a lane."""
        running = self._running.get(lane)
        return bool(self._waiting[lane]) or (running is not None and not running.stopped)

    def shutdown(self, seconds: float = 1.5) -> None:
        """Stop everything for good; wait a moment for threads that are just finishing a step.

        A thread that does not come to a yield by then is left behind; it does not keep the process alive.
        """
        self._closed.set()
        self._timer.stop()
        self.cancel_all()
        deadline = time.monotonic() + seconds
        for job in self._running.values():
            job.join(max(0.0, deadline - time.monotonic()))
        self._running.clear()

    def wait_idle(self, seconds: float = 60.0) -> None:
        """Let the event loop run until all work has ended; for tests and scripts.

        Raises
        ------
        TimeoutError
            If it takes longer than ``seconds``.
        """
        end = time.monotonic() + seconds
        while self._running:  # what ended may have begun something else by the time that the loop is left
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"still at work after {seconds} s: {', '.join(self._running)}")
            loop = QEventLoop()
            self.idle.connect(loop.quit)
            QTimer.singleShot(int(left * 1000) + 1, loop.quit)
            loop.exec_() if hasattr(loop, "exec_") else loop.exec()
            self.idle.disconnect(loop.quit)

    # ------------------------------------------------------------------ from thread to window

    def _post(self) -> None:
        """Say, in a worker's thread, that progress waits; one message is enough for all of it."""
        if not self._post_pending.is_set() and not self._closed.is_set():
            self._post_pending.set()
            self._posted.emit()

    def _end(self, job: _Job) -> None:
        """Say, in a worker's thread, that it is over."""
        if not self._closed.is_set():
            self._ended.emit(job)

    def _on_posted(self) -> None:
        if not self._timer.isActive() and not self._closed.is_set():
            wait = self._delivered + _EVERY - time.monotonic()
            self._timer.start(max(0, round(wait * 1000)))

    def _deliver(self) -> None:
        self._post_pending.clear()
        self._delivered = time.monotonic()
        for job in list(self._running.values()):
            self._tell_progress(job)

    def _tell_progress(self, job: _Job) -> None:
        progress = job.take_progress()
        if progress is not None and job.progress is not None and not job.stopped:
            try:
                job.progress(progress)
            except Exception as error:
                self._fail(job, error)

    def _on_ended(self, job: _Job) -> None:
        if self._running.get(job.lane) is not job:
            return
        self._tell_progress(job)
        if not job.stopped:
            if job.error is not None:
                self._fail(job, job.error)
            else:
                try:
                    job.done(job.result)
                except Exception as error:
                    self._fail(job, error)
        if self._running.get(job.lane) is job:  # a callback may have shut everything down
            del self._running[job.lane]
        self._start_next(job.lane)
        self._tell_busy(job.lane)
        if not self._running:
            self.idle.emit()

    # ------------------------------------------------------------------ within

    def _start_next(self, lane: Lane) -> None:
        while lane not in self._running and self._waiting[lane] and not self._closed.is_set():
            job = self._waiting[lane].popleft()
            self._running[lane] = job
            try:
                work = job.start()
            except Exception as error:
                self._fail(job, error)
                del self._running[lane]
            else:
                job.begin(work, self._post, self._end)

    def _stop(self, lane: Lane) -> None:
        self._waiting[lane].clear()
        if lane in self._running:
            self._running[lane].stopped = True

    def _fail(self, job: _Job, error: Exception) -> None:
        self._stop(job.lane)
        problem = _problem_in(error)
        if problem is not None:
            self.details = ""
            sentence = str(problem)
        else:
            self.details = "".join(traceback.format_exception(error))
            _log.error("Work in the lane %s failed", job.lane, exc_info=error)
            sentence = f"That did not work, because of a fault in the program ({_in_a_line(error)})."
        self.failed.emit(sentence)

    def _tell_busy(self, lane: Lane) -> None:
        if self.busy(lane) != (lane in self._busy):
            self._busy ^= {lane}
            self.busy_changed.emit(lane, lane in self._busy)


class _Job:
    """One piece of work, and what its thread leaves for the window."""

    def __init__(
        self,
        lane: Lane,
        start: Callable[[], Work[Any]],
        done: Callable[[Any], object],
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self.lane = lane
        self.start, self.done, self.progress = start, done, progress
        self.stopped = False
        self.result: Any = None
        self.error: Exception | None = None
        self._lock = threading.Lock()
        self._newest: Progress | None = None
        self._thread: threading.Thread | None = None

    def begin(self, work: Work[Any], post: Callable[[], None], end: Callable[[_Job], None]) -> None:
        # A daemon: a step that cannot be interrupted must not keep the process alive.
        self._thread = threading.Thread(
            target=self._drive, args=(work, post, end), name=f"micromap {self.lane}", daemon=True
        )
        self._thread.start()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def take_progress(self) -> Progress | None:
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    def _drive(self, work: Work[Any], post: Callable[[], None], end: Callable[[_Job], None]) -> None:
        try:
            while not self.stopped:
                self._leave(next(work))
                post()
            work.close()
        except StopIteration as finished:
            self.result = finished.value
        except Exception as error:  # shown to the user by _fail
            self.error = error
        finally:
            del work
            end(self)

    def _leave(self, progress: Progress) -> None:
        with self._lock:
            if progress.partial is None and self._newest is not None and self._newest.partial is not None:
                progress = replace(progress, partial=self._newest.partial)
            self._newest = progress


def _problem_in(error: BaseException | None) -> Problem | None:
    """Find the Problem that an event's machinery may have wrapped."""
    while error is not None:
        if isinstance(error, Problem):
            return error
        error = error.__cause__
    return None


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:160].rstrip(": ")
