"""What goes with the picture: nothing that tells a place or a device, and nothing that was not searched."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.loops import first_quick
from tests.support.odd_files import (
    DRONE,
    H264,
    atoms,
    made,
    picture,
    subtitled,
    tone,
    with_data_beside_sound,
    with_timecode_edit,
    with_vorbis_comment,
)
from tests.support.odd_streams import with_tagged_sound
from vsanon.encode import KEEP, Cut, RawVideo, Sound, encode, found_played, plan_copy, presets, run
from vsanon.encode.sound import SoundFit
from vsanon.errors import InputError
from vsanon.job.beside_checks import packet_checks
from vsanon.job.sound_checks import compare_sound
from vsanon.media import Chapter, packet_hashes, probe
from vsanon.media.advice import FILL
from vsanon.media.sound import blocks, sound_start
from vsanon.media.source import open_source

H264_CRF, FFV1, PRORES = (presets.load(name) for name in ("h264_crf", "ffv1", "prores_proxy"))
MXF = presets.load("dnxhr_hq_mxf")


def carried(source: Path, out: Path, preset: presets.Preset, **wanted: object) -> tuple[str, ...]:
    """Encode the frames of a file with what goes beside them; what is said of the rest."""
    opened = open_source(source)
    clip, found = opened.clip, opened.video
    planes = ([np.asarray(plane) for plane in frame] for frame in clip.frames())
    video = RawVideo(found.pix_fmt, (clip.width, clip.height), opened.timeline)
    report = encode(planes, video, preset, out, source=opened.facts, **wanted)  # type: ignore[arg-type]
    return (*report.not_carried, *report.notes)


@pytest.mark.parametrize(("suffix", "codec"), first_quick([(".mp4", "mov_text"), (".mkv", "srt"), (".mkv", "ass")]))
@pytest.mark.parametrize("preset", first_quick([H264_CRF, FFV1]), ids=["mp4", "mkv"])
def test_positions_in_subtitles_are_left_out_said_and_brought_back_if_asked(
    tmp_path: Path, suffix: str, codec: str, preset: presets.Preset
) -> None:
    source = subtitled(tmp_path / f"in{suffix}", ["Good morning.", DRONE], codec)
    out = tmp_path / f"out{preset.suffix}"
    (said,) = [line for line in carried(source, out, preset) if "tells" in line]
    assert re.match(r"stream 1 \(subtitle .*a position.*--keep telemetry", said)
    assert b"47.376888" not in out.read_bytes()
    assert probe(out).of_kind("subtitle") == ()
    carried(source, out, preset, keep=KEEP | {"telemetry"})
    assert b"47.376888" in out.read_bytes()


def test_titles_of_tracks_and_chapters_that_are_positions_are_left_out(tmp_path: Path) -> None:
    listing = tmp_path / "c.txt"
    listing.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=2\ntitle=47.376888 8.541694\n"
        "[CHAPTER]\nTIMEBASE=1/10\nSTART=2\nEND=4\ntitle=Second\n"
    )
    tags = ("-map_metadata", "1", "-metadata:s:v", "title=DJI.Video", "-metadata:s:a", "title=M and E")
    source = made(
        tmp_path / "in.mkv",
        *picture(),
        "-i",
        str(listing),
        *tone(),
        "-map",
        "0:v",
        "-map",
        "2:a",
        *tags,
        *H264,
        "-c:a",
        "aac",
    )
    out = tmp_path / "out.mp4"
    said = carried(source, out, H264_CRF)
    assert [line.partition(":")[0] for line in said if "tells" in line] == ["stream 0", "chapter 0"]
    data = out.read_bytes()
    assert not any(words in data for words in (b"47.376888", b"DJI"))
    assert [c.title for c in probe(out).chapters] == ["Chapter 1", "Second"]
    assert probe(out).streams[1].title == "M and E"


@pytest.mark.parametrize("preset", [H264_CRF, FFV1], ids=["mp4", "mkv"])
def test_a_place_in_the_header_of_sound_is_not_copied_with_it(tmp_path: Path, preset: presets.Preset) -> None:
    """Matroska keeps the comments of Vorbis where no reader shows them."""
    source = with_vorbis_comment(tmp_path / "in.mkv", "LOCATION=+47.3768+008.5416/")
    out = tmp_path / f"out{preset.suffix}"
    said = carried(source, out, preset)
    assert b"47.3768" not in out.read_bytes()
    found = {".mp4": "alac", ".mkv": "pcm_s24le"}[preset.suffix]
    assert said == (f"stream 1 (audio vorbis): becomes {found}, as it has a position in its header",)
    with pytest.raises(InputError, match="has a position in its header"):
        carried(source, out, preset, sound=Sound("copy"))


def test_data_beside_the_packets_of_sound_is_not_copied_with_them(tmp_path: Path) -> None:
    """Matroska's BlockAdditions; where they begin later, the delivered file is refused."""
    out = tmp_path / "out.mkv"
    source = with_data_beside_sound(tmp_path / "in.mkv", b"lat 47.376888")
    assert carried(source, out, FFV1) == (
        "stream 1 (audio pcm_s16le): becomes pcm_s24le, as it has data beside its packets",
    )
    assert b"47.376888" not in out.read_bytes()
    assert not packet_hashes(out)[0].beside
    late = with_data_beside_sound(tmp_path / "late.mkv", b"lat 47.376888", first=17)
    carried(late, out, FFV1)
    (was,), (now,) = packet_hashes(late), packet_hashes(out)
    assert now.beside
    plan, video = plan_copy(probe(late), FFV1), RawVideo("yuv420p", (192, 128), open_source(late).timeline)
    failed = [check for check in packet_checks([was], [now], plan, video, Fraction(0), {}) if not check.passed]
    assert [(check.name, check.found) for check in failed] == [
        ("audio 1: packets", "data beside its packets: --audio pcm leaves it out")
    ]


