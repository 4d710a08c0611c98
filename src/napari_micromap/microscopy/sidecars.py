"""Text files that microscopes write beside a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LARGEST = 2**20  # bytes; real ones have a few thousand
Sections = dict[str, dict[str, str]]


def beside(picture: Path, *endings: str) -> Iterator[str]:
    """Yield the texts of files beside a picture: its stem with each of the endings, in small or capital letters."""
    for ending in endings:
        # asked for one by one: listing a folder of 100,000 pictures for each of them would take hours
        for name in (f"{picture.stem}{ending}", f"{picture.stem}{ending.upper()}"):
            text = _text(picture.with_name(name)) if picture.name else None
            if text is not None:
                yield text
                break


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > LARGEST:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "latin-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def sections_of(text: str) -> Sections:
    """Read "[section]" and "key = value" lines; keys before any section stand under ""."""
    sections: Sections = {"": {}}
    name = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1].strip().lower()
            sections.setdefault(name, {})
        elif "=" in line:
            key, _, value = line.partition("=")
            sections[name].setdefault(key.strip().lower(), value.strip())
    return sections
