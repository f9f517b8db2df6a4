"""Injection: prompt injections and jailbreaks, found in canonical readings by rules and a small linear model."""

from __future__ import annotations

from harness.guardrails.injection.guard import InjectionGuard, Suspicion

__all__ = ["InjectionGuard", "Suspicion"]
