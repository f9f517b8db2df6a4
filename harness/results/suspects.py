"""What a secret or a personal datum looks like: for secrets a cheap hint and the pattern to try where it stands.

The patterns run over JSON text that an agent may have written to hurt: every one is bounded or possessive, so that the
time is linear in the text. A new shape is one entry here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """One shape to look for."""

    name: str
    """What the replacement calls it."""
    pattern: re.Pattern[str]
    """Matches the span to take out; group ``it``, where there is one, is the part that goes."""
    hints: tuple[str, ...] = ()
    """Lower-case texts: the pattern is tried only where one of them stands; without any it is tried everywhere."""
    real: Callable[[str], bool] | None = None
    """A last check of what matched (a checksum)."""

    def span(self, match: re.Match[str]) -> tuple[int, int] | None:
        """The span to take out, or None when it is not real."""
        if self.real is not None and not self.real(match[0]):
            return None
        return match.span("it" if "it" in self.pattern.groupindex else 0)


def luhn(text: str) -> bool:
    """Whether the digits of a text are a payment card number (ISO/IEC 7812-1 check digit)."""
    digits = [int(c) for c in text if c.isdigit()]
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return 13 <= len(digits) <= 19 and total % 10 == 0 and len(set(digits)) > 1


def iban(text: str) -> bool:
    """Whether a text is an IBAN (ISO 13616 check digits)."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


_QUOTE = r"(?:\\{0,3}[\"'])?"  # escaped where JSON stands inside JSON


def _behind(*words: str) -> str:
    """One of the words stands in front, perhaps with a joining character."""
    return "(?:" + "|".join(f"(?<={word})|(?<={word}[_-])" for word in words) + ")"


_NAMED = (
    rf"(?i:{_behind('api', 'secret', 'access', 'private')}key(?:[_-]id)?|{_behind('client')}secret"
    rf"|{_behind('access', 'refresh', 'auth', 'session', 'id', 'bearer')}token|password|passwd)"
)

SECRETS: tuple[Suspect, ...] = (
    Suspect(
        name="private key",
        hints=("-----begin",),
        # To the END line, else to the end of the JSON string it stands in.
        pattern=re.compile(
            r'-----BEGIN[A-Z ]{0,30} PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)(?:[^"\\]|\\.))*+'
            r"(?:-----END[A-Z ]{0,30} PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    Suspect(
        name="token",
        # Each hint costs a search through every line, so only what agents' worlds are full of is here.
        hints=(
            "sk-",
            "k_live_",
            "ghp_",
            "ghs_",
            "github_pat_",
            "glpat-",
            "xox",
            "akia",
            "aiza",
            "hf_",
            "gsk_",
            "sg.",
        ),
        pattern=re.compile(
            r"(?:(?<![A-Za-z0-9])(?:sk-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}+|gh[ps]_[A-Za-z0-9]{30,}+"
            r"|github_pat_[A-Za-z0-9_]{30,}+|glpat-[A-Za-z0-9_-]{20,}+|xox[abeoprs]-[A-Za-z0-9-]{10,}+"
            r"|AKIA[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}|hf_[A-Za-z0-9]{30,}+|gsk_[A-Za-z0-9]{40,}+"
            r"|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+)|(?<=[srp])k_live_[A-Za-z0-9]{16,}+)"
        ),
    ),
    Suspect(
        name="credentials",
        hints=("bearer ", "basic "),
        pattern=re.compile(r"(?i:bearer|basic) {1,3}(?P<it>(?=[A-Za-z._~+/-]{0,80}[0-9=])[A-Za-z0-9._~+/-]{16,}+=*+)"),
    ),
    Suspect(
        name="web token",
        hints=("eyj",),
        pattern=re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"),
    ),
    Suspect(
        name="password",
        hints=("://",),
        pattern=re.compile(r"://[^\s/:@\"'\\]{0,100}:(?P<it>[^\s/@\"'\\]{1,200})@"),
    ),
    Suspect(
        name="secret",
        hints=("key", "token", "secret", "passw"),
        pattern=re.compile(
            rf"{_NAMED}{_QUOTE} ?[:=] ?{_QUOTE}(?P<it>(?=[^\s\"'\\,;&}}]{{0,80}}[0-9])[^\s\"'\\,;&}}]{{8,}}+)"
        ),
    ),
)

PERSONAL: tuple[Suspect, ...] = (
    Suspect(
        name="e-mail",
        # In JSON text a letter behind a backslash is an escape (\n), not the beginning of the address.
        pattern=re.compile(
            r"(?:(?<=\\[nrtbf])|(?<![A-Za-z0-9._%+\\-]))[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
        ),
    ),
    Suspect(name="telephone", pattern=re.compile(r"(?<![\w+.])\+[1-9][0-9]{0,2}(?:[ .()/-]{0,2}[0-9]){7,12}(?![0-9])")),
    Suspect(
        name="card number",
        pattern=re.compile(r"(?<![\w.:+-])(?:[0-9][ -]?){12,18}[0-9](?![\w.-])"),
        real=luhn,
    ),
    Suspect(
        name="IBAN", pattern=re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), real=iban
    ),
)
