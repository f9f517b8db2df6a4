"""Exchange: one request to a provider and its reply, and the context of the trial that makes it.

Every adapter that talks to a model or an agent service describes its request as an :class:`Exchange` and hands it,
with a coroutine that sends it, to the *gateway* of the running trial. The gateway is the one place where replay, the
money cap, the limiter, retries, recording and accounting happen, so an adapter knows none of them::

    reply = await gateway().call(exchange, send)

Outside a run there is no gateway set, and :class:`DirectGateway` just sends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from harness.core.case import Case
from harness.core.record import Trial
from harness.core.trajectory import ModelCall
from harness.core.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request, in the form that is hashed for recordings: everything that could change the reply, no secrets."""

    provider: str
    """Limits are shared per provider: the host with port (``api.openai.com``), or LiteLLM's provider name."""
    operation: str
    """``chat``, ``completion``, ``http``, ..."""
    body: Mapping[str, Any]
    """Canonical request body, JSON."""
    model: str = ""
    """Empty for an agent service that is not a model."""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only what may be stored; secrets never come here."""
    purpose: str = "agent"
    """``agent`` or ``judge``."""
    local: bool = False
    """A server that this run started itself (the reference model server): allowed in every mode, never recorded."""
    input_tokens_at_most: int | None = None
    """An upper estimate of the prompt's tokens, for reserving money and token limits; None: estimated from the body."""
    output_tokens_at_most: int | None = None
    """The request's own output limit, for reserving money; None: the model's."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back, in a form that can be stored and played back."""

    body: Any
    """JSON body; for a stream the assembled message in the non-streaming form."""
    status: int = 200
    usage: Usage | None = None
    """None when the provider reported none."""
    cost_usd: Decimal | None = None
    """Stated by the provider or the library; None: computed from the price table."""
    latency_s: float | None = None
    ttft_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Rate-limit headers the limiter may read."""
    attempts: int = 1
    replayed: bool = False


Send = Callable[[], Awaitable[Reply]]


class Gateway(Protocol):
    """The one way out to a provider."""

    async def call(self, exchange: Exchange, send: Send) -> Reply:
        """The reply to ``exchange``, from a recording or by ``send()``.

        ``send`` makes exactly one attempt and raises :class:`~harness.core.errors.ProviderBroken` on failure, with
        ``retryable`` and ``retry_after_s`` set. Raises BudgetExhausted, RecordingMissing, or the last ProviderBroken.
        """
        ...


class DirectGateway:
    """Sends, and nothing else."""

    async def call(self, exchange: Exchange, send: Send) -> Reply:
        """See :class:`Gateway`."""
        return await send()


@dataclass(kw_only=True)
class TrialContext:
    """What belongs to the trial that is running in this task or thread. The only mutable noun: it collects calls."""

    case: Case
    trial: Trial
    suite: str = ""
    gateway: Gateway = field(default_factory=DirectGateway)
    calls: list[ModelCall] = field(default_factory=list)
    """Every model call of this trial that went through the gateway, agent's and judge's."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Anything an adapter wants kept with the trajectory, JSON."""


CURRENT: ContextVar[TrialContext | None] = ContextVar("harness_trial", default=None)
_DIRECT = DirectGateway()


def gateway() -> Gateway:
    """The gateway of the running trial; a :class:`DirectGateway` outside a run."""
    context = CURRENT.get()
    return _DIRECT if context is None else context.gateway
