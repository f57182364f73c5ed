"""What must not reach the page's server: strangers, other sites' pages, tricks with paths, hosts and bodies."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.review_clip import Client, served, write_clip
from vsanon.review.guard import MOST_BYTES
from vsanon.tracks.file import read_tracks

pytest.importorskip("starlette")

JSON = "application/json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_clip(tmp_path_factory.mktemp("attacks"))


@pytest.fixture(scope="module")
def server(made: tuple[Path, Path]) -> Iterator[Client]:
    with served(*made) as client:
        yield client.enter()


@pytest.fixture
def stranger(server: Client) -> Client:
    return Client(server.address)


def edit(version: str = "x") -> bytes:
    return json.dumps({"version": version, "changes": [{"op": "drop", "track": 1}], "reason": "no"}).encode()


def test_it_listens_on_this_machine_only(server: Client) -> None:
    with socket.socket() as other:
        own = socket.gethostbyname(socket.gethostname())
        if own.startswith("127."):
            pytest.skip("this machine has no other address to try")
        assert other.connect_ex((own, server.port)) != 0


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/state", "/frame/0", "/thumbnail/1", "/api/nothing"])
def test_without_the_cookie_nothing_is_shown(stranger: Client, path: str) -> None:
    status, _, body = stranger.ask("GET", path)
    assert (status, b"error" in body) == (403, True)
    stranger.cookie = f"vsanon_review_{stranger.port}=guessed"
    assert stranger.ask("GET", path)[0] == 403


def test_the_address_can_be_used_once_and_a_guess_never(made: tuple[Path, Path]) -> None:
    with served(*made) as client:
        for guess in ("/?token=", "/?token=guessed", "/?token=%ff", "/?" + "&".join("a" * 100), client.path + "x"):
            assert client.ask("GET", guess)[0] == 403
        status, headers, _ = client.ask("GET", client.path)
        assert (status, headers["location"]) == (303, "/")
        assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]
        assert client.ask("GET", client.path)[0] == 403  # somebody has read the address meanwhile


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}", ""]
)
def test_another_name_of_this_host_is_refused(server: Client, host: str) -> None:
    assert server.ask("GET", "/api/state", host=host.format(port=server.port))[0] in (400, 403)
    assert server.ask("GET", "/api/state", host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": JSON},
        {"content_type": JSON, "origin": "http://evil.example"},
        {"content_type": JSON, "origin": "null"},
        {"content_type": JSON, "origin": "http://127.0.0.1:1"},
        {"content_type": JSON, "origin": "https://127.0.0.1:{port}"},
        {"content_type": "text/plain", "origin": "http://127.0.0.1:{port}"},
        {"origin": "http://127.0.0.1:{port}"},
        {"content_type": JSON, "origin": "http://127.0.0.1:{port}", "sec_fetch_site": "cross-site"},
        {"content_type": JSON, "origin": "http://127.0.0.1:{port}", "sec_fetch_site": "same-site"},
    ],
)
def test_another_sites_page_can_post_nothing(
    made: tuple[Path, Path], server: Client, headers: dict[str, str]
) -> None:
    before, version = made[1].read_bytes(), server.get("/api/state")["version"]
    sent = {name: value.format(port=server.port) for name, value in headers.items()}
    for path in ("/api/edit", "/api/undo", "/api/reveal", "/api/finish", "/api/stop"):
        assert server.ask("POST", path, edit(version), **sent)[0] == 403
    assert server.ask("GET", "/frame/0", sec_fetch_site="cross-site")[0] == 403
    assert made[1].read_bytes() == before


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fpage.html", "/static/../app.py", "//etc/passwd",
        "/frame/../../etc/passwd", "/frame/-1", "/frame/1e3", "/frame/90", "/frame/99999999999999999999",
        f"/frame/{5000 * '9'}", f"/thumbnail/{5000 * '9'}", "/thumbnail/x",
        "/frame/0?view=/etc/passwd", "/frame/0?width=12345", "/frame/0?width=x", "/frame/0?view=revealed",
        "/thumbnail/77",
        "/api/boxes?start=-1&stop=5", "/api/boxes?start=0", "/index.html", "/main.js/", "/main.js%00.html",
        "/app.py",
    ],
)  # fmt: skip
def test_tricks_with_paths_and_numbers_lead_nowhere(server: Client, path: str) -> None:
    status, headers, body = server.ask("GET", path)
    assert status in (400, 404), body[:200]
    assert not headers.get("content-type", "").startswith("image/")
    assert b"root:" not in body


def test_huge_bodies_are_refused_also_where_they_do_not_say_so(server: Client) -> None:
    own = {"origin": f"http://127.0.0.1:{server.port}", "content_type": JSON}
    assert server.ask("POST", "/api/edit", b" " * (MOST_BYTES + 1), **own)[0] == 413
    assert server.ask("POST", "/api/edit", b"{}", **own, content_length="9" * 30)[0] in (400, 413)
    assert server.ask("POST", "/api/edit", (b" " * 2**16 for _ in range(20)), **own)[0] == 413  # type: ignore[arg-type]
    status, _, body = server.ask("POST", "/api/edit", b"[" * 100_000, **own)
    assert (status, json.loads(body)["error"]) == (400, "JSON was expected")


@pytest.mark.parametrize(
    "change",
    [
        {}, {"op": "drop"}, {"op": "drop", "track": 0}, {"op": "drop", "track": True},
        {"op": "nothing", "track": 1},
        {"op": "expose", "track": 1, "range": [5, 2]}, {"op": "expose", "track": 1, "range": [0, 1e9]},
        {"op": "expose", "track": 1, "range": "all"}, {"op": "expose", "track": 99, "range": [0, 5]},
        {"op": "review", "seen": [], "seconds": 9, "revealed": [], "ticked": [], "left": 0},
        {"op": "move", "track": 1, "range": [0, 5], "keys": [{"frame": 0, "box": [9, 9, 1, 1]}]},
        {"op": "move", "track": 1, "range": [0, 5], "keys": []},
        {"op": "region", "track": None, "range": [0, 5], "class": "\x1b]0;x", "shape": "rectangle",
         "keys": [{"frame": 0, "box": [0, 0, 9, 9]}]},
        {"op": "region", "track": None, "range": [0, 5], "class": "logo", "shape": "polygon",
         "keys": [{"frame": 0, "box": [0, 0, 9, 9], "points": [[0, 0], [2, 2], [1, 1]]}]},
    ],
)  # fmt: skip
def test_what_is_no_edit_is_refused_and_changes_nothing(
    made: tuple[Path, Path], server: Client, change: dict[str, object]
) -> None:
    before, version = made[1].read_bytes(), server.get("/api/state")["version"]
    status, told = server.post("/api/edit", {"version": version, "changes": [change], "reason": "no"})
    assert (status, "error" in told) == (400, True)
    assert made[1].read_bytes() == before
    for wrong in ({}, {"version": version}, {"version": version, "changes": [{"op": "drop", "track": 1}]}, []):
        assert server.post("/api/edit", wrong)[0] == 400
    drop = {"version": version, "changes": [{"op": "drop", "track": 1}]}
    assert server.post("/api/edit", {**drop, "reason": "  "})[0] == 400
    assert server.post("/api/edit", {**drop, "reason": "x" * 3000})[0] == 400
    assert made[1].read_bytes() == before


def test_script_in_names_reasons_and_classes_is_text_and_no_inline_script_is_allowed(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(1)</script>&\"'"
    source = shutil.copy(made[0], tmp_path / "<b onload=alert(1)>&'take.mkv")
    tracks = shutil.copy(made[1], tmp_path / "t.vsanon")
    with served(Path(source), Path(tracks), by=evil) as client:
        client.enter()
        version = client.get("/api/state")["version"]
        region = {"op": "region", "track": None, "range": [0, 5], "class": evil, "shape": "rectangle",
                  "keys": [{"frame": 0, "box": [0, 0, 9, 9]}]}  # fmt: skip
        status, _ = client.post("/api/edit", {"version": version, "changes": [region], "reason": evil})
        assert status == 200
        status, headers, page = client.ask("GET", "/")
        assert (status, b"onerror" in page, page.count(b"<script")) == (200, False, 1)
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        status, headers, _ = client.ask("GET", "/api/state")
        assert (headers["content-type"], headers["x-content-type-options"]) == (JSON, "nosniff")
        assert headers["cache-control"] == "no-store"  # no picture of a person on the disk
    assert read_tracks(Path(tracks)).edits[0]["reason"] == evil


def test_the_page_takes_nothing_from_elsewhere_and_writes_no_html() -> None:
    folder = Path(__file__).parents[2] / "vsanon" / "review" / "static"
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), file.name
        assert "https://" not in text, file.name
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert unsafe not in text, (file.name, unsafe)
