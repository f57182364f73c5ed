"""The rendered report shows nobody: the detector itself looks at it."""

import base64
import shutil
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support import report_sample as sample
from vsanon.detectors import open_detector
from vsanon.errors import MissingError
from vsanon.models.store import cards, fetch
from vsanon.reporting.document import build
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.pages import render

SIZE = (1280, 7200)


def faces(page: str, folder: Path) -> int:
    """How many faces CenterFace finds in a page as Chromium draws it, at a low threshold."""
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium to draw the page with")
    try:
        fetch(cards()["centerface"], lambda _: None)
    except MissingError as error:
        pytest.skip(f"CenterFace can't be pulled here: {error}")
    (folder / "page.html").write_text(page, "utf-8")
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    argv += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={folder / 'page.png'}"]
    argv += [f"--window-size={SIZE[0]},{SIZE[1]}", (folder / "page.html").as_uri()]
    subprocess.run(argv, capture_output=True, timeout=1800, check=True)
    drawn = cv2.imread(str(folder / "page.png"))
    assert drawn is not None
    detector = open_detector("centerface", threshold=0.3)
    tiles = [drawn[top : top + 640, :, ::-1].transpose(2, 0, 1) for top in range(0, drawn.shape[0] - 639, 640)]
    assert len(tiles) >= 10
    return sum(len(detector.detect(np.ascontiguousarray(tile))) for tile in tiles)


@pytest.mark.slow
def test_no_face_is_found_in_the_rendered_report(tmp_path: Path) -> None:
    found = sample.evidence()
    page = render(build(canonical_json(found), sample.conclusions(found), ReportFacts()))
    assert faces(page, tmp_path) == 0


@pytest.mark.slow
@pytest.mark.assets
def test_a_face_that_stood_in_the_report_would_be_found(assets: Path, tmp_path: Path) -> None:
    with av.open(str(assets / "video" / "classroom_720p25.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    coded = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    assert faces(f'<img alt="" src="data:image/png;base64,{coded}">', tmp_path) >= 3
