"""What is changed after delivery, in the file, its ledger or its tracks, is found by `verify`, which says what."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import blobs, use
from tests.support.faults import FRAMES, deliver_all_the_same, film, painted_and, patched
from vsanon import filters
from vsanon.encode import run
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.job import ledger, ledger_signature
from vsanon.job.pipeline import anonymize_file, render_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery
from vsanon.signing import Signer, generate_key
from vsanon.tracks import write_edits
from vsanon.tracks.edit_kinds import Drop
from vsanon.tracks.file import read_tracks

pytestmark = pytest.mark.slow

Book = dict[str, Any]
REGIONS = "regions are the ledger's"
RECORD = "the ledger's record of the work is true"
EDIT = {"edit": 1, "what": "drop track 1", "by": "Ann", "at": "2026-11-20T10:11:12+00:00", "reason": "a poster"}
AGAIN = {"output_sha256": "0" * 64, "encode": "the same", "list": [{"start": 0, "stop": 6, "taken_over": True}]}
MUTE = {"what": "mute", "track": 1, "start_s": None, "stop_s": None}
SIGNATURE = "signature of the ledger"
SHOWN = "covered regions show what was painted"


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a finished job: in.mkv, out.mp4 with its signed ledger, out.vsanon, and two keys."""
    folder = tmp_path_factory.mktemp("made")
    film(folder / "in.mkv")
    generate_key(folder / "ours.pem")
    generate_key(folder / "theirs.pem")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, blobs)
        anonymize_file(folder / "in.mkv", folder / "out.mp4", Settings(), tracks=folder / "out.vsanon",
                       sign=Signer(folder / "ours.pem"))  # fmt: skip
    return folder


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "job"))


def change(folder: Path, edit: Callable[[Book], object]) -> None:
    """Edit the ledger, as one would who wants it to fit again: its signature goes."""
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    del book[ledger_signature.ENTRY]
    book["output"]["sha256"] = sha256_file(folder / "out.mp4")
    book["output"]["bytes"] = (folder / "out.mp4").stat().st_size
    edit(book)
    where.write_text(ledger.dump(book))


def named(book: Book, name: str) -> Book:
    """The ledger's check of a name."""
    (found,) = [check for check in book["checks"] if check["name"] == name]
    return found


def change_tolerance(folder: Path, value: float) -> None:
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    book["preset"]["tolerance"] = dict.fromkeys(("region", "grid", "way"), value)
    where.write_text(ledger.dump(book))


def failed(folder: Path, *, key: str | None = None, tracks: bool = True) -> dict[str, str]:
    """The failed checks, and what they found."""
    if not tracks:
        (folder / "out.vsanon").unlink(missing_ok=True)
    public = None if key is None else folder / f"{key}.pub.pem"
    checks = verify_delivery(folder / "out.mp4", folder / "in.mkv", public_key=public)
    return {check.name: check.found for check in checks if not check.passed}


def told(folder: Path, name: str) -> str:
    """What the check of a name found."""
    checks = verify_delivery(folder / "out.mp4", folder / "in.mkv")
    return next(check.found for check in checks if check.name == name)


def remux(folder: Path, *options: str, inputs: tuple[str, ...] = ()) -> None:
    """Write the delivered file anew, in another way, and make the ledger fit."""
    old, new = (f"file:{folder / name}" for name in ("out.mp4", "new.mp4"))
    run(["-y", "-i", old, *inputs, *options, "-fflags", "+bitexact", new])
    (folder / "new.mp4").replace(folder / "out.mp4")
    change(folder, lambda _: None)


def test_a_finished_job_passes_with_its_tracks_without_them_and_by_its_key(folder: Path) -> None:
    assert failed(folder) == {}
    assert failed(folder, key="ours") == {}
    assert told(folder, REGIONS).endswith("was not searched for again")
    change(folder, lambda book: book.pop("tracks"))
    assert failed(folder, tracks=False) == {}
    assert told(folder, REGIONS) == "the same"


