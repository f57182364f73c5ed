"""Ed25519 signatures over a report's manifest, which openssl checks as well."""

from pathlib import Path

from vsanon.errors import CheckError, InputError
from vsanon.files import write_atomic
from vsanon.reporting.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Finding, check_manifest
from vsanon.signing import (
    fingerprint,
    fingerprint_of,
    holds,
    pem,
    private_key,
    public_key,
    read,
    require_cryptography,
)

OPENSSL = f"openssl pkeyutl -verify -pubin -inkey {PUBLIC_KEY} -rawin -in {MANIFEST} -sigfile {SIGNATURE}"
"""Checks a signature without vsanon, in the report's folder (OpenSSL 3)."""

_SIGNATURE_BYTES = 64


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
    require_cryptography()
    if findings := check_manifest(folder):
        lines = "\n".join(f"  {finding}" for finding in findings)
        raise CheckError(f"{folder} was not signed: it is not as its manifest says\n{lines}")
    if (folder / SIGNATURE).exists() and not overwrite:
        raise InputError(f"{folder} is already signed: give --overwrite to replace the signature")
    private = private_key(key, passphrase)
    manifest = read(folder / MANIFEST)
    try:
        write_atomic(folder / PUBLIC_KEY, pem(private.public_key()))
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
        require_cryptography()
    if expected is not None:
        wanted = public_key(expected)
    if not is_signed(folder):
        return [] if wanted is None else [Finding(SIGNATURE, f"missing: the report is not signed by {expected}")]
    missing = [name for name in (SIGNATURE, PUBLIC_KEY, MANIFEST) if not (folder / name).is_file()]
    if missing:
        return [Finding(name, "missing: a signature needs it") for name in missing]
    try:
        beside = public_key(folder / PUBLIC_KEY)
    except InputError as error:
        return [Finding(PUBLIC_KEY, f"changed: {error}")]
    findings = []
    if read(folder / PUBLIC_KEY) != pem(beside):
        findings.append(Finding(PUBLIC_KEY, "changed: it is not written as vsanon writes it"))
    if wanted is not None and pem(wanted) != pem(beside):
        findings.append(
            Finding(
                PUBLIC_KEY,
                f"another key: its fingerprint is {fingerprint_of(beside)}, "
                f"that of {expected} is {fingerprint_of(wanted)}",
            )
        )
    signature, manifest = read(folder / SIGNATURE), read(folder / MANIFEST)
    if not holds(wanted or beside, signature, manifest):
        whose = f"by {expected}" if expected else f"by {PUBLIC_KEY}"
        reason = "" if len(signature) == _SIGNATURE_BYTES else f"; it has {len(signature)} bytes, not 64"
        findings.append(Finding(SIGNATURE, f"does not sign {MANIFEST} {whose}{reason}"))
    return findings
