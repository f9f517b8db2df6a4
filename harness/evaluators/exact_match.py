"""ExactMatch: the final answer equals one of the right answers, after a stated normalisation.

The normalisations:

- ``exact``: none.
- ``text`` (default): NFC, case folded, runs of white space are one space, white space and one full stop at the end
  removed.
- ``squad``: as SQuAD v1.1's ``normalize_answer``: lower case, ASCII punctuation and the articles a, an, the removed,
  runs of white space are one space.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.core.case import Case
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.shown import quoted
from harness.core.trajectory import Trajectory
from harness.evaluators.outcome import cannot_judge, nothing_expected

Normalisation = Literal["exact", "text", "squad"]
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


@dataclass(frozen=True, kw_only=True)
class ExactMatch:
    """1 when the final answer equals an expected one, else 0.

    Reads ``expected.answer`` and ``expected.answers`` (any one is right) unless ``answers`` is given.
    """

    answers: Sequence[str] | None = None
    """Overrides the case's answers."""
    normalise: Normalisation = "text"
    name: str = "exact_match"
    version: str = "1"

    def __post_init__(self) -> None:
        if self.normalise not in get_args(Normalisation):
            raise UsageError(f"normalise must be one of {', '.join(get_args(Normalisation))}; got {self.normalise!r}")

    def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Compare the final answer."""
        expected = case.expected
        own = () if expected.answer is None else (expected.answer,)
        answers = tuple(self.answers) if self.answers is not None else own + expected.answers
        if not answers:
            return nothing_expected(self.name, "answer", self.version)
        if (broken := cannot_judge(self.name, trajectory, self.version)) is not None:
            return broken
        wanted = quoted(answers[0]) if len(answers) == 1 else f"one of {len(answers)}, e.g. {quoted(answers[0])}"
        if trajectory.answer is None:
            reason = f"there is no final answer; expected {wanted}"
            return Score.passed_if(self.name, False, reason, version=self.version)
        got = normalised(trajectory.answer, self.normalise)
        ok = any(normalised(answer, self.normalise) == got for answer in answers)
        reason = f"expected {wanted}, got {quoted(trajectory.answer)} (normalisation: {self.normalise})"
        return Score.passed_if(self.name, ok, reason, version=self.version)


def normalised(text: str, how: Normalisation) -> str:
    """``text`` in the form that is compared."""
    if how == "exact":
        return text
    if how == "squad":
        return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return folded.removesuffix(".").rstrip()
