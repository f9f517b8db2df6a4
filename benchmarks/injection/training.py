"""Training of one linear scorer: logistic loss on the best stretch of every text, deterministic, numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.injection.own_text import Text
from harness.guardrails.injection.features import (
    BUCKETS,
    INSETS,
    ORDERS,
    WORD_LIMIT,
    Features,
    best_segments,
    token_weights,
)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One trained linear scorer: probability = sigmoid(evidence of the best stretch + bias)."""

    weights: np.ndarray
    each: float
    """Added for every token; negative, so that evidence must be dense."""
    bias: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What training may be told."""

    steps: int = 150
    warm: int = 40
    """Steps in which all of an attack counts, not its best stretch: an empty stretch would learn nothing."""
    window: int = 96
    rate: float = 0.02
    each_rate: float = 0.005
    decay: float = 2e-4
    false_alarm_weight: float = 4.0
    per_source: int = 350
    """Texts of one external source that are used at most, drawn by its name."""
    part_scale: float = 0.3
    heaviest: float = 2.0
    """Most that one feature may weigh, so that one word never decides."""


def _sources(texts: list[Text], settings: Settings) -> np.ndarray:
    return np.array([1.0 if text.attack else settings.false_alarm_weight for text in texts])


def train(texts: list[Text], prepared: Features, settings: Settings | None = None) -> Trained:
    """Logistic loss on the best stretch of every text, Adam, all texts at once. Deterministic."""
    s = settings or Settings()
    target = np.array([text.attack for text in texts], dtype=float)
    share = _sources(texts, s)
    share /= share.sum()
    total = len(prepared.word)
    weights = np.zeros(BUCKETS)
    each, bias = -0.05, -2.0
    # A feature must occur in more than one text to weigh anything.
    text_of = np.repeat(np.arange(prepared.texts), np.diff(prepared.first))
    allowed = _in_two_texts(prepared, text_of)
    weights[:] = _first_guess(prepared, text_of, target, share) * allowed
    moments = np.zeros((2, BUCKETS))
    small = np.zeros((2, 2))
    scale = np.ones(BUCKETS)
    real = prepared.real
    supported = _supported(prepared, text_of, texts)
    for step in range(1, s.steps + 1):
        evidence = token_weights(prepared, weights, each)
        best, first, end = best_segments(prepared, evidence, s.window)
        if step <= s.warm:
            whole = evidence.copy()
            whole[0, prepared.wall] = 0.0
            sums = np.add.reduceat(whole.sum(axis=0), prepared.first[:-1])
            best = np.where(target > 0, sums, best)
            first = np.where(target > 0, prepared.first[:-1], first)
            end = np.where(target > 0, prepared.wall, end)
        margin = np.clip(best + bias, -30, 30)
        error = (1 / (1 + np.exp(-margin)) - target) * share
        gradient = np.zeros(BUCKETS)
        coefficient = np.zeros((ORDERS, total))
        for order, inset in enumerate(INSETS):
            marks = np.zeros(total + 1)
            np.add.at(marks, np.minimum(first + inset, end), error)
            np.add.at(marks, end, -error)
            coefficient[order] = np.cumsum(marks)[:-1]
            if order == 0:
                # A word at its limit is not pushed further up.
                full = evidence[0] >= WORD_LIMIT + each - 1e-9
                coefficient[0] = np.where(full & (coefficient[0] < 0), 0.0, coefficient[0])
            gradient += np.bincount(prepared.by_token[order], weights=coefficient[order], minlength=BUCKETS)
        by_word = np.bincount(prepared.word, weights=coefficient[0], minlength=prepared.words)
        gradient += s.part_scale * np.bincount(prepared.parts, weights=by_word[prepared.parts_word], minlength=BUCKETS)
        gradient = gradient * allowed * scale + s.decay * weights
        moments[0] = 0.9 * moments[0] + 0.1 * gradient
        moments[1] = 0.99 * moments[1] + 0.01 * gradient**2
        rate = s.rate * (1 - step / (s.steps + 1))
        move = moments[0] / (1 - 0.9**step) / (np.sqrt(moments[1] / (1 - 0.99**step)) + 1e-7)
        weights -= rate * move * (gradient != 0)
        np.clip(weights, -s.heaviest, s.heaviest, out=weights)
        # A feature speaks for an attack only where attacks of two kinds hold it: no source's quirks are learned.
        np.minimum(weights, 0.0, out=weights, where=~supported)
        weights[0] = 0.0
        own = np.array([(coefficient[0] * real).sum(), error.sum()])
        small[0] = 0.9 * small[0] + 0.1 * own
        small[1] = 0.99 * small[1] + 0.01 * own**2
        move2 = small[0] / (1 - 0.9**step) / (np.sqrt(small[1] / (1 - 0.99**step)) + 1e-7)
        each = min(-0.02, each - s.each_rate * (1 - step / (s.steps + 1)) * move2[0])
        bias -= 0.05 * (1 - step / (s.steps + 1)) * move2[1]
    return Trained(weights=weights, each=each, bias=bias)


def _range(prepared: Features, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest label of the tokens that hold each feature; tokens labelled below 0 do not count."""
    counts = label >= 0
    low, high = np.full(BUCKETS, 1 << 60), np.full(BUCKETS, -1)
    for row in prepared.by_token:
        np.minimum.at(low, row[counts], label[counts])
        np.maximum.at(high, row[counts], label[counts])
    word_low, word_high = np.full(prepared.words, 1 << 60), np.full(prepared.words, -1)
    np.minimum.at(word_low, prepared.word[counts], label[counts])
    np.maximum.at(word_high, prepared.word[counts], label[counts])
    np.minimum.at(low, prepared.parts, word_low[prepared.parts_word])
    np.maximum.at(high, prepared.parts, word_high[prepared.parts_word])
    return low, high


def _in_two_texts(prepared: Features, text_of: np.ndarray) -> np.ndarray:
    low, high = _range(prepared, text_of)
    return (high > low).astype(float)


def _supported(prepared: Features, text_of: np.ndarray, texts: list[Text]) -> np.ndarray:
    kinds = sorted({text.kind for text in texts if text.attack})
    low, high = _range(prepared, np.array([kinds.index(t.kind) if t.attack else -1 for t in texts])[text_of])
    return high > low


def _first_guess(prepared: Features, text_of: np.ndarray, target: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A small naive-Bayes log ratio: where gradient descent on the best stretch starts from."""
    counts = []
    for side in (1.0, 0.0):
        by_text = np.where(target == side, share, 0.0)
        by_token = (by_text / by_text.sum() * 1000)[text_of]
        by_word = np.bincount(prepared.word, weights=by_token, minlength=prepared.words)
        count = sum(np.bincount(row, weights=by_token, minlength=BUCKETS) for row in prepared.by_token)
        count = count + np.bincount(prepared.parts, weights=by_word[prepared.parts_word], minlength=BUCKETS)
        counts.append(count + 1.0)
    return np.clip(0.1 * np.log(counts[0] / counts[1]), -0.3, 0.3)
