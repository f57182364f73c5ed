"""The certificate of processing: what the ledger says and no more, loud where it must be, on one page."""

import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_sample import CENTERFACE
from vsanon.covering.looks import PROFILES, STRENGTHS
from vsanon.encode import presets
from vsanon.errors import InputError
from vsanon.files import sha256_of
from vsanon.job import ledger_signature
from vsanon.job.anonymised import objections
from vsanon.reporting import certificate
from vsanon.reporting.facts import ReportFacts
from vsanon.reporting.pages import render
from vsanon.signing import Signer, generate_key

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}\u202egpj.exe & " + "W" * 9_000
FACTS = ReportFacts(issuer="Example Post, Berlin", authorised_by="Ann Example", issued="2026-11-23")


def pictures(**counts: int) -> dict[str, int]:
    return {"same": 0, "changed": 0, "unknown": 0, "unchecked": 0, **counts}


def painting(profile: str = "strict") -> dict[str, Any]:
    return {"profile": profile, "grid": 8, "fill": [64, 64, 64], "on_missing": "error", "same_picture": True}


def preset(name: str = "h264_crf") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(presets.load("h264_crf"))))
    return {**found, "name": name}


def ledger(**changed: Any) -> dict[str, Any]:
    """A ledger of 125 frames of 25/s: 291 + 13 + 15 = 319 boxes of faces, eight checks, all passed."""
    return {
        "vsanon_ledger": 2,
        "started": "2026-11-23T10:00:00+00:00",
        "finished": "2026-11-23T10:00:09+00:00",
        "source": {"name": "Jane Doe.mov", "sha256": "a" * 64, "bytes": 804_873},
        "output": {"name": "jane_out.mp4", "sha256": "b" * 64, "bytes": 668_647},
        "frames": 125,
        "frames_searched": 125,
        "frames_covered_whole": 0,
        "pictures": pictures(same=125),
        "classes": {
            "face": {
                "frames": 124,
                "tracks": 13,
                "boxes": {"detected": 291, "interpolated": 13, "held": 15, "manual": 0},
            }
        },
        "anonymised": True,
        "analysis": {
            "setting": "balanced",
            "classes": ["face", "plate"],
            "scales": {"face": {"min_object_px": 24}},
        },
        "models": [{"name": "centerface", "sha256": CENTERFACE, "licence": "MIT"}],
        "painting": painting(),
        "regions": {"frames_each": 100, "hmac_sha256": ["c" * 64, "d" * 64]},
        "preset": preset(),
        "keep": ["audio", "chapters"],
        "video": {"codec": "h264", "size": [640, 360], "rate": "25", "variable_rate": False},
        "not_carried": [],
        "checks": [
            {"name": "frame count", "passed": True, "expected": "125", "found": "125"},
            *({"name": name, "passed": True, "expected": "", "found": "0.14"} for name in certificate.LOOKS),
        ],
        "versions": {"vsanon": "0.1.0"},
        **changed,
    }


def edit(number: int, what: str) -> dict[str, Any]:
    return {"edit": number, "what": what, "by": "Ann", "at": "2026-11-20T10:11:12+00:00", "reason": "agreed"}


def said(book: dict[str, Any], facts: ReportFacts = FACTS, **options: Any) -> dict[str, Any]:
    return certificate.describe(json.dumps(book).encode(), facts, **options)


def page(book: dict[str, Any], facts: ReportFacts = FACTS, **options: Any) -> str:
    return render(said(book, facts, **options), page="certificate.html")


def text_of(html: str) -> str:
    """What a browser shows of a page: its text, without style."""
    words: list[str] = []

    class Reader(HTMLParser):
        skipped = False

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            assert tag not in ("script", "img", "iframe", "object", "embed", "base", "link"), tag
            assert not [name for name, _ in attrs if name.startswith("on")]
            self.skipped = tag == "style"

        def handle_endtag(self, tag: str) -> None:
            self.skipped = False

        def handle_data(self, data: str) -> None:
            if not self.skipped:
                words.append(data)

    Reader(convert_charrefs=True).feed(html)
    return " ".join("".join(words).split())