# ----------------------------------------------------------------------------- the ledger


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (lambda b: (b["painting"].update(profile="soft"), b.update(anonymised=False)), SHOWN),
        (lambda b: (b["painting"].update(profile="cosmetic"), b.update(anonymised=False)), SHOWN),
        (lambda b: b.update(anonymised=False), "counts are the ledger's"),
        (lambda b: b["painting"].update(fill=[96, 96, 96]), SHOWN),
        (lambda b: b["painting"]["shapes"]["face"].update(margin=[0.5, 0.5, 0.5, 0.5]), SHOWN),
        (lambda b: b["painting"].update(grid=4 if b["painting"]["grid"] != 4 else 8), REGIONS),
        (lambda b: b["painting"].update(on_missing="mask" if b["painting"]["on_missing"] != "mask" else "error"),
         REGIONS),
        (lambda b: b["painting"].update(strength="nobody can read anything back"), RECORD),
        (lambda b: b["regions"].update(hmac_sha256=["0" * 64]), REGIONS),
        (lambda b: b["regions"].update(hmac_sha256=[]), REGIONS),
        (lambda b: b["classes"]["face"]["boxes"].update(detected=1), "counts are the ledger's"),
        (lambda b: b["classes"].clear(), "counts are the ledger's"),
        (lambda b: b["classes"].update(plate=b["classes"]["face"]), "counts are the ledger's"),
        (lambda b: b.update(frames_covered_whole=1), "counts are the ledger's"),
        (lambda b: b["classes"]["face"].update(tracks=7), "counts are the ledger's"),
        (lambda b: b["pictures"].update(same=FRAMES - 1, changed=1), "counts are the ledger's"),
        (lambda b: b["source"].update(bytes=1), RECORD),
        (lambda b: b["output"].update(bytes=1), RECORD),
        (lambda b: b.update(frames_searched=FRAMES - 1), RECORD),
        (lambda b: b["models"][0].update(name="centerface_int8"), RECORD),
        (lambda b: b["models"].clear(), RECORD),
        (lambda b: b["analysis"].update(ignore=[[0, 0, 64, 64]]), RECORD),
        (lambda b: b["analysis"]["track"].update(lead_s=9.0), RECORD),
        (lambda b: b["video"].update(codec="prores"), RECORD),
        (lambda b: b["video"].update(size=[3840, 2160]), RECORD),
        (lambda b: b["preset"].update(purpose="for cinemas"), RECORD),
        (lambda b: b["metadata_dropped"].append("format:location"), RECORD),
        (lambda b: b["checks"].pop(), RECORD),
        (lambda b: b["checks"][0].update(passed=False), RECORD),
        (lambda b: b["checks"].append({**b["checks"][0], "name": "watched by two people"}), RECORD),
        (lambda b: b["checks"].append(b["checks"][0]), RECORD),
        (lambda b: named(b, "frame count").update(found="1000"), RECORD),
        (lambda b: named(b, SHOWN).update(found=re.sub(r"[0-9.]+ codes", "0.01 codes", named(b, SHOWN)["found"])),
         RECORD),
        (lambda b: named(b, SHOWN).update(expected="each block within 0.01 codes of 255"), RECORD),
        (lambda b: b.update(reviewed_by="the court"), RECORD),
        (lambda b: b["output"].update(seen_by="two people"), RECORD),
        (lambda b: b["classes"]["face"].update(all=True), RECORD),
        (lambda b: b["not_carried"].append("stream 7 (audio aac)"), RECORD),
        (lambda b: b.update(again=AGAIN), RECORD),
        (lambda b: b.update(converted=["stream 1 (audio aac): encoded anew"]), RECORD),
        (lambda b: b.update(names={"reel_name": "A001"}), RECORD),
        (lambda b: b["sound"].update(changes=[MUTE]), RECORD),
        (lambda b: b.update(edits=[EDIT]), RECORD),
        (lambda b: b.update(frames=FRAMES + 1), "counts are the ledger's"),
        (lambda b: b["source"].update(sha256="0" * 64), "source is the ledger's"),
        (lambda b: b["output"].update(sha256="0" * 64), "output is the ledger's"),
        (lambda b: b["tracks"].update(sha256="0" * 64), "tracks are the ledger's"),
        (lambda b: b.update(keep=["audio"]), "chapters"),
        (lambda b: b["preset"].update(codec="hevc"), "codec"),
    ],
)  # fmt: skip
def test_an_edited_ledger_is_found(folder: Path, edit: Callable[[Book], object], name: str) -> None:
    change(folder, edit)
    assert name in failed(folder)


