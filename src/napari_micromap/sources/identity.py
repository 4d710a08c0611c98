"""Who a micrograph is, whatever its file is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b, file_digest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def content_hash(data: bytes | Path) -> str:
    """Hash an undecoded file: its bytes, or, where it is large, the file itself piece by piece."""
    if isinstance(data, bytes):
        return blake2b(data, digest_size=16).hexdigest()
    with data.open("rb") as stream:
        return file_digest(stream, lambda: blake2b(digest_size=16)).hexdigest()


def ids_of(contents: Iterable[tuple[str, int]]) -> NDArray[np.str_]:
    """Return one id each for content hashes and pages, given in the order of their paths.

    Equal contents are told apart by which of their equals they are, so that exact duplicates keep ids of their own.
    """
    seen: Counter[tuple[str, int]] = Counter()
    ids = []
    for content, page in contents:
        ids.append(f"{content}-{page}-{seen[content, page]}")
        seen[content, page] += 1
    return np.array(ids, np.str_) if ids else np.empty(0, np.str_)
