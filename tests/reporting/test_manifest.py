"""Manifest and signature: each changed, missing or extra byte is found and named, also by public tools."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsanon.errors import CheckError, InputError
from vsanon.reporting import signing
from vsanon.reporting.manifest import MANIFEST, SUMS, check_manifest, manifest_bytes, read_manifest, write_manifest
from vsanon.signing import generate_key, is_encrypted

FILES = {
    "evidence.json": b"{}\n",
    "report.html": b"<p>",
    "report.pdf": b"%PDF",
    "more/attached.csv": b"a,b\n",
    "ü x": b"",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "report"
    for name, content in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    write_manifest(place)
    return place


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "house.pem"
    generate_key(path)
    return path


def found(folder: Path) -> list[str]:
    return [f"{one.file}: {one.what.split(':')[0]}" for one in check_manifest(folder)]


def flip(path: Path, at: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_the_manifest_lists_every_file_with_the_hash_of_its_bytes(folder: Path) -> None:
    listed = read_manifest((folder / MANIFEST).read_bytes())
    assert sorted(listed) == sorted(FILES)
    # SHA-256 of nothing, FIPS 180-4.
    assert listed["ü x"] == {
        "bytes": 0,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    assert check_manifest(folder) == []


def test_the_same_files_give_the_same_manifest(folder: Path) -> None:
    before = (folder / MANIFEST).read_bytes(), (folder / SUMS).read_bytes()
    write_manifest(folder)
    assert ((folder / MANIFEST).read_bytes(), (folder / SUMS).read_bytes()) == before


@pytest.mark.parametrize("name", ["evidence.json", "report.html", "report.pdf", "more/attached.csv"])
def test_one_flipped_byte_is_found_and_named(folder: Path, name: str) -> None:
    flip(folder / name, -1)
    assert found(folder) == [f"{name}: changed"]


@pytest.mark.parametrize("name", [MANIFEST, SUMS])
def test_a_flipped_byte_of_the_manifest_itself_is_found_at_every_place(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert check_manifest(folder), f"byte {at}"


def test_missing_and_extra_files_are_named(folder: Path) -> None:
    (folder / "report.pdf").unlink()
    (folder / "more" / "second.html").write_bytes(b"")
    (folder / "empty").mkdir()
    (folder / "link.json").symlink_to(folder / "evidence.json")
    assert found(folder) == [
        "empty: extra",
        "link.json: extra",
        "more/second.html: extra",
        "report.pdf: missing",
    ]


def test_a_link_in_place_of_a_file_is_found_even_where_it_leads_to_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    shutil.move(folder / "report.pdf", tmp_path / "elsewhere.pdf")
    (folder / "report.pdf").symlink_to(tmp_path / "elsewhere.pdf")
    assert found(folder) == ["report.pdf: extra", "report.pdf: missing"]
    with pytest.raises(InputError, match=r"report\.pdf: not a plain file"):
        write_manifest(folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname"])
def test_a_manifest_can_not_make_the_check_read_outside_its_folder(folder: Path, name: str) -> None:
    (folder.parent / "outside").write_bytes(b"secret")
    contents = {**FILES, name: b"secret"}
    (folder / MANIFEST).write_bytes(manifest_bytes(contents))
    assert f"{name}: missing" in found(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"vsanon_manifest": 1}',
        b'{"vsanon_manifest": 1, "files": {"a": 3}}',
    ],
)
def test_a_damaged_manifest_is_a_finding_and_no_crash(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    assert f"{MANIFEST}: changed" in found(folder)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(min_size=1), st.binary(max_size=8), max_size=5))
def test_reading_a_manifest_gives_the_names_that_were_written(contents: dict[str, bytes]) -> None:
    listed = read_manifest(manifest_bytes(contents))
    assert {name: entry["bytes"] for name, entry in listed.items()} == {k: len(v) for k, v in contents.items()}


def test_sha256sum_checks_the_folder_and_names_the_changed_file(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum")
    (folder / "back\\slash").write_bytes(b"1")
    (folder / "line\nbreak").write_bytes(b"2")
    write_manifest(folder)
    argv = ["sha256sum", "--strict", "-c", SUMS]
    assert subprocess.run(argv, cwd=folder, capture_output=True, check=False).returncode == 0
    flip(folder / "report.html")
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
    assert done.returncode == 1
    assert "report.html: FAILED" in done.stdout


def test_a_private_key_is_readable_by_its_owner_alone_and_never_overwritten(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    with pytest.raises(InputError, match="already there"):
        generate_key(key)
    public = key.with_name("house.pub.pem")
    public.rename(public.with_suffix(".away"))
    with pytest.raises(InputError, match="already there"):
        generate_key(key)
    public.with_suffix(".away").rename(public)
    assert key.read_bytes() == before


def test_an_encrypted_key_signs_with_its_passphrase_alone(folder: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    generate_key(locked, b"correct horse")
    assert is_encrypted(locked)
    for wrong in (None, b"battery"):
        with pytest.raises(InputError, match="passphrase"):
            signing.sign_manifest(folder, locked, wrong)
    signing.sign_manifest(folder, locked, b"correct horse")
    assert signing.check_signature(folder, tmp_path / "locked.pub.pem") == []


def test_a_signature_holds_has_64_bytes_and_is_the_same_when_made_again(folder: Path, key: Path) -> None:
    mark = signing.sign_manifest(folder, key)
    assert mark == signing.fingerprint(key.with_name("house.pub.pem"))
    first = (folder / "manifest.sig").read_bytes()
    assert len(first) == 64
    assert signing.check_signature(folder) == signing.check_signature(folder, key.with_name("house.pub.pem")) == []
    assert check_manifest(folder) == []
    with pytest.raises(InputError, match="already signed"):
        signing.sign_manifest(folder, key)
    signing.sign_manifest(folder, key, overwrite=True)
    assert (folder / "manifest.sig").read_bytes() == first


@pytest.mark.parametrize("name", ["manifest.sig", "manifest.pub.pem", MANIFEST])
def test_a_flipped_byte_of_signature_key_or_manifest_is_found_at_every_place(
    folder: Path, key: Path, name: str
) -> None:
    signing.sign_manifest(folder, key)
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert signing.check_signature(folder), f"byte {at}"


@pytest.mark.parametrize("name", ["manifest.sig", "manifest.pub.pem"])
def test_half_a_signature_is_no_unsigned_report(folder: Path, key: Path, name: str) -> None:
    signing.sign_manifest(folder, key)
    (folder / name).unlink()
    assert [str(one) for one in signing.check_signature(folder)] == [f"{name}: missing: a signature needs it"]


def test_a_manifest_written_again_loses_its_signature_and_an_old_one_does_not_fit(folder: Path, key: Path) -> None:
    signing.sign_manifest(folder, key)
    kept = [(folder / name, (folder / name).read_bytes()) for name in ("manifest.sig", "manifest.pub.pem")]
    flip(folder / "report.html")
    write_manifest(folder)
    assert not signing.is_signed(folder)
    for path, content in kept:
        path.write_bytes(content)
    assert check_manifest(folder) == []
    assert [one.file for one in signing.check_signature(folder)] == ["manifest.sig"]


def test_a_report_signed_by_somebody_else_is_not_that_of_the_key_asked_for(
    folder: Path, key: Path, tmp_path: Path
) -> None:
    generate_key(tmp_path / "other.pem")
    signing.sign_manifest(folder, tmp_path / "other.pem")
    assert signing.check_signature(folder) == []
    assert [one.file for one in signing.check_signature(folder, key.with_name("house.pub.pem"))] == [
        "manifest.pub.pem",
        "manifest.sig",
    ]


def test_an_unsigned_report_is_told_from_a_signed_one(folder: Path, key: Path) -> None:
    assert signing.check_signature(folder) == []
    wanted = key.with_name("house.pub.pem")
    (one,) = signing.check_signature(folder, wanted)
    assert one.what.startswith("missing: the report is not signed by")


def test_what_is_not_as_its_manifest_says_is_not_signed(folder: Path, key: Path) -> None:
    flip(folder / "evidence.json")
    with pytest.raises(CheckError, match=r"evidence\.json: changed"):
        signing.sign_manifest(folder, key)
    assert not signing.is_signed(folder)


def test_keys_of_another_kind_are_refused(folder: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "ec.pem"
    path.write_bytes(other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    with pytest.raises(InputError, match="not an Ed25519 key"):
        signing.sign_manifest(folder, path)
    path.write_bytes(b"no key")
    with pytest.raises(InputError, match="no private key"):
        signing.sign_manifest(folder, path)


def test_openssl_checks_the_signature_by_the_command_that_is_printed(folder: Path, key: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    version = subprocess.run([openssl, "version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith(("OpenSSL 3", "OpenSSL 4")):
        pytest.skip(f"{version.strip()} can't check Ed25519 signatures of files")
    signing.sign_manifest(folder, key)
    argv = signing.OPENSSL.split()
    assert subprocess.run(argv, cwd=folder, capture_output=True, check=False).returncode == 0
    flip(folder / MANIFEST, 5)
    assert subprocess.run(argv, cwd=folder, capture_output=True, check=False).returncode != 0


def test_the_manifest_is_plain_json_for_other_readers(folder: Path) -> None:
    assert sorted(json.loads((folder / MANIFEST).read_text())["files"]) == sorted(FILES)
