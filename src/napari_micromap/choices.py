"""Named algorithms, imported when they are first used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
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


def parameters(algorithm: Any) -> dict[str, Any]:
    """Return the flat fields of an algorithm, ready for JSON and for ``type(algorithm)(**…)``."""
    return {field.name: getattr(algorithm, field.name) for field in fields(algorithm)}
