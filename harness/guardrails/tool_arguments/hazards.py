r"""Hazards: what a text argument could do to the tool that gets it: leave its folder, start a command, open an address.

The words:

- *use* of a field: ``path``, ``shell``, ``url``, ``sql`` (a value that ends up in a statement), ``statement`` (a whole
  one), or ``text``. It is declared, or told by the field's name (:mod:`harness.guardrails.tool_arguments.uses`).
- *strict*: a field whose use is known is refused when it holds anything that could do harm there.
- *signature*: any other text is refused only for what nobody writes by accident (``../../etc/passwd``,
  ``; rm -rf /``, ``javascript:...``, ``' OR 1=1 --``), because "Tom & Jerry; part 2" is a fine subject.
- *layers*: every text is judged as it is and as every layer of decoding shows it (per cent signs twice and more,
  overlong UTF-8, ``\u`` and ``&#`` escapes, full-width signs and look-alikes of slashes), at most five layers deep.

Refusing is a net, not a proof: a tool must still join paths below its own root and pass arguments as lists. Every
repetition in a pattern is bounded, so the time grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from harness.guardrails.spans.view import View

MAX_LAYERS = 5

_OVERLONG = re.compile(
    r"%(?:c0%(?:(ae|2e)|af|2f|9v)|c1%(?:9c|1c|8s|af)|e0%80%(?:(ae)|af)|u(?:(002e|ff0e)|[0-9a-f]{4}))", re.IGNORECASE
)
_LOOKALIKES = str.maketrans(
    dict.fromkeys("\u2215\u2044\u29f8\uff0f", "/") | dict.fromkeys("\u2216\u29f5\uff3c\ufe68", "\\") | {"\u2024": "."}
)
_I = re.IGNORECASE
_W = r"[\s+]{0,8}"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_ROOTED = re.compile(r"[\\/~]|[A-Za-z]:[\\/]|file:|%[A-Za-z_]{1,40}%|\$\{?[A-Za-z_]")

_PATH = re.compile(
    r"(?:^|[\\/;:=])\.{2,8}(?:[\\/;]|$)|\.{2,8};?[\\/]|[\n\r|<>`\x00]|\$\(|:[^\\/]{0,40}\$DATA"
    r"|(?:^|[\\/])(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[.\\/]|$)",
    _I,
)
_PATH_ATTACK = re.compile(
    r"(?:\.\.[\\/]){2}|\.\.[\\/](?:etc|proc|sys|root|home|var|windows|winnt|boot|usr|\.ssh|\.env|\.git)\b|\.{4}//"
    r"|(?:^|[\s\"'=(:,])(?:/etc/(?:passwd|shadow|sudoers|ssh)|/proc/(?:self|[0-9]{1,7})/|~/\.(?:ssh|aws|gnupg)|/root/\.)"
    r"|[A-Za-z]:\\(?:windows\\(?:system32|win\.ini)|boot\.ini)|\.ssh/(?:id_|authorized)",
    _I,
)
_SHELL = re.compile(r"[;&|`<>\n\r\x00]|\$[({A-Za-z_]|(?:^|\s)-{1,2}(?:exec|eval|o?ProxyCommand)\b")
_COMMANDS = (
    r"(?:rm|curl|wget|nc|ncat|netcat|bash|sh|zsh|dash|python[0-9.]{0,4}|perl|ruby|php|node|powershell|pwsh|cmd(?:\.exe)?"
    r"|cat|ls|id|whoami|uname|env|chmod|chown|mv|dd|mkfs|kill|shutdown|reboot|sudo|ssh|scp|nslookup|dig|sleep|touch"
    r"|tee|eval|exec|base64|crontab)"
)
_SHELL_ATTACK = re.compile(
    rf"\$\([ ]{{0,8}}{_COMMANDS}\b|`[ ]{{0,8}}{_COMMANDS}\b[^`\n]{{0,200}}`"
    rf"|(?:;|\|\|?|&&|\n)[ \t]{{0,8}}(?:/(?:usr/)?bin/)?{_COMMANDS}[ \t]{{1,8}}[-/$~\"'.][\w./~$]"
    r"|(?:;|\|\|?|&&|\n)[ \t]{0,8}(?:ls|whoami|uname|ba?sh|reboot|shutdown)[ \t]{0,8}(?:$|[;|&#])"
    r"|\$\{?IFS\b|\(\)[ ]{0,4}\{[ ]{0,4}:;|>[ ]{0,4}/(?:dev/tcp|etc|tmp|var)/|\|[ ]{0,4}(?:ba|z|da)?sh\b"
    r"|\brm[ ]{1,4}-[rf]{1,2}[ ]{1,4}[/~*.]"
)
_SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel", "ftp", "sftp", "ws", "wss"})
_SCHEME = re.compile(r"[\s\x00-\x20]{0,40}([A-Za-z](?:[A-Za-z0-9+.-]|\s){0,30}):(?![0-9]{1,5}(?:/|$))")
_URL_INSIDE = re.compile(
    r"\s{0,40}(?:https?|wss?|ftp):[\\/]{0,3}(?:[^/@\s]{0,100}@)?(?:localhost|127\.|0\.|10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\."
    r"|169\.254\.|\[?::|\[?(?:f[cd][0-9a-f]{2}|fe80):|0x[0-9a-f]|[0-9]{8,10}(?:[:/]|$)|metadata\."
    r"|[^/\s]{0,200}\.(?:internal|local|localhost)(?:[:/]|$))",
    _I,
)
# Browsers leave out tabs and line ends inside a scheme, but not spaces.
_SCRIPT = re.compile(
    r"[\s\x00-\x20]{0,40}(?:"
    + "|".join(r"[\t\r\n]{0,3}".join(word) for word in ("javascript", "vbscript", "livescript"))
    + r")[\t\r\n]{0,3}:",
    _I,
)
_URL_ATTACK = re.compile(
    r"(?:^|[\s\"'(=<,])(?:(?:file|jar|phar|gopher|dict|ldaps?|netdoc|php|expect):[\\/]{2}"
    r"|(?:javascript|vbscript):[^\s]|data:(?:text/html|image/svg|application/(?:x-)?javascript))",
    _I,
)
_G = r"(?:[\s+]|/\*[^*]{0,40}\*/){1,8}"
_UNION = rf"\bunion{_G}(?:all{_G})?select\b"
_SLOW = rf"\bxp_cmdshell|\bpg_sleep{_W}\(|\bwaitfor{_W}delay{_W}'|\bbenchmark{_W}\([0-9]|\bsleep\([0-9]"
_SAME = rf"\bor\b{_W}(?:([0-9]{{1,9}}){_W}={_W}\1\b|'(\w{{0,20}})'{_W}={_W}'\2|true\b)"
_SQL = re.compile(rf";|--|/\*|#|{_UNION}|{_SLOW}|{_SAME}|\binformation_schema\b|\bload_file\b", _I)
_SQL_ATTACK = re.compile(
    rf"['\"`]{_W}\)?{_W}(?:or|and|\|\||&&){_W}\(?{_W}"
    rf"(?:['\"`]?\w{{0,20}}['\"`]?{_W}(?:=|<>|!=|<|>|\blike\b)|(?:not{_W})?(?:true|false|exists)\b)"
    rf"|(?:['\"`)]|\b[0-9]{{1,9}}){_W};{_W}(?:drop|delete|update|insert|alter|create|truncate|exec|grant|shutdown)\b"
    rf"|\b[0-9]{{1,9}}{_W}\bor\b{_W}[0-9]{{1,9}}{_W}="
    rf"|['\")0-9]{_G}{_UNION}|{_UNION}{_G}(?:null|[0-9]|@@|['*])|['\"`]{_W}(?:--|#){_W}$"
    rf"|;{_W}(?:drop|truncate){_W}(?:table|database)\b|{_SLOW}",
    _I,
)
_READS = re.compile(r"\s{0,40}\(?\s{0,8}(?:select|with)\b", _I)
_WRITES = re.compile(
    r"\b(?:insert|update|delete|drop|alter|create|truncate|grant|revoke|attach|pragma|copy|call|exec(?:ute)?|merge|replace\s{1,8}into"
    r"|into\s{1,8}(?:outfile|dumpfile)|load_file|pg_read_file|xp_cmdshell|pg_sleep)\b|--|/\*|;\s{0,40}\S|\x00",
    _I,
)


def layers(text: str) -> Iterator[str]:
    """The text, and what each further layer of decoding makes of it, until it stays the same or is five deep."""
    yield text
    for _ in range(MAX_LAYERS):
        decoded = View(_OVERLONG.sub(_meant, text)).text.translate(_LOOKALIKES)
        if not decoded.isascii():
            decoded = unicodedata.normalize("NFKC", decoded)
        if decoded == text:
            return
        text = decoded
        yield text


def hazard(text: str, use: str) -> str:
    """The first kind of hazard in a text argument (``path``, ``shell``, ``url``, ``sql``, ``control``), or nothing."""
    # View drops what cannot be seen, so this must be asked of the text as it came.
    if "%00" in text or "\\u0000" in text or (_CONTROL.search(text) if use != "text" else "\x00" in text):
        return "control"
    for layer in layers(text):
        kind = _strict(layer, use) or _signature(layer, sql=use not in ("sql", "statement"))
        if kind:
            return kind
    return ""


def rooted(text: str) -> bool:
    """Whether a path begins at a root, a home, a drive or a variable, in any layer of decoding."""
    return any(_ROOTED.match(layer.lstrip()) for layer in layers(text))


def _strict(text: str, use: str) -> str:
    if use == "path" and _PATH.search(text):
        return "path"
    if use == "shell" and _SHELL.search(text):
        return "shell"
    if use == "url":
        scheme = _SCHEME.match(text)
        if scheme and re.sub(r"\s", "", scheme[1]).lower() not in _SAFE_SCHEMES:
            return "url"
        if _URL_INSIDE.match(text) or _CONTROL.search(text) or "\n" in text or "\r" in text:
            return "url"
    if use == "sql" and _SQL.search(text):
        return "sql"
    if use == "statement" and (not _READS.match(text) or _WRITES.search(text)):
        return "sql"
    return ""


def _signature(text: str, *, sql: bool) -> str:
    if _SCRIPT.match(text) or _URL_ATTACK.search(text):
        return "url"
    if _PATH_ATTACK.search(text):
        return "path"
    if _SHELL_ATTACK.search(text):
        return "shell"
    return "sql" if sql and _SQL_ATTACK.search(text) else ""


def _meant(match: re.Match[str]) -> str:
    if match[1] or match[2] or match[3]:
        return "."
    whole = match[0].lower()
    if whole.startswith("%u"):
        return chr(int(whole[2:], 16))
    return "\\" if whole.startswith("%c1%") and not whole.endswith("af") else "/"