def test_it_says_what_was_covered_by_which_settings_and_that_the_checks_passed() -> None:
    text = text_of(page(ledger()))
    assert "Covered, and all 8 checks passed" in text
    assert "291 found, 13 bridged between two finds, 15 held before and after" in text
    assert "125 frames (5 s), 640 × 360" in text
    assert "2026-11-23, 10:00:00 to 10:00:09 UTC, issued by Example Post, Berlin" in text
    assert "Profile strict: constant fill" in text
    assert (
        "Searched for face, plate; setting balanced; in 125 of 125 frames. Models: centerface 09189deaaf8646c5…."
        in text
    )
    assert "Edits by people: none" in text
    assert said(ledger())["classes"][0]["boxes"] == 319


def test_both_files_are_named_by_their_hashes_and_by_name_only_where_asked_for() -> None:
    plain, named = page(ledger()), page(ledger(), names=True)
    assert "a" * 64 in plain
    assert "b" * 64 in plain
    assert not re.search("jane", plain, re.IGNORECASE)
    assert "Jane Doe.mov" in named
    assert "vsanon verify jane_out.mp4 --source 'Jane Doe.mov'" in text_of(named)
    assert "vsanon verify DELIVERED --source SOURCE" in text_of(plain)


def test_the_ledger_that_it_was_made_from_is_named_by_its_hash() -> None:
    content = json.dumps(ledger()).encode()
    assert sha256_of(content) in page(ledger())


def test_it_never_says_anonymous_and_says_what_remains() -> None:
    text = text_of(page(ledger()))
    assert "anonym" not in text.lower()
    assert "How many it missed in this file was not measured" in text
    assert "faces 24 px high and larger" in text
    assert "Not searched for: logos, tattoos, name badges, documents and the content of screens" in text
    assert "voices and spoken names are still there" in text
    assert "voices" not in text_of(page(ledger(keep=[])))


def test_frames_that_no_model_has_seen_are_said() -> None:
    words = "A model has seen 18 of 125 frames."
    assert words not in text_of(page(ledger()))
    assert words in text_of(page(ledger(frames_searched=18)))
    assert "in 18 of 125 frames" in text_of(page(ledger(frames_searched=18)))
    assert "in how many frames is not recorded" in text_of(page(ledger(frames_searched=None)))
    older = ledger()
    del older["frames_searched"]
    assert "in how many frames is not recorded" in text_of(page(older))


def test_frames_that_show_another_picture_than_the_analysed_are_said() -> None:
    assert "is the same." in said(ledger())["pictures"]
    book = ledger(pictures=pictures(same=100, changed=20, unknown=5))
    words = "100 the same, 20 graded, cleaned or encoded anew, 5 too flat to tell."
    assert words in text_of(page(book))
    assert said(book)["state"]["kind"] == "ok"
    unchecked = ledger(pictures=pictures(unchecked=125), anonymised=False)
    assert said(unchecked)["state"]["title"] == "Covered, but not compared with what was analysed"
    assert "In 125 of 125 frames nobody looked whether they show" in text_of(page(unchecked))


def test_a_search_that_was_set_to_find_less_is_said() -> None:
    assert "set by hand" not in text_of(page(ledger()))
    analysis = {**ledger()["analysis"], "threshold": 0.99, "size": 160, "max_object_px": None}
    text = text_of(page(ledger(analysis=analysis, anonymised=False)))
    assert "The search was set by hand: a least score of 0.99, the whole picture at 160 px." in text
    assert "set by hand" not in text_of(
        page(ledger(analysis={**analysis, "threshold": HOSTILE, "size": True}, anonymised=False))
    )


def test_zones_that_were_not_searched_are_said() -> None:
    assert "Left out of the search" not in text_of(page(ledger()))
    analysis = {**ledger()["analysis"], "ignore": [[0, 0, 160, 13], [0, 300, 640, 360], [1, 2, 3, 4]]}
    assert "[0, 0, 160, 13], [0, 300, 640, 360] and 1 more. Who stands there" in text_of(
        page(ledger(analysis=analysis, anonymised=False))
    )
    hostile = {**analysis, "ignore": [HOSTILE]}
    assert len(page(ledger(analysis=hostile, anonymised=False))) < 30_000


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"edits": [edit(1, "expose track 7 in frames 0:9")]},
            "1 edit by people, listed below, left",
        ),
        ({"edits": [{**edit(1, "move track 7 in frames 0:9"), "bare": 9}]}, "moved a cover off what a model had"),
        ({"analysis": {"classes": ["face", "plate"], "ignore": [[0, 0, 9, 9]]}}, "left out 1 zone of the picture"),
    ],
)
def test_what_was_left_bare_on_purpose_is_not_anonymised(changed: dict[str, Any], words: str) -> None:
    state = said(ledger(**changed, anonymised=False))["state"]
    assert (state["kind"], state["title"]) == ("fail", "Not anonymised")
    assert any(words in reason for reason in state["reasons"])
    with pytest.raises(InputError, match="contradicts itself: anonymised: True"):
        said(ledger(**changed))


