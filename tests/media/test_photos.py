"""Photos are no films, and images are taken upright, as every program shows them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.odd_images import heic, images, with_chunks, with_tags
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.job.images import as_file
from vsanon.media import probe
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source

RATE = Fraction(25)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_that_says_how_it_is_turned_is_taken_upright(tmp_path: Path, orientation: int) -> None:
    """As ffmpeg turns it, by all eight values of EXIF."""
    (image,) = images(tmp_path / "a", ".png", 1)
    with_chunks(image, orientation)
    with as_file(tmp_path / "a", RATE) as file:
        opened = open_source(file)
        assert opened.not_shown == ()
        found = np.stack([np.asarray(plane) for plane in opened.clip.get_frame(0)])
    upright = run(["-i", str(image), "-f", "rawvideo", "-pix_fmt", "gbrp", "-"])
    wanted = np.frombuffer(upright, np.uint8).reshape(3, *((48, 32) if orientation > 4 else (32, 48)))
    np.testing.assert_array_equal(found, wanted[[2, 0, 1]])


def test_a_tiff_turns_itself_too_and_images_that_are_not_all_turned_alike_are_refused(tmp_path: Path) -> None:
    for folder, turns in (("a", (6, 6)), ("b", (6, 8))):
        for image, orientation in zip(
            images(tmp_path / folder, ".tif", 2, "-pix_fmt", "rgb24"), turns, strict=True
        ):
            with_tags(image, orientation)
    with as_file(tmp_path / "a", RATE) as file:
        opened = open_source(file)
        assert (opened.clip.width, opened.clip.height) == (32, 48)
        require_intact(opened)
    with as_file(tmp_path / "b", RATE) as file, pytest.raises(InputError, match="frame 1 is shown turned"):
        require_intact(open_source(file))


def test_a_photo_of_tiles_is_no_film_of_its_first_tile_and_the_advice_makes_the_whole_of_it(tmp_path: Path) -> None:
    photo = heic(tmp_path / "a.heic")
    with pytest.raises(InputError, match=r"one image is no film.*ffmpeg -i IN FOLDER/1.png"):
        probe(photo)
    (tmp_path / "FOLDER").mkdir()
    run(["-y", "-i", str(photo), str(tmp_path / "FOLDER" / "1.png")])
    with as_file(tmp_path / "FOLDER", RATE) as file:
        assert open_source(file).clip.width == 128


def test_a_photo_with_a_film_behind_it_is_not_taken_for_the_film(tmp_path: Path) -> None:
    film, (photo,) = tmp_path / "film.mp4", images(tmp_path / "a", ".jpg", 1)
    run(["-y", "-f", "lavfi", "-i", "testsrc2=s=48x32:d=0.2", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(film)])
    for name in ("motion.jpg", "motion.mp4"):
        (tmp_path / name).write_bytes(photo.read_bytes() + film.read_bytes())
        with pytest.raises(InputError, match=r"a picture|can't be opened"):
            probe(tmp_path / name)
