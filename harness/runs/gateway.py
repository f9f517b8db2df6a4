"""RunGateway: the one way out to providers while a run is on.

For each call, in this order: the recording (replay), the money, leave of the limiter, the request itself with its
retries, the recording (record), the bill, and the line in the trial's list of model calls.

- Every attempt holds money and a slot of its own; a sleeping retry holds neither.
- A *local* exchange (to a server that this run started) is sent in every mode, and never recorded or replayed.
- In replay nothing else is ever sent.
- A call that ends in an error adds no line: what it consumed is not known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal, get_args
from weakref import ref

from harness.core.clock import SYSTEM, Clock
from harness.core.errors import ProviderBroken, RecordingMissing, UsageError
from harness.core.exchange import CURRENT, Exchange, Reply, Send, TrialContext
from harness.core.trajectory import ModelCall
from harness.core.usage import Usage
from harness.runs.accounts import Account
from harness.runs.cassettes import Cassettes, Tape
from harness.runs.limiter import Limiter
from harness.runs.money import Budget
from harness.runs.prices import PriceTable
from harness.runs.retry import RetryPolicy
from harness.runs.tokens import likely_total

Mode = Literal["replay", "record", "live"]
_NOTHING = Usage()


class _TrialState:
    """What the gateway remembers of a running trial."""

    __slots__ = ("began_at", "context", "tape")

    def __init__(self, context: ref[TrialContext], began_at: float, tape: Tape | None) -> None:
        self.context = context
        self.began_at = began_at
        self.tape = tape


class RunGateway:
    """The gateway of a run.

    :param mode: ``replay`` sends nothing but local exchanges; ``record`` sends and keeps; ``live`` sends.
    :param limiter: who may send now; default: adaptive windows, no limits per minute.
    :param prices: default: LiteLLM's map only.
    :param budget: the money cap; None: no cap.
    :param cassettes: the recordings; needed in the modes ``record`` and ``replay``.
    :param sleep: how a retry waits.
    """

    def __init__(
        self,
        *,
        mode: Mode = "replay",
        limiter: Limiter | None = None,
        prices: PriceTable | None = None,
        budget: Budget | None = None,
        cassettes: Cassettes | None = None,
        retry: RetryPolicy | None = None,
        clock: Clock = SYSTEM,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if mode not in get_args(Mode):
            raise UsageError(f"--harness-mode must be one of {', '.join(get_args(Mode))}; got {mode!r}")
        if mode == "record" and cassettes is None:
            raise UsageError("mode 'record' needs a place for its recordings: RunGateway(cassettes=Cassettes(...))")
        self.mode = mode
        self.limiter = limiter if limiter is not None else Limiter(clock=clock)
        self.account = Account(prices if prices is not None else PriceTable(), budget)
        self._cassettes = None if mode == "live" else cassettes
        self._retry = retry if retry is not None else RetryPolicy()
        self._clock = clock
        self._sleep = sleep
        self._trials: dict[int, _TrialState] = {}

    def begin(self, context: TrialContext) -> None:
        """A trial starts: its deadline runs from now, its recording from the first call.

        Without it the trial begins, for the gateway, with its first call.
        """
        if self.mode == "record":
            self._tape(context)  # a trial that makes no call any more empties its recording, too
        else:
            self._state(context)

    def end(self, context: TrialContext, *, keep: bool = True) -> None:
        """A trial ended: what was recorded goes to the file of its case.

        :param keep: False leaves the file as it was, for a trial that broke off.
        :raises HarnessError: when the recording cannot be written.
        """
        state = self._trials.pop(id(context), None)
        if state is not None and state.tape is not None and self.mode == "record":
            state.tape.end(keep=keep)

    async def call(self, exchange: Exchange, send: Send) -> Reply:
        """See :class:`harness.core.exchange.Gateway`.

        :raises PriceUnknown: with a money cap, for a model without a price.
        """
        context = CURRENT.get()
        if self.mode == "live" or exchange.local:
            reply = await self._send(exchange, send, context)
        elif self.mode == "replay":
            reply = self._play(exchange, context)
        else:
            tape = None if context is None else self._tape(context)
            if tape is None:
                reply = await self._send(exchange, send, context)
            else:
                ticket = tape.ticket(exchange)
                reply = await self._send(exchange, send, context)
                tape.record(ticket, reply)
        if context is not None:
            context.calls.append(
                ModelCall(
                    model=exchange.model or exchange.provider,
                    provider=exchange.provider,
                    usage=reply.usage or _NOTHING,
                    cost_usd=self.account.cost(exchange, reply),
                    latency_s=reply.latency_s,
                    ttft_s=reply.ttft_s,
                    attempts=reply.attempts,
                    purpose=exchange.purpose,
                    replayed=reply.replayed,
                )
            )
        return reply

    def _play(self, exchange: Exchange, context: TrialContext | None) -> Reply:
        tape = None if context is None else self._tape(context)
        if tape is None:
            raise RecordingMissing(
                f"no recordings are open for this {exchange.operation} request to {exchange.provider}, and replay "
                "never reaches the network. Record it: --harness-mode=record, or send it: --harness-mode=live"
            )
        return tape.play(tape.ticket(exchange))

    async def _send(self, exchange: Exchange, send: Send, context: TrialContext | None) -> Reply:
        limiter = self.limiter.provider(exchange.provider)
        counted = limiter.limits.tokens_per_minute is not None
        account = self.account
        monotonic = self._clock.monotonic
        attempt = 0
        while True:
            attempt += 1
            held = None if account.budget is None else await account.hold(exchange)
            try:
                slot = await limiter.acquire(likely_total(exchange) if counted else 0)
            except BaseException:
                account.not_sent(held)
                raise
            started = monotonic()
            try:
                reply = await send()
            except ProviderBroken as error:
                limiter.failed(slot, error)
                account.broke(held, error)
                await self._wait_before_retry(error, attempt, context)
                continue
            except BaseException:
                limiter.abandoned(slot)
                account.broke(held, None)
                raise
            latency_s = monotonic() - started
            usage = reply.usage
            limiter.succeeded(slot, latency_s, tokens=None if usage is None else usage.total_tokens)
            if held is not None:
                account.paid(held, account.cost(exchange, reply))
            if attempt > 1 or reply.latency_s is None:
                own = latency_s if reply.latency_s is None else reply.latency_s
                reply = replace(reply, attempts=attempt, latency_s=own)
            return reply

    async def _wait_before_retry(self, error: ProviderBroken, attempt: int, context: TrialContext | None) -> None:
        """Wait, or raise ``error`` when there is to be no further attempt."""
        seed = 0 if context is None else context.trial.seed + len(context.calls)
        wait_s = self._retry.wait_s(error, attempt=attempt, seed=seed)
        why = "" if attempt == 1 else f" ({attempt} attempts)"
        if wait_s is not None and context is not None and context.trial.deadline_s is not None:
            left_s = self._state(context).began_at + context.trial.deadline_s - self._clock.monotonic()
            if wait_s >= left_s:
                why = f" ({attempt} attempts; waiting {wait_s:.1f} s more would pass the trial's deadline)"
                wait_s = None
        if wait_s is None:
            error.args = (f"{error}{why}", *error.args[1:])
            raise error
        await self._sleep(wait_s)

    def _tape(self, context: TrialContext) -> Tape | None:
        """The trial's recording, looked for when it is needed: in replay many trials make no call."""
        state = self._state(context)
        if state.tape is None and self._cassettes is not None and context.suite:
            path = self._cassettes.path_of(context.suite, context.case.id)
            state.tape = self._cassettes.for_case(path, case_id=context.case.id).tape(context.trial.index)
        return state.tape

    def _state(self, context: TrialContext) -> _TrialState:
        key = id(context)
        state = self._trials.get(key)
        if state is not None and state.context() is context:
            return state
        # A trial that is never ended must not keep its messages alive; nor may another one get its state by its id.
        made = _TrialState(ref(context, lambda _: self._forget(key, made)), self._clock.monotonic(), None)
        self._trials[key] = made
        return made

    def _forget(self, key: int, state: _TrialState) -> None:
        if self._trials.get(key) is state:
            del self._trials[key]

    def close(self) -> None:
        """Close the files of limits and money, once; safe to call again. Calls to providers after it may fail."""
        self.limiter.close()
        if self.account.budget is not None:
            self.account.budget.close()