@pytest.mark.parametrize(
    ("classes", "title"),
    [(["face"], "Not searched for plates"), (["plate", "logo"], "Not searched for faces"),
     ([], "Not searched for faces and plates")],
)  # fmt: skip
def test_a_file_that_was_not_searched_for_faces_or_plates_is_not_called_covered(
    classes: list[str], title: str
) -> None:
    book = ledger(analysis={"classes": classes}, anonymised=False)
    state = said(book)["state"]
    assert (state["kind"], state["title"]) == ("attention", title)
    assert said({**book, "analysis": None})["state"]["title"] == "Not searched for faces and plates"


AGAINST: dict[str, dict[str, Any]] = {
    "a look": {"painting": painting("soft")},
    "classes": {"analysis": {"classes": ["face", "logo"], "ignore": []}},
    "zones": {"analysis": {"classes": ["face", "plate"], "ignore": [[0, 0, 9, 9]]}},
    "an edit": {"edits": [edit(1, "expose track 7 in frames 0:9")]},
    "a move": {"edits": [{**edit(1, "move track 7 in frames 0:9"), "bare": 1}]},
    "pictures": {"pictures": pictures(same=124, unchecked=1)},
    "a score": {"analysis": {"classes": ["face", "plate"], "threshold": 0.9, "least_scores": {"centerface": 0.05}}},
    "a model": {"models": [{"name": "own", "sha256": "0" * 64}]},
    "a part": {"part": {"delivered": "all", "start": 0, "stop": 5, "of": 125}},
}


@pytest.mark.parametrize("names", [(), *combinations(AGAINST, 1), *combinations(AGAINST, 2), tuple(AGAINST)])
def test_the_headline_calls_a_file_covered_exactly_where_nothing_speaks_against_its_being_anonymised(
    names: tuple[str, ...],
) -> None:
    book = ledger()
    for name in names:
        book |= AGAINST[name]
    book["anonymised"] = not objections(book)
    assert book["anonymised"] == (not names)
    assert (said(book)["state"]["kind"] == "ok") == (not names)


def test_a_ledger_that_calls_itself_not_anonymised_needs_a_reason() -> None:
    with pytest.raises(InputError, match="anonymised: False, and no entry speaks against it"):
        said(ledger(anonymised=False))


def test_an_edit_that_left_somebody_bare_is_listed_before_later_ones_that_cover() -> None:
    edits = [edit(1, "expose track 7 in frames 0:9"), *(edit(n, f"keep track {n}") for n in range(2, 9))]
    shown = said(ledger(edits=edits, anonymised=False))["edits"]
    assert [one["edit"] for one in shown["shown"]] == [1, 6, 7, 8]
    assert shown["left_out"] == 4


def test_a_blur_is_loudly_not_anonymised() -> None:
    book = ledger(anonymised=False, painting=painting("cosmetic"))
    assert said(book)["state"]["kind"] == "fail"
    assert "Not anonymised It was covered with the profile “cosmetic”" in text_of(page(book))
    assert "checks passed That is" not in text_of(page(book))


def test_a_failed_check_is_loud_and_shown_with_what_was_expected() -> None:
    checks = ledger()["checks"]
    checks[0] |= {"passed": False, "found": "124"}
    text = text_of(page(ledger(checks=checks)))
    assert "Not to be relied upon: checks failed 1 of 8 checks failed" in text
    assert "Failed: frame count: expected 125, found 124" in text


