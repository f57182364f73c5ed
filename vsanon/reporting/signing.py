"""Ed25519 signatures over a report's manifest, which openssl checks as well."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vsanon.errors import CheckError, InputError, MissingError
from vsanon.files import sha256_of, write_atomic
from vsanon.reporting.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Finding, check_manifest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

OPENSSL = f"openssl pkeyutl -verify -pubin -inkey {PUBLIC_KEY} -rawin -in {MANIFEST} -sigfile {SIGNATURE}"
"""Checks a signature without vsanon, in the report's folder (OpenSSL 3)."""

_SIGNATURE_BYTES = 64


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
    _require_cryptography()
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
        write_atomic(public, _pem(key.public_key()))
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
    return b"ENCRYPTED" in _read(key)


def sign_manifest(folder: Path, key: Path, passphrase: bytes | None = None, *, overwrite: bool = False) -> str:
    """Sign the manifest of a folder that is as its manifest says: writes manifest.sig and manifest.pub.pem.

    Args:
        folder: of the report.
        key: the private key.
        passphrase: of an encrypted key.
        overwrite: replace a signature that is there.

    Returns:
        The fingerprint of the key; see `fingerprint`.

    Raises:
        CheckError: the folder is not as its manifest says; nothing was signed.
        InputError: a file can't be used, or there is a signature already.
        MissingError: the extra `report` is not installed.
    """
    _require_cryptography()
    if findings := check_manifest(folder):
        lines = "\n".join(f"  {finding}" for finding in findings)
        raise CheckError(f"{folder} was not signed: it is not as its manifest says\n{lines}")
    if (folder / SIGNATURE).exists() and not overwrite:
        raise InputError(f"{folder} is already signed: give --overwrite to replace the signature")
    private = _private_key(key, passphrase)
    manifest = _read(folder / MANIFEST)
    try:
        write_atomic(folder / PUBLIC_KEY, _pem(private.public_key()))
        write_atomic(folder / SIGNATURE, private.sign(manifest))
    except OSError as error:
        raise InputError(f"{folder}: the signature can't be written: {error.strerror}") from error
    return fingerprint(folder / PUBLIC_KEY)


def is_signed(folder: Path) -> bool:
    """Whether there is a signature, or a part of one, whatever it is worth."""
    return (folder / SIGNATURE).exists() or (folder / PUBLIC_KEY).exists()


def check_signature(folder: Path, expected: Path | None = None) -> list[Finding]:
    """What is wrong with the signature of a folder; nothing where it holds.

    Args:
        folder: of the report.
        expected: the public key of who is said to have signed; None takes the one that lies beside the
            signature, which shows that nothing changed since, but not who signed.

    Raises:
        InputError: the expected key can't be used.
        MissingError: the extra `report` is not installed, and there is a signature to check.
    """
    wanted = None
    if expected is not None or is_signed(folder):
        _require_cryptography()
    if expected is not None:
        wanted = _public_key(expected)
    if not is_signed(folder):
        return [] if wanted is None else [Finding(SIGNATURE, f"missing: the report is not signed by {expected}")]
    missing = [name for name in (SIGNATURE, PUBLIC_KEY, MANIFEST) if not (folder / name).is_file()]
    if missing:
        return [Finding(name, "missing: a signature needs it") for name in missing]
    try:
        beside = _public_key(folder / PUBLIC_KEY)
    except InputError as error:
        return [Finding(PUBLIC_KEY, f"changed: {error}")]
    findings = []
    if _read(folder / PUBLIC_KEY) != _pem(beside):
        findings.append(Finding(PUBLIC_KEY, "changed: it is not written as vsanon writes it"))
    if wanted is not None and _pem(wanted) != _pem(beside):
        findings.append(
            Finding(
                PUBLIC_KEY,
                f"another key: its fingerprint is {_fingerprint(beside)}, "
                f"that of {expected} is {_fingerprint(wanted)}",
            )
        )
    signature, manifest = _read(folder / SIGNATURE), _read(folder / MANIFEST)
    if not _holds(wanted or beside, signature, manifest):
        whose = f"by {expected}" if expected else f"by {PUBLIC_KEY}"
        reason = "" if len(signature) == _SIGNATURE_BYTES else f"; it has {len(signature)} bytes, not 64"
        findings.append(Finding(SIGNATURE, f"does not sign {MANIFEST} {whose}{reason}"))
    return findings


def fingerprint(public_key: Path) -> str:
    """A public key's fingerprint: the SHA-256 of its DER form (SubjectPublicKeyInfo), in hexadecimal digits.

    Raises:
        InputError: it can't be read, or is no Ed25519 key.
        MissingError: the extra `report` is not installed.
    """
    _require_cryptography()
    return _fingerprint(_public_key(public_key))


def _fingerprint(key: "Ed25519PublicKey") -> str:
    from cryptography.hazmat.primitives import serialization as form

    return sha256_of(key.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo))


def _holds(key: "Ed25519PublicKey", signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _pem(key: "Ed25519PublicKey") -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def _private_key(path: Path, passphrase: bytes | None) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(path), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: no private key, or another passphrase: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: not an Ed25519 key; make one with `vsanon report keygen`")
    return key


def _public_key(path: Path) -> "Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: no public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path}: not an Ed25519 public key")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "signatures need the package cryptography: install vsanon with its extra `report` "
            "(`pip install 'vsanon[report]'`)."
        ) from error
