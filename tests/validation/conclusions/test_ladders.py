"""Which encodes of a matrix are steps of one ladder, and which differ in one axis alone."""

from typing import Any

from vsanon.validation.conclusions.ladders import at_equal_rate, ladders, rates, rivals, steps

AXES = ("crf", "bit_rate", "gop", "pix_fmt")


def encode(preset: str, codec: str, **axes: Any) -> dict[str, Any]:
    return {"preset": preset, "codec": codec, "axes": {**dict.fromkeys(AXES), **axes}}


CRF = {f"h264_{crf}": encode("h264_crf", "h264", crf=crf) for crf in (35, 23, 28)}


def test_crf_and_average_rate_of_a_codec_are_one_ladder_and_as_it_came_is_in_none() -> None:
    encodes = CRF | {"abr": encode("h264_abr", "h264", bit_rate=500_000)}
    encodes["as_is"] = {"preset": None, "codec": None, "axes": {}}
    assert ladders(encodes) == {"h264": ["h264_35", "h264_23", "h264_28", "abr"]}


def test_an_axis_that_tells_ladders_apart_is_in_their_names() -> None:
    encodes = {f"g{gop}": encode("h264_crf", "h264", crf=23, gop=gop, pix_fmt="yuv420p") for gop in (12, 250)}
    assert ladders(encodes) == {"h264, gop 12": ["g12"], "h264, gop 250": ["g250"]}
    ten_bit = {"ten": encode("h265_crf_10bit", "h265", crf=23), "eight": encode("h265_crf", "h265", crf=23)}
    assert ladders(ten_bit) == {"h265_10bit": ["ten"], "h265": ["eight"]}


def test_prores_is_one_ladder_of_presets() -> None:
    encodes = {name: encode(name, "prores") for name in ("prores_hq", "prores_lt")}
    assert ladders(encodes) == {"prores": ["prores_hq", "prores_lt"]}


def test_numbers_are_compared_with_the_next_and_words_with_what_is_not_set() -> None:
    assert list(steps(CRF)) == [("crf", "h264_23", "h264_28"), ("crf", "h264_28", "h264_35")]
    sampled = {str(p): encode("h264_crf", "h264", crf=23, pix_fmt=p) for p in ("yuv422p", None, "yuv444p")}
    assert list(steps(sampled)) == [("pix_fmt", "None", "yuv422p"), ("pix_fmt", "None", "yuv444p")]


def test_encodes_that_differ_in_two_axes_or_in_the_preset_are_no_step() -> None:
    two = {"a": encode("h264_crf", "h264", crf=23, gop=12), "b": encode("h264_crf", "h264", crf=28, gop=50)}
    assert list(steps(two)) == []
    other = {"a": encode("h264_crf", "h264", crf=23), "b": encode("h265_crf", "h265", crf=28)}
    assert list(steps(other)) == []


def test_codecs_are_rivals_where_no_other_axis_differs_and_the_older_is_the_reference() -> None:
    encodes = {
        "b": encode("h265_crf", "h265", crf=23, gop=50), "a": encode("h264_crf", "h264", crf=30, gop=50),
        "p": encode("prores_lt", "prores"),
    }  # fmt: skip
    assert list(rivals(encodes)) == [("h264", "h265"), ("h264", "prores"), ("h265", "prores")]
    encodes["b"]["axes"]["gop"] = 12
    assert list(rivals(encodes)) == [("h264", "prores"), ("h265", "prores")]


def test_equal_rates_are_within_a_fifth() -> None:
    rate = {"a1": 100.0, "a2": 1000.0, "b1": 119.0, "b2": 90.0, "b3": 790.0}
    assert list(at_equal_rate(["a1", "a2"], ["b1", "b2", "b3"], rate)) == [("a1", "b2")]


def test_the_rate_of_an_encode_is_that_of_its_clips_by_their_length() -> None:
    """1 s of 100 and 3 s of 200 bits a second; a clip under two settings counts once."""

    def cell(source: str, rate: Any, seconds: float) -> dict[str, Any]:
        stream = {"bit_rate": rate, "duration_s": seconds}
        return {"outcome": "measured", "source": source, "encode": "e", "stream": stream}

    cells = [cell("a", 100, 1), cell("b", 200, 3), cell("b", 200, 3), cell("c", {"not_measured": "raw"}, 9)]
    assert rates(cells) == {"e": 175}
