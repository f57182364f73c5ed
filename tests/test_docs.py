"""The papers hold: every page is linked and current, every link, path, command and example is real."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import vsanon
from scripts.pages import pages
from tests.test_public import PUBLIC
from vsanon import schemas
from vsanon.cli.main import main
from vsanon.covering.looks import PROFILES
from vsanon.detections import Origin
from vsanon.detectors.recipes import SETTINGS
from vsanon.encode import presets
from vsanon.reporting.words import METRICS
from vsanon.validation.metrics.conditions import CONDITIONS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
HAND_WRITTEN = [page for page in PAGES if page.name != "command-line.md"]
README_LINES = 120

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_ROOMS = {folder.name for folder in (ROOT / "vsanon").iterdir() if folder.is_dir()}
_TOPS = ("vsanon/", "tests/", "scripts/", "docs/", "reports/", "matrices/", "ffmpeg_presets/", ".ci/")


def links(text: str) -> list[str]:
    return [link for link in _LINK.findall(_BLOCK.sub("", text)) if "://" not in link]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for link in links(text):
        file, _, anchor = link.partition("#")
        target = page if not file else page.parent / file
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


def missing_paths(text: str) -> list[str]:
    """Paths of this repository in code font that are not there; names in capitals stand for any."""
    found = []
    for code in _CODE.findall(_BLOCK.sub("", text)):
        in_a_room = code.partition("/")[0] in _ROOMS and "/" in code
        if " " in code or not (code.startswith(_TOPS) or in_a_room) or re.search(r"[A-Z]{3}|[*…]", Path(code).name):
            continue
        places = [ROOT / "vsanon" / code, ROOT / "vsanon" / f"{code}.py"] if in_a_room else [ROOT / code]
        if not any(place.exists() for place in places):
            found.append(code)
    return found


def commands(text: str) -> list[str]:
    """The vsanon commands in a page's shell blocks, continued lines joined."""
    found = []
    for language, block in _BLOCK.findall(text):
        if language == "sh":
            lines = re.sub(r"\\\n\s*", " ", block).splitlines()
            found += [m[1] for line in lines if (m := re.search(r"(?:^|run (?:--no-dev )?)vsanon (.*)$", line))]
    return found


def wrong_words(line: str) -> list[str]:
    """Commands and options in a command line that vsanon has not."""
    words = shlex.split(line, comments=True)
    context = click.Context(main)
    while isinstance(context.command, click.Group) and words:
        command = context.command.get_command(context, words[0])
        if command is None:
            if context.command.name == "report":  # `report EVIDENCE` is short for `report render EVIDENCE`
                command = context.command.get_command(context, "render")
            else:
                return [words[0]]
        else:
            words = words[1:]
        assert command is not None
        context = click.Context(command, context)
    known = {option for param in context.command.params for option in (*param.opts, *param.secondary_opts)}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in {*known, "--help"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_a_link_to_a_page_or_heading_that_is_not_there_is_noticed() -> None:
    text = "[a](docs/absent.md), [b](#nowhere), [c](docs/formats.md#the-ledger)\n"
    assert broken(ROOT / "README.md", text) == ["docs/absent.md", "#nowhere"]


@pytest.mark.parametrize("page", HAND_WRITTEN, ids=lambda page: page.name)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    assert missing_paths(page.read_text(encoding="utf-8")) == []


def test_a_path_that_is_not_there_is_noticed() -> None:
    text = (
        "`vsanon/errors.py`, `vsanon/sampling.py`, `vsanon/models/cards/NAME.yaml`, `job/ledger`, `job/pictures.py`"
    )
    assert missing_paths(text) == ["vsanon/sampling.py", "job/pictures.py"]


def test_every_page_is_linked_from_the_readme_or_from_what_that_links() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text("utf-8"))}
        waiting += [target for target in targets if target in PAGES and target not in reached]
    assert set(PAGES) - reached == set()


