"""Made-up films: how they were made, what became of it, and their Jc."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_micromap.sources.films.surface import Film

TEMPERATURES = (740, 760, 780, 800, 820)  # °C
BATCHES = ("A", "B", "C")
MISSING_SHARE = 0.1  # of the films were never measured
BEST_JC = 4.6  # MA/cm², of a film without pores and needles


@dataclass(frozen=True, slots=True)
class MadeFilm:
    """One film of the sample data; all of it is made up.

    Parameters
    ----------
    name : str
        Such as "F012".
    temperature : int
        Of the anneal, in °C. Cold gives needles, hot gives pores and larger grains.
    batch : str
        "B" is more porous, "C" has more outgrowths.
    film : Film
        What its surface is like on average.
    jc : float
        In MA/cm²; NaN where it was not measured.
    """

    name: str
    temperature: int
    batch: str
    film: Film
    jc: float


def make_films(count: int, seed: int) -> list[MadeFilm]:
    """Make films; the first ones stay the same however many are made."""
    made = [_make(index, seed) for index in range(count)]
    order = np.random.default_rng([seed, 2**20]).permutation(count)
    unmeasured = set(order[: round(MISSING_SHARE * count)].tolist())
    return [replace(film, jc=float("nan")) if index in unmeasured else film for index, film in enumerate(made)]


def critical_current(film: Film, rng: np.random.Generator) -> float:
    """Return Jc in MA/cm²: pores and needles block the current, and 7 % is chance."""
    blocked = film.porosity / 0.11 + film.needles / 0.16
    return round(BEST_JC * float(np.exp(-blocked) * rng.lognormal(0, 0.07)), 2)


def elsewhere(film: Film, rng: np.random.Generator) -> Film:
    """Return what the film is like at one place: not quite as on average."""
    return replace(
        film,
        porosity=min(film.porosity * rng.lognormal(0, 0.12), 0.3),
        needles=min(film.needles * rng.lognormal(0, 0.15), 0.4),
        angle=film.angle + rng.normal(0, 1.5),
    )


def _make(index: int, seed: int) -> MadeFilm:
    rng = np.random.default_rng([seed, index])
    temperature, batch = int(rng.choice(TEMPERATURES)), str(rng.choice(BATCHES))
    hot = (temperature - 780) / 40
    film = Film(
        porosity=float(np.clip(0.035 * np.exp(0.5 * hot + 0.6 * (batch == "B")) * rng.lognormal(0, 0.55), 0.003, 0.22)),
        needles=float(np.clip(0.045 * np.exp(-0.8 * hot) * rng.lognormal(0, 0.6), 0.002, 0.30)),
        grain_um=float(0.36 * np.exp(0.25 * hot) * rng.lognormal(0, 0.12)),
        pore_um=float(0.24 * rng.lognormal(0, 0.15)),
        outgrowths_per_um2=float(0.04 * (2.5 if batch == "C" else 1) * rng.lognormal(0, 0.5)),
        angle=float(rng.normal(0, 12)),
    )
    return MadeFilm(f"F{index + 1:03d}", temperature, batch, film, critical_current(film, rng))
