"""The report's page: what it says, that every figure on it can be found again, and that foreign text stays text."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import report_sample as sample
from vsanon.errors import InputError
from vsanon.models import load_card
from vsanon.models.store import SHIPPED
from vsanon.reporting.document import build, without_pictures
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.names import encode_names, formats, terms
from vsanon.reporting.pages import render
from vsanon.reporting.pointers import resolve
from vsanon.reporting.words import shown

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "text", "h1", "h2", "h3", "caption", "figcaption"}
VOID = {"meta", "br", "wbr", "link", "img", "input", "hr"}
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{12345*8}} {% raw %} {# #} "
    "photo\u202egpj.exe \x00\x1b[2J"
)
FACTS = ReportFacts(issuer="Example GmbH", issued="2026-11-23")

Json = dict[str, Any]


class Page(HTMLParser):
    """A page's elements in order: (tag, attributes, all text inside)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        assert not self._open, f"not closed: {[tag for tag, _, _ in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = (tag, dict(attrs), list[str]())
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag
        if tag in BLOCKS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for _, _, words in self._open:
            words.append(data)

    def texts(self, tag: str) -> list[str]:
        return ["".join(words) for found, _, words in self.elements if found == tag]

    def figures(self) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, "".join(words)) for _, attrs, words in self.elements if attrs.get("class") == "figure"]


def made(found: Json | None = None, facts: ReportFacts = FACTS) -> Json:
    found = sample.evidence() if found is None else found
    report = build(canonical_json(found), sample.conclusions(found), facts)
    again: Json = json.loads(canonical_json(report))
    return again


@cache
def usual() -> str:
    return render(made())


def words_of(page: str) -> str:
    return " ".join(Page(page).texts("body")[0].split())


def test_the_verdict_stands_first_and_the_fourteen_sections_follow_in_order() -> None:
    page = usual()
    ids = [attrs["id"] for tag, attrs, _ in Page(page).elements if tag == "section" and "id" in attrs]
    assert ids == [f"s{k}" for k in range(1, 15)]
    assert page.index("Verdict: Fail") < page.index("Was anybody exposed?") < page.index('id="s1"')
    words = words_of(page)
    asked = ["Was anybody exposed?", "On what material?", "How sure is it?", "Under which encodes?", "What next?"]
    asked.append("The worst moments")
    assert sorted(asked, key=words.index) == asked


def test_the_first_screen_says_in_one_sentence_why() -> None:
    words = words_of(usual())
    assert (
        "Verdict: Fail The worst figure: boxes of faces covered, 80 % [70 % to 85 %] 1 clip, 1 person, 10 boxes, "
        "in H.264 CRF 45. At least 99 % is asked for." in words
    )
    assert "People: yes. 1 of" in words
    assert "uncovered in at least one frame of at least one encode; the others," in words
    assert "faces fails in H.264 CRF 45; passes in" in words


def test_the_first_screen_tells_boxes_from_people_and_says_what_encodes_are_called() -> None:
    words = words_of(usual()).split("Contents")[0]
    assert "Counted by most criteria: boxes, one for each face or plate in each frame" in words
    assert "(as it came, H.264 at 2 qualities)" in words
    assert "H.264: a format (a way to compress video). CRF: the quality, the other way round" in words
    assert "faces (at least 99 % of boxes of faces covered) fails." in words


def test_words_of_encodes_are_those_that_their_names_use() -> None:
    encodes = {
        "a": {"preset": "h264_abr", "codec": "h264", "axes": {"bit_rate": 60000, "gop": 12, "generations": 1}},
        "b": {"preset": "prores_hq", "codec": "prores", "axes": {}},
        "c": {"preset": None, "codec": None, "axes": {}},
    }
    assert [one["word"] for one in terms(encodes)] == ["H.264 and ProRes", "kbit/s, Mbit/s", "GOP"]
    assert [(one["name"], one["encodes"]) for one in formats({**encodes, "d": encodes["a"]})] == [
        ("H.264", 2),
        ("ProRes", 1),
        ("as it came", 1),
    ]
    assert terms({"c": encodes["c"]}) == []


def test_the_officer_s_part_is_printed_on_two_upright_pages() -> None:
    weasyprint = pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed")
    pages = weasyprint.HTML(string=usual().partition('<nav class="contents"')[0]).render().pages
    assert len(pages) == 2
    assert all(page.height > page.width for page in pages)


