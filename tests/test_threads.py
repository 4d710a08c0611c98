"""Work off the window's thread."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.views.threads import Lanes
from napari_micromap.work import Progress, Work


@pytest.fixture
def lanes(qtbot) -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.shutdown()


def counting(n: int, pause: float = 0.0, heard: list | None = None) -> Work[int]:
    try:
        for i in range(n):
            time.sleep(pause)
            yield Progress("Counting", i + 1, n)
    finally:
        if heard is not None:
            heard.append("closed")
    return n


def test_verbs_in_a_row_run_one_after_the_other_and_see_what_the_one_before_left(lanes):
    state: list[int] = []

    def work(seen: int) -> Work[int]:
        yield Progress("Adding")
        return seen + 1

    for _ in range(5):
        lanes(lambda: work(len(state)), lane="build", done=state.append)
    lanes.wait_idle()
    assert state == [1, 2, 3, 4, 5]


def test_start_done_and_progress_come_on_the_window_s_thread_and_the_work_does_not(lanes):
    where: dict[str, threading.Thread] = {}

    def work() -> Work[None]:
        where["work"] = threading.current_thread()
        yield Progress("Looking")

    def start() -> Work[None]:
        where["start"] = threading.current_thread()
        return work()

    def note(name: str):
        return lambda _: where.__setitem__(name, threading.current_thread())

    lanes(start, lane="build", done=note("done"), progress=note("progress"))
    lanes.wait_idle()
    here = threading.current_thread()
    assert where["start"] is where["done"] is where["progress"] is here
    assert where["work"] is not here


def test_progress_is_thinned_out_but_the_last_one_and_the_last_partial_arrive_before_the_result(lanes):
    heard: list[object] = []

    def work() -> Work[str]:
        for i in range(50_000):
            yield Progress("Spinning", i + 1, 50_000, partial=i if i % 100 == 7 else None)
        return "done"

    lanes(work, lane="build", done=heard.append, progress=heard.append)
    lanes.wait_idle()
    told = [each for each in heard if isinstance(each, Progress)]
    partials = [each.partial for each in told if each.partial is not None]
    assert heard[-1] == "done"
    assert told[-1].done == 50_000
    assert partials[-1] == 49_907
    assert partials == sorted(partials)
    assert len(told) < 5_000


def test_a_partial_is_shown_though_the_next_step_is_long(lanes, qtbot):
    go_on = threading.Event()
    heard: list[object] = []

    def work() -> Work[None]:
        yield Progress("First", partial="a")
        yield Progress("First", partial="b")
        go_on.wait(30)

    lanes(work, lane="build", done=lambda _: None, progress=lambda p: heard.append(p.partial))
    qtbot.waitUntil(lambda: heard[-1:] == ["b"])
    go_on.set()
    lanes.wait_idle()


def test_a_problem_is_told_as_it_is_and_forgets_what_waits_behind_it(lanes):
    told: list[str] = []
    done: list[int] = []
    lanes.failed.connect(told.append)

    def work() -> Work[int]:
        yield Progress("Reading")
        raise Problem("Bring another table.")

    lanes(work, lane="build", done=done.append)
    lanes(lambda: counting(3), lane="build", done=done.append)
    lanes.wait_idle()
    assert (told, done, lanes.details) == (["Bring another table."], [], "")
    lanes(lambda: counting(3), lane="build", done=done.append)
    lanes.wait_idle()
    assert done == [3]


def test_a_fault_is_told_in_one_sentence_and_its_traceback_is_kept(lanes, caplog):
    told: list[str] = []
    lanes.failed.connect(told.append)

    def work() -> Work[int]:
        yield Progress("Reading")
        return 1 // 0

    with caplog.at_level(logging.ERROR):
        lanes(work, lane="build", done=lambda _: None)
        lanes.wait_idle()
    assert len(told) == 1 and "ZeroDivisionError" in told[0] and "\n" not in told[0]
    assert "1 // 0" in lanes.details
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("where", ["start", "progress", "done"])
def test_a_problem_in_a_callback_is_told_too(lanes, where):
    told: list[str] = []
    lanes.failed.connect(told.append)

    def problem(*_: object):
        raise Problem(f"No {where}.")

    calls = {"start": lambda: counting(2), "progress": lambda _: None, "done": lambda _: None, where: problem}
    lanes(calls["start"], lane="build", done=calls["done"], progress=calls["progress"])
    lanes.wait_idle()
    assert told == [f"No {where}."]
    assert not lanes.busy("build")


def test_a_problem_in_a_listener_of_the_session_is_told_as_it_is(lanes):
    told: list[str] = []
    lanes.failed.connect(told.append)
    session = Session(run=lanes)

    def refuse(_: object) -> None:
        raise Problem("Not these micrographs.")

    session.atlas_changed.connect(refuse)

    def work():
        from napari_micromap.atlas import empty_atlas

        yield Progress("Reading")
        return empty_atlas()

    session.open(work)
    lanes.wait_idle()
    assert told == ["Not these micrographs."]


def test_cancel_closes_the_work_drops_its_result_and_forgets_what_waits(lanes):
    heard: list[object] = []
    done: list[int] = []
    lanes(lambda: counting(1000, 0.01, heard), lane="build", done=done.append)
    lanes(lambda: counting(1), lane="build", done=done.append)
    QTimer.singleShot(50, lambda: lanes.cancel("build"))
    lanes.wait_idle(2)
    assert (heard, done) == (["closed"], [])


def test_after_cancel_nothing_of_that_work_is_heard_though_it_was_on_its_way(lanes, qtbot):
    heard: list[object] = []
    finished = threading.Event()

    def work() -> Work[int]:
        yield Progress("Counting", 1, 1)
        finished.set()
        return 1

    lanes(work, lane="build", done=heard.append, progress=heard.append)
    assert finished.wait(5)
    lanes.cancel("build")
    lanes.wait_idle()
    assert heard == []


@pytest.mark.parametrize("lane", ["gallery", "statistics", "thumbnails"])
def test_the_newest_wins_in_the_other_lanes(lanes, lane):
    done: list[int] = []
    closed: list[object] = []
    for i in range(20):
        lanes(lambda i=i: counting(50 if i < 19 else 3, 0.005, closed), lane=lane, done=done.append)
    lanes.wait_idle()
    assert done == [3]
    assert len(closed) <= 2, "what was overtaken while it waited never began"


def test_a_new_gallery_does_not_stop_what_is_built(lanes):
    done: list[int] = []
    lanes(lambda: counting(20, 0.005), lane="build", done=done.append)
    lanes(lambda: counting(2, 0.001), lane="gallery", done=done.append)
    lanes.wait_idle()
    assert sorted(done) == [2, 20]


def test_busy_is_told_once_when_it_begins_and_once_when_all_that_waited_is_done(lanes):
    told: list[tuple[str, bool]] = []
    lanes.busy_changed.connect(lambda lane, busy: told.append((lane, busy)))
    for _ in range(3):
        lanes(lambda: counting(2), lane="build", done=lambda _: None)
    lanes.wait_idle()
    assert told == [("build", True), ("build", False)]


def test_the_event_loop_goes_on_while_work_spins_in_python(lanes):
    """Loose on purpose: it only tells a starved window from one that lives."""
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(10)

    def work() -> Work[int]:
        begun = time.monotonic()
        n = 0
        while time.monotonic() - begun < 1.0:
            n += sum(range(1000))
            yield Progress("Spinning", n)
        return n

    lanes(work, lane="build", done=lambda _: None, progress=lambda _: None)
    lanes.wait_idle()
    timer.stop()
    assert len(beats) > 10
    assert np.diff(beats).max() < 0.9


def test_nothing_is_kept_of_a_finished_work(lanes):
    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)

    def work(big: Big) -> Work[None]:
        yield Progress("Holding", partial=big)

    lanes(lambda big=big: work(big), lane="build", done=lambda _: None, progress=lambda _: None)
    del big
    lanes.wait_idle()
    gc.collect()
    assert gone() is None


def test_shutdown_is_quick_though_a_step_never_ends_and_nothing_is_heard_after_it(qtbot):
    lanes = Lanes()
    heard: list[object] = []
    stuck = threading.Event()

    def work() -> Work[None]:
        yield Progress("Stuck")
        stuck.wait(60)
        yield Progress("Stuck")

    lanes(work, lane="build", done=heard.append)
    qtbot.wait(20)
    begun = time.monotonic()
    lanes.shutdown(0.2)
    assert time.monotonic() - begun < 2
    lanes(lambda: counting(1), lane="build", done=heard.append)
    stuck.set()
    qtbot.wait(50)
    assert heard == []


def test_a_process_ends_though_a_thread_of_it_does_not(tmp_path):
    script = textwrap.dedent("""
        import time
        from qtpy.QtWidgets import QApplication
        from qtpy.QtCore import QTimer
        from napari_micromap.views.threads import Lanes
        from napari_micromap.work import Progress

        app = QApplication(["-platform", "offscreen"])
        lanes = Lanes()

        def work():
            yield Progress("Stuck")
            time.sleep(100)
            yield Progress("Stuck")

        lanes(work, lane="build", done=print)
        QTimer.singleShot(100, lambda: (lanes.shutdown(0.3), app.quit()))
        app.exec() if hasattr(app, "exec") else app.exec_()
    """)
    file = tmp_path / "stuck.py"
    file.write_text(script)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, file], check=True, timeout=60, env=environment)  # else it would wait for 100 s
