"""A fenced part of Rego: small enough that a policy cannot surprise, and that two back ends can be held to agree.

Full Rego is *undefined* where another language would raise, and ``not undefined`` is true: a missing field or a value
of the wrong type can open a policy. Here

- the input has one fixed, typed shape (:data:`harness.guardrails.policy.document.INPUT`), every field always there;
- a policy is type-checked against it when it is loaded: an unknown field, a comparison of two types, a builtin that is
  not on the list, or any construct that is not listed below, is refused with its line;
- what is left can neither be undefined nor raise, so ``not`` means what it says.

The language: ``package``, ``import rego.v1``, ``default allow := false``; rules ``name if { ... }``, sets
``name contains term if { ... }``, constants ``name := term``; in bodies ``some x in xs``, ``every x in xs { ... }``,
``not``, ``x := term``, ``== != < <= > >=``, ``x in xs``; terms are texts, numbers, booleans, arrays, sets, dotted
references, and the builtins ``count``, ``startswith``, ``endswith``, ``contains``. It is a subset of Rego: an OPA
server reads the same file and decides the same (see :class:`harness.guardrails.OpaPolicy` for policies outside it).
"""

from __future__ import annotations

from harness.guardrails.rego.python_engine import TooManySteps, evaluate
from harness.guardrails.rego.syntax import Policy, parse
from harness.guardrails.rego.typing import check_types, type_of

__all__ = ["Policy", "TooManySteps", "check_types", "evaluate", "parse", "type_of"]
