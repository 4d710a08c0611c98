"""Named algorithms, imported when they are first used."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

from napari_micromap.problems import Problem

T = TypeVar("T")


class Choices(Mapping[str, "type[T]"], Generic[T]):
    """A table from names, as users write them, to frozen dataclasses.

    Parameters
    ----------
    what : str
        What the table holds, for messages: "backbone", "layout".
    places : mapping
        Name to ``"package.module:Class"``.
    """

    def __init__(self, what: str, places: Mapping[str, str]) -> None:
        self._what = what
        self._places = dict(places)

    def __getitem__(self, name: str) -> type[T]:
        if name not in self._places:
            raise Problem(f"No {self._what} is named “{name}”; there are: {', '.join(self._places)}.")
        module, _, attribute = self._places[name].partition(":")
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def name_of(self, algorithm: T) -> str:
        """Return the name under which the algorithm's class stands in this table."""
        cls = type(algorithm)
        for name, place in self._places.items():
            if place == f"{cls.__module__}:{cls.__qualname__}":
                return name
        raise KeyError(cls)

    def called(self, said: str) -> type[T] | None:
        """Return the class whose ``repr`` stands as text, such as ``Umap(seed=42)``; None if it is none of these."""
        name = said.partition("(")[0]
        return next((self[one] for one, place in self._places.items() if place.partition(":")[2] == name), None)


def parameters(algorithm: Any) -> dict[str, Any]:
    """Return the flat fields of an algorithm, ready for JSON and for ``type(algorithm)(**…)``."""
    return {field.name: getattr(algorithm, field.name) for field in fields(algorithm)}


def arguments_of(said: str) -> dict[str, Any]:
    """Take the flat fields of an algorithm from its ``repr``; nothing that is written there is executed.

    Raises
    ------
    ValueError
        If it is no call with named literals and paths alone.
    """
    try:
        call = ast.parse(said, mode="eval").body
    except SyntaxError as error:
        raise ValueError(said) from error
    if not isinstance(call, ast.Call) or call.args:
        raise ValueError(said)
    return {str(keyword.arg): _literal(keyword.value) for keyword in call.keywords}


def _literal(value: ast.expr) -> Any:
    if isinstance(value, ast.Call) and len(value.args) == 1:  # PosixPath('…')
        return Path(str(ast.literal_eval(value.args[0])))
    return ast.literal_eval(value)
