"""What the garbage collector need not look through for a while."""

from __future__ import annotations

import gc


class Aside:
    """Sets aside what Python holds, while a layer of ours comes and goes.

    napari collects all garbage whenever a layer is removed, so that its graphics memory is free before anything is
    drawn anew; some drivers crash otherwise. For that all objects there are get looked through, 0.1 to 0.2 s of them.
    Between :meth:`begin` and :meth:`end` only newer ones are, and the layer is one of these. Nothing is lost: what is
    older is looked through again afterwards.
    """

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """Set aside what is there now, unless someone else did so with other things."""
        if not self._begun and not gc.get_freeze_count():
            gc.freeze()
            self._begun = True

    def end(self) -> None:
        """Look through everything again from now on."""
        if self._begun:
            gc.unfreeze()
            self._begun = False