def test_what_was_left_behind_and_taken_out_of_the_ledger_is_found(folder: Path) -> None:
    anonymize_file(folder / "in.mkv", folder / "out.mp4", Settings(keep=("audio",)), overwrite=True)
    assert failed(folder) == {}
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    assert book["not_carried"] == ["2 chapters: left out as asked"]
    where.write_text(ledger.dump({**book, "not_carried": []}))
    assert "not_carried lacks '2 chapters" in failed(folder)[RECORD]


def test_a_track_file_that_no_ledger_names_proves_nothing_though_its_regions_fit(folder: Path) -> None:
    change(folder, lambda book: book.pop("tracks"))
    checks = verify_delivery(folder / "out.mp4", folder / "in.mkv", tracks=folder / "out.vsanon")
    (found,) = [check for check in checks if check.name == "tracks are the ledger's"]
    assert (found.passed, found.expected) == (False, "none: the ledger names no track file")


def test_edits_without_the_tracks_that_they_were_made_in_are_no_pass(folder: Path) -> None:
    change(folder, lambda book: (book.pop("tracks"), book.update(edits=[])))
    assert (
        "the regions come from a track file, which the ledger does not name"
        in failed(folder, tracks=False)[REGIONS]
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda b: b["models"][0].update(sha256="0" * 64),
        lambda b: b["analysis"].update(stride=8),
        lambda b: [
            e.update(cover_score=0.9, confirm_score=0.95)
            for e in [
                *b["analysis"]["track"]["evidence"]["by_class"].values(),
                b["analysis"]["track"]["evidence"]["other"],
            ]
        ],
        lambda b: b.update(analysis=None),
        lambda b: b["analysis"].update(classes=[]),
    ],
)
def test_another_search_than_the_jobs_is_no_pass(folder: Path, edit: Callable[[Book], object]) -> None:
    change(folder, lambda book: (book.pop("tracks"), edit(book)))
    found = failed(folder, tracks=False)
    assert "not checked" in found.get(REGIONS, "") or "other regions or painting" in found[REGIONS]


