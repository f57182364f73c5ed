"""The wheel holds all that runs from it, and nothing else; it works where there is no checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import vsanon

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv to build a wheel with")
    out = tmp_path_factory.mktemp("wheel")
    argv = [uv, "build", "--wheel", "--python", sys.executable, "--out-dir", str(out), str(ROOT)]
    built = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1800)
    if "resolve requirements from `build-system.requires`" in built.stderr:
        pytest.skip(f"the build backend can't be had: {built.stderr.strip().splitlines()[-1].strip()}")
    assert built.returncode == 0, built.stderr
    (file,) = out.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder)
    return folder


def data_files() -> set[str]:
    """What is no Python beside the modules (cards, weights, schemas, templates), as the wheel names it."""
    found = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "vsanon").rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc") and not file.name.startswith(".")
    }
    found |= {f"vsanon/ffmpeg_presets/{file.name}" for file in (ROOT / "ffmpeg_presets").glob("*.yaml")}
    found |= {f"vsanon/matrices/{file.name}" for file in (ROOT / "matrices").glob("*.yaml")}
    return found | {f"vsanon/report_templates/{file.name}" for file in (ROOT / "reports" / "templates").iterdir()}


def run_from(unpacked: Path, cwd: Path, code: str) -> str:
    """What `code` prints in a folder without a checkout, with the wheel's files alone as vsanon."""
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=1800
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_preset_card_schema_and_weight(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = data_files()
    assert "vsanon/ffmpeg_presets/prores_hq.yaml" in wanted
    assert "vsanon/models/cards/centerface.yaml" in wanted
    assert "vsanon/py.typed" in wanted
    assert "vsanon/report_templates/report.html" in wanted
    assert sorted(wanted - inside) == []


def test_the_wheel_holds_every_module(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    assert inside == {file.relative_to(ROOT).as_posix() for file in (ROOT / "vsanon").rglob("*.py")}


def test_the_wheel_holds_no_tests_and_nothing_beside_the_package_and_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    info = f"vsanon-{vsanon.__version__}.dist-info/"
    assert [name for name in names if not name.startswith(("vsanon/", info))] == []
    assert [name for name in names if re.search(r"(^|/)(tests?|test_[^/]*|conftest\.py)(/|$)", name)] == []
    assert f"{info}licenses/LICENSE" in names


def test_presets_and_models_are_found_from_the_wheel_without_a_checkout(unpacked: Path, tmp_path: Path) -> None:
    where = run_from(unpacked, tmp_path, "import vsanon; print(vsanon.__file__)")
    assert Path(where.strip()) == unpacked / "vsanon" / "__init__.py"
    shown = run_from(unpacked, tmp_path, "from vsanon.cli.main import main; main(['presets', 'show', 'prores_hq'])")
    assert "-c:v prores_ks -profile:v hq" in shown
    listed = run_from(unpacked, tmp_path, "from vsanon.cli.main import main; main(['models', 'list'])")
    assert {line.split()[0] for line in listed.splitlines()} == {
        card.stem for card in (ROOT / "vsanon" / "models" / "cards").glob("*.yaml")
    }
