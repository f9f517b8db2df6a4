"""Combined: rules first, judges after them, one score with all of its parts.

- A failed rule with a veto decides: the score is 0, and no judge is paid for its opinion.
- A rule that could not measure leaves the whole not measured: what should be judged was not.
- Each judge weighs what its exam says (log odds of its balanced accuracy); one without a valid record weighs nothing
  and is shown. The rules together weigh ``rule_weight``, their value is the share of them that passed.
- Confidence is the chance that the judges' weighted vote is right, as if they erred independently: logistic of the sum
  of their signed weights; 1 where rules alone decided.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

from harness.core.case import Case
from harness.core.contracts import Evaluator
from harness.core.errors import UsageError
from harness.core.score import Score
from harness.core.trajectory import Trajectory
from harness.evaluators.judge.judge import Judge
from harness.evaluators.judge.panel import Panel


class Combined:
    """See the module's sentence.

    :param rules: evaluators that answer passed or failed.
    :param judges: judges or panels.
    :param veto: True: every failed rule decides; False: none; or the names of those that do.
    :param rule_weight: what the rules weigh beside the judges, above 0; 2.2 is a judge that is right nine times of ten.
    :param pass_at: the total, in [0, 1], from which on the work passes.
    """

    version = "1"

    def __init__(
        self,
        *,
        rules: Sequence[Evaluator] = (),
        judges: Sequence[Judge | Panel] = (),
        veto: bool | Sequence[str] = True,
        rule_weight: float = 2.2,
        pass_at: float = 0.5,
        name: str = "combined",
    ) -> None:
        if not rules and not judges:
            raise UsageError("Combined needs rules, judges, or both")
        names = [rule.name for rule in rules]
        if not isinstance(veto, bool) and (strange := sorted(set(veto) - set(names))):
            raise UsageError(f"veto names {strange[0]!r}, which is none of the rules: {', '.join(names) or 'none'}")
        if not rule_weight > 0 or not 0 <= pass_at <= 1:
            raise UsageError(f"rule_weight is above 0 and pass_at in [0, 1], got {rule_weight!r} and {pass_at!r}")
        self.rules = tuple(rules)
        self.judges = tuple(judges)
        self.veto = frozenset(names if veto is True else () if veto is False else veto)
        self.rule_weight = rule_weight
        self.pass_at = pass_at
        self.name = name

    def __repr__(self) -> str:
        veto = sorted(self.veto)
        return f"Combined(name={self.name!r}, rules={self.rules!r}, judges={self.judges!r}, veto={veto!r})"

    async def evaluate(self, trajectory: Trajectory, case: Case) -> Score:
        """Rules, then judges."""
        parts: list[dict[str, Any]] = []
        ruled: list[Score] = []
        for rule in self.rules:
            made = rule.evaluate(trajectory, case)
            score = await made if inspect.isawaitable(made) else made
            if score.expected_nothing:
                continue
            parts.append(
                {"name": score.name, "value": score.value, "passed": score.passed, "reason": score.reason[:500]}
            )
            if not score.measured:
                why = f"rule {score.name} could not judge: {score.reason}"
                return Score.not_measured(
                    self.name, why[:2000], kind=score.error_kind or "harness", evidence={"parts": parts}
                )
            ruled.append(score)
            if score.passed is False and score.name in self.veto:
                evidence = {"parts": parts, "confidence": 1.0, "vetoed_by": score.name}
                return Score.passed_if(self.name, False, f"rule {score.name} failed: {score.reason}", evidence=evidence)
        deciding = [score for score in ruled if score.passed is not None]
        told = [(judge, await judge.evaluate(trajectory, case)) for judge in self.judges]
        told = [(judge, score) for judge, score in told if not score.expected_nothing]
        return self._total(deciding, told, parts)

    def _total(self, ruled: Sequence[Score], told: Sequence[tuple[Any, Score]], parts: list[dict[str, Any]]) -> Score:
        weights = []
        for judge, score in told:
            record = judge.record
            weight = 0.0 if record is None or not score.measured else record.weight
            weights.append(weight)
            part = {"name": score.name, "value": score.value, "weight": round(weight, 4), "reason": score.reason[:500]}
            parts.append({**part, **_seen(score)})
        broken = [s for j, s in told if not s.measured and j.record is not None and j.record.valid]
        if broken:
            why = f"judge {broken[0].name} could not judge: {broken[0].reason}"
            return Score.not_measured(self.name, why, kind=broken[0].error_kind or "judge", evidence={"parts": parts})
        voters = [(j, s, w) for (j, s), w in zip(told, weights, strict=True) if w > 0]
        measured = [score for _, score in told if score.value is not None]
        if not ruled and not voters:
            if not measured:
                why = told[0][1].reason if told else "no rule expects anything of this case, and there is no judge"
                return Score.not_measured(self.name, why, kind="judge" if told else None, expected_nothing=not told)
            value = sum(score.value or 0.0 for score in measured) / len(measured)
            seen = self._evidence([j for j, s in told if s.measured], value, None, parts, measured, advisory=True)
            return Score.of(self.name, value, "advisory: none of the judges has passed an exam", evidence=seen)
        share = sum(score.passed is True for score in ruled) / len(ruled) if ruled else 0.0
        whole = (self.rule_weight if ruled else 0.0) + sum(weight for _, _, weight in voters)
        value = (self.rule_weight * share * bool(ruled) + sum(w * (s.value or 0.0) for _, s, w in voters)) / whole
        value = min(1.0, max(0.0, value))
        passed = value >= self.pass_at - 1e-12
        odds = sum(weight if _seen(score).get("passes") else -weight for _, score, weight in voters)
        chance = 1 / (1 + math.exp(-odds))
        confidence = (chance if passed else 1 - chance) if voters else 1.0
        evidence = {"parts": parts, "confidence": round(confidence, 6)}
        if voters:
            evidence = self._evidence([j for j, _, _ in voters], value, confidence, parts, [s for _, s, _ in voters])
        reason = f"{value:.3g} of 1: {len(ruled)} rules (share passed {share:.3g}), {len(voters)} of {len(told)} judges"
        return Score.of(self.name, value, reason, passed=passed, evidence=evidence)

    def _evidence(
        self,
        judges: Sequence[Any],
        value: float,
        confidence: float | None,
        parts: list[dict[str, Any]],
        scores: Sequence[Score],
        *,
        advisory: bool = False,
    ) -> dict[str, Any]:
        told = {
            "identity": "+".join(sorted(judge.identity for judge in judges)),
            "model": ", ".join(sorted({judge.model_name for judge in judges})),
            "passes": value >= self.pass_at - 1e-12,
            "asked": sum(_seen(score).get("asked", 0) for score in scores),
            "cached": sum(_seen(score).get("cached", 0) for score in scores),
            "advisory": advisory,
        }
        if confidence is not None:
            told["confidence"] = round(confidence, 6)
        return {"parts": parts, "judge": told, **({"confidence": told["confidence"]} if confidence is not None else {})}


def _seen(score: Score) -> dict[str, Any]:
    told = score.evidence.get("judge") or {}
    return {key: told[key] for key in ("passes", "confidence", "asked", "cached", "advisory") if key in told}
