"""The answer about a property as one flat object."""

from __future__ import annotations

import math
from typing import Any

from napari_micromap.questions.inquiry import Answer
from napari_micromap.statistics import Evidence


def summary_of(answer: Answer) -> dict[str, Any]:
    """Return the answer, ready for JSON; None for what could not be had."""
    evidence, new = answer.evidence, answer.new_batch
    return {
        "verdict": answer.verdict.kind,
        "sentence": answer.verdict.sentence,
        "p": evidence.p,
        "q2": _finite(evidence.q2),
        "q2_chance_95": _finite(evidence.q2_chance_95),
        "samples": evidence.samples,
        "micrographs": evidence.micrographs,
        "minimum_r2": evidence.minimum_r2,
        "within_batch": _test(answer.within_batches),
        "new_batch": None if new is None else {"batches": new.batches, "q2": new.q2, "p": new.p},
        "adjusted": _test(answer.adjusted),
        "confounders": [
            {
                "column": s.name,
                "map_p": s.map_p,
                "sorted_p": s.sorted_p,
                "property_p": s.property_p,
                "known_to_map": s.known_to_map,
                "confounds": s.confounds,
            }
            for s in answer.suspects
        ],
        "rests_on": list(evidence.rests_on),
        "tests_so_far": answer.tests_so_far,
    }


def _test(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {"p": evidence.p, "q2": _finite(evidence.q2), "adjusted_for": list(evidence.adjusted_for)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
