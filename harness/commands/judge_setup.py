"""What ``harness judge`` and ``harness calibrate`` share: the judge that was named, and its way out to the model.

Calls go through the gateway of a run: limits, prices, the money cap and retries hold here as in a session. Without
``--mode live`` nothing leaves this machine: verdicts come from the cache, or from a judge that runs locally.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from harness.commands.project import Project, add_project_arguments
from harness.core.case import Case
from harness.core.errors import RecordingMissing, UsageError
from harness.core.exchange import CURRENT, TrialContext
from harness.core.record import Trial
from harness.core.trajectory import ModelCall

if TYPE_CHECKING:
    from harness.evaluators.judge.judge import Judge
    from harness.evaluators.judge.panel import Panel
    from harness.runs.gateway import RunGateway

CONCURRENCY = 100


def add_judge_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say how the judge asks."""
    parser.add_argument("--rubric", metavar="FILE", help="what a model judges by: a TOML file; not for module:judge")
    parser.add_argument("--name", default="", help="name of the judge; default: the rubric's")
    parser.add_argument("--samples", type=int, default=None, metavar="N", help="verdicts per case; default: 1")
    parser.add_argument(
        "--temperature", type=float, default=None, metavar="T", help="default: 0 for one sample, 0.7 for several"
    )
    parser.add_argument("--token-probabilities", action="store_true", help="ask the endpoint for logprobs and use them")
    parser.add_argument(
        "--mode", choices=("replay", "live"), default=None,
        help="replay: the cache and local judges only; live: call providers; default: as in a session",
    )  # fmt: skip
    parser.add_argument("--budget-usd", metavar="USD", help="money cap, US dollars; default: as in a session")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY, metavar="N", help="cases at a time")
    add_project_arguments(parser)


def judge_from(args: argparse.Namespace, spec: str, project: Project) -> Judge | Panel:
    """The judge that a spec names: a model with ``--rubric``, or ``module:name`` of a Judge, PairJudge or Panel.

    :raises UsageError: naming what is missing.
    """
    from harness.evaluators.judge.judge import Judge
    from harness.evaluators.judge.pair import PairJudge
    from harness.evaluators.judge.panel import Panel
    from harness.evaluators.judge.rubric import Rubric

    kind, colon, rest = spec.partition(":")
    found: Any = spec
    if colon and kind not in ("litellm", "openai", "http", "https", "cmd", "replay"):
        from harness.agents.find_object import find_object

        found = find_object(kind, rest, root=project.root)
        found = getattr(found, "judge", found)  # a semantic evaluator is a judge with a rubric of ours
        if isinstance(found, (Judge, Panel)) or (hasattr(found, "identity") and hasattr(found, "opinion")):
            given = [name for name in ("rubric", "name", "samples", "temperature") if getattr(args, name)]
            if given:
                raise UsageError(f"--{given[0]}: {spec} is a judge with a rubric and sampling of its own; leave it out")
            judged: Judge | Panel = found
            return judged
    if not args.rubric:
        raise UsageError(
            f"{spec} is a model, and a model judges by a rubric: add --rubric FILE.toml (see docs/judges.md)"
        )
    rubric = Rubric.load(args.rubric)
    options = {} if args.temperature is None else {"temperature": args.temperature}
    made = PairJudge if rubric.kind == "pairwise" else Judge
    judge = made(
        model=found,
        rubric=rubric,
        name=args.name,
        samples=args.samples or 1,
        options=options,
        token_probabilities=args.token_probabilities,
    )
    assert judge.model is not None  # a spec that names nothing is said before the first row
    return judge


class JudgeCalls:
    """The gateway of a command, and what its judges spent."""

    def __init__(self, args: argparse.Namespace, project: Project) -> None:
        from harness.runs.gateway import RunGateway
        from harness.runs.limiter import Limiter
        from harness.runs.money import Budget
        from harness.runs.prices import PriceTable
        from harness.runs.shared_limits import Limits

        settings = project.settings
        if not 1 <= args.concurrency <= 1000:
            raise UsageError(f"--concurrency must be from 1 to 1000, got {args.concurrency}")
        cap = settings.budget_usd
        if args.budget_usd is not None:
            try:
                cap = Decimal(args.budget_usd)
            except InvalidOperation:
                raise UsageError(f"--budget-usd must be an amount in US dollars, got {args.budget_usd!r}") from None
        mode: Any = args.mode or ("live" if settings.mode == "record" else settings.mode)
        self.concurrency: int = args.concurrency
        self.gateway: RunGateway = RunGateway(
            mode=mode,
            limiter=Limiter(concurrency=None, limits=Limits.load(settings.limits)),
            prices=PriceTable.load(settings.prices),
            budget=None if cap is None else Budget(None, cap_usd=cap),
        )
        self.cost_usd: Decimal | None = Decimal(0)
        """None: the price of a call is not known."""
        self.calls = 0

    async def around(self, case: Case, trial: Trial, work: Awaitable[Any]) -> tuple[Any, Decimal | None]:
        """What the work comes to, and what its calls cost (None: nothing, or not known).

        :raises UsageError: a call was needed that ``replay`` does not make.
        """
        context = TrialContext(case=case, trial=trial, gateway=self.gateway)
        token = CURRENT.set(context)
        try:
            return await work, self._paid(context.calls)
        except RecordingMissing as error:
            raise UsageError(
                f"case {case.id!r} has no verdict in the cache, and in replay no provider is called; add --mode live"
            ) from error
        finally:
            CURRENT.reset(token)

    def _paid(self, calls: list[ModelCall]) -> Decimal | None:
        self.calls += len(calls)
        if not calls:
            return None
        total: Decimal | None = Decimal(0)
        for call in calls:
            total = None if total is None or call.cost_usd is None else total + call.cost_usd
        self.cost_usd = None if total is None or self.cost_usd is None else self.cost_usd + total
        return total

    @property
    def said(self) -> str:
        """Calls and money in words."""
        if not self.calls:
            return "no call to the model: every verdict came from the cache"
        money = "cost unknown (no price)" if self.cost_usd is None else f"{self.cost_usd:.4f} USD"
        return f"{self.calls:,} calls to the model, {money}"

    def close(self) -> None:
        """Let go of limits and money."""
        self.gateway.close()
