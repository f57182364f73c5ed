"""Presets: found, valid, and choosing the pixel format that loses least."""

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vsanon.encode import presets, run
from vsanon.encode.preset_args import refused
from vsanon.errors import InputError
from vsanon.media import pixel_format, takes_codec

NAMES = {
    *("prores_proxy", "prores_lt", "prores_422", "prores_hq", "prores_4444"),
    *("h264_crf", "h264_abr", "h265_crf", "h265_crf_10bit", "h265_abr", "ffv1"),
    *(f"dnxhr_{kind}{container}" for kind in ("lb", "sq", "hq", "hqx", "444") for container in ("", "_mxf")),
    *("prores_4444xq", "h264_intra_mxf", "mpeg2_422_mxf", "h264_mkv", "h265_mkv", "av1", "vp9", "vp9_mkv"),
    *("h264_422_10bit", "h264_444_10bit", "h265_422_10bit", "h265_444_10bit"),
    *("dpx", "exr", "exr_float", "tiff", "png"),
}
SOURCES = [
    *("gray", "gray10le", "gray16le", "yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv420p10le", "yuv422p10le"),
    *("yuv444p12le", "yuv420p16le", "yuva444p10le", "yuva420p", "gbrp", "gbrp10le", "gbrap16le", "gbrpf32le"),
]


def test_all_presets_are_there() -> None:
    assert set(presets.names()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_preset_is_whole_and_its_container_takes_its_codec(name: str) -> None:
    preset = presets.load(name)
    assert preset.name == name
    assert preset.purpose
    assert preset.muxer == "image2" or takes_codec(preset.muxer, preset.codec)
    assert preset.threads >= 1


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("source", SOURCES)
def test_no_accepted_format_keeps_more_of_alpha_or_depth_than_the_chosen(name: str, source: str) -> None:
    preset = presets.load(name)
    have, chosen = pixel_format(source), pixel_format(preset.pix_fmt_for(source))
    accepted = [pixel_format(other) for other in preset.pix_fmts]
    if have.alpha:
        assert chosen.alpha == any(f.alpha for f in accepted)
    able = [f for f in accepted if f.alpha or not (have.alpha and chosen.alpha)]
    depth = 16 if have.depth == 32 else have.depth
    assert min(chosen.depth, depth) == max(min(f.depth, depth) for f in able)


@given(st.sampled_from(SOURCES), st.permutations(["yuv420p", "yuv422p10le", "yuva444p10le", "gbrp10le", "gray"]))
def test_the_choice_is_the_same_in_any_order_of_the_list(source: str, order: list[str]) -> None:
    base = presets.load("ffv1")
    fields = {f: getattr(base, f) for f in base.__slots__}
    a = presets.Preset(**{**fields, "pix_fmts": tuple(order)})
    b = presets.Preset(**{**fields, "pix_fmts": tuple(sorted(order))})
    assert a.pix_fmt_for(source) == b.pix_fmt_for(source)


@pytest.mark.parametrize(
    ("name", "source", "chosen", "lost"),
    [
        ("prores_hq", "yuv420p", "yuv422p10le", ()),
        ("prores_hq", "yuva444p10le", "yuv422p10le", ("alpha", "chroma resolution: yuva444p10le to yuv422p10le")),
        ("prores_4444", "yuva444p10le", "yuva444p10le", ()),
        ("prores_4444", "yuv444p12le", "yuv444p10le", ("depth: 12 bits to 10 bits",)),
        ("h264_crf", "gray10le", "yuv420p", ("depth: 10 bits to 8 bits",)),
        ("h265_abr", "yuv420p", "yuv420p", ()),
        ("h265_abr", "yuv420p10le", "yuv420p10le", ()),
        ("ffv1", "gbrp", "bgr0", ()),
        ("ffv1", "gbrpf32le", "gbrp16le", ("depth: 32-bit float to 16 bits",)),
        ("ffv1", "gray10le", "gray10le", ()),
        ("prores_422", "gbrp10le", "yuv422p10le", (
            "chroma resolution: gbrp10le to yuv422p10le", "exact RGB values: they become YUV",
        )),
    ],
)  # fmt: skip
def test_the_format_and_what_it_loses(name: str, source: str, chosen: str, lost: tuple[str, ...]) -> None:
    preset = presets.load(name)
    assert preset.pix_fmt_for(source) == chosen
    assert preset.loses(source) == lost


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_command_line_is_a_command_that_runs(name: str, tmp_path: Path) -> None:
    preset = presets.load(name)
    source = tmp_path / "in.mkv"
    width, height = (max(a, b) for a, b in zip((64, 48), preset.least_size, strict=True))
    run(["-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:d=0.2", "-c:v", "ffv1", str(source)])
    out = tmp_path / f"out{preset.suffix}"
    named = out.with_name(f"out.%d{preset.suffix}") if preset.muxer == "image2" else out
    argv = presets.command_line(preset, source=str(source), output=str(named), pix_fmt="yuv420p")
    assert argv[0] == "ffmpeg"
    assert argv[argv.index("-threads:v") + 1] == str(preset.threads)
    run(argv[1:])
    written = sorted(tmp_path.glob(f"out*{preset.suffix}"))
    assert len(written) == (5 if preset.muxer == "image2" else 1)
    assert all(file.stat().st_size > 0 for file in written)


def test_a_pipe_is_read_as_y4m() -> None:
    argv = presets.command_line(presets.load("ffv1"), source="-")
    assert argv[:5] == ["ffmpeg", "-f", "yuv4mpegpipe", "-i", "-"]
    assert argv[-1] == "OUTPUT.mkv"


def test_a_preset_of_ones_own_is_loaded_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    data = yaml.safe_load((Path(__file__).parents[2] / "ffmpeg_presets" / "h264_crf.yaml").read_text())
    more = {"prefilter": "hqdn3d", "least_size": [64, 32]}
    file.write_text(yaml.safe_dump({**data, "name": "mine", "threads": 2, **more}))
    assert (presets.load(file).name, presets.load(str(file)).threads) == ("mine", 2)
    assert (presets.load(file).prefilter, presets.load(file).least_size) == ("hqdn3d", (64, 32))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threads", "four"), ("threads", True), ("threads", 0), ("suffix", ".avi"), ("pix_fmts", []),
        ("pix_fmts", ["yuv999"]), ("args", ["-crf", 18]), ("args", "-crf 18"), ("tags", ["colour"]),
        ("encoder", ""), ("range", "pc"), ("notes", 3), ("crf", 18), ("name", None), ("prefilter", 3),
        ("least_size", 64), ("least_size", [64]), ("least_size", [64, 0]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_an_error_that_names_file_and_key(tmp_path: Path, key: str, value: object) -> None:
    file = tmp_path / "wrong.yaml"
    data = yaml.safe_load((Path(__file__).parents[2] / "ffmpeg_presets" / "h264_crf.yaml").read_text())
    file.write_text(yaml.safe_dump({**data, key: value}))
    with pytest.raises(InputError) as error:
        presets.load(file)
    assert "wrong.yaml" in str(error.value)
    assert key in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("args", ["-crf", "20", "stolen.mkv", "-c:v", "libx264"]), ("args", ["-crf", "20", "stolen.mkv"]),
        ("args", ["-y", "stolen.mkv"]), ("args", ["-noautorotate", "stolen.mkv"]), ("args", ["-attach", "a.pem"]),
        ("args", ["-i", "IN.mov"]), ("args", ["-x264-params", "bff=1:stats=stolen.log"]), ("args", ["-pass", "1"]),
        ("args", ["-x265-params", "csv-log-level=2:csv=stolen.csv"]), ("args", ["-x264-params", "x=/etc/passwd"]),
        ("args", ["-/filter:v", "a.txt"]), ("args", ["--", "stolen.mkv"]), ("args", ["-vstats_file", "stolen.log"]),
        ("interlaced_args", ["-y", "stolen.mkv"]), ("bottom_first_args", ["-stats_enc_post:v", "stolen.log"]),
        ("prefilter", "movie=IN.mov"), ("prefilter", "split[a][b];[a]metadata=print:file=x[a]"),
        ("prefilter", "mov\\ie=IN.mov"), ("prefilter", "'movie'=IN.mov"), ("prefilter", "hqdn3d, zmq@a"),
        ("prefilter", "drawbox=/x=a.txt"), ("prefilter", "curves=plot=a.txt"), ("prefilter", "lut3d=a.cube"),
    ],
)  # fmt: skip
def test_a_preset_knows_no_files_but_its_own(tmp_path: Path, key: str, value: object) -> None:
    """Presets come from strangers; whatever stands by itself is an output to ffmpeg, which writes over it."""
    test_a_wrong_value_is_an_error_that_names_file_and_key(tmp_path, key, value)


