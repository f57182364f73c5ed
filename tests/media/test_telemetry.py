"""Text that devices wrote is told from speech, however it is dressed and wherever it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.odd_files import DRONE, subtitled
from vsanon.media import probe
from vsanon.media.telemetry import what_name_tells, what_text_tells

SPEECH = [
    "Good morning.", "I was there at 10:30, and nobody came.", "It costs 1,000,000 dollars!",
    "Do 100 km/h, at least.",
    "- Home?\n- Home.", "The year was 1943.", "<i>[door closes]</i>", "{\\an8}What is the position of the party?",
    "My number is 555 2368.", "Pi is 3.14, more or less.", "Wie spät ist es?",
    "何時ですか。ここから遠いですか。",
    "N. and E. have left.", "It was a long 5 hours; later 3 more.", "Half past seven, in the west.",
    "Take 2.5 of those.",
]  # fmt: skip

POSITIONS = [
    DRONE, "8.541694, 47.376888", "47.376888 N 8.541694 E", "47°22'36.8\"N", "lat: 47.4 lon: 8.5",
    "[latitude: 47.37]",
    "Latitude 47", "+47.3768+008.5416/", "$GPRMC,081836,A,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*62",
    "HOME(8.5417,47.3769)", "47,37689", "8FVC9G8F+6X", "32T MT 65290 46780", "8.541694\u200b,\u00a047.376888",
    "\uff14\uff17\uff0e\uff13\uff17\uff16\uff18, \uff18\uff0e\uff15\uff14\uff11\uff16",
    "<font lat=47.376888></font>Hello",
    "٤٧.٣٧٦٨٨", "\u22128.541694 47.376888",
]  # fmt: skip


@pytest.mark.parametrize("line", POSITIONS)
def test_a_position_is_told_by_one_line(line: str) -> None:
    assert what_text_tells([line]) is not None


@pytest.mark.parametrize("line", SPEECH)
def test_speech_is_speech(line: str) -> None:
    assert what_text_tells([*SPEECH, line]) is None


@given(st.lists(st.sampled_from(SPEECH), max_size=40), st.sampled_from(POSITIONS), st.data())
def test_speech_around_it_hides_no_position(lines: list[str], position: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines)))
    assert what_text_tells([*lines[:at], position, *lines[at:]]) is not None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["ISO 100 1/50 F/2.8"] * 5, "exposure values"),
        (["50 km/h", "51 km/h", "52 km/h"], "speeds and heights"),
        (["2026-01-02 10:00:00", "2026-01-02 10:00:01"], "dates and times"),
        (["DJI Mavic 3"], "a device's name"),
        (["12 345 678", "12 346 679"], "numbers"),
        (["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w"], "encoded data"),
        (["C:\\Users\\someone\\film.mov"], "a folder of a machine"),
        (["Serial: 1ZNBJ8"], "a device's record"),
    ],
)
def test_what_else_devices_write_is_told_where_many_lines_hold_it(lines: list[str], words: str) -> None:
    assert what_text_tells(lines) == words


def test_a_few_speeds_and_dates_are_speech_and_a_fifth_of_the_lines_is_the_limit() -> None:
    speech = ["We met before."] * 8
    assert what_text_tells([*speech, "At 50 km/h.", "On 2026-01-02."]) is None
    assert what_text_tells([*speech[:7], "At 50 km/h.", "On 2026-01-02.", "1/50 s"]) is not None


@pytest.mark.parametrize(
    "name", ["A001C003_210405_R1AB", "Camera 2", "00:05:00", "M and E", "1080p", "", "5.1 Surround"]
)
def test_names_of_tracks_chapters_and_reels_are_names(name: str) -> None:
    assert what_name_tells(name) is None


@pytest.mark.parametrize(
    "name", ["GPS (8.54, 47.3)", "47.376888 8.541694", "DJI.Subtitle", "GoPro MET", "/Users/me/x.mov"]
)
def test_a_name_that_is_a_position_a_device_or_a_folder_is_none(name: str) -> None:
    assert what_name_tells(name) is not None


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "mov_text"), (".mov", "mov_text"), (".mkv", "srt"), (".mkv", "ass"), (".mkv", "webvtt")],
)
def test_subtitles_are_read_to_their_last_cue(tmp_path: Path, suffix: str, codec: str) -> None:
    speech = ["Good morning.", "And where is he now?", "Nobody knows.", "Hm."] * 4
    told = [probe(subtitled(tmp_path / f"{n}{suffix}", cues, codec)).of_kind("subtitle")[0].tells
            for n, cues in enumerate((speech, [*speech, DRONE]))]  # fmt: skip
    assert told == [None, "a position"]


def test_what_stands_behind_the_text_of_a_sample_is_no_text_and_so_not_read(tmp_path: Path) -> None:
    """A sample of mov_text may hold atoms after its text; they are shown nowhere, and copied all the same."""
    path = subtitled(tmp_path / "a.mp4", ["Hello, and welcome to this clip of ours."], "mov_text")
    data = path.read_bytes()
    text = b"Hello, and welcome to this clip of ours."
    at = data.index(b"\0" + bytes([len(text)]) + text)
    hidden = b"Hello." + b"\0\0\0\x1euuidLAT47376888LON8541694"
    assert len(hidden) <= len(text)
    changed = b"\0\6" + hidden.ljust(len(text), b"\0")
    path.write_bytes(data[:at] + changed + data[at + len(changed) :])
    (found,) = probe(path).of_kind("subtitle")
    assert found.is_unread