def test_a_check_that_could_not_see_anything_is_not_counted_among_those_that_passed() -> None:
    checks = ledger()["checks"]
    checks[-1] |= {"seen": False}
    text = text_of(page(ledger(checks=checks)))
    assert "Covered, and 7 of 8 checks passed; 1 could not see anything" in text
    assert "7 of 8 passed" in text
    assert f"Looked, and could not see anything: {checks[-1]['name']}; the ledger says why." in text


def test_no_checks_and_no_finds_are_no_pass() -> None:
    assert said(ledger(checks=[]))["state"] == {
        "kind": "fail",
        "title": "Not to be relied upon: nothing was checked",
        "reasons": ["Nothing was checked."],
    }
    assert said(ledger(classes={}))["state"]["kind"] == "attention"
    assert "Nothing was covered" in text_of(page(ledger(classes={})))


def test_a_ledger_whose_pictures_were_not_checked_is_not_to_be_relied_upon() -> None:
    assert said(ledger())["relied_on"]
    for name in certificate.LOOKS:
        left = [check for check in ledger()["checks"] if check["name"] != name]
        answer = said(ledger(checks=left))
        assert not answer["relied_on"]
        assert answer["state"]["title"] == "Not to be relied upon: its pictures were not checked"
        assert name in text_of(page(ledger(checks=left)))


@pytest.mark.parametrize(
    ("profile", "words"),
    [("strict", "is the fill, or of one tone"), ("soft", "no piece and no detail"), ("cosmetic", "no fine detail")],
)
def test_what_was_checked_is_said_for_each_profile(profile: str, words: str) -> None:
    book = ledger(painting=painting(profile), anonymised=profile == "strict")
    assert re.search(f"(?i){words}", text_of(page(book)))
    assert "block by block in luma and colour" in text_of(page(book))


def test_what_a_look_leaves_is_said_by_the_table_and_with_what_was_measured_otherwise() -> None:
    black = {**painting(), "fill": [0, 0, 0], "strength": "nobody can read anything back"}
    assert said(ledger(painting=black))["profile"] == (
        STRENGTHS["strict"] + "; that was measured with the fill grey, and not as here"
    )
    assert said(ledger())["profile"] == STRENGTHS["strict"]
    with pytest.raises(InputError, match="/painting: KeyError"):
        said(ledger(painting={**painting(), "shapes": {"face": {}}}, anonymised=False))


def test_a_ledger_that_was_changed_after_it_was_signed_is_not_to_be_relied_upon(tmp_path: Path) -> None:
    generate_key(tmp_path / "key.pem")
    book = ledger_signature.signed(ledger(), Signer(tmp_path / "key.pem"))
    assert said(book)["relied_on"]
    assert "holds, by the key" in said(book)["signature"]
    answer = said({**book, "frames": 126, "pictures": pictures(same=126)})
    assert not answer["relied_on"]
    assert answer["state"]["title"] == "Not to be relied upon: its ledger was changed"
    assert said(ledger())["signature"] == "not signed: proves consistency, not origin"


def test_edits_are_listed_with_author_date_and_reason_and_those_that_uncover_are_counted() -> None:
    kept = [edit(n, f"keep track {n} in frames 0:9") for n in range(2, 6)]
    edits = [edit(1, "drop track 4"), *kept, edit(6, "expose track 7 in frames 120:300")]
    text = text_of(page(ledger(edits=edits, anonymised=False)))
    assert "Edits by people: 6" in text
    assert "expose track 7 in frames 120:300 – Ann, 2026-11-20: agreed" in text
    assert "and 2 others, in the ledger" in text
    assert "2 edits by people took covers away" in text


