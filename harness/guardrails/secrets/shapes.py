"""Shapes: secrets that their issuer made recognisable: a prefix, a length, an alphabet.

Each shape begins with text that is looked for first, because searching for a fixed text is many times faster than
matching a pattern everywhere. Every repetition is bounded, and a shape begins only where its alphabet begins, so a
text made of prefixes costs no more than another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.guardrails.spans import Span

API_KEY = "api_key"
TOKEN = "access_token"  # noqa: S105 - the name of a category
PRIVATE_KEY = "private_key"

MAX_BLOCK = 8000
_MAX = 4096


class Shape(NamedTuple):
    """One issuer's secrets."""

    category: str
    hints: tuple[str, ...]
    """One of these is in every secret of this shape, in this case."""
    pattern: re.Pattern[str]
    sure: float = 0.95
    digit: bool = False
    """Without a digit it is a word, not a secret."""


def _shape(category: str, body: str, *hints: str, sure: float = 0.95, digit: bool = False) -> Shape:
    # In a lookahead, so that every place is judged by itself: what is found must not depend on where the search began.
    # A long body may end anywhere; a short one has a length of its own.
    ends = "" if _LONG.search(body) else "(?![A-Za-z0-9])"
    return Shape(category, hints, re.compile(rf"(?<![A-Za-z0-9])(?=({body}){ends})"), sure, digit)