def test_a_tolerance_in_the_ledger_is_not_believed(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as faulty:
        faulty.setattr(filters, "blur", painted_and(patched(9, (slice(100, 116), slice(150, 174)))))
        deliver_all_the_same(faulty)
        anonymize_file(folder / "in.mkv", folder / "out.mp4", Settings(), overwrite=True)
    change_tolerance(folder, 16)
    assert "the whole picture is what was painted" in failed(folder)
    change_tolerance(folder, 200)
    with pytest.raises(InputError, match=r"not a whole one.*/preset/tolerance/"):
        failed(folder)


# ----------------------------------------------------------------------------- tracks


def test_tracks_that_were_edited_later_are_found_even_where_the_ledger_fits_them(folder: Path) -> None:
    tracks = folder / "out.vsanon"
    write_edits.add(tracks, [Drop(int(read_tracks(tracks).tracks[0]))], by="Ann", reason="a poster")
    assert {"tracks are the ledger's", REGIONS} <= failed(folder).keys()
    change(folder, lambda book: book["tracks"].update(sha256=sha256_file(tracks)))
    found = failed(folder)
    assert found[REGIONS] == f"other regions or painting in frames 0 to {FRAMES - 1}, or already before"
    assert "tracks are the ledger's" not in found


def test_a_face_that_an_edit_laid_open_is_found_where_tracks_and_edits_were_taken_out_of_the_ledger(
    folder: Path,
) -> None:
    tracks = folder / "out.vsanon"
    write_edits.add(tracks, [Drop(int(read_tracks(tracks).tracks[0]))], by="Ann", reason="a poster")
    render_file(folder / "in.mkv", tracks, folder / "bare.mp4", Settings())
    (folder / "bare.mp4").replace(folder / "out.mp4")
    book = json.loads(ledger.path_of(folder / "bare.mp4").read_text())
    ledger.path_of(folder / "out.mp4").write_text(ledger.dump(book))
    assert failed(folder) == {}
    assert "name it with --tracks" in failed(folder, tracks=False)[REGIONS]
    del book["tracks"], book["edits"]
    ledger.path_of(folder / "out.mp4").write_text(ledger.dump(book))
    assert {REGIONS, SHOWN, "counts are the ledger's"} <= failed(folder, tracks=False).keys()


# ----------------------------------------------------------------------------- the file


def test_one_flipped_byte_is_found(folder: Path) -> None:
    content = bytearray((folder / "out.mp4").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "out.mp4").write_bytes(content)
    assert "output is the ledger's" in failed(folder)


@pytest.mark.parametrize("tracks", [True, False])
def test_the_bare_film_is_found_even_where_the_ledger_names_it(folder: Path, tracks: bool) -> None:
    run(["-y", "-i", f"file:{folder / 'in.mkv'}", "-map", "0", "-c:a", "copy", "-c:v", "libx264", "-crf", "18",
         "-pix_fmt", "yuv420p", "-fflags", "+bitexact", f"file:{folder / 'out.mp4'}"])  # fmt: skip
    change(folder, lambda book: None if tracks else book.pop("tracks"))
    found = failed(folder, tracks=tracks)
    assert {SHOWN, "covered regions are nearer to the paint than to the source"} <= found.keys()


@pytest.mark.parametrize("name", ["out.mp4", "in.mkv", "out.vsanon"])
def test_a_file_that_is_swapped_while_it_is_checked_is_no_pass(folder: Path, name: str) -> None:
    """Its hash was of the one, and its pictures would be of the other."""

    def swap(n: int, _: int) -> None:
        if n == FRAMES:
            shutil.copy(folder / name, folder / "other")
            (folder / "other").replace(folder / name)

    with pytest.raises(CheckError, match=f"{name} changed while it was checked"):
        verify_delivery(folder / "out.mp4", folder / "in.mkv", progress=swap)


def test_swapped_sound_is_found(folder: Path) -> None:
    tone = ("-f", "lavfi", "-i", f"sine=f=600:r=48000:d={FRAMES / 25}")
    remux(folder, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "64k", inputs=tone)
    assert "audio 1: packets" in failed(folder)


def test_sound_that_is_gone_is_found(folder: Path) -> None:
    remux(folder, "-map", "0:v", "-c", "copy")
    assert "streams beside the picture" in failed(folder)


def test_another_timing_is_found(folder: Path) -> None:
    remux(folder, "-map", "0", "-c", "copy", "-bsf:v", "setts=ts=TS*2")
    assert "timestamps" in failed(folder)


def test_one_frame_that_is_late_by_a_third_of_itself_is_found(folder: Path) -> None:
    remux(folder, "-map", "0", "-c", "copy", "-bsf:v", "setts=pts=PTS+if(eq(N\\,5)\\,200\\,0):dts=DTS")
    assert "timestamps" in failed(folder)


@pytest.mark.parametrize(("begins", "title", "words"), [(240, "Jane Doe", "Jane Doe"), (300, "Talk", "(0.3, 0.0)")])
def test_another_title_or_time_of_a_chapter_is_found(folder: Path, begins: int, title: str, words: str) -> None:
    """The second of two chapters."""
    (folder / "meta.txt").write_text(
        f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND={begins}\ntitle=Arrival\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={begins}\nEND=480\ntitle={title}\n"
    )
    remux(folder, "-map", "0:v", "-map", "0:a", "-map_chapters", "1", "-c", "copy",
          inputs=("-i", str(folder / "meta.txt")))  # fmt: skip
    assert words in failed(folder)["chapters"]


def test_a_title_in_the_metadata_is_found(folder: Path) -> None:
    remux(folder, "-map", "0", "-c", "copy", "-metadata", "comment=Jane Doe")
    assert "metadata" in failed(folder)


def test_a_frame_that_is_cut_off_is_found(folder: Path) -> None:
    remux(folder, "-map", "0", "-c", "copy", "-frames:v", str(FRAMES - 1))
    assert "frame count" in failed(folder)


# ----------------------------------------------------------------------------- the signature


def test_a_ledger_without_a_signature_is_consistent_and_no_more_and_refused_where_a_key_is_asked_for(
    folder: Path,
) -> None:
    change(folder, lambda _: None)
    checks = verify_delivery(folder / "out.mp4", folder / "in.mkv")
    (found,) = [check for check in checks if check.name == SIGNATURE]
    assert (found.found, found.seen) == ("not signed: proves consistency, not origin", False)
    assert failed(folder, key="ours") == {SIGNATURE: found.found}


def test_a_foreign_signature_is_refused(folder: Path) -> None:
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    del book[ledger_signature.ENTRY]
    where.write_text(ledger.dump(ledger_signature.signed(book, Signer(folder / "theirs.pem"))))
    assert failed(folder) == {}
    assert failed(folder, key="ours")[SIGNATURE].startswith("by another key: ")


@pytest.mark.parametrize("key", [None, "ours"])
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda b: b.update(started="2020-01-01T00:00:00+00:00"), "changed after it was signed"),
        (lambda b: b["signature"].update(ed25519="AAAA"), "changed after it was signed"),
        (lambda b: b["signature"].update(ed25519="no base64!"), "can't be read"),
        (lambda b: b["signature"].pop("public_key"), "can't be read"),
        (lambda b: b.update(signature=[]), "can't be read"),
        (lambda b: b["signature"].update(public_key="-----BEGIN"), "can't be read"),
    ],
)
def test_a_ledger_that_was_changed_after_it_was_signed_is_refused(
    folder: Path, key: str | None, edit: Callable[[Book], object], words: str
) -> None:
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    edit(book)
    where.write_text(ledger.dump(book))
    assert words in failed(folder, key=key)[SIGNATURE]


@pytest.mark.parametrize("more", ['"anonymised": false', '"frames": 1000', '"x": 1, "x": 2', '"x": 1e999'])
def test_a_signed_ledger_that_people_read_otherwise_than_programs_is_refused(folder: Path, more: str) -> None:
    """Of a key that stands twice the last is read, and what was signed with it holds."""
    where = ledger.path_of(folder / "out.mp4")
    where.write_text(where.read_text().replace("{", "{" + more + ", ", 1))
    with pytest.raises(InputError, match="not a ledger of vsanon"):
        failed(folder, key="ours")


def test_the_signature_of_another_ledger_is_refused(folder: Path) -> None:
    where = ledger.path_of(folder / "out.mp4")
    book = json.loads(where.read_text())
    other = ledger_signature.signed({**book, "frames": 1}, Signer(folder / "ours.pem"))
    where.write_text(ledger.dump({**book, ledger_signature.ENTRY: other[ledger_signature.ENTRY]}))
    assert "changed after it was signed" in failed(folder, key="ours")[SIGNATURE]