def test_fitted_sound_that_begins_two_ticks_after_the_picture_is_seen(tmp_path: Path) -> None:
    """Its bytes are hashed from where the picture begins: that they are all there says nothing of when."""
    source = with_data_beside_sound(tmp_path / "in.mkv", b"")
    plan, (was,) = plan_copy(probe(source), FFV1), packet_hashes(source)
    video, fits = RawVideo("yuv420p", (192, 128), open_source(source).timeline), {was.index: SoundFit(0, 1, 48_000)}
    for late, passes in ((1, True), (2, False)):
        now = replace(was, beside=False, pts=tuple(p + late for p in was.pts))
        checks = packet_checks([was], [now], plan, video, was.start or Fraction(0), fits)
        (begins,) = [check for check in checks if check.name == "audio 1: begins with the picture"]
        assert begins.passed == passes


def test_a_language_that_is_text_and_the_name_of_an_attachment_stay_behind(tmp_path: Path) -> None:
    note = tmp_path / "Anna 47.376888.txt"
    note.write_text("a note")
    language, tag = (
        "x-47.376888-8.541694",
        ("-metadata", "47.376888,8.541694=x", "-metadata:s:2", "mimetype=text/plain"),
    )
    source = made(
        tmp_path / "in.mkv", *picture(), *tone(), *H264, "-c:a", "aac", "-metadata:s:a", f"language={language}",
        "-attach", str(note), *tag,
    )  # fmt: skip
    out = tmp_path / "out.mkv"
    said = carried(source, out, FFV1)
    assert b"47.376888" not in out.read_bytes()
    assert "stream 1 (audio aac): its language, which is none but text" in said
    plan = plan_copy(probe(source), FFV1)
    assert "stream 2 (attachment text/plain)" in " ".join(plan.not_carried)
    assert "file: a key that tells a position" in plan.dropped_metadata
    assert "47.37" not in " ".join((*plan.not_carried, *plan.dropped_metadata))


def test_a_picture_in_the_header_of_subtitles_is_not_copied_with_them(tmp_path: Path) -> None:
    texts = tmp_path / "in.ass"
    head = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n"
    line = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:00.00,0:00:00.20,Hello\n"
    for section, kept in (("", True), ("[Graphics]\nfilename: a.bmp\n!!!!!\n\n", False)):
        texts.write_text(head + section + line)
        streams = ("-map", "0:v", "-map", "1:s", *H264, "-c:s", "copy")
        source = made(tmp_path / "in.mkv", *picture(), "-i", str(texts), *streams)
        plan = plan_copy(probe(source), FFV1)
        assert (len(plan.streams) == 1, "--keep unread-subtitles" in " ".join(plan.not_carried)) == (kept, not kept)


