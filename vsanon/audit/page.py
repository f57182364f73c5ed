"""The audit as one HTML page: no script, no request; a timeline for each target, and a wipe between both clips."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from vsanon.audit.judging import Level
from vsanon.audit.pictures import Pair

_COLOURS = {
    Level.BARE: "#b3261e",
    Level.PARTLY: "#e07a1f",
    Level.WEAK: "#d9b300",
    Level.COVERED: "#2e7d4f",
    Level.UNTOLD: "#8a8f98",
}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-size: 1.3rem; font-weight: 700; border-left: .4rem solid; padding: .4rem 1rem; margin: 1rem 0; }
.pass { border-color: #2e7d4f; } .fail { border-color: #b3261e; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .6rem .25rem 0;
  vertical-align: top; border-bottom: 1px solid #8886; } th { width: 7rem; } td.n, th.n { text-align: right; }
bdi, code { overflow-wrap: anywhere; } svg { display: block; width: 100%; height: 1.1rem; margin: .2rem 0; }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
.k0 { background: #b3261e; } .k1 { background: #e07a1f; } .k2 { background: #d9b300; } .k3 { background: #2e7d4f; }
.k4 { background: #8a8f98; } .what { opacity: .75; }
figure { margin: 1rem 0; } .wipe { position: relative; container-type: inline-size; line-height: 0; }
.wipe * { box-sizing: border-box; }
.wipe img { width: 100cqw; max-width: none; } .wipe div { position: absolute; inset: 0 auto 0 0; width: 50%;
  min-width: 1.2rem; max-width: 100%; overflow: hidden; resize: horizontal; border-right: 2px solid #ffd200; }
label { margin-right: 1rem; } .one:checked ~ .wipe div { width: 100% !important; }
.other:checked ~ .wipe div { width: 0 !important; min-width: 0; border: 0; }
@media (max-width: 40rem) { th { width: 5rem; } .files td { display: block; } }
"""


def page(audit: Mapping[str, Any], pairs: Sequence[Pair] = ()) -> str:
    """The page of an audit, see `conclude`; with pictures of some frames, see `pictures`."""
    lock = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    verdict = audit["verdict"]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{lock}'; "
        'img-src data:">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>Audit: {verdict.upper()}</title><style>{_STYLE}</style></head><body>",
        "<h1>Audit of a redacted file</h1>",
        f'<p class="what">{_name(audit["redacted"]["name"])} against {_name(audit["raw"]["name"])}</p>',
        f'<div class="verdict {verdict}">{verdict.upper()}</div>',
        _list(audit["reasons"]) if audit["reasons"] else f"<p>{escape(PASSED)}</p>",
        "<h2>Files</h2>",
        _files(audit),
        "<h2>Alignment</h2>",
        f"<p>{escape(in_words(audit))}</p>",
        "<h2>Targets</h2>",
        _targets(audit["targets"], int(audit["raw"]["frames"])),
        *_wipes(pairs),
        "<h2>Outside the targets</h2>",
        f"<p>{escape(outside_in_words(audit))}</p><p>{escape(residual_in_words(audit))}</p>",
        "<h2>What else leaves with the file</h2>",
        _leaks(audit["leaks"]),
        f'<p class="what">Made by vsanon {escape(audit["vsanon"])}. What an audit can tell, and what it cannot, '
        "stands in its documentation, audit.md.</p>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


PASSED = (
    "Every target that can be told is covered: nothing that follows the original was found in it. That is no "
    "promise that nobody can be recognised by gait, clothes, voice or place."
)


def in_words(audit: Mapping[str, Any]) -> str:
    """How the files lie to each other."""
    found = audit["alignment"]
    if not found["found"]:
        return f"not aligned: {found['why']}"
    how = "as stated" if found["offset_stated"] else "by content"
    offset, rate = found["offset_frames"], found["frames_of_raw_for_each"]
    pace = "frame for frame" if rate == "1" else f"{rate} frames of it for each"
    return (
        f"{how}: the first redacted frame shows frame {offset} of the original, {pace}; {found['place']}; "
        f"likeness {found['likeness']}"
    )


def outside_in_words(audit: Mapping[str, Any]) -> str:
    """What was changed beside the targets."""
    found = audit["outside"]
    if found is None:
        return "what lies outside the targets was not compared"
    return (
        f"outside the targets {found['changed_mean']:.1%} of the picture was changed beyond the codec's noise, "
        f"at most {found['changed_most']:.1%} in redacted frame {found['most_frame']}"
    )


def hidden_in_words(audit: Mapping[str, Any]) -> str:
    """How many boxes lie in frames that the redacted clip does not show; nothing where all are shown."""
    found = audit["targets"]
    hidden = found["boxes"] - found["judged"] if audit["alignment"]["found"] else 0
    return f"{hidden} boxes are in frames of the original that the redacted clip does not show" if hidden else ""


