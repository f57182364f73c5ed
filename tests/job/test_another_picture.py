"""Who shows or follows frames by a track file looks at each of them first, not only at the five of its opening."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import blobs, use
from tests.support.faults import FRAMES, film, picture
from vsanon.errors import CheckError, InputError
from vsanon.job.follow_region import follow_region
from vsanon.job.mattes import write_matte
from vsanon.job.pipeline import analyze_file
from vsanon.job.scripting import footage
from vsanon.job.settings import Settings
from vsanon.review.page import write_page
from vsanon.tracks.edit_kinds import KeyFrame

pytestmark = pytest.mark.slow

KEYS = (KeyFrame(4, (100, 40, 140, 80)), KeyFrame(9, (110, 40, 150, 80)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A track file, and a source that differs from the analysed one in frames 6 and 7: `load` looks at others."""
    folder = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, blobs)
        analyze_file(film(folder / "in.mkv"), folder / "t.vsanon", Settings())
    flipped = film(folder / "other.mkv", FRAMES, lambda n: [p[:, ::-1] if n in (6, 7) else p for p in picture(n)])
    return folder / "t.vsanon", flipped


def follow(tracks: Path, source: Path, _: Path, **options: Any) -> Any:
    return follow_region(source, tracks, KEYS, **options)


def review(tracks: Path, source: Path, folder: Path, **options: Any) -> Any:
    return write_page(folder / "page.html", tracks, source, **options)


def reveal(tracks: Path, source: Path, folder: Path, **options: Any) -> Any:
    return write_page(folder / "page.html", tracks, source, reveal=True, **options)


def matte(tracks: Path, source: Path, folder: Path, **options: Any) -> Any:
    return write_matte(source, tracks, folder / "m.mov", **options)


@pytest.mark.parametrize("use_of", [follow, review, reveal, matte])
def test_a_frame_of_another_picture_is_refused_unless_that_is_meant(
    made: tuple[Path, Path], tmp_path: Path, use_of: Callable[..., Any]
) -> None:
    with pytest.raises(CheckError, match="is not the one that was analysed"):
        use_of(*made, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert use_of(*made, tmp_path, same_picture=False)


def test_a_script_takes_another_picture_where_it_is_told_to(made: tuple[Path, Path]) -> None:
    tracks, source = made
    given = footage({"source": str(source), "tracks": str(tracks), "any_picture": "yes"})
    assert not given.same_picture
    with given.tracks.get_frame(6) as frame:
        assert frame.props["VsanonPicture"] in ("unchecked", b"unchecked")
    assert footage({"source": str(source), "tracks": str(tracks)}).same_picture
    with pytest.raises(InputError, match="any_picture is yes or no, not 'true'"):
        footage({"source": str(source), "any_picture": "true"})
