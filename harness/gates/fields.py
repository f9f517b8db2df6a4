"""Fields: what a rule refuses about its own declaration, named by field so that a file can point at the line."""

from __future__ import annotations

from harness.core.errors import RuleError


class FieldError(RuleError):
    """A field of a rule has a value that cannot work.

    :param field: name of the field; empty when the rule as a whole is wrong.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


def check_confidence(value: float) -> None:
    """A confidence lies between 0.5 and 1: at 0.5 a bound is the estimate, at 1 there is none."""
    if not 0.5 < value < 1:
        hint = f"; did you mean {value / 100:g}?" if 50 < value < 100 else ""
        raise FieldError("confidence", f"must lie between 0.5 and 1, for example 0.95; got {value!r}{hint}")


def check_between(field: str, value: float | None, low: float, high: float, *, ends: bool = False) -> None:
    """``value`` lies between ``low`` and ``high``; the ends themselves only where ``ends``. None is not checked."""
    if value is None or low < value < high or (ends and value in (low, high)):
        return
    raise FieldError(field, f"must lie between {low:g} and {high:g}, got {value!r}")


def check_looks(looks: int | None, *, decides: bool) -> None:
    """``looks`` plans 1 to 50 looks at a rule that a run can be stopped by; None is not checked.

    :param decides: whether the rule is of such a kind.
    """
    if looks is None:
        return
    if not decides:
        why = "is for rules that --harness-until-decided follows: pass_rate at least a limit, or against the baseline"
        raise FieldError("looks", f"{why}; leave it out")
    if not 1 <= looks <= 50:
        raise FieldError("looks", f"must lie between 1 and 50 planned looks, for example 4; got {looks!r}")
