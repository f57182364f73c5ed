"""docs/strength.md out of the rows of `scripts/measure_strength.py`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vsanon.covering.looks import PROFILES
from vsanon.covering.strength import of_look, percent, unmeasured
from vsanon.validation.attacks import bars
from vsanon.validation.attacks.sheets import CODECS, PLAIN

Row = Mapping[str, Any]

_HEAD = """# How much each look leaves, measured

Faces and text of known content are covered by the public filters, encoded, and attacked. Written by
`scripts/measure_strength.py`, which says how to run it; the same rows stand in
`vsanon/covering/strength.json`, from which the command's help, the ledger and the certificate take their
words.

An attacker knows more here than he would: where each box lies in every frame, which look it is, and he learns
from as many covered pictures as he likes. A figure is the share of tries that came off, with its upper bound
(95 %, by the plate or person); *guess* is what comes off without looking. The strongest of a cell's attackers
is shown.

A look **holds** where the upper bound of every attack is at most {bar:.0f} points above a guess, **does not
hold** where the lower bound of one is above a guess, and else nothing is shown. A look that does not hold is
recorded as not anonymised.
"""

_KINDS = {
    "face": "Drawn people named",
    "real face": "Real people named",
    "text": "Characters of text read",
    "plate": "Characters of plates read",
    "around": "Drawn people named by what is around the mask",
    "real around": "Real people named by what is around the mask",
    "masks": "Real people told apart by the size and motion of their masks",
    "dictionary": "Swatches inverted by a dictionary",
}
_ATTACKERS = """## The attackers

* **trained reader**: for letters and for digits a network of one hidden layer on principal components of what
  is seen around a character; learnt from other texts under the same look through all three codecs.
* **public reader**: the recognition of PP-OCRv6 (small, Apache-2.0) as it comes in the package `rapidocr`, of
  letters and digits alone; it has learnt nothing of looks, and each text counts by the places of its characters.
* **trained linker**: principal components and a discriminant of bare faces, and a network that learnt to tell
  them from covered ones, on other people than those who are named. Drawn people differ in colours, hair,
  beard, glasses and build, each shot in light, turn and ground; three shots each.
* **same cover**: the gallery is given the same look, and pixels are compared (Newton 2005's parrot). Nothing
  is learnt.
* **dlib**: the embedding that comes with `dlib-bin` and `face-recognition-models`, on the real people, of what is
  inside of the box alone; *dlib, same cover* gives the gallery the look as well.
* **every text tried**: the swatches of every entry of a dictionary are compared with those seen: with the noise
  known and not known, no codec between; and through the codecs, under `soft` as well, by a ridge regression from
  what is seen to swatches, learnt from other texts. A plate of 72 px, light and type known.
* **traits**: people of three clips with truth who are seen for 12 frames before and after the middle are named in
  the second half by size, form and spread of steps in the first; place is left out. Every look leaves these. The
  colours and cells of masks are compared by *same cover*.
* Real people: the 40 of the ORL set, grey, each half of the pictures of each the gallery once; pictures of one
  session, so they are easier to name than people in the street. Nothing was trained on them.
* From each likeness that is taken which a person of the gallery has to all that is seen: who is named whatever is
  seen tells nothing.
* A track is 8 frames: the mean of what an attacker says of each, or the mean of the aligned pictures.

## What it does not show

* Attackers with more to learn from are stronger: a rate here is a lower bound of what can be done, *holds*
  means against these. Plates and the class `text` are filled under every look but
  `inpaint`, so plates under the others are those of `strict`; text here is of a class of no such rule (a screen,
  a badge). Larger text under `soft` and `mosaic` was attacked by the dictionary alone, and found.
* Forty people show little: where exactly as many are named as a guess names, the bound is 11 %, and 3.5 % for
  2.5 % are over the bar; more tries of the same people don't narrow it. So `strict` on real faces is
  *not shown* rather than *holds*.
* Drawn people are told apart by colours more than real ones are, and real ones here have no colour.
* Gait, clothes, voice, place: what is around the mask names people by itself, as the last table says.
"""


def markdown(rows: Sequence[Row]) -> str:
    """The page."""
    parts = [_HEAD.format(bar=100 * bars.BAR), *_verdicts(rows), *_missing(rows), *_CHANGED]
    for kind, title in _KINDS.items():
        own = [row for row in rows if row["kind"] == kind]
        if own:
            parts += [f"## {title}\n", *_tables(own), ""]
    return "\n".join([*parts, _ATTACKERS])


_CHANGED = (
    """## What it changed

* `soft` and `mosaic` lost the word: ledgers, certificates and help call them not anonymised, as they do `cosmetic`
  and `inpaint`. Their number of swatches was not lowered: a look is linked by the colours that are left, and what
  leaves none is `strict`, the default, which also covers every plate and text.
* Their frozen noise hides little: a dictionary finds most texts with the seed unknown, and through the codecs, too.
* Text of 24 px is read no better than by a guess under `soft` and `mosaic`, whose swatches are one at that size.
* Criteria `linking_rate` and `reading_rate` hold a matrix to this table: a look that nobody attacked passes none.
""",
)


def _missing(rows: Sequence[Row]) -> Iterable[str]:
    """What nobody has attacked yet, in a sentence."""
    gone = [f"`{look}` ({', '.join(kinds)})" for look in PROFILES if (kinds := unmeasured(look, rows))]
    if gone:
        yield f"Not measured: {'; '.join(gone)}.\n"


def verdict_of(look: str, rows: Sequence[Row]) -> str:
    """What the rows say of a look, by what is left inside of its masks; nothing holds that was attacked in part."""
    found = bars.verdict(of_look(look, rows))
    return bars.OPEN if found == bars.HOLDS and unmeasured(look, rows) else found


def _verdicts(rows: Sequence[Row]) -> Iterable[str]:
    yield "| look | verdict | furthest above a guess |"
    yield "|---|---|---|"
    for look in (PLAIN, *PROFILES):
        own = of_look(look, rows)
        if own:
            top = max(own, key=lambda row: row["rate"] - row["chance"])
            words = f"{_KINDS[top['kind']].lower()}: {_cell(top)}, {top['attacker']}, {top['attack']}"
            yield f"| {'no cover' if look == PLAIN else f'`{look}`'} | {verdict_of(look, rows)} | {words} |"
    yield ""


def _tables(rows: Sequence[Row]) -> Iterable[str]:
    codecs = [c for c in (*CODECS, "none") if any(row["codec"] == c for row in rows)]
    yield "| look | px | n | guess | frames | " + " | ".join(codecs) + " |"
    yield "|---" * (5 + len(codecs)) + "|"
    for look in (PLAIN, *PROFILES):
        for height in sorted({row["height_px"] for row in rows}):
            for frames in sorted({_frames(row) for row in rows}, reverse=True):
                own = [r for r in rows if (r["look"], r["height_px"], _frames(r)) == (look, height, frames)]
                if own:
                    cells = [_strongest([r for r in own if r["codec"] == codec]) for codec in codecs]
                    n, guess = own[0]["n"], percent(own[0]["chance"])
                    yield f"| {look} | {height} | {n} | {guess} | {frames} | " + " | ".join(cells) + " |"


def _frames(row: Row) -> str:
    return (
        "track" if row["attack"].startswith("track") else "one" if row["attack"] == "one frame" else row["attack"]
    )


def _strongest(rows: Sequence[Row]) -> str:
    return _cell(max(rows, key=lambda row: row["rate"])) if rows else "–"


def _cell(row: Row) -> str:
    return f"{percent(row['rate'])} (≤ {percent(row['high'])})"