def test_the_pages_that_a_newcomer_needs_are_there() -> None:
    wanted = (
        "architecture scripting command-line correcting validation reports presets evaluation benchmarks glossary "
        "formats intervals same_picture"
    )
    assert set(wanted.split()) - {page.stem for page in (ROOT / "docs").glob("*.md")} == set()


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


@pytest.mark.parametrize("path", sorted(pages()), ids=lambda path: path.name)
def test_what_follows_from_the_code_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "run `python scripts/pages.py`"


@pytest.mark.parametrize("page", HAND_WRITTEN, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one_that_vsanon_has(page: Path) -> None:
    found = commands(page.read_text(encoding="utf-8"))
    assert [(line, wrong) for line in found if (wrong := wrong_words(line))] == []


def test_a_command_or_option_that_vsanon_has_not_is_noticed() -> None:
    assert wrong_words("anonymise IN OUT") == ["anonymise"]
    assert wrong_words("anonymize IN OUT --preset prores_hq --colour red") == ["--colour"]
    assert wrong_words("report RUN/evidence.json -o REPORT --pdf") == []
    assert commands("```sh\npip install uv && uv run --no-dev vsanon demo\nvsanon doctor   # what\n```\n") == [
        "demo",
        "doctor   # what",
    ]


def test_the_public_names_stand_in_the_page_on_scripts() -> None:
    page = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(vsanon[\w.]*)` \| (.*) \|$", page, re.MULTILINE))
    said = {module: set(_CODE.findall(names)) for module, names in rows.items()}
    assert said == {m: set(names.split()) for m, names in PUBLIC.items()} | {"vsanon": set(vsanon.__all__)}


def test_every_metric_stands_in_the_page_on_validation() -> None:
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert [name for name in METRICS if f"`{name}`" not in page] == []


def test_every_key_of_a_matrix_and_every_condition_stands_in_the_page_on_validation() -> None:
    schema: Any = schemas.validator("matrix").schema
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`|\b(\w+):", page))
    words = {word for pair in named for word in pair if word}
    assert {"crf", "takes", "at_least_frames"} <= keys
    assert sorted(keys - words) == []
    assert sorted(set(CONDITIONS) - words) == []
    for kind in ("matrix", "evidence"):
        criterion: Any = schemas.validator(kind).schema["$defs"]["criterion"]
        assert set(CONDITIONS) < set(criterion["properties"]["where"]["propertyNames"]["enum"]), kind


def test_the_glossary_names_every_profile_setting_and_origin() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = {*PROFILES, *SETTINGS, *(origin.name.lower() for origin in Origin)}
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", page)] == []


def test_the_preset_in_the_page_on_presets_is_a_valid_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
    (text,) = [block for language, block in _BLOCK.findall(page) if language == "yaml"]
    (tmp_path / "house_h264.yaml").write_text(text, encoding="utf-8")
    assert "-b:v 12M" in " ".join(presets.command_line(presets.load(tmp_path / "house_h264.yaml")))
    table = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", page, re.MULTILINE))))
    assert table == set(presets.Preset.__dataclass_fields__)


def test_the_matrix_in_the_page_on_validation_is_a_valid_one(tmp_path: Path) -> None:
    from vsanon.validation.runs.matrix import parse

    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    (text,) = [block for language, block in _BLOCK.findall(page) if language == "yaml"]
    assert yaml.safe_load(text)["vsanon_matrix"] == 1
    for name in ("take1.mov", "take1.csv"):
        (tmp_path / name).touch()
    assert len(parse(text, "mine.yaml", tmp_path).cells()) == 4


def test_an_older_python_is_told_which_one_is_needed() -> None:
    code = "import sys; sys.version_info = (3, 11, 2, 'final', 0); exec(open(sys.argv[1]).read())"
    argv = [sys.executable, "-c", code, str(ROOT / "hatch_build.py")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (
        1,
        "vsanon needs Python 3.12 or newer, and this is Python 3.11.2: take a newer one\n",
    )
