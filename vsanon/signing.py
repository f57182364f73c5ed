"""Ed25519 keys and signatures, of reports and of ledgers; openssl reads and checks them as well."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vsanon.errors import InputError, MissingError
from vsanon.files import read_plain, sha256_of, write_atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def generate_key(path: Path, passphrase: bytes | None = None) -> Path:
    """Make a private key, readable by its owner alone, and its public key beside it.

    Args:
        path: the private key, PKCS 8 in PEM; `x.pem` gives the public key `x.pub.pem`.
        passphrase: what the file is encrypted by; None leaves it plain.

    Returns:
        The public key's path, to hand out.

    Raises:
        InputError: one of the two is already there, or can't be written.
        MissingError: the extra `report` is not installed.
    """
    require_cryptography()
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = path.with_name(f"{path.name.removesuffix('.pem')}.pub.pem")
    if os.path.lexists(public):
        raise InputError(f"{public} is already there: choose another name; keys are never overwritten")
    key = Ed25519PrivateKey.generate()
    hidden = form.BestAvailableEncryption(passphrase) if passphrase else form.NoEncryption()
    content = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, hidden)
    try:
        # Created with its mode, so that it is at no moment open to others, and never in place of another file.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        write_atomic(public, pem(key.public_key()))
    except FileExistsError as error:
        raise InputError(f"{path} is already there: choose another name; keys are never overwritten") from error
    except OSError as error:
        raise InputError(f"{path}: the key can't be written: {error.strerror}") from error
    return public


def is_encrypted(key: Path) -> bool:
    """Whether a private key asks for a passphrase.

    Raises:
        InputError: it can't be read.
    """
    return b"ENCRYPTED" in read(key)


class Signer:
    """A private key, read once and ready to sign; arguments and errors as for `private_key`."""

    def __init__(self, path: Path, passphrase: bytes | None = None) -> None:
        self._key = private_key(path, passphrase)

    def sign(self, content: bytes) -> bytes:
        """The signature of `content`."""
        return self._key.sign(content)

    @property
    def public_pem(self) -> bytes:
        """The public key, as its file holds it."""
        return pem(self._key.public_key())


def private_key(path: Path, passphrase: bytes | None = None) -> "Ed25519PrivateKey":
    """The private key of a file, PKCS 8 in PEM.

    Raises:
        InputError: it can't be read, the passphrase is another, or it is no Ed25519 key.
        MissingError: the extra `report` is not installed.
    """
    require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(read(path), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: no private key, or another passphrase: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: not an Ed25519 key; make one with `vsanon report keygen`")
    return key


def public_key(path: Path) -> "Ed25519PublicKey":
    """The public key of a file in PEM form.

    Raises:
        InputError: it can't be read, or is no Ed25519 key.
        MissingError: the extra `report` is not installed.
    """
    try:
        return public_key_of(read(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def public_key_of(content: bytes) -> "Ed25519PublicKey":
    """A public key from its PEM form.

    Raises:
        ValueError: it is none of Ed25519.
        MissingError: the extra `report` is not installed.
    """
    require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 public key")
    return key


def fingerprint(path: Path) -> str:
    """A public key's fingerprint: the SHA-256 of its DER form (SubjectPublicKeyInfo), in hexadecimal digits.

    Raises:
        InputError: it can't be read, or is no Ed25519 key.
        MissingError: the extra `report` is not installed.
    """
    return fingerprint_of(public_key(path))


def fingerprint_of(key: "Ed25519PublicKey") -> str:
    """The fingerprint of a key that was read; see `fingerprint`."""
    from cryptography.hazmat.primitives import serialization as form

    return sha256_of(key.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo))


def pem(key: "Ed25519PublicKey") -> bytes:
    """A public key as its file holds it."""
    from cryptography.hazmat.primitives import serialization as form

    return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def holds(key: "Ed25519PublicKey", signature: bytes, content: bytes) -> bool:
    """Whether a signature of `content` is by this key."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def require_cryptography() -> None:
    """Raise where signatures can't be made or checked here.

    Raises:
        MissingError: the extra `report` is not installed.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "signatures need the package cryptography: install vsanon with its extra `report` "
            "(`pip install 'vsanon[report]'`)."
        ) from error


_MOST_BYTES = 1 << 16
"""Of a key or a signature."""


def read(path: Path) -> bytes:
    """The content of a key's or signature's file.

    Raises:
        InputError: it can't be read.
    """
    try:
        return read_plain(path, _MOST_BYTES)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
