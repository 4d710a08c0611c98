"""The house rules that a machine can check: which room may know which, and how files are made."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

PACKAGE = "napari_micromap"
ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / PACKAGE
FILES = sorted(SRC.rglob("*.py"))

# The rooms and their floors, as docs/architecture.md has them: imports go down, or stay inside a room.
FLOORS = {
    "compiling": 0, "problems": 0, "work": 0, "labels": 0, "places": 0,
    "choices": 1, "colors": 1, "neighbors": 1, "microscopy": 1,
    "atlas": 2, "recipe": 2, "descriptors": 2,
    "wording": 2.5, "tables": 3, "streaming": 3, "estimate": 3, "space": 3,
    "sources": 4, "backbones": 4, "layouts": 4, "statistics": 4, "store": 4,
    "embedding": 5, "montage": 5, "figures": 5, "presets": 5,
    "workshop": 5.5, "pipeline": 6, "corrections": 6.2, "growing": 6.3,
    "sharding": 6.6, "scaling": 6.6, "questions": 6.6, "session": 7,
    "report": 8, "sharing": 8, "views": 9, "cli": 10, "__main__": 11,
}  # fmt: skip
SHELVES = {"sources", "backbones", "layouts", "statistics", "store"}
SCREEN = {"napari", "qtpy", "magicgui", "superqt", "vispy", "PyQt6", "PySide6"}
HEAVY = {
    "torch", "torchvision", "onnxruntime", "umap", "pynndescent", "numba", "sklearn", "skimage", "matplotlib", "scipy",
    "tifffile", "imageio", "shapely", "PIL", "timm", "safetensors",
}  # fmt: skip
FORBIDDEN_NAMES = {"core", "utils", "util", "helpers", "helper", "common", "manager", "misc"}
# Threads live here. The worker is a process without a window: one thread of it listens while it computes.
THREADED = {SRC / "streaming.py", SRC / "views" / "threads.py", SRC / "layouts" / "worker.py"}
THREADS = {"Thread", "ThreadPoolExecutor", "QThread", "QThreadPool", "QRunnable", "thread_worker"}
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_FIRST_CLAUSE = 400, 60, 14


class Import(NamedTuple):
    """One import of one file."""

    path: Path
    line: int
    module: str
    at_load: bool  # rather than inside a function
    typing: bool  # only the type checker sees it

    def __str__(self) -> str:
        return f"{where(self.path, self.line)}: {self.module}"

    @property
    def room(self) -> str:
        """The room that imports."""
        return room_of(module_of(self.path))

    @property
    def other(self) -> str:
        """The room that is imported, "" where it is none of ours."""
        return room_of(self.module) if self.module.split(".")[0] == PACKAGE else ""

    @property
    def top(self) -> str:
        """The package."""
        return self.module.split(".")[0]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(SRC).as_posix()}:{line}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    return (*module.split("."), "")[1].removeprefix("__version__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    return [(path, node) for path in FILES for node in ast.walk(tree_of(path))]


@cache
def imports() -> list[Import]:
    return [found for path in FILES for found in _imports_in(path, tree_of(path), at_load=True, typing=False)]


def _imports_in(path: Path, node: ast.AST, at_load: bool, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(path, node.lineno, alias.name, at_load, typing) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        # "from napari_micromap import pipeline" names a room, "from napari_micromap.work import Work" does in itself.
        names = [f"{PACKAGE}.{a.name}" for a in node.names] if node.module == PACKAGE else [str(node.module)]
        yield from (Import(path, node.lineno, name, at_load, typing) for name in names)
    at_load = at_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    typing = typing or (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    for child in ast.iter_child_nodes(node):
        yield from _imports_in(path, child, at_load, typing)


def breaches(found: Iterator[object]) -> str:
    """Return what breaks a rule, one a line."""
    return "\n".join(map(str, found))


def test_each_room_has_its_floor() -> None:
    rooms = {room_of(module_of(path)) for path in FILES} - {""}
    assert rooms <= FLOORS.keys(), "give it a floor here and in docs/architecture.md"


def test_imports_go_down() -> None:
    up = (i for i in imports() if i.room and i.other not in ("", i.room) and FLOORS[i.other] >= FLOORS[i.room])
    assert not breaches(i for i in up if not i.typing)


def test_shelves_do_not_know_one_another() -> None:
    assert not breaches(i for i in imports() if i.room in SHELVES and i.other in SHELVES - {i.room})


def test_imports_make_no_circle() -> None:
    """Also not by imports inside functions; what only the type checker sees does not count, nor a room's own face."""
    needed: dict[str, set[str]] = {module_of(path): set() for path in FILES}
    for one in imports():
        module = module_of(one.path)
        if one.module in needed and not one.typing and not f"{module}.".startswith(f"{one.module}."):
            needed[module].add(one.module)
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from None