def test_a_data_track_is_said_to_be_left_out_in_a_file_with_chapters_too(tmp_path: Path) -> None:
    """Chapters make a data track of their own, which is no loss; another one is."""
    listing = tmp_path / "c.txt"
    listing.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=2\ntitle=A\n")
    source = made(
        tmp_path / "in.mov",
        *picture(),
        "-i",
        str(listing),
        "-map",
        "0:v",
        *H264,
        "-map_metadata",
        "1",
        "-timecode",
        "10:00:00:00",
    )
    assert plan_copy(probe(source), H264_CRF).not_carried == ()
    data = source.read_bytes()  # the timecode track becomes one of positions, as cameras write it
    source.write_bytes(
        data.replace(b"mhlrtmcd", b"mhlrmeta").replace(b"tmcd\0\0\0\0\0\0\0\1", b"gpmd\0\0\0\0\0\0\0\1")
    )
    (said,) = plan_copy(probe(source), H264_CRF).not_carried
    assert said.startswith("stream 2 (data ")


def test_a_second_picture_is_never_delivered_and_the_way_to_have_it_is_said(tmp_path: Path) -> None:
    source = made(
        tmp_path / "in.mov",
        *picture("64x48", "1", 1),
        *picture(),
        *picture("96x64"),
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-c:v:0",
        "mjpeg",
        "-c:v:1",
        "libx264",
        "-c:v:2",
        "libx264",
        "-pix_fmt:v:1",
        "yuv420p",
        "-disposition:v:0",
        "0",
        "-disposition:v:1",
        "0",
        "-disposition:v:2",
        "0",
    )
    facts = probe(source)
    assert facts.video is not None
    assert (facts.video.track, facts.video.size) == (2, (192, 128))
    said = plan_copy(facts, H264_CRF).not_carried
    assert ["--video-track 1" in said[0], "--video-track 3" in said[1]] == [True, True]
    out = tmp_path / "out.mp4"
    carried(source, out, H264_CRF)
    assert [s.size for s in probe(out).streams] == [(192, 128)]
    assert open_source(source, 3).clip.width == 96
    with pytest.raises(InputError, match=r"in\.mov: no video track 4: it has 3"):
        open_source(source, 4)


@pytest.mark.parametrize(("default", "chosen"), [("0", (192, 128)), ("1", (64, 48)), ("2", (192, 128))])
def test_the_default_flag_and_then_the_size_choose_the_picture(
    tmp_path: Path, default: str, chosen: tuple[int, int]
) -> None:
    """Number 1 is small, number 2 large; 0 marks none."""
    marks = [
        arg for n in ("1", "2") for arg in (f"-disposition:v:{int(n) - 1}", "default" if n == default else "0")
    ]
    source = made(tmp_path / "in.mkv", *picture("64x48"), *picture(), "-map", "0", "-map", "1", *H264, *marks)
    facts = probe(source)
    assert facts.video is not None
    assert facts.video.size == chosen
    assert open_source(source).clip.width == chosen[0]


def test_one_picture_is_no_film_though_it_is_marked_and_large(tmp_path: Path) -> None:
    source = made(
        tmp_path / "in.mov",
        *picture("640x480", "1", 1),
        *picture(),
        "-map",
        "0",
        "-map",
        "1",
        "-c:v:0",
        "mjpeg",
        "-c:v:1",
        "libx264",
        "-pix_fmt:v:1",
        "yuv420p",
    )
    facts = probe(source)
    assert facts.video is not None
    assert facts.video.size == (192, 128)


def test_subtitles_that_are_pictures_are_not_searched_and_so_left_out(tmp_path: Path) -> None:
    """A stream of DVB subtitles, which are pictures, as a name only: its packets are those of a text."""
    source = subtitled(tmp_path / "in.mkv", ["Hello."], "srt")
    data = source.read_bytes()
    source.write_bytes(data.replace(b"S_TEXT/UTF8", b"S_HDMV/PGS\0"))
    facts = probe(source)
    assert facts.of_kind("subtitle")[0].codec == "hdmv_pgs_subtitle"
    (said,) = plan_copy(facts, FFV1).not_carried
    assert "pictures, which are not searched (--keep unread-subtitles)" in said
    assert plan_copy(facts, FFV1, keep=KEEP | {"telemetry"}).streams == ()
    assert len(plan_copy(facts, FFV1, keep=KEEP | {"unread-subtitles"}).streams) == 1


