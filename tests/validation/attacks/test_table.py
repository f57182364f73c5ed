"""The measured table: what it says of a look is what the product says, in code, page and words."""

from pathlib import Path

import pytest

from vsanon.covering.effects import method_of
from vsanon.covering.looks import NOT_ANONYMISED, PROFILES, STRENGTHS
from vsanon.covering.strength import measured, percent, rows, worst
from vsanon.validation.attacks import bars
from vsanon.validation.attacks.pages import markdown, verdict_of
from vsanon.validation.attacks.sheets import PLAIN

PAGE = Path(__file__).parents[3] / "docs" / "strength.md"


def row(look: str, rate: float, kind: str = "face", **more: object) -> dict[str, object]:
    own = {"kind": kind, "look": look, "height_px": 48, "codec": "H.264 CRF 18", "attack": "one frame",
           "attacker": "trained linker", "n": 100, "tries": 300, "rate": rate, "low": rate - 0.05,
           "high": rate + 0.05, "chance": 0.01}  # fmt: skip
    return {**own, **more}


def test_no_look_is_called_anonymised_that_an_attack_broke() -> None:
    broken = {look for look in PROFILES if verdict_of(look, rows()) == bars.BROKEN}
    assert broken <= NOT_ANONYMISED
    assert "strict" not in NOT_ANONYMISED
    assert {"soft", "mosaic"} <= broken


def test_the_attackers_are_strong_on_what_is_not_covered() -> None:
    for kind in ("real face", "text"):
        strongest = worst(PLAIN, kind, rows())
        assert strongest is not None
        assert strongest["rate"] > 0.8, kind


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(rows())


def test_each_look_says_what_was_measured_of_it() -> None:
    assert all(STRENGTHS[look].endswith(measured(look, rows())) for look in PROFILES)
    assert "measured: " in STRENGTHS["strict"]
    assert "measured: " in STRENGTHS["soft"]


def test_the_attack_that_came_furthest_is_said_and_what_is_around_is_not() -> None:
    table = [row("soft", 0.2), row("soft", 0.4), row("soft", 0.9, "around"), row("strict", 0.012)]
    rest = "; not measured: real people, text, plates"
    assert measured("soft", table) == "; measured: 100 drawn people in 40 % (1.0 %)" + rest
    assert measured("strict", table) == "; measured: 100 drawn people in 1.2 % (1.0 %)" + rest
    assert measured("inpaint", table) == "; not measured: real people, drawn people, text, plates"
    assert (verdict_of("soft", table), verdict_of("strict", table)) == (bars.BROKEN, bars.OPEN)
    whole = [row("strict", 0.012, kind) for kind in ("face", "real face", "text", "plate")]
    assert verdict_of("strict", whole) == bars.HOLDS


def test_plates_under_a_look_that_fills_them_are_those_of_strict_and_under_inpaint_its_own() -> None:
    table = [row("strict", 0.08, "plate")]
    assert measured("soft", table).startswith("; measured: characters of 100 plates in 8.0 % (1.0 %); not measured")
    assert "plates" in measured("inpaint", table).partition("not measured: ")[2]
    painted = {look for look in PROFILES if method_of("plate", look) == method_of("plate", "strict")}
    assert {look for look in PROFILES if worst(look, "plate", table)} == painted


@pytest.mark.parametrize(("share", "words"), [(0.0, "0.0 %"), (0.0994, "9.9 %"), (0.0996, "10 %"), (1.0, "100 %")])
def test_shares_are_said_to_a_tenth_below_ten(share: float, words: str) -> None:
    assert percent(share) == words


def test_a_cell_of_the_page_has_its_strongest_attacker_and_its_upper_bound() -> None:
    page = markdown([row("soft", 0.2, attacker="same cover"), row("soft", 0.4)])
    assert "| soft | 48 | 100 | 1.0 % | one | 40 % (≤ 45 %) |" in page
    assert "| `soft` | does not hold | drawn people named: 40 % (≤ 45 %), trained linker, one frame |" in page