def test_hostile_text_is_shown_as_text_and_cut() -> None:
    book = ledger(
        output={"name": HOSTILE.replace("/", ""), "sha256": "b" * 64, "bytes": 1},
        source={"name": "--help; rm -rf '", "sha256": "a" * 64, "bytes": 1},
        classes={HOSTILE: ledger()["classes"]["face"]},
        models=[{"name": HOSTILE, "sha256": "0" * 64}],
        analysis={"setting": HOSTILE, "classes": [HOSTILE], "scales": None},
        checks=[{"name": HOSTILE, "passed": False, "expected": HOSTILE, "found": HOSTILE}],
        edits=[{"edit": 1, "what": HOSTILE, "by": HOSTILE, "at": HOSTILE, "reason": HOSTILE}],
        versions={"vsanon": HOSTILE},
        preset=preset(HOSTILE),
        not_carried=[HOSTILE] * 50,
        anonymised=False,
    )
    html = page(book, ReportFacts(issuer=HOSTILE, client=HOSTILE, authorised_by=HOSTILE, notes=HOSTILE), names=True)
    text = text_of(html)  # which refuses scripts and handlers
    assert "<script>alert(1)</script>{{ 7 * 7 }}⟨U+202E⟩" in text
    assert "\u202e" not in html
    assert len(html) < 60_000
    assert "vsanon verify DELIVERED --source './--help; rm -rf '\"'\"''" in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frames": 0}, "/frames: 0 is less than the minimum of 1"),
        ({"frames": True}, "/frames: True is not of type 'integer'"),
        ({"frames": 100}, "more frames are covered than the 100"),
        ({"frames_searched": 126}, "more frames were searched than the 125"),
        ({"frames_covered_whole": 126}, "more frames are covered"),
        ({"pictures": pictures(same=100)}, "100 frames were compared with those analysed, of 125"),
        ({"output": {"name": "a", "sha256": "b" * 63, "bytes": 1}}, "/output/sha256: 'bbb"),
        ({"source": {"name": "a", "sha256": "b" * 64}}, "/source: 'bytes' is a required property"),
        ({"checks": [{"name": "a", "passed": 1, "expected": "", "found": ""}]}, "/checks/0/passed: 1 is not of"),
        ({"anonymised": False}, "contradicts itself"),
        ({"painting": painting("cosmetic"), "anonymised": True}, "contradicts itself"),
        ({"painting": painting("none")}, "/painting/profile: 'none' is not one of"),
        ({"started": "yesterday"}, "/started: 'yesterday' does not match"),
        ({"started": "2026-13-01T10:00:00+00:00"}, "/started: '2026-13-01"),
        ({"video": {**ledger()["video"], "rate": "1/0"}}, "/video/rate: '1/0' does not match"),
        ({"video": {**ledger()["video"], "rate": "-25"}}, "/video/rate: '-25' does not match"),
        ({"video": {**ledger()["video"], "size": [640]}}, "/video/size: [640] is too short"),
        (
            {"classes": {"face": {"frames": 1, "tracks": 1, "boxes": {"detected": 1}}}},
            "/classes/face/boxes: '",
        ),
        ({"edits": [{"edit": 1}]}, "/edits/0: 'what' is a required property"),
        ({"vsanon_ledger": 1}, "not a ledger of version 2"),
    ],
)
def test_a_ledger_that_is_not_whole_gets_no_certificate_and_the_entry_is_named(
    changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        said(ledger(**changed))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff\xfe", b'{"vsanon_ledger": 2, "frames": NaN}', b"[" * 100_000]
)
def test_what_is_no_ledger_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="not a ledger"):
        certificate.describe(content, FACTS)


def test_the_same_ledger_gives_the_same_page_and_another_one_another_id() -> None:
    assert page(ledger()) == page(ledger())
    assert said(ledger())["id"] != said(ledger(frames=126, pictures=pictures(same=126)))["id"]
    assert said(ledger())["id"] != said(ledger(), ReportFacts())["id"]


def test_the_page_may_load_nothing_and_run_nothing() -> None:
    html = page(ledger())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy.group(1)
    assert "script-src" not in policy.group(1)
    assert not re.search(r"(src|href)=", html)
    assert "url(" not in html


@pytest.mark.parametrize("many", [False, True])
def test_it_fits_on_one_printed_page(many: bool) -> None:
    weasyprint = pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed")
    book = ledger()
    if many:
        book["classes"] = dict.fromkeys(("badge", "face", "logo", "plate", "screen"), book["classes"]["face"])
        book["edits"] = [edit(n, "region 104: logo, box in frames 60:141") for n in range(40)]
        book["checks"] = [{**check, "name": f"audio {n}: packets"} for n in range(20) for check in book["checks"]]
        book["not_carried"] = ["timecode: the preset's container has no track for it"] * 8
        book["models"] *= 3
    document = weasyprint.HTML(string=page(book, names=many)).render()
    assert len(document.pages) == 1


def test_every_look_has_words_for_what_was_seen_of_it() -> None:
    assert set(certificate._PAINTED) == set(PROFILES)