@pytest.mark.parametrize("skipped", first_quick([0, 512, 10 * 512]))
@pytest.mark.parametrize("preset", first_quick([PRORES, H264_CRF, FFV1]), ids=["mov", "mp4", "mkv"])
def test_the_start_timecode_of_a_trimmed_movie_is_that_of_its_first_picture(
    tmp_path: Path, skipped: int, preset: presets.Preset
) -> None:
    """A frame of 25 a second lasts 512 ticks of the timecode track, whose first sample is 10:00:00:00."""
    whole = made(tmp_path / "whole.mov", *picture(), "-c:v", "prores_ks", "-timecode", "10:00:00:00")
    source = with_timecode_edit(tmp_path / "in.mov", whole, skipped)
    out = tmp_path / f"out{preset.suffix}"
    carried(source, out, preset)
    wanted = 900_000 + skipped // 512
    assert probe(out).timecode == f"10:00:00:{skipped // 512:02d}"
    if preset.suffix == ".mkv":
        return
    data = out.read_bytes()
    tracks = [(start, stop) for _, start, stop in atoms(data, b"trak")]
    clocks = [(start, stop) for _, start, stop in atoms(data, b"hdlr") if data[start + 8 : start + 12] == b"tmcd"]
    ((start, stop),) = [t for t in tracks if any(t[0] < clock < t[1] for clock, _ in clocks)]
    (table,) = [at for _, at, _ in atoms(data, b"stco") if start < at < stop]
    at = int.from_bytes(data[table + 8 : table + 12], "big")
    assert int.from_bytes(data[at : at + 4], "big") == wanted


NAMES = {"reel_name": "A001R1", "clip_id": "X17", "com.apple.proapps.clipID": "C-9"}


@pytest.mark.parametrize("preset", first_quick([PRORES, H264_CRF, FFV1]), ids=["mov", "mp4", "mkv"])
@pytest.mark.parametrize("timecode", first_quick([["-timecode", "10:00:00:00"], []]), ids=["timecode", "none"])
def test_reel_and_clip_names_go_along_unless_left_out(
    tmp_path: Path, preset: presets.Preset, timecode: list[str]
) -> None:
    tags = [arg for key, value in NAMES.items() for arg in ("-metadata", f"{key}={value}")]
    source = made(
        tmp_path / "in.mov",
        *picture(),
        "-c:v",
        "prores_ks",
        *timecode,
        *tags,
        "-metadata",
        "location=+47.3+8.5/",
        "-movflags",
        "use_metadata_tags",
    )
    out = tmp_path / f"out{preset.suffix}"
    assert carried(source, out, preset) == ()
    found = {key.lower(): value for key, value in probe(out).names.items()}
    assert found == {key.lower(): value for key, value in NAMES.items()}
    assert b"+47.3" not in out.read_bytes()
    said = carried(source, out, preset, keep=KEEP - {"names"})
    assert len(said) == 3
    assert all(value.encode() not in out.read_bytes() for value in NAMES.values())


GAP = ("-af", "aselect='not(between(t,0.3,0.5))'")


@pytest.mark.parametrize("codec", ["flac", "pcm_s16le"])
def test_sound_with_a_gap_is_no_pcm_whose_samples_are_counted_until_silence_is_put_there(
    tmp_path: Path, codec: str
) -> None:
    source = made(tmp_path / "in.mkv", *picture(seconds=0.8), *tone(0.8), *GAP, *H264, "-c:a", codec)
    part = Cut(Fraction(0), Fraction(1, 2))
    for preset, cut in ((PRORES, None), (MXF, None), (FFV1, part)):
        with pytest.raises(InputError, match=r"no samples for 0\.192 s after 0\.320 s.*aresample"):
            plan_copy(probe(source), preset, cut=cut)
    assert len(plan_copy(probe(source), FFV1).streams) == 1
    filled = tmp_path / "filled.mkv"
    run([str({"IN": source, "OUT.mkv": filled}.get(word, word)) for word in FILL.split()[1:]])
    assert len(plan_copy(probe(filled), PRORES).streams) == 1
    assert sum(block.shape[1] for block in blocks(sound_start(filled, None))) == pytest.approx(0.8 * 48000, abs=48)


