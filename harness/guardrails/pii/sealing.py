"""Sealing: bytes that only the holder of the key can read, and that nobody can change unseen.

Deterministic authenticated encryption by the generic SIV composition of Rogaway and Shrimpton ("Deterministic
Authenticated-Encryption", Eurocrypt 2006, section 5), with HMAC-SHA-256 in both of its places: as the function that
makes the initial value out of the plain text, and, in counter mode, as the cipher. The standard library has no cipher;
this needs none, only that HMAC-SHA-256 is a pseudo-random function, and it has no nonce that could be used twice.

What it does not hide: the length, and whether two plain texts under one key are the same. It is slower than AES
(about 25 MB/s); for a table of redacted values that is enough.
"""

from __future__ import annotations

import hmac

from harness.core.errors import FormatError, UsageError

MIN_KEY = 32
_MAGIC = b"harness-vault-1\n"


def checked_key(key: object) -> bytes:
    """``key``, when it is bytes and long enough.

    :raises UsageError: when it is no bytes or shorter than 32 of them.
    """
    if not isinstance(key, bytes) or len(key) < MIN_KEY:
        got = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
        raise UsageError(
            f"a vault key is at least {MIN_KEY} random bytes, got {got}; make one: secrets.token_bytes(32)"
        )
    return key


def derived(key: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose."""
    return hmac.digest(key, b"harness vault " + purpose.encode(), "sha256")


def seal(plain: bytes, key: bytes) -> bytes:
    """Encrypted and authenticated."""
    first = hmac.digest(derived(key, "initial value"), plain, "sha256")
    return _MAGIC + first + _mixed(plain, derived(key, "cipher"), first)


def unseal(sealed: bytes, key: bytes) -> bytes:
    """The plain text.

    :raises FormatError: damaged, of another key, or nothing that was sealed here.
    """
    head = len(_MAGIC)
    if not sealed.startswith(_MAGIC) or len(sealed) < head + 32:
        raise FormatError("this is no sealed vault; give the bytes that Vault.sealed() returned")
    first = sealed[head : head + 32]
    plain = _mixed(sealed[head + 32 :], derived(key, "cipher"), first)
    if not hmac.compare_digest(first, hmac.digest(derived(key, "initial value"), plain, "sha256")):
        raise FormatError("the sealed vault was changed, or the key is another one")
    return plain


def _mixed(text: bytes, key: bytes, first: bytes) -> bytes:
    blocks = (len(text) + 31) // 32
    stream = b"".join(hmac.digest(key, first + count.to_bytes(8, "big"), "sha256") for count in range(blocks))
    mixed = int.from_bytes(text, "big") ^ int.from_bytes(stream[: len(text)], "big")
    return mixed.to_bytes(len(text), "big")
