"""The signature of a ledger, which stands in it: by whom it was written, as far as one knows the key.

Signed is the ledger's text as `ledger.dump` writes it without its entry "signature". The ledger holds the hashes of
source, output and tracks, and so the signature vouches for them as well.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsanon.job import ledger
from vsanon.job.checks import Check
from vsanon.signing import Signer, fingerprint_of, holds, pem, public_key, public_key_of

ENTRY = "signature"
NAME = "signature of the ledger"
NOT_SIGNED = "not signed: proves consistency, not origin"


def signed(book: Mapping[str, Any], key: Signer) -> dict[str, Any]:
    """The ledger with its signature."""
    mark = base64.b64encode(key.sign(_content(book))).decode()
    return {**book, ENTRY: {"ed25519": mark, "public_key": key.public_pem.decode()}}


def check(book: Mapping[str, Any], expected: Path | None = None) -> Check:
    """Whether a ledger's signature holds, and is by the key that is expected.

    Args:
        book: the ledger.
        expected: the public key of who is said to have signed; None: none is asked for, and a signature that is
            there must hold by the key that it names, which proves consistency and not origin.

    Raises:
        InputError: the expected key can't be used.
        MissingError: the extra `report` is not installed, and there is a signature to check.
    """
    wanted = None if expected is None else public_key(expected)
    asked = "any, or none" if wanted is None else f"by the key {fingerprint_of(wanted)}"
    if ENTRY not in book:
        return Check(NAME, wanted is None, asked, NOT_SIGNED, seen=wanted is not None)
    try:
        entry = book[ENTRY]
        mark = base64.b64decode(entry["ed25519"], validate=True)
        named = public_key_of(entry["public_key"].encode())
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        return Check(NAME, False, asked, f"it can't be read: {error!r}")
    if wanted is not None and pem(wanted) != pem(named):
        return Check(NAME, False, asked, f"by another key: {fingerprint_of(named)}")
    if not holds(named, mark, _content(book)):
        return Check(NAME, False, asked, "it does not sign this ledger: the ledger was changed after it was signed")
    whose = "" if wanted else "; whose it is was not asked (--public-key): proves consistency, not origin"
    return Check(NAME, True, asked, f"holds, by the key {fingerprint_of(named)}{whose}")


def _content(book: Mapping[str, Any]) -> bytes:
    return ledger.dump({key: value for key, value in book.items() if key != ENTRY}).encode()