def residual_in_words(audit: Mapping[str, Any]) -> str:
    """What a detector still finds."""
    found = audit["residual"]
    if not found["searched"]:
        return "the redacted clip was not searched for what still looks like a face or plate"
    return (
        f"a detector finds {found['detections']} faces and plates of score {found['least_score']} and more in the "
        f"redacted clip: {found['on_bare']} on targets that show, {found['on_untold']} on those that can't be "
        f"told, {found['on_covered']} on covered ones, {found['elsewhere']} elsewhere"
    )


def _name(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_name(line)}</li>" for line in lines) + "</ul>"


def _files(audit: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><th>{role}</th><td>{_name(f['name'])}<br><code>{f['sha256']}</code></td>"
        f"<td>{f['size'][0]}x{f['size'][1]}, {f['frames']} frames at {escape(f['fps'])}, "
        f"{_name(f['codec'])}</td></tr>"
        for role, f in (("original", audit["raw"]), ("redacted", audit["redacted"]))
    ]
    return '<table class="files">' + "".join(rows) + "</table>"


def _targets(targets: Mapping[str, Any], frames: int) -> str:
    levels = targets["levels"]
    boxes = f"{targets['judged']} of {targets['boxes']} boxes"
    said = f"{targets['count']} targets from: {targets['from']}; {boxes} shown."
    key = "".join(f'<span class="k{i}"></span>{escape(v)} {levels[v.value]}' for i, v in enumerate(Level))
    rows = []
    for target in targets["list"]:
        worst = target["worst"]
        more = "" if worst is None else f"; most in frame {worst['frame']}: {worst['level']}, {worst['why']}"
        faults = "; ".join(target["faults"]) or "no fault"
        hidden = f"; {target['not_shown']} frames not shown" if target["not_shown"] else ""
        rows.append(
            f"<tr><th>{_name(target['class'])} {target['id']}</th><td>{_timeline(target, frames)}"
            f"{_name(faults + more + hidden)}</td></tr>"
        )
    return f'<p>{escape(said)}</p><p class="key">{key}</p><table>{"".join(rows)}</table>'


def _timeline(target: Mapping[str, Any], frames: int) -> str:
    """A bar over all frames of the original, a piece for each run."""
    pieces = [
        f'<rect x="{run["start"]}" y="0" width="{run["stop"] - run["start"]}" height="10" '
        f'fill="{_COLOURS[Level(run["level"])]}"><title>{run["start"]}:{run["stop"]} {escape(run["level"])}</title>'
        "</rect>"
        for run in target["runs"]
    ]
    return (
        f'<svg viewBox="0 0 {max(frames, 1)} 10" preserveAspectRatio="none" role="img">'
        f'<rect x="0" y="4.5" width="{frames}" height="1" fill="#8888"/>{"".join(pieces)}</svg>'
    )


def _wipes(pairs: Sequence[Pair]) -> list[str]:
    """The original over the redacted picture, as wide as its lower right corner is drawn: no script is needed."""
    if not pairs:
        return []
    said = (
        "Drag the lower right corner of the left picture to wipe between the original and the redacted frame, or "
        "choose one. "
        "Filled in the original: targets, finds, and all that was changed; in the redacted: targets that show or "
        "can't be told, and finds. Yellow: the targets' boxes."
    )
    return [
        "<h2>Both, side by side</h2>",
        f"<p>{escape(said)}</p>",
        *(
            f'<figure>{_choice(i)}<div class="wipe"><img alt="redacted frame {p.shown}" '
            f'src="data:image/jpeg;base64,{p.redacted}"><div><img alt="original frame {p.frame}" '
            f'src="data:image/jpeg;base64,{p.original}"></div></div><figcaption>original frame {p.frame} (left), '
            f"redacted frame {p.shown}; {p.filled} filled there</figcaption></figure>"
            for i, p in enumerate(pairs)
        ),
    ]


def _choice(number: int) -> str:
    """Both pictures of a wipe or one alone, by keys and fingers, which can't draw a corner."""
    kinds = (("both", "both", " checked"), ("one", "original", ""), ("other", "redacted", ""))
    return "".join(
        f'<input type="radio" class="{kind}" name="w{number}" id="w{number}{kind}"{checked}>'
        f'<label for="w{number}{kind}">{words}</label>'
        for kind, words, checked in kinds
    )


def _leaks(leaks: Sequence[Mapping[str, str]]) -> str:
    if not leaks:
        return "<p>nothing was found</p>"
    return "<table>" + "".join(
        f"<tr><th>{_name(k['what'])}</th><td>{_name(k['detail'])}</td><td>{escape(k['weight'])}</td></tr>"
        for k in leaks
    ) + "</table>"  # fmt: skip