_LONG = re.compile(r",(?:[2-9][0-9]{2}|[0-9]{4,})\}\)?\??$")
_B64 = r"[A-Za-z0-9+/]"
_SHAPES: tuple[Shape, ...] = (
    _shape(API_KEY, r"(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}", "A"),
    _shape(API_KEY, r"AIza[0-9A-Za-z_-]{35}", "AIza"),
    _shape(TOKEN, rf"ya29\.[0-9A-Za-z_-]{{20,{_MAX}}}", "ya29."),
    _shape(API_KEY, r"GOCSPX-[0-9A-Za-z_-]{28}", "GOCSPX-"),
    _shape(TOKEN, r"gh[pousr]_[A-Za-z0-9]{36,255}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _shape(TOKEN, r"github_pat_[A-Za-z0-9_]{22,255}", "github_pat_"),
    _shape(TOKEN, r"gl(?:pat|dt|ptt|rt|soat|cbt|ft|imt|agent|oas)-[A-Za-z0-9_.=-]{20,300}", "gl", digit=True),
    _shape(TOKEN, r"xox[abeoprs](?:-[0-9A-Za-z]{1,255}){2,6}", "xox", digit=True),
    _shape(TOKEN, r"xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[a-f0-9]{32,128}", "xapp-"),
    _shape(
        TOKEN,
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,120}",
        "hooks.slack.com/",
    ),
    _shape(TOKEN, r"https://discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/[A-Za-z0-9_-]{40,100}", "/api/webhooks/"),
    _shape(TOKEN, r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,45}", ".", sure=0.7, digit=True),
    _shape(TOKEN, r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", ":AA"),
    _shape(API_KEY, r"sk-ant-[A-Za-z0-9_-]{20,300}", "sk-ant-", digit=True),
    _shape(API_KEY, r"sk-(?:proj-|svcacct-|admin-|or-v1-|None-|lf-)?[A-Za-z0-9_-]{20,300}", "sk-", digit=True),
    _shape(API_KEY, r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{16,250}", "_live_", "_test_", "_prod_"),
    _shape(API_KEY, r"whsec_[A-Za-z0-9+/=]{24,100}", "whsec_"),
    _shape(TOKEN, r"hf_[A-Za-z0-9]{30,80}", "hf_"),
    _shape(API_KEY, r"(?:gsk_|xai-|pplx-|nvapi-|fw_|r8_|tvly-|csk-|jina_)[A-Za-z0-9_-]{24,200}",
           "gsk_", "xai-", "pplx-", "nvapi-", "fw_", "r8_", "tvly-", "csk-", "jina_", digit=True),
    _shape(API_KEY, r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}", "SG."),
    _shape(API_KEY, r"key-[0-9a-f]{32}", "key-"),
    _shape(API_KEY, r"[0-9a-f]{32}-us[0-9]{1,2}", "-us"),
    _shape(API_KEY, r"(?:SK|AC)[0-9a-f]{32}", "SK", "AC"),
    _shape(TOKEN, r"npm_[A-Za-z0-9]{36}", "npm_"),
    _shape(TOKEN, r"pypi-[A-Za-z0-9_-]{50,300}", "pypi-"),
    _shape(TOKEN, r"rubygems_[a-f0-9]{48}", "rubygems_"),
    _shape(TOKEN, r"do[opr]_v1_[a-f0-9]{64}", "_v1_"),
    _shape(TOKEN, r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "shp"),
    _shape(TOKEN, r"dapi[a-f0-9]{32}(?:-[0-9])?", "dapi"),
    _shape(API_KEY, r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", "lin_"),
    _shape(TOKEN, r"ntn_[A-Za-z0-9]{40,60}", "ntn_"),
    _shape(TOKEN, r"ATATT3[A-Za-z0-9_=-]{60,300}", "ATATT3"),
    _shape(TOKEN, r"hv[sbr]\.[A-Za-z0-9_-]{24,300}", "hvs.", "hvb.", "hvr."),
    _shape(TOKEN, r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}", ".atlasv1."),
    _shape(TOKEN, r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,400}", "glsa_", "glc_"),
    _shape(API_KEY, r"NRAK-[A-Z0-9]{27}", "NRAK-"),
    _shape(API_KEY, r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "PMAK-"),
    _shape(TOKEN, r"(?:sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,60}|EAAA[A-Za-z0-9_-]{60})", "sq0", "EAAA"),
    _shape(TOKEN, r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}", "dckr_"),
    _shape(TOKEN, r"pul-[a-f0-9]{40}", "pul-"),
    _shape(TOKEN, r"fig[dor]_[A-Za-z0-9_-]{36,60}", "figd_", "figo_", "figr_"),
    _shape(TOKEN, r"sb(?:p|_secret)_[A-Za-z0-9_]{20,60}", "sbp_", "sb_secret_", digit=True),
    _shape(TOKEN, r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}", "pscale_"),
    _shape(TOKEN, r"sntry[su]_[A-Za-z0-9+/=_]{40,300}", "sntry"),
    _shape(TOKEN, r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}", "dp."),
    _shape(TOKEN, r"(?:fo1|fm[12])_[A-Za-z0-9+/=_-]{40,300}", "fo1_", "fm1_", "fm2_"),
    _shape(PRIVATE_KEY, r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", "AGE-SECRET-KEY-1"),
    _shape(TOKEN,
           rf"(?<![_-])eyJ[A-Za-z0-9_-]{{8,{_MAX}}}\.eyJ[A-Za-z0-9_-]{{8,{_MAX}}}(?:\.[A-Za-z0-9_-]{{0,{_MAX}}})?",
           "eyJ"),
    _shape(API_KEY, rf"AccountKey={_B64}{{40,120}}={{0,2}}", "AccountKey="),
)  # fmt: skip
_DIGIT = re.compile(r"[0-9]")
_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:[^-\ue000]{{0,{MAX_BLOCK}}}-----END (?:[A-Z0-9]{{1,20}} ){{0,4}}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:\s{0,4}[A-Za-z0-9+/=]{16,200}){0,120})"
)


def find(text: str) -> Iterator[Span]:
    """Secrets of known shape in a text (a view's text)."""
    for shape in _SHAPES:
        if not any(hint in text for hint in shape.hints):
            continue
        for match in shape.pattern.finditer(text):
            found = match[1]
            if shape.digit and not _DIGIT.search(found):
                continue
            if found.endswith("EXAMPLE") or len(set(found[-12:])) < 3:  # as documentation writes them
                continue
            start = match.start() + (len("AccountKey=") if found.startswith("AccountKey=") else 0)
            yield Span(start, match.end(1), shape.category, shape.sure)
    if "-----BEGIN " in text:
        for match in _BLOCK.finditer(text):
            yield Span(match.start(), match.end(), PRIVATE_KEY, 1.0)
