"""What can go wrong, said in one sentence with the remedy."""

from __future__ import annotations


class Problem(Exception):
    """Something that the user can mend; its text is shown as it is, without a traceback."""


class Unreadable(Problem):
    """A file that cannot be read as a micrograph or a table; the text is the reason."""


class WeightsMissing(Problem):
    """Weights that are neither on this machine nor allowed to be downloaded yet."""


class WeightsDamaged(Problem):
    """Weights whose content is not what their name or publisher says."""


class TooLarge(Unreadable):
    """A picture is larger than memory should hold; parts of it may be read."""
