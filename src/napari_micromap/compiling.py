"""What numba compiles, kept on disk."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module


def keep_compiled(*modules: str) -> None:
    """Import modules, and let what numba compiles of them be found again by the next process.

    umap-learn and pynndescent leave that off for some of their functions, which costs each fresh process half of its
    start, and much more where many are needed. numba keeps them beside the module, or in the user's cache folder where
    that cannot be written, and compiles anew what has changed.
    """
    from numba.core.dispatcher import Dispatcher

    for name in modules:
        for function in vars(import_module(name)).values():
            if isinstance(function, Dispatcher) and function.stats.cache_path is None:
                with suppress(RuntimeError):  # numba knows no place for it: then it is compiled each time
                    function.enable_caching()