def test_cells_and_encodes_are_called_by_what_they_are() -> None:
    found = sample.evidence()
    names = made(found)["views"]["names"]
    assert list(names["encodes"].values()) == ["as it came", "H.264 CRF 23", "H.264 CRF 45"]
    assert names["cells"]["walk/crf_45/balanced/strict/none"] == "walk, H.264 CRF 45, not delivered"
    found["encodes"]["crf_23"]["axes"] = {"bit_rate": 60000, "gop": 12}
    found["encodes"]["crf_45"]["axes"] = {"bit_rate": 2500000, "crf": None}
    assert list(encode_names(found["encodes"]).values())[1:] == ["H.264 60 kbit/s GOP 12", "H.264 2.5 Mbit/s"]
    found["encodes"]["crf_45"]["axes"] = found["encodes"]["crf_23"]["axes"]
    assert encode_names(found["encodes"])["crf_45"] == "H.264 60 kbit/s GOP 12 (h264_crf)"


def test_stills_of_the_evidence_stand_on_the_page_and_go_where_they_are_not_wanted() -> None:
    found = sample.evidence()
    one = {"cell": "walk/crf_45/balanced/strict/none", "class": "face", "identity": 3, "start": 3}
    one |= {"size": [4, 3], "jpeg": "AAAA"}
    found["pictures"] = [
        {**one, "kind": "worst", "frames": [3]},
        {**one, "kind": "strip", "frames": [2, 3, 4]},
        {**one, "kind": "encode", "frames": [0]},
    ]
    page = render(made(found))
    assert page.count('<img src="data:image/jpeg;base64,AAAA"') == 3
    assert all(attrs["alt"] for tag, attrs, _ in Page(page).elements if tag == "img")
    assert "walk, H.264 CRF 45, not delivered: face 3, frame 3" in words_of(page)
    assert json.loads(without_pictures(canonical_json(found))) == {**found, "pictures": []}


def test_coverage_and_quality_are_drawn_over_one_time() -> None:
    found = sample.evidence()
    cell = next(c for c in found["cells"] if c["id"].startswith("walk/crf_45"))
    cell["classes"]["face"]["exposure"]["over_time"] = [1.0, 0.25, None, 1.0]
    cell["picture"] = {"frames": 10, "pix_fmt": "yuv420p", "scores": {}, "over_time": {"vmaf": [90.0, 40.0]}}
    (drawn,) = [text for text in Page(render(made(found))).texts("svg") if text.startswith("Coverage and quality")]
    assert "least coverage: 0.25 at the worst; worst VMAF / 100: 0.4 at the worst." in drawn
    assert "Coverage and quality over time" not in usual()


def test_a_box_of_the_heat_map_leads_to_its_cell() -> None:
    elements = Page(usual()).elements
    links = {attrs["href"] for tag, attrs, _ in elements if tag == "a" and "#cell-" in (attrs.get("href") or "")}
    assert links == {f"#{attrs['id']}" for tag, attrs, _ in elements if tag == "tr" and "id" in attrs}
    assert len(links) == 6


def test_the_page_says_what_it_is_whose_it_is_and_where_it_ends() -> None:
    report = made()
    words = words_of(render(report))
    assert f"Report {report['id']}" in words
    assert "Issuer Example GmbH" in words
    assert "Client not stated" in words
    assert "Issued on 2026-11-23" in words
    assert f"End of report {report['id']} The results relate only to the items tested." in words
    assert "without a claim of accreditation" in words


@pytest.mark.parametrize("case", [sample.evidence, sample.without_truth, sample.all_failed, sample.one_frame])
def test_every_printed_figure_is_found_at_its_pointer_and_printed_as_its_kind(case: Callable[[], Json]) -> None:
    report = made(case())
    figures = Page(render(report)).figures()
    assert len(figures) > 20
    for attrs, text in figures:
        path, kind = attrs["data-path"], attrs["data-as"]
        assert path is not None
        assert kind is not None
        value = resolve(report, path)
        written = attrs.get("value") or attrs["data-value"]
        assert written == json.dumps(value)
        assert text == shown(value, kind)


def test_a_figure_of_the_conclusions_stands_with_its_interval_its_sample_and_its_signature() -> None:
    words = words_of(usual())
    assert "80 % [70 % to 85 %] 1 clip, 1 identity, 10 boxes" in words
    (row,) = [row for row in Page(usual()).texts("tr") if row.startswith("H.264 CRF 45") and "✕ Fail" in row]
    assert " ".join(row.split()) == (
        "H.264 CRF 45 80 % [70 % to 85 %] 1 clip, 1 identity, 10 boxes by hand 99 % ✕ Fail " + sample.SIGNATURE
    )