@pytest.mark.parametrize(
    "args",
    [
        ["-time_base", "1/25"], ["-x264-params", "psy-rd=1.0,0.15:deblock=1,1:bff=1"], ["-tag:v", "hvc1"],
        ["-x265-params", "log-level=error:csv-log-level=1"], ["-init_hw_device", "vaapi=a:/dev/dri/renderD128"],
        ["-vaapi_device", "/dev/dri/renderD128"], ["-svtav1-params", "film-grain=8:lp=4"], ["-nonref", "1"],
    ],
)  # fmt: skip
def test_an_encoders_own_options_are_taken(args: list[str]) -> None:
    assert refused(args) is None


@pytest.mark.parametrize("text", ["- a list", "{", "", "\x00"])
def test_what_is_no_mapping_is_an_input_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"wrong\.yaml"):
        presets.load(file)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="prores_hq"):
        presets.load("prores_422hq")


def test_presets_are_found_inside_the_package_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Path(__file__).parents[2] / "ffmpeg_presets"
    shutil.copytree(checkout, tmp_path / "vsanon" / "ffmpeg_presets")
    (tmp_path / "vsanon" / "ffmpeg_presets" / "ffv1.yaml").unlink()
    monkeypatch.setattr(presets.resources, "files", lambda package: tmp_path / package)
    assert set(presets.names()) == NAMES - {"ffv1"}


def test_interlaced_frames_are_refused_by_an_encoder_without_fields() -> None:
    with pytest.raises(InputError, match="progressive"):
        presets.video_args(presets.load("h265_crf"), "yuv420p", interlaced=True)