def test_chapters_that_end_before_the_picture_begins_are_told_and_others_begin_with_it(tmp_path: Path) -> None:
    late = made(tmp_path / "in.mkv", *picture(), *H264, "-output_ts_offset", "0.5")
    times = [(Fraction(0), Fraction(1, 5), "A"), (Fraction(1, 5), Fraction(7, 10), "B")]
    facts = replace(probe(late), chapters=tuple(Chapter(*times_of) for times_of in times))
    plan = plan_copy(facts, FFV1)
    assert plan.chapters == (Chapter(Fraction(1, 2), Fraction(7, 10), "B"),)
    assert plan.not_carried == ("1 chapters that end before the picture and the sound begin",)


def test_the_tag_of_a_music_file_is_found_in_any_packet(tmp_path: Path) -> None:
    facts = probe(with_tagged_sound(tmp_path / "in.mkv", at=20))
    with pytest.raises(InputError, match="ID3"):
        plan_copy(facts, FFV1)


def test_mxf_has_the_reel_and_neither_clip_names_nor_the_umids_of_another_file(tmp_path: Path) -> None:
    clip = ("-c:v", "mpeg2video", "-pix_fmt", "yuv422p")
    source = made(tmp_path / "in.mxf", *picture("720x576"), *clip, "-metadata", "reel_name=A001R1")
    out = tmp_path / "out.mxf"
    said = carried(source, out, MXF)
    assert {words.partition(":")[0] for words in said} == probe(source).names.keys() - {"reel_name"}
    was, now = probe(source).names, probe(out).names
    assert now.pop("reel_name") == was["reel_name"] == "A001R1"
    assert all(was[key] != value for key, value in now.items())
    plan = plan_copy(probe(made(tmp_path / "b.mxf", *picture("720x576"), *clip)), MXF)
    assert (plan.names, len(plan.not_carried)) == ({}, 2)


@pytest.mark.parametrize("name", ["47.376888 8.541694", "x" * 101, "GoPro 11"])
def test_a_reel_that_is_no_name_is_left_out(tmp_path: Path, name: str) -> None:
    source = made(
        tmp_path / "in.mov",
        *picture(),
        "-c:v",
        "prores_ks",
        "-metadata",
        f"reel_name={name}",
        "-movflags",
        "use_metadata_tags",
    )
    plan = plan_copy(probe(source), PRORES)
    assert plan.names == {}
    assert len(plan.not_carried) == 1


def test_the_umid_of_an_mxf_file_goes_along_without_what_an_extended_one_tells_of_time_and_place(
    tmp_path: Path,
) -> None:
    source = made(tmp_path / "in.mxf", *picture("720x576"), "-c:v", "mpeg2video", "-metadata", "reel_name=A001")
    facts = probe(source)
    umid = facts.names["material_package_umid"]
    assert len(umid) == 66
    assert plan_copy(facts, PRORES).names["material_package_umid"] == umid
    longer = {**facts.names, "material_package_umid": umid + "11" * 32}
    object.__setattr__(facts, "names", longer)
    assert plan_copy(facts, PRORES).names["material_package_umid"] == umid


@pytest.mark.parametrize("preset", first_quick([PRORES, H264_CRF]), ids=["mov", "mp4"])
def test_eight_mono_tracks_of_a_recording_are_all_played(tmp_path: Path, preset: presets.Preset) -> None:
    source = made(
        tmp_path / "in.mxf",
        *picture("720x576"),
        *tone(),
        "-map",
        "0:v",
        *["-map", "1:a"] * 8,
        "-c:v",
        "mpeg2video",
        "-c:a",
        "pcm_s24le",
    )
    out = tmp_path / f"out{preset.suffix}"
    carried(source, out, preset)
    assert [(p.enabled, p.group) for p in found_played(out)] == [(True, 0)] * 8
    data = out.read_bytes()
    heads = [data[start:stop] for _, start, stop in atoms(data, b"tkhd")]
    sound = [h for h in heads if int.from_bytes(h[76:80], "big") == 0]  # no width: no picture
    assert [(h[3] & 1, int.from_bytes(h[34:36], "big")) for h in sound[:8]] == [(1, 0)] * 8


