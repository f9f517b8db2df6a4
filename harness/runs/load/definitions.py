"""What every figure means and where the meaning comes from; printed beside the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One figure of a request, or of a whole run."""

    name: str
    label: str
    unit: str
    meaning: str
    source: str
    """Who else defines it so, or why it is defined otherwise here."""
    direction: Literal["lower", "higher"] = "lower"
    of: Literal["request", "run"] = "request"


_DUE = "from due, as wrk2 does against coordinated omission; most load generators count from sent"
_ALL = (
    Definition(
        name="ttft_s", label="time to first token", unit="s",
        meaning="from due to the first event with text of any channel (content, reasoning, tool call); an event that "
        "only tells the role does not count",
        source=f"TTFT of vLLM bench and GenAI-Perf, but {_DUE}",
    ),
    Definition(
        name="ttft_sent_s", label="time to first token, from sent", unit="s",
        meaning="as ttft, from when the request was given to the system",
        source="TTFT of vLLM bench, GenAI-Perf and guidellm",
    ),
    Definition(
        name="ttfc_s", label="time to first content", unit="s",
        meaning="from due to the first event with content that a user reads: no reasoning, no tool call",
        source="time to first answer token where reasoning is streamed (Artificial Analysis)",
    ),
    Definition(
        name="e2e_s", label="end to end", unit="s",
        meaning="from due to the last token event (of a reply that is not streamed: to its last byte)",
        source=f"end-to-end latency of vLLM bench, but {_DUE}",
    ),
    Definition(
        name="tpot_s", label="time per output token", unit="s",
        meaning="(last token event - first token event) / (tokens - 1); one per request",
        source="TPOT of vLLM bench and MLPerf Inference",
    ),
    Definition(
        name="gap_s", label="gap between token events", unit="s",
        meaning="between successive token events of a request, all requests pooled; an event may carry several tokens",
        source="what vLLM bench calls ITL; called gap here, because it is only per token when every event carries one",
    ),
    Definition(
        name="itl_s", label="inter-token latency", unit="s",
        meaning="a gap divided by the tokens of the event that ends it; only where the server tells tokens per event",
        source="ITL of the NVIDIA NIM guide; not estimated here",
    ),
    Definition(
        name="worst_gap_s", label="worst gap", unit="s",
        meaning="the longest gap of each request; a stall that is rare among gaps is not rare among requests",
        source="own; compare the tail at scale (Dean and Barroso 2013)",
    ),
    Definition(
        name="stall_share", label="requests with a stall", unit="", of="run",
        meaning="share of good requests with a gap above the stall limit",
        source="own",
    ),
    Definition(
        name="error_share", label="errors", unit="", of="run",
        meaning="share of requests due that did not end well: connection, status, cut stream, error inside a 200, "
        "timeout, or never sent",
        source="error rate of SRE practice (Beyer et al. 2016, chapter 4), over requests due",
    ),
    Definition(
        name="goodput", label="goodput", unit="", of="run", direction="higher",
        meaning="share of all requests due that ended well and kept every limit of a single request (--good)",
        source="DistServe (Zhong et al. 2024), over requests due instead of requests sent",
    ),
    Definition(
        name="tokens_per_s", label="tokens per second", unit="tokens/s", of="run", direction="higher",
        meaning="output tokens of good requests, each request's spread evenly from first to last token event, that "
        "fall into the measured time, divided by it",
        source="output throughput of vLLM bench, without warm-up and drain",
    ),
    Definition(
        name="requests_per_s", label="requests per second", unit="requests/s", of="run", direction="higher",
        meaning="good requests that ended in the measured time, divided by it",
        source="request throughput of vLLM bench, without warm-up and drain",
    ),
)  # fmt: skip
DEFINITIONS: Mapping[str, Definition] = {one.name: one for one in _ALL}
PER_REQUEST = ("ttft_s", "ttft_sent_s", "ttfc_s", "e2e_s", "tpot_s", "worst_gap_s")
POOLED = ("gap_s", "itl_s")
SHARES = ("stall_share", "error_share", "goodput")
RATES = ("tokens_per_s", "requests_per_s")