def test_only_views_know_the_screen() -> None:
    assert not breaches(i for i in imports() if i.top in SCREEN and i.room != "views")
    assert not breaches(i for i in imports() if i.top == "psygnal" and i.room not in ("session", "views"))


def test_the_command_line_opens_windows_only_in_its_verbs() -> None:
    assert not breaches(i for i in imports() if i.other == "views" and i.room != "views" and i.at_load)


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    assert not breaches(i for i in imports() if i.top in HEAVY and i.at_load and not i.typing)


def test_no_panel_imports_a_sibling() -> None:
    panels = f"{PACKAGE}.views.panels."
    assert not breaches(i for i in imports() if module_of(i.path).startswith(panels) and i.module.startswith(panels))


def test_files_and_functions_stay_small() -> None:
    long_files = (path for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE)
    assert not breaches(long_files)
    functions = ((p, n) for p, n in nodes() if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    assert not breaches(f"{where(path, f.lineno)}: {f.name}" for path, f in functions if length(f) > LONGEST_FUNCTION)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    first = function.body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return (function.end_lineno or 0) - function.lineno + 1 - (said and (first.end_lineno or 0) - first.lineno + 1)


def test_a_module_says_in_its_first_line_what_it_holds() -> None:
    firsts = {path: (ast.get_docstring(tree_of(path)) or "").split("\n")[0] for path in FILES}
    assert not breaches(path for path, first in firsts.items() if not first)
    clauses = {path: re.split(r"[:;,.(]", first)[0].split() for path, first in firsts.items()}
    assert not breaches((path, clause) for path, clause in clauses.items() if len(clause) > LONGEST_FIRST_CLAUSE)


def test_names_say_what_they_hold() -> None:
    words = {path: set(re.split(r"[_./]", path.relative_to(SRC).as_posix())) for path in FILES}
    assert not breaches(path for path, said in words.items() if said & FORBIDDEN_NAMES)


def test_errors_are_caught_by_name() -> None:
    """Only views/threads.py catches everything: there it is shown to the user."""
    handlers = ((p, n) for p, n in nodes() if isinstance(n, ast.ExceptHandler) and p != SRC / "views" / "threads.py")
    # A handler that only tidies up lets the error go on.
    swallowing = ((p, n) for p, n in handlers if not (isinstance(n.body[-1], ast.Raise) and n.body[-1].exc is None))
    caught = ((p, n.lineno, "Exception" if n.type is None else ast.unparse(n.type)) for p, n in swallowing)
    assert not breaches(where(path, line) for path, line, names in caught if re.search(r"\b(Base)?Exception\b", names))


def test_no_signal_is_blocked() -> None:
    for path, node in nodes():
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        assert name not in ("blockSignals", "_updating", "QSignalBlocker"), where(path, node.lineno)
        if isinstance(node, ast.Call):  # psygnal's: signal.blocked()
            assert not ast.unparse(node.func).endswith("changed.blocked"), where(path, node.lineno)


def test_nothing_is_pickled() -> None:
    """Neither ours nor weights of others run code when they are read."""
    assert not breaches(i for i in imports() if i.top in ("joblib", "shelve", "marshal", "dill", "cloudpickle"))
    for path, node in nodes():
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle":
            assert node.attr.endswith("Error"), where(path, node.lineno)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False", where(path, node.value.lineno)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            asked = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert asked.get("weights_only") == "True", where(path, node.lineno)


def test_threads_live_where_they_are_expected() -> None:
    for path, node in nodes():
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        assert name not in THREADS or path in THREADED, where(path, node.lineno)


def test_no_module_keeps_state() -> None:
    """What stands at a module's top level is made once; the one exception is which session belongs to which viewer."""
    assert not breaches(where(path, n.lineno) for path, n in nodes() if isinstance(n, ast.Global))
    for path in FILES:
        for node in tree_of(path).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
                filled_later = re.fullmatch(r"\{\}|\[\]|(dict|list|set|\w*Weak\w+)\(\)", ast.unparse(node.value))
                session_table = path.is_relative_to(SRC / "views") and "session" in target.lower()
                assert not filled_later or session_table, f"{where(path, node.lineno)}: {target}"


def test_loading_the_session_loads_nothing_heavy() -> None:
    code = f"""
import sys
import {PACKAGE}.session, {PACKAGE}.backbones, {PACKAGE}.layouts, {PACKAGE}.sources, {PACKAGE}.tables
print([name for name in {sorted(HEAVY | SCREEN)} if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