def test_flags_and_groups_of_a_movie_are_those_of_the_movie(tmp_path: Path) -> None:
    source = made(
        tmp_path / "in.mov",
        *picture(),
        *tone(),
        "-map",
        "0:v",
        *["-map", "1:a"] * 3,
        "-c:v",
        "prores_ks",
        "-c:a",
        "pcm_s16le",
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default",
    )
    was = found_played(source)
    assert len({p.enabled for p in was}) == 2
    out = tmp_path / "out.mov"
    carried(source, out, PRORES)
    assert found_played(out) == was


def test_sound_in_several_languages_stays_a_choice(tmp_path: Path) -> None:
    tags = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger")
    source = made(
        tmp_path / "in.mkv", *picture(), *tone(), "-map", "0:v", *["-map", "1:a"] * 2, *H264, "-c:a", "aac", *tags
    )
    out = tmp_path / "out.mp4"
    carried(source, out, H264_CRF)
    groups = {p.group for p in found_played(out)}
    assert (len(groups), 0 in groups) == (1, False)


SOUNDS = [
    ("wmav2", ".wmv", ()),
    ("pcm_mulaw", ".avi", ("-ar", "8000")),
    ("adpcm_ms", ".avi", ()),
    ("libopencore_amrnb", ".3gp", ("-ar", "8000", "-ac", "1")),
    ("mp2", ".ts", ()),
    ("pcm_s16le", ".avi", ()),
    ("flac", ".mkv", ()),
    ("libopus", ".mkv", ()),
    ("ac3", ".ts", ()),
    ("libvorbis", ".mkv", ()),
]


@pytest.mark.parametrize(("codec", "suffix", "more"), SOUNDS, ids=[s[0] for s in SOUNDS])
def test_matroska_takes_the_sound_of_every_recorder_as_it_is(
    tmp_path: Path, codec: str, suffix: str, more: tuple[str, ...]
) -> None:
    picture_codec = ("-c:v", "mpeg4") if suffix in (".avi", ".3gp", ".wmv") else H264
    source = made(
        tmp_path / f"in{suffix}",
        *picture("176x144"),
        *tone(),
        "-map",
        "0",
        "-map",
        "1",
        *picture_codec,
        "-bf",
        "0",
        "-c:a",
        codec,
        *more,
    )
    facts = probe(source)
    for preset, sound in ((FFV1, Sound("copy")), (FFV1, Sound()), (H264_CRF, Sound()), (PRORES, Sound())):
        ((stream, becomes),) = plan_copy(facts, preset, sound=sound).streams
        if preset is FFV1:
            assert becomes == stream.codec
        assert becomes in (stream.codec, "alac", "pcm_s16le", "pcm_s24le")


def test_chosen_sound_tracks_go_along_and_the_others_are_said(tmp_path: Path) -> None:
    source = made(
        tmp_path / "in.mkv", *picture(), *tone(), "-map", "0:v", *["-map", "1:a"] * 3, *H264, "-c:a", "aac"
    )
    plan = plan_copy(probe(source), H264_CRF, sound=Sound(tracks=(2,)))
    assert [s.index for s, _ in plan.streams] == [2]
    assert [line.partition(" (")[0] for line in plan.not_carried] == ["stream 1", "stream 3"]
    with pytest.raises(InputError, match=r"in\.mkv: no sound track 4: it has 3"):
        plan_copy(probe(source), H264_CRF, sound=Sound(tracks=(4,)))


def test_aac_has_the_next_rate_that_it_knows_and_says_so(tmp_path: Path) -> None:
    for rate, becomes in ((192000, 96000), (11000, 11025), (44100, 44100)):
        source, out = tmp_path / "in.mov", tmp_path / "out.mp4"
        made(source, *picture(), *tone(rate=rate), *H264, "-c:a", "pcm_s24le")
        said = carried(source, out, H264_CRF, sound=Sound("aac"))
        again = "" if rate == becomes else f" of {becomes} Hz in place of {rate}"
        assert said == (f"stream 1 (audio pcm_s24le): becomes aac{again}, as asked, which loses a little",)
        (stream,) = probe(out).of_kind("audio")
        assert stream.rate == becomes
        rows = compare_sound(
            source, out, plan_copy(probe(source), H264_CRF, sound=Sound("aac")), Fraction(0), Fraction(0)
        )
        assert [passed for _, passed, *_ in rows] == [True, True]