def test_every_figure_element_says_what_it_depends_on() -> None:
    figures = [text for text in Page(usual()).texts("figure") if "nothing here was measured" not in text]
    assert len(figures) == 4
    assert all("Depends on: " in text for text in figures)


def test_tables_have_captions_headings_have_scope_and_drawings_have_words() -> None:
    page = Page(usual())
    tags = [tag for tag, _, _ in page.elements]
    assert tags.count("caption") == tags.count("table") > 10
    assert all("scope" in attrs for tag, attrs, _ in page.elements if tag == "th")
    drawings = [attrs for tag, attrs, _ in page.elements if tag == "svg"]
    assert len(drawings) == 6
    assert tags.count("desc") == 6
    assert all(attrs["role"] in ("img", "group") and attrs["aria-labelledby"] for attrs in drawings)


def test_ids_are_unique_and_links_lead_somewhere_on_the_page() -> None:
    page = Page(usual())
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [str(attrs["href"]) for tag, attrs, _ in page.elements if tag == "a"]
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_the_page_asks_for_nothing_and_lets_nothing_in() -> None:
    page = Page(usual())
    for _, attrs, _ in page.elements:
        assert not {"src", "srcset", "style", "action"} & set(attrs)
        assert not [name for name in attrs if name.startswith("on")]
    (policy,) = [a["content"] for _, a, _ in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (text,) = page.texts(tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "url(" not in text
        assert "@import" not in text


def test_each_printed_page_carries_the_id_and_its_number() -> None:
    report = made()
    (style,) = Page(render(report)).texts("style")
    assert f'content: "vsanon report {report["id"]}"' in style
    assert "counter(page)" in style


def hostile() -> Json:
    """The sample with HOSTILE wherever a person or a file can put text."""
    found = sample.evidence()
    found |= {"title": HOSTILE, "purpose": HOSTILE, "name": HOSTILE, "deviations": [HOSTILE]}
    text = json.dumps(found)
    for name in ("walk", "crf_45", "balanced", "strict", "faces"):
        text = re.sub(rf'"{name}"', lambda _, name=name: json.dumps(name + HOSTILE), text)
    renamed: Json = json.loads(text)
    renamed["sources"][f"walk{HOSTILE}"] |= {"file_name": HOSTILE, "tags": {HOSTILE: HOSTILE}}
    renamed["sources"]["hall"]["truth"] |= {"note": HOSTILE, "warnings": [HOSTILE]}
    for cell in renamed["cells"]:
        cell["signature"] = HOSTILE
        cell["id"] = "/".join((cell["source"], cell["encode"], cell["setting"], cell["profile"], "none"))
    renamed["cells"][5]["failure"] = {"step": HOSTILE, "kind": HOSTILE, "message": HOSTILE}
    renamed["provenance"]["versions"][HOSTILE] = HOSTILE
    return renamed


def test_hostile_text_is_shown_as_text_everywhere() -> None:
    plain = [tag for tag, _, _ in Page(usual()).elements if tag not in ("bdi", "wbr", "data", "tspan")]
    found = hostile()
    report = build(canonical_json(found), sample.conclusions(found), ReportFacts(issuer=HOSTILE, notes=HOSTILE))
    rendered = render(json.loads(canonical_json(report)))
    page = Page(rendered)
    assert page.texts("script") == Page(usual()).texts("script")
    assert {tag for tag, _, _ in page.elements} == {*plain, "bdi", "wbr", "data", "tspan"}
    assert not [name for _, attrs, _ in page.elements for name in attrs if name.startswith("on")]
    words = words_of(rendered)
    assert "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{12345*8}} {% raw %} {# #}" in words
    assert "98760" not in rendered
    assert "photo⟨U+202E⟩gpj.exe ⟨U+0000⟩⟨U+001B⟩[2J" in words
    seen = re.sub(r' data-path="[^"]*"', "", rendered)
    assert "\u202e" not in seen
    assert "\x00" not in seen


def test_a_name_of_ten_thousand_characters_is_whole_and_cut_only_in_drawings() -> None:
    long = "A" * 10_000
    found = json.loads(json.dumps(sample.evidence()).replace('"walk', f'"{long}'))
    page = Page(render(made(found)))
    assert long in page.texts("bdi")
    assert not [text for text in page.texts("text") if "A" * 41 in text]


def test_failed_cells_are_listed_with_their_reason_and_the_verdict_is_not_pass() -> None:
    words = words_of(usual())
    assert "Mend the 1 of 6 cells that failed (section 9)" in words
    assert "hall, H.264 CRF 45, not delivered encode MissingError this ffmpeg has no encoder libx264" in words
    assert "Verdict: Pass" not in words


def test_without_truth_the_page_says_that_nothing_is_known_of_what_was_missed() -> None:
    words = words_of(render(made(sample.without_truth())))
    assert "2 of 2 sources came without truth: what was missed in hall and walk is not known." in words
    assert "not measured: there is no truth of class face" in words
    assert "There is no cell with truth, so nothing can be said of exposure over time." in words
    assert "100.00 %" not in words


def test_where_every_cell_failed_nothing_is_drawn_as_measured() -> None:
    page = Page(render(made(sample.all_failed())))
    assert "Nothing was measured." in " ".join(page.texts("td"))
    maps = [text for text in page.texts("svg") if text.startswith("Coverage of class face")]
    assert len(maps) == 1
    assert maps[0].count("! failed") == 6


def test_one_frame_is_drawn_and_said_as_one_frame() -> None:
    words = words_of(render(made(sample.one_frame())))
    assert "from 0 up to, not including, 1" in words
    assert "identity 3 1 of 1 frames" in words


def test_what_was_not_asked_for_is_said_not_to_be_tested() -> None:
    report = made()
    assert "Nothing was searched for plates." in report["not_tested"]
    assert any("logos, tattoos" in sentence for sentence in report["not_tested"])


def test_the_report_says_that_it_holds_no_pictures() -> None:
    page = usual()
    assert "No pictures are shown" in page
    assert "<img" not in page
    assert "<image" not in page


def test_a_model_is_described_by_its_card() -> None:
    (card,) = made()["model_cards"]
    assert card["training"] == "WIDER FACE (training set)"
    assert len(card["limits"]) == 3


def test_two_cards_of_one_file_are_told_apart_by_their_names() -> None:
    exact, quick = (load_card(SHIPPED / f"{name}.yaml") for name in ("centerface", "centerface_int8"))
    assert exact.sha256 == quick.sha256
    found = sample.evidence()
    found["provenance"]["models"] = [card.facts for card in (exact, quick)]
    assert [card["limits"] for card in made(found)["model_cards"]] == [list(exact.limits), list(quick.limits)]


def test_an_unknown_model_is_stated_as_far_as_it_is_known() -> None:
    found = sample.evidence()
    found["provenance"]["models"] = [{"name": "own", "sha256": "0" * 64}]
    report = made(found)
    assert report["model_cards"][0]["licence"] is None
    assert "Licence not stated" in words_of(render(report))


@pytest.mark.parametrize(
    "case", [sample.evidence, sample.without_truth, sample.all_failed, sample.one_frame, hostile]
)
def test_the_report_is_as_its_schema_says(case: Callable[[], Json]) -> None:
    schema = json.loads((ROOT / "reports" / "report.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(made(case()))


def without_optional(value: Any, schema: Json, root: Json) -> Any:
    """`value` without each key that its schema does not ask for; a key that it doesn't know stays."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        fits = [
            one
            for one in schema["anyOf"]
            if jsonschema.Draft202012Validator({**one, "$defs": root["$defs"]}).is_valid(value)
        ]
        return without_optional(value, fits[0], root) if fits else value
    if isinstance(value, dict):
        known, required = schema.get("properties", {}), list(schema.get("required", []))
        required += [key for one in schema.get("oneOf", []) for key in one["required"]]
        other = schema.get("additionalProperties")
        return {
            key: without_optional(inside, known.get(key) or (other if isinstance(other, dict) else {}), root)
            for key, inside in value.items()
            if key in required or key not in known
        }
    if isinstance(value, list) and "items" in schema:
        return [without_optional(inside, schema["items"], root) for inside in value]
    return value


def test_a_page_is_made_of_evidence_that_lacks_what_its_schema_lets_it_lack() -> None:
    schema = json.loads((ROOT / "vsanon" / "schema" / "evidence.schema.json").read_text("utf-8"))
    whole = sample.evidence()
    lean = without_optional(whole, schema, schema)
    assert "every" not in lean["sources"]["walk"]
    jsonschema.Draft202012Validator(schema).validate(lean)
    report = build(canonical_json(lean), sample.conclusions(whole), FACTS)
    assert "Verdict: Fail" in render(json.loads(canonical_json(report)))


def test_another_kind_of_file_is_no_evidence() -> None:
    with pytest.raises(InputError, match="not JSON"):
        build(b"\xff", {}, FACTS)
    with pytest.raises(InputError, match="reads version 2"):
        build(b'{"vsanon_evidence": 1}', {}, FACTS)
    with pytest.raises(InputError, match="reads version 2"):
        build(b"[]", {}, FACTS)


def test_evidence_that_is_not_as_its_schema_says_is_refused_with_the_place() -> None:
    evidence = sample.evidence()
    del evidence["cells"][1]["classes"]
    with pytest.raises(InputError, match=r"\$\.cells\[1\]: 'classes' is a required property"):
        build(canonical_json(evidence), {}, FACTS)


@pytest.mark.slow
def test_the_same_evidence_gives_the_same_bytes_whatever_the_order_of_sets() -> None:
    code = (
        "import hashlib, json\n"
        "from tests.support import report_sample as s\n"
        "from vsanon.reporting.document import build\n"
        "from vsanon.reporting.facts import ReportFacts, canonical_json\n"
        "from vsanon.reporting.junit import to_junit\n"
        "from vsanon.reporting.pages import render\n"
        "e = s.evidence(); r = build(canonical_json(e), s.conclusions(e), ReportFacts())\n"
        "print(hashlib.sha256(canonical_json(r) + render(r).encode() + to_junit(r)).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=1800,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_a_house_replaces_one_template_and_the_rest_is_taken_from_vsanon(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("body { color: rebeccapurple }")
    page = Page(render(made(), tmp_path))
    assert page.texts("style") == ["body { color: rebeccapurple }"]
    assert "Verdict: Fail" in "".join(page.texts("h2"))
    (tmp_path / "report.html").write_text("{{ report.id }} {{ report.facts.notes | name }}")
    report = made(facts=ReportFacts(notes="<b>"))
    assert render(report, tmp_path) == f'{report["id"]} <bdi class="name">&lt;b&gt;</bdi>'


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ report.__init__.__globals__ }}", "unsafe"),
        ("{{ csp.__globals__ }}", "unsafe"),
        ('{% include "/etc/hostname" %}', "hostname"),
        ('{% include "../../pyproject.toml" %}', "pyproject"),
        ("line one\n{{ report.nothing }}", r"report\.html, line 2"),
        ("one\n\n{% if %}", r"report\.html, line 3"),
        ("{{ 5 | num }}", "prints numbers of the report"),
        ('{{ report.evidence.confidence | num("parsecs") }}', "parsecs"),
    ],
)
def test_a_template_that_reaches_out_or_errs_is_refused_and_named(
    template: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(template)
    with pytest.raises(InputError, match=words):
        render(made(), tmp_path)


def test_a_style_that_would_end_its_element_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("</style><script>")
    with pytest.raises(InputError, match=r"report\.css"):
        render(made(), tmp_path)


@pytest.mark.parametrize(("template", "words"), [("{{ range(10**9) }}", "Range too big"), ("{{ 1 // 0 }}", "zero")])
def test_an_expression_of_a_template_that_fails_is_told_and_no_traceback(
    template: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text(template)
    with pytest.raises(InputError, match=rf"report\.html, line 1.*{words}"):
        render(made(), tmp_path)


def test_a_template_that_links_out_of_its_folder_shows_nothing_of_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "glance.html").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="a link out of its folder"):
        render(made(), tmp_path / "own")


def test_a_template_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        render(made(), tmp_path / "missing")


def test_the_first_screen_says_how_many_known_boxes_do_not_count() -> None:
    """Whoever marks what was missed as not counting passes, and a reader has to see it: 7 and 1 of two clips."""
    found = sample.evidence()
    classes = [source["truth"]["classes"] for source in found["sources"].values() if source["truth"]["classes"]]
    boxes = sum(own["face"]["boxes"] for own in classes)
    classes[0]["face"]["ignored"] = 7
    said = f"8 of {boxes + 8} known boxes of faces are marked as not counting"
    assert said in words_of(render(made(found))).split("How sure is it?")[0]
