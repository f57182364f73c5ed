"""Ways to deliver less than was promised: each is noticed by the job itself and by `verify`, which say what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import blobs, found, use
from tests.support.faults import (
    FAINT_EYE,
    FAINT_FACE,
    FRAMES,
    SIZE,
    adding,
    bare,
    by_filter,
    deliver_all_the_same,
    encoding_and,
    failed,
    faint_picture,
    film,
    later,
    moved,
    painted_and,
    painting_of,
    patched,
    picture_of,
    reordered,
    rolled,
    whole,
)
from vsanon import filters
from vsanon.encode import presets
from vsanon.job import rendering
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery

pytestmark = pytest.mark.slow

PAINTED = "regions are painted as the profile says"
UNTOUCHED = "nothing outside the regions was painted"
SHOWN = "covered regions show what was painted"
HIDDEN = "covered regions are nearer to the paint than to the source"
WHOLE = "the whole picture is what was painted"
IN_TIME = "each frame is nearest to its own painted one"
IN_PLACE = "frames are in their place, to half a pixel"
HELD = "nothing is hidden in the file"
USER_DATA = "086f3693-b7b3-4f2c-9653-21492feee5b8+Jane Doe 47.3768 8.5416"

EYE = (0.15, 0.25, 0.45, 0.45)
STRIP = (0.5, 0, 0.62, 1)
HERE = (slice(100, 116), slice(150, 174))


@dataclass(frozen=True)
class Fault:
    """A fault of the job: where it is, who must see it, and what `verify` says later, looking at the file alone."""

    name: str
    where: str
    faulty: Callable[[Any], Any]
    job_says: str
    verify_says: str
    profile: str = "strict"
    preset: str = "h264_crf"


def painter(name: str, faulty: Callable[[], Any], job: str, later: str, profile: str = "strict") -> Fault:
    return Fault(f"{profile}: {name}", "painter", lambda _: faulty(), job, later, profile)


def encoder(
    name: str, faulty: Callable[[Any], Any], says: str, profile: str = "strict", preset: str = "h264_crf"
) -> Fault:
    return Fault(f"{profile}, {preset}: {name}", "encoder", faulty, says, says, profile, preset)


def sent(change: Any) -> Callable[[Any], Any]:
    return partial(encoding_and, change)


def moved_in_time() -> Callable[..., Any]:
    """A painter that is a frame late, boxes and all, and says so in nothing that it gives."""
    blur = filters.blur
    return lambda clip, data, **settings: (lambda out: out[0] + out[:-1])(blur(clip, data, **settings))


NOISY = ("av1", "vp9", "h264_intra_mxf", "h265_422_10bit", "dnxhr_sq", "mpeg2_422_mxf")

FAULTS = [
    # The painter paints less, or something else.
    painter("nothing painted", lambda: painted_and(whole()), PAINTED, SHOWN),
    painter("nothing painted", lambda: painted_and(whole()), PAINTED, SHOWN, "soft"),
    painter("nothing painted", lambda: painted_and(whole()), PAINTED, SHOWN, "cosmetic"),
    painter("one frame bare", lambda: painted_and(whole([5])), PAINTED, SHOWN),
    painter("one frame bare", lambda: painted_and(whole([5])), PAINTED, SHOWN, "soft"),
    painter("one frame bare", lambda: painted_and(whole([FRAMES - 1])), PAINTED, SHOWN, "cosmetic"),
    painter("an eye bare", lambda: painted_and(bare(EYE)), PAINTED, SHOWN),
    painter("an eye bare", lambda: painted_and(bare(EYE)), PAINTED, HIDDEN, "soft"),
    painter("an eye bare", lambda: painted_and(bare(EYE)), PAINTED, SHOWN, "cosmetic"),
    painter("a strip of six columns bare", lambda: painted_and(bare(STRIP)), PAINTED, SHOWN),
    painter("a strip of six columns bare", lambda: painted_and(bare(STRIP)), PAINTED, SHOWN, "soft"),
    painter("chroma bare", lambda: painted_and(bare(planes=(1, 2))), PAINTED, SHOWN),
    painter("chroma bare", lambda: painted_and(bare(planes=(1, 2))), PAINTED, HIDDEN, "soft"),
    painter("luma bare", lambda: painted_and(bare(planes=(0,))), PAINTED, SHOWN, "soft"),
    painter("half opaque", lambda: painted_and(bare(opacity=0.5)), PAINTED, SHOWN),
    painter("half opaque", lambda: painted_and(bare(opacity=0.5)), PAINTED, HIDDEN, "soft"),
    painter("an eye bare", lambda: painted_and(bare(EYE)), PAINTED, HIDDEN, "mosaic"),
    painter("half opaque", lambda: painted_and(bare(opacity=0.5)), PAINTED, HIDDEN, "mosaic"),
    painter("old masks", lambda: painting_of(later, same_picture=False), PAINTED, SHOWN),
    painter("old masks", lambda: painting_of(later, same_picture=False), PAINTED, HIDDEN, "soft"),
    painter("wrong region", lambda: painting_of(moved(40, 30)), PAINTED, SHOWN),
    painter("masks too small", lambda: painting_of(moved(0, 0, -8)), PAINTED, SHOWN),
    painter("masks too large", lambda: painting_of(moved(0, 0, 8)), UNTOUCHED, WHOLE),
    painter("another fill", lambda: painting_of(lambda d: d, fill=(96, 96, 96)), PAINTED, SHOWN),
    painter("painted as cosmetic", lambda: painting_of(lambda d: d, profile="cosmetic"), PAINTED, SHOWN),
    painter("painted as soft", lambda: painting_of(lambda d: d, profile="soft"), PAINTED, SHOWN),
    painter("moved by a frame", moved_in_time, UNTOUCHED, IN_TIME),
    painter("moved by a pixel", lambda: painted_and(rolled(1, 0)), UNTOUCHED, IN_PLACE),
    painter("a patch beside the regions", lambda: painted_and(patched(40, HERE)), UNTOUCHED, WHOLE),
    # What was painted well does not arrive in the file.
    encoder("nothing painted", sent(whole()), SHOWN),
    encoder("nothing painted", sent(whole()), SHOWN, "soft"),
    encoder("nothing painted", sent(whole()), SHOWN, "cosmetic"),
    encoder("nothing painted", sent(whole()), SHOWN, "soft", "prores_proxy"),
    encoder("nothing painted", sent(whole()), SHOWN, "soft", "ffv1"),
    encoder("first frame bare", sent(whole([0])), SHOWN),
    encoder("last frame bare", sent(whole([FRAMES - 1])), SHOWN, "soft"),
    encoder("an eye bare on one frame", sent(bare(EYE, frames=[6])), SHOWN),
    encoder("an eye bare on one frame", sent(bare(EYE, frames=[6])), HIDDEN, "soft"),
    encoder("a strip of six columns bare", sent(bare(STRIP)), SHOWN, "cosmetic"),
    encoder("chroma bare", sent(bare(planes=(1, 2))), HIDDEN, "soft"),
    encoder("half opaque", sent(bare(opacity=0.5)), HIDDEN, "soft"),
    encoder("nothing painted", sent(whole()), SHOWN, "mosaic"),
    encoder("an eye bare on one frame", sent(bare(EYE, frames=[6])), HIDDEN, "mosaic"),
    encoder("chroma bare", sent(bare(planes=(1, 2))), HIDDEN, "mosaic"),
    encoder("moved by a pixel", sent(rolled(1, 0)), IN_PLACE),
    encoder("one frame moved by a pixel down", sent(rolled(0, 1, (0,), [4])), IN_PLACE, "soft"),
    encoder("chroma moved by two pixels", sent(rolled(2, 0, (1, 2))), WHOLE, "soft", "ffv1"),
    encoder("moved by a frame", partial(reordered, lambda n: max(n - 1, 0)), IN_TIME),
    encoder("two frames swapped", partial(reordered, lambda n: n ^ 1), IN_TIME, "soft"),
    encoder("a frame held", partial(reordered, lambda n: 4 if n == 5 else n), IN_TIME, "cosmetic"),
    encoder("backwards", partial(reordered, lambda n: FRAMES - 1 - n), SHOWN),
    encoder("a patch beside the regions", sent(patched(40, HERE)), WHOLE),
    # Presets whose noise is allowed more.
    *(encoder("nothing painted", sent(whole()), SHOWN, "soft", preset) for preset in NOISY),
    *(
        encoder("an eye bare on one frame", sent(bare(EYE, frames=[6])), SHOWN, "strict", preset)
        for preset in NOISY
    ),
    *(encoder("a patch beside the regions", sent(patched(40, HERE)), WHOLE, "strict", preset) for preset in NOISY),
    # The film as it was lies in the file as well, or something of it, and no player shows it.
    encoder("the bare film in padding", partial(adding, lambda f: (len(f) + 8).to_bytes(4) + b"free" + f), HELD),
    encoder(
        "in an atom that nobody knows", partial(adding, lambda f: (len(f) + 8).to_bytes(4) + b"uuid" + f), HELD
    ),
    # Inverted: demuxers take a film of the same kind for more of their own, and the file does not decode.
    encoder("behind its end", partial(adding, lambda f: bytes(255 - b for b in f)), HELD, "soft", "h264_mkv"),
    encoder("in padding", partial(adding, lambda f: b"\xec\x01" + len(f).to_bytes(7) + f), HELD, "strict", "ffv1"),
    encoder("behind its end", partial(adding, lambda f: f), HELD, "strict", "dnxhr_sq_mxf"),
    encoder("words in a picture", partial(by_filter, f"h264_metadata=sei_user_data={USER_DATA}"), HELD),
    # Looks whose own edges are allowed more: resampled chroma, and not.
    *(
        encoder(name, sent(change), says, "picture", preset)
        for preset in ("h264_mkv", "prores_4444", "h265_422_10bit")
        for name, change, says in (
            ("nothing painted", whole(), SHOWN),
            ("an eye bare on one frame", bare(EYE, frames=[6]), HIDDEN),
            ("chroma bare", bare(planes=(1, 2)), SHOWN),
        )
    ),
    encoder("brighter by eight codes", sent(patched(8, (slice(None), slice(None)))), WHOLE, "strict", "prores_hq"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "in.mkv")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The film, as large as a preset wants it."""
    folder = tmp_path_factory.mktemp("film")

    @cache
    def made(preset: str) -> Path:
        width, height = (max(pair) for pair in zip(presets.load(preset).least_size, SIZE, strict=True))
        return film(
            folder / f"{preset}.mkv", shown=partial(picture_of, (-(-width // 64) * 64, -(-height // 16) * 16))
        )

    return made


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bright face is what a model would find."""
    use(monkeypatch, blobs)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.where} {fault.name}")
def test_a_job_that_delivers_less_is_stopped_and_its_file_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path, large: Callable[[str], Path], fault: Fault
) -> None:
    source = large(fault.preset) if presets.load(fault.preset).least_size[0] > SIZE[0] else source
    output = tmp_path / f"out{presets.load(fault.preset).suffix}"
    noted = deliver_all_the_same(monkeypatch)
    with monkeypatch.context() as faulty:
        if fault.where == "painter":
            faulty.setattr(filters, "blur", fault.faulty(None))
        else:
            faulty.setattr(rendering, "encode", fault.faulty(rendering.encode))
        anonymize_file(source, output, Settings(profile=fault.profile, preset=fault.preset))
    assert fault.job_says in noted["failed"]
    assert "was not delivered" in noted["error"]
    assert fault.verify_says in failed(verify_delivery(output, source))


@pytest.mark.parametrize(("preset", "frames"), [("av1", [6]), ("h265_crf", range(FRAMES))])
def test_a_bare_eye_of_six_codes_of_contrast_is_found_out_under_presets_of_wide_tolerance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, frames: Sequence[int]
) -> None:
    """AV1 may differ by 14.75 codes in a block; an eye of 30x15 pixels is told by all of its blocks together."""
    use(monkeypatch, lambda _: found([FAINT_FACE]), size=(256, 160))
    clip, output = film(tmp_path / "in.mkv", shown=faint_picture), tmp_path / f"out{presets.load(preset).suffix}"
    noted = deliver_all_the_same(monkeypatch)

    def bared(n: int, painted: Any, of_source: Any) -> None:
        if n in frames:
            painted[0][FAINT_EYE] = of_source[0][FAINT_EYE]

    with monkeypatch.context() as faulty:
        faulty.setattr(rendering, "encode", encoding_and(bared, rendering.encode))
        anonymize_file(clip, output, Settings(preset=preset))
    assert HIDDEN in noted["failed"]
    assert HIDDEN in failed(verify_delivery(output, clip))
    anonymize_file(clip, tmp_path / f"whole{output.suffix}", Settings(preset=preset))
    assert not noted["failed"]
