"""pii: personal data found by shape, redacted, or kept in a vault for the way back."""

from __future__ import annotations

from harness.guardrails.pii.custom import CustomPatterns
from harness.guardrails.pii.finding import CATEGORIES
from harness.guardrails.pii.guard import PiiGuard
from harness.guardrails.pii.vault import Vault

__all__ = ["CATEGORIES", "CustomPatterns", "PiiGuard", "Vault"]
