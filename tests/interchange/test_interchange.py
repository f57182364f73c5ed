"""Interchange: what goes out comes back without a change, and what was changed comes back as edits."""

import json
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import InputError
from vsanon.interchange import Lane, changes, coco, cvat, lanes_of, mot
from vsanon.timing import FrameRange
from vsanon.tracks import edits, write_edits
from vsanon.tracks.edit_kinds import Drop, Expose, KeyFrame, Move, Region
from vsanon.tracks.file import TrackWriter, read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.truth.files import read_any

FRAMES = 12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Track 1 stands still in all frames; 2 wanders in frames 2 to 8; 3, 4 are a logo and a screen by hand."""
    writer = TrackWriter({"frames": FRAMES, "size": [640, 480], "fps": "25"})
    wander = np.random.default_rng(3).integers(-16, 17, FRAMES) / 8
    for n in range(FRAMES):
        rows = [(3, 10.125, 10.0)] + ([(8, 300 + wander[n], 20.375)] if 2 <= n < 9 else [])
        xyxy = np.array([[x, y, x + 40, y + 50.5] for _, x, y in rows], np.float32)
        origins = (Origin.DETECTED, Origin.HELD)[: len(rows)]
        writer.add(
            TrackedBoxes(xyxy, np.full(len(rows), 0.5, np.float32), ("face", "plate")[: len(rows)],
                         tuple(i for i, _, _ in rows), origins, np.zeros((len(rows), 5, 5, 3), np.uint8))
        )  # fmt: skip
    writer.write(tmp_path / "t")
    star = ((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), (0.25, 1.0))
    write_edits.add(
        tmp_path / "t",
        [
            Region(3, FrameRange(1, 6), "logo", "polygon", (KeyFrame(1, (50, 60, 90, 80), star),
                                                            KeyFrame(5, (66, 60, 122, 80), star))),
            Region(4, FrameRange(0, 12), "screen", "ellipse", (KeyFrame(0, (200, 200, 240, 260)),)),
            Expose(1, FrameRange(4, 6)),
        ],
        by="A. Person", reason="asked for",
    )  # fmt: skip
    return tmp_path / "t"


def current(path: Path) -> TrackTable:
    return edits.apply(read_tracks(path))


FORMATS: dict[str, tuple[Callable[[Path, TrackTable], None], Callable[..., list[Lane]]]] = {
    "cvat": (cvat.write, cvat.read),
    "mot": (mot.write, mot.read),
    "coco": (coco.write, coco.read),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_goes_out_and_comes_back_untouched_changes_nothing(name: str, path: Path, tmp_path: Path) -> None:
    write, read = FORMATS[name]
    table = current(path)
    write(tmp_path / "out", table)
    assert changes.changes_between(table, read(tmp_path / "out", FRAMES)) == ([], [])


@pytest.mark.parametrize("name", ["cvat", "coco"])
def test_class_shape_box_and_origin_survive(name: str, path: Path, tmp_path: Path) -> None:
    write, read = FORMATS[name]
    write(tmp_path / "out", current(path))
    for sent, got in zip(lanes_of(current(path)), read(tmp_path / "out", FRAMES), strict=True):
        assert (got.track, got.label, got.shape) == (sent.track, sent.label, sent.shape)
        assert sorted(got.places) == sorted(sent.places)
        for n, place in sent.places.items():
            assert np.allclose(got.places[n].box, place.box, atol=1e-3)
            assert got.places[n].origin == place.origin
            assert np.allclose(got.places[n].points or 0, place.points or 0, atol=1e-3)


def test_mot_counts_frames_ids_and_the_corner_pixel_from_one(path: Path, tmp_path: Path) -> None:
    mot.write(tmp_path / "out", current(path))
    assert (tmp_path / "out").read_text().splitlines()[0] == "1,1,11.125,11.000,40.000,50.500,0.5,-1,-1"


def test_cvat_ends_a_track_with_an_outside_box_and_marks_only_the_keys_it_needs(path: Path, tmp_path: Path) -> None:
    cvat.write(tmp_path / "out", current(path))
    text = (tmp_path / "out").read_text()
    first = text[text.index("<track") : text.index("</track>")]
    found = re.findall(r'frame="(\d+)" keyframe="(\d)" outside="(\d)"', first)
    # Still in 0 to 3, exposed in 4 and 5, still in 6 to 11.
    assert [int(n) for n, key, _ in found if key == "1"] == [0, 3, 4, 6, 11]
    assert [int(n) for n, _, outside in found if outside == "1"] == [4]


def test_a_person_moves_removes_and_adds_boxes_in_cvat(path: Path, tmp_path: Path) -> None:
    cvat.write(tmp_path / "out", current(path))
    text = (tmp_path / "out").read_text()
    tracks = re.findall(r"  <track.*?</track>\n", text, re.DOTALL)
    moved = re.sub(r'(frame="7" .*?xtl=")[0-9.]+(.*?xbr=")[0-9.]+', r"\g<1>30.000\g<2>80.000", tracks[0])
    gone = re.sub(r'    <box frame="[23]".*\n', "", tracks[1])
    added = (
        '<track id="9" label="tattoo"><box frame="2" keyframe="1" outside="0" occluded="0" xtl="1" ytl="2" xbr="9" '
        'ybr="12"/><box frame="5" keyframe="1" outside="1" occluded="0" xtl="1" ytl="2" xbr="9" ybr="12"/></track>'
    )
    text = text.replace(tracks[0], moved).replace(tracks[1], gone).replace(tracks[3], added)
    (tmp_path / "out").write_text(text)
    found, notes = changes.changes_between(current(path), cvat.read(tmp_path / "out", FRAMES))
    assert notes == []
    assert found == [
        Move(1, FrameRange(7, 8), (KeyFrame(7, (30, 10, 80, 60.5)),)),
        Expose(2, FrameRange(2, 4)),
        Drop(4),
        Region(5, FrameRange(2, 5), "tattoo", "rectangle",
               (KeyFrame(2, (1, 2, 9, 12)), KeyFrame(4, (1, 2, 9, 12)))),
    ]  # fmt: skip
    write_edits.add(path, found, by="B. Person", reason="seen in CVAT")
    cvat.write(tmp_path / "again", current(path))
    assert changes.changes_between(current(path), cvat.read(tmp_path / "again", FRAMES)) == ([], [])


def test_a_file_without_a_box_is_refused_and_lays_nothing_open(path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(InputError, match="there is no box in the file, which would lay open every track"):
        changes.changes_between(current(path), mot.read(tmp_path / "empty.txt", FRAMES))


def test_a_tool_that_loses_the_identities_loses_nothing_else(path: Path, tmp_path: Path) -> None:
    cvat.write(tmp_path / "out", current(path))
    text = re.sub(r'<attribute name="identity">\d+</attribute>', "", (tmp_path / "out").read_text())
    (tmp_path / "out").write_text(text)
    assert changes.changes_between(current(path), cvat.read(tmp_path / "out", FRAMES)) == ([], [])


def cvat_text(body: str, version: str = "1.1") -> str:
    return f'<?xml version="1.0"?><annotations><version>{version}</version>{body}</annotations>'


def box_text(**changed: str) -> str:
    values = {"frame": "0", "outside": "0", "xtl": "1", "ytl": "1", "xbr": "9", "ybr": "9", **changed}
    return '<track id="0" label="face"><box ' + " ".join(f'{k}="{v}"' for k, v in values.items()) + "/></track>"


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
FILE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not whole XML"),
        ("<annotations><version>1.1</version>", "not whole XML"),
        ("<html/>", "unexpected <html>"),
        ('<?xml version="1.0" encoding="utf-d"?><annotations/>', "not whole XML: unknown encoding"),
        (BOMB + cvat_text(""), "document type"),
        (FILE + cvat_text("<track>&x;</track>"), "document type"),
        (cvat_text("", "9.9"), "not CVAT XML 1.1"),
        (cvat_text('<image id="0"/>'), "for images"),
        (cvat_text('<track label="a"><cuboid frame="0"/></track>'), "cuboid"),
        (cvat_text(box_text(xtl="nan")), "x0 < x1"),
        (cvat_text(box_text().replace("face", "fa\u202ece")), "a class is a name"),
        (cvat_text(box_text(xtl="1e300")), "million"),
        (cvat_text(box_text(xtl="20")), "x0 < x1"),
        (cvat_text(box_text(frame="-1")), "frame -1"),
        (cvat_text(box_text(frame="99999999999999")), "frame 999"),
        (cvat_text(box_text(frame="x")), "frame x"),
        (cvat_text("<a>" * 100 + "</a>" * 100), "unexpected"),
        (cvat_text('<track label="a"><polygon frame="0" points="1,1;2"/></track>'), "unpack"),
        (cvat_text('<track label="a"><polygon frame="0" points="1,1;2,2"/></track>'), "three points"),
    ],
)
def test_xml_that_is_hostile_or_not_cvat_is_refused(text: str, message: str, tmp_path: Path) -> None:
    body = text.replace('<?xml version="1.0"?>', "") if text.startswith("<!") else text
    (tmp_path / "x").write_text(body)
    with pytest.raises(InputError, match=message):
        cvat.read(tmp_path / "x", FRAMES)


@pytest.mark.parametrize("second", [FRAMES, 16_000_000])
def test_a_box_past_the_clips_end_is_refused_before_the_frames_between_are_filled(
    tmp_path: Path, second: int
) -> None:
    filled = tracemalloc_peak(lambda: refused(tmp_path, second))
    assert filled < 1_000_000  # bytes; 16,000,000 boxes would be some 5 GB


def refused(folder: Path, second: int) -> None:
    two = box_text().replace("</track>", "") + box_text(frame=str(second)).partition(">")[2]
    (folder / "x").write_text(cvat_text(two))
    with pytest.raises(InputError, match=f"frame {second} is not one of the clip's 12"):
        cvat.read(folder / "x", FRAMES)


def tracemalloc_peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_mot_and_coco_past_the_clips_end_are_refused_too(path: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("13,1,1,1,5,5,1,-1,-1\n")
    with pytest.raises(InputError, match=r"x:1: .*frame 12 is not one of the clip's 12"):
        mot.read(tmp_path / "x", FRAMES)
    coco.write(tmp_path / "out", current(path))
    with pytest.raises(InputError, match="frame 11 is not one of the clip's 11"):
        coco.read(tmp_path / "out", FRAMES - 1)


def test_many_tracks_over_a_long_clip_are_bounded_all_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cvat, "MAX_BOXES", 1000)
    two = box_text().replace("</track>", "") + box_text(frame="9000000").partition(">")[2]
    (tmp_path / "x").write_text(cvat_text(two))
    with pytest.raises(InputError, match="more than 1000 boxes"):
        cvat.read(tmp_path / "x", 2**24)


@pytest.mark.parametrize(
    "line", ["a,b", "0,1,1,1,5,5", "1,0,1,1,5,5", "1,1,1,1,0,5", "1,1,nan,1,5,5", "1e99,1,1,1,5,5", "inf,1,1,1,5,5",
             "1,1,1,1,5"]
)  # fmt: skip
def test_rows_that_are_no_mot_rows_are_refused_by_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(f"1,1,1,1,5,5,1,-1,-1\n{line}\n")
    with pytest.raises(InputError, match=r"x:2: "):
        mot.read(tmp_path / "x", FRAMES)


def test_mot_refuses_an_id_twice_in_a_frame(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1,1,1,1,5,5,1,-1,-1\n1,1,9,9,5,5,1,-1,-1\n")
    with pytest.raises(InputError, match="twice in frame 1"):
        mot.read(tmp_path / "x", FRAMES)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "7", "[" * 100_000, '{"images":[{"id":1,"file_name":"a"}],"categories":[],"annotations":[]}',
     '{"images":[{"id":1,"frame":1e400}],"categories":[],"annotations":[]}',
     '{"images":[{"id":1,"frame":0}],"categories":[{"id":1,"name":"a"}],'
     '"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,NaN,1]}]}',
     '{"images":[{"id":1,"frame":0}],"categories":[{"id":1,"name":"\\u001b[31m"}],'
     '"annotations":[{"image_id":1,"category_id":1,"bbox":[0,0,9,9]}]}'],
)  # fmt: skip
def test_json_that_is_no_coco_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(InputError, match="not COCO"):
        coco.read(tmp_path / "x", FRAMES)


def test_coco_takes_the_frame_from_the_file_name_where_a_tool_dropped_the_key(path: Path, tmp_path: Path) -> None:
    coco.write(tmp_path / "out", current(path))
    data = json.loads((tmp_path / "out").read_text())
    for image in data["images"]:
        del image["frame"]
        image["file_name"] = "../../../etc/" + image["file_name"]
    (tmp_path / "out").write_text(json.dumps(data))
    assert changes.changes_between(current(path), coco.read(tmp_path / "out", FRAMES)) == ([], [])


@pytest.mark.parametrize("identity", ["2147483648", "9" * 30])
def test_an_identity_that_no_track_can_have_is_none(tmp_path: Path, identity: str) -> None:
    """It once reached numpy, which ended in a traceback where the file was read as truth."""
    named = box_text().replace("/></track>", f'><attribute name="identity">{identity}</attribute></box></track>')
    (tmp_path / "in.xml").write_text(cvat_text(named))
    assert [lane.track for lane in cvat.read(tmp_path / "in.xml", FRAMES)] == [None]
    assert len(read_any(tmp_path / "in.xml")) == 1


def test_two_boxes_of_an_identity_in_one_frame_are_two_lanes_of_coco_and_two_true_boxes(tmp_path: Path) -> None:
    """A tool that drops `attributes` tells the lanes of an identity no longer apart: the first box was lost."""
    boxes = [[10, 10, 20, 20], [200, 100, 30, 30]]
    file = {
        "images": [{"id": 1, "file_name": "0.png", "frame": 0}],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": box, "track_id": 7} for box in boxes],
    }
    (tmp_path / "a.json").write_text(json.dumps(file))
    assert [lane.places[0].box for lane in coco.read(tmp_path / "a.json", FRAMES)] == [
        (10, 10, 30, 30), (200, 100, 230, 130)
    ]  # fmt: skip
    truth = read_any(tmp_path / "a.json", None, "face", (640, 480), FRAMES)
    assert truth.xyxy.tolist() == [[10, 10, 30, 30], [200, 100, 230, 130]]


@pytest.mark.parametrize(
    "second", [{"id": 2, "frame": 0}, {"id": 1, "frame": 1}, {"id": 2, "file_name": "b_0.png"}]
)
def test_coco_images_that_are_one_frame_or_have_one_id_are_refused(
    second: dict[str, object], tmp_path: Path
) -> None:
    file = {"images": [{"id": 1, "frame": 0, "file_name": "a_0.png"}, second], "categories": [], "annotations": []}
    (tmp_path / "a.json").write_text(json.dumps(file))
    with pytest.raises(InputError, match=r"is twice, or of frame \d"):
        coco.read(tmp_path / "a.json", FRAMES)


def test_a_cvat_track_with_two_boxes_in_a_frame_is_refused(tmp_path: Path) -> None:
    both = box_text(frame="3") + box_text(frame="3", xtl="2")
    (tmp_path / "a.xml").write_text(cvat_text(both.replace('</track><track id="0" label="face">', "")))
    with pytest.raises(InputError, match="two boxes in frame 3"):
        cvat.read(tmp_path / "a.xml", FRAMES)


def test_mot_frames_and_ids_are_whole(tmp_path: Path) -> None:
    for line in ("1.5,1,5,5,9,9,1", "1,2.5,5,5,9,9,1"):
        (tmp_path / "a.txt").write_text(line)
        with pytest.raises(InputError, match="whole numbers"):
            mot.read(tmp_path / "a.txt", FRAMES)


def test_a_file_that_ends_in_the_middle_lays_nobody_open_from_there_on(path: Path, tmp_path: Path) -> None:
    """MOTChallenge goes frame by frame, and is whole to a reader wherever a line ends."""
    mot.write(tmp_path / "out", current(path))
    lines = (tmp_path / "out").read_text().splitlines(keepends=True)
    (tmp_path / "out").write_text("".join(line for line in lines if int(line.split(",")[0]) <= 7))
    with pytest.raises(InputError, match="no box from frame 7 on, which would lay open 3 tracks"):
        changes.changes_between(current(path), mot.read(tmp_path / "out", FRAMES))


@pytest.mark.parametrize("name", ["cvat", "coco"])
def test_boxes_drawn_in_pictures_of_another_size_are_refused_and_move_nothing(
    name: str, path: Path, tmp_path: Path
) -> None:
    write, read = FORMATS[name]
    write(tmp_path / "out", current(path))
    width, height = current(path).size
    assert read(tmp_path / "out", FRAMES, (width, height)) == read(tmp_path / "out", FRAMES)
    said = f"pictures have {width}x{height} pixels, and the clip's {width // 2}x{height // 2}"
    with pytest.raises(InputError, match=said):
        read(tmp_path / "out", FRAMES, (width // 2, height // 2))
