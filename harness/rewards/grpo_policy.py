"""A tiny policy that learns on a processor in a fraction of a second: one softmax over words per position.

Position t of a completion is drawn from softmax(features @ weights[t]); positions do not see each other. Small enough
that its expected reward can be computed exactly, large enough to generalise from the prompts it has seen to others that
share their features.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


class TinyPolicy:
    """Weights of shape (positions, features, words); starts uniform.

    :param max_norm: the gradient is scaled down to this Euclidean norm before every step.
    """

    def __init__(self, *, positions: int, features: int, words: int, max_norm: float = 1.0) -> None:
        import numpy as np

        self.weights: Floats = np.zeros((positions, features, words))
        self.max_norm = max_norm
        self.largest_norm = 0.0
        """The largest gradient seen, before it was cut."""
        self.largest_step = 0.0
        """The largest gradient used, after it was cut: at most ``max_norm``."""
        self.skipped = 0
        """Steps not taken because the gradient was no number."""

    def log_probabilities(self, features: Floats) -> Floats:
        """Of every word at every position: shape (positions, words)."""
        import numpy as np

        logits = np.einsum("f,tfv->tv", features, self.weights)
        logits = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))

    def sample(self, features: Floats, count: int, chance: np.random.Generator) -> Ints:
        """``count`` completions, shape (count, positions)."""
        import numpy as np

        cumulated = np.exp(self.log_probabilities(features)).cumsum(axis=1)
        drawn = chance.random((count, cumulated.shape[0], 1))
        words = (drawn > cumulated[None, :, :]).sum(axis=2)
        return np.asarray(np.minimum(words, cumulated.shape[1] - 1), dtype=np.int64)

    def gradient(self, features: Floats, completions: Ints, slopes: Floats) -> Floats:
        """Of a loss by the weights, given its slope by the log-probability of each token, (completions, positions)."""
        import numpy as np

        probabilities = np.exp(self.log_probabilities(features))
        by_logit = -slopes.sum(axis=0)[:, None] * probabilities
        positions = np.broadcast_to(np.arange(completions.shape[1]), completions.shape)
        np.add.at(by_logit, (positions, completions), slopes)
        return np.asarray(features[None, :, None] * by_logit[:, None, :])

    def step(self, gradient: Floats, rate: float) -> None:
        """One step down the gradient, cut to ``max_norm``; a gradient that is no number is skipped and counted."""
        # In units of the largest entry: squares of 1e200 would overflow.
        largest = float(abs(gradient).max())
        if not math.isfinite(largest):
            self.skipped += 1
            return
        norm = largest * float(((gradient / largest) ** 2).sum()) ** 0.5 if largest else 0.0
        scale = min(1.0, self.max_norm / norm) if norm else 1.0
        self.largest_norm = max(self.largest_norm, norm)
        self.largest_step = max(self.largest_step, norm * scale)
        self.weights = self.weights - rate * (gradient * scale)