def test_sound_of_more_than_eight_channels_is_compared(tmp_path: Path) -> None:
    noise = "aevalsrc=0.1|0.2|0.1|0|0|0|0|0|0|0.3:c=10c:d=0.4:s=48000"
    source = made(tmp_path / "in.mov", *picture(), "-f", "lavfi", "-i", noise, *H264, "-c:a", "pcm_s16le")
    start = sound_start(source, 1)
    for rate in (None, 44100):
        (found,) = blocks(start, rate=rate)
        assert found.shape[0] == 10
        middle = found.shape[1] // 2
        assert found[:, middle] == pytest.approx([0.1, 0.2, 0.1, 0, 0, 0, 0, 0, 0, 0.3], abs=1e-3)


def test_a_sound_mode_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="auto, copy, pcm, aac"):
        Sound("mp3")


def test_alpha_that_no_reader_decodes_is_refused_where_it_would_be_kept_and_its_advice_works(
    tmp_path: Path,
) -> None:
    for codec, name in (("libvpx", "vp8.webm"), ("libvpx-vp9", "vp9.webm")):
        source = made(
            tmp_path / name,
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=64x48:r=25:d=0.2,format=yuva420p",
            "-c:v",
            codec,
            "-pix_fmt",
            "yuva420p",
            "-auto-alt-ref",
            "0",
        )
        facts = probe(source)
        assert plan_copy(facts, H264_CRF).not_carried == ("alpha",)
        with pytest.raises(InputError, match="alpha") as caught:
            plan_copy(facts, presets.load("prores_4444"))
        advice = str(caught.value).partition("ffmpeg ")[2].partition(";")[0]
        better = tmp_path / f"{name}.mkv"
        run([str({"IN": source, "IN.mkv": better}.get(word, word)) for word in ["-y", *advice.split()]])
        found = probe(better).video
        assert found is not None
        assert found.pix_fmt == "yuva420p"
        plan_copy(probe(better), presets.load("prores_4444"))


def with_data(path: Path, entry: bytes) -> Path:
    """A QuickTime file with a track of timed metadata of a kind: that of its text by another name."""
    data = bytearray(subtitled(path, ["Good morning."], "mov_text").read_bytes())
    ((at, _),) = [
        (start, stop) for _, start, stop in atoms(data, b"hdlr") if data[start + 8 : start + 12] == b"sbtl"
    ]
    data[at + 8 : at + 12] = b"meta"
    at = data.find(b"tx3g")
    data[at : at + 4] = entry
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("preset", first_quick([H264_CRF, PRORES, FFV1]), ids=["mp4", "mov", "mkv"])
def test_telemetry_in_a_data_track_is_left_out_and_carried_if_asked_where_a_container_takes_it(
    tmp_path: Path, preset: presets.Preset
) -> None:
    source, out = with_data(tmp_path / "in.mp4", b"gpmd"), tmp_path / f"out{preset.suffix}"
    (said,) = [line for line in carried(source, out, preset) if "gpmd" in line]
    assert said == "stream 1 (data gpmd): telemetry (gpmd), which tells place and movement (--keep telemetry)"
    assert b"Good morning." not in out.read_bytes()
    kept = carried(source, out, preset, keep=KEEP | {"telemetry"})
    takes = preset is not FFV1
    assert [line for line in kept if "gpmd" in line] == (
        [] if takes else ["stream 1 (data gpmd): telemetry (gpmd), which can't be put into .mkv"]
    )
    assert (b"Good morning." in out.read_bytes(), b"gpmd" in out.read_bytes()) == (takes, takes)


@pytest.mark.parametrize("entry", [b"camm", b"rtmd", b"mebx"])
def test_timed_metadata_that_ffmpeg_does_not_write_again_is_left_out_even_if_telemetry_is_asked_for(
    tmp_path: Path, entry: bytes
) -> None:
    """Nor are the numbers in it, whatever they are, taken for a timecode that no day has."""
    source = with_data(tmp_path / "in.mp4", entry)
    facts = probe(source)
    assert facts.timecode is None
    plan = plan_copy(facts, PRORES, keep=KEEP | {"telemetry"})
    (said,) = plan.not_carried
    assert said.startswith(f"stream 1 (data {entry.decode()}): timed metadata, which can't be written again")
    assert plan.streams == ()
