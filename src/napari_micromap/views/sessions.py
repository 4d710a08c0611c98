"""One session a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari.utils.notifications import show_error

from napari_micromap.session import Session
from napari_micromap.views.leaving import Leaving
from napari_micromap.views.preferences import follow_preferences
from napari_micromap.views.saving import BeforeClosing, Saving
from napari_micromap.views.threads import Lanes

if TYPE_CHECKING:
    import napari.viewer

_SESSIONS: WeakKeyDictionary[napari.viewer.Viewer, Session] = WeakKeyDictionary()


def unwrapped(viewer: napari.viewer.Viewer) -> napari.viewer.Viewer:
    """Return the viewer itself: napari hands docks a proxy, which would be gone in a moment as a weak key."""
    return getattr(viewer, "__wrapped__", viewer)


def session_of(viewer: napari.viewer.Viewer) -> Session:
    """Return the viewer's session; it outlives the dock, and its work ends with the viewer's window."""
    viewer = unwrapped(viewer)
    if viewer not in _SESSIONS:
        follow_preferences()
        _SESSIONS[viewer] = session = Session(run=Lanes())
        window = viewer.window._qt_window
        Leaving(window, lambda: end(session))
        BeforeClosing(window, session, Saving(window, session, show_error))
    return _SESSIONS[viewer]


def lanes_of(session: Session) -> Lanes:
    """Return what drives the work of a session that lives in a window."""
    assert isinstance(session.run, Lanes)
    return session.run


def rest(session: Session) -> None:
    """Stop all work; the session stays, and the next verb begins anew."""
    lanes_of(session).cancel_all()
    session.progressed.emit(None)
    session.workshop.close()


def end(session: Session) -> None:
    """Stop all work for good."""
    lanes_of(session).shutdown()
    session.workshop.close()
