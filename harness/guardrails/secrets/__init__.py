"""secrets: keys, tokens and passwords that must not leave."""

from __future__ import annotations

from harness.guardrails.secrets.guard import SecretsGuard

__all__ = ["SecretsGuard"]
