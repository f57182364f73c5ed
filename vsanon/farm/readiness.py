"""What a machine lacks to work on a plan: versions, models, sources, and places to write."""

import os
from collections.abc import Callable
from functools import partial

from vsanon.encode import require_encoder
from vsanon.encode.presets import load
from vsanon.errors import VsanonError
from vsanon.farm.plan import FilePlan, Plan
from vsanon.farm.plan_fit import versions
from vsanon.job.doctor import Finding
from vsanon.models.store import locate


def examine(plan: Plan) -> list[Finding]:
    """Look at everything that a chunk of the plan needs on this machine; sources by size only."""
    found, here = [], versions()
    for name, wanted in plan.versions.items():
        own = here.get(name)
        same = own == wanted
        found.append(Finding(name, same, wanted if same else f"the plan wants {wanted}, here is {own}"))
    found.append(_finding("encoder", lambda: _encoder(plan)))
    if plan.work != "render":
        found += _models(plan)
    found += [_finding(f"source {file.id}", partial(_source, file)) for file in plan.files]
    found.append(_finding("folder of the plan", lambda: _folder(plan)))
    return found


class _LackingError(Exception):
    """What is lacking, in words."""


def _finding(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except (_LackingError, VsanonError, OSError) as error:
        return Finding(name, False, str(error))


def _encoder(plan: Plan) -> str:
    require_encoder(plan.preset.encoder)
    if load(plan.settings.preset) != plan.preset:
        raise _LackingError(f"the preset {plan.preset.name} is another one here")
    return plan.preset.encoder


def _models(plan: Plan) -> list[Finding]:
    wanted = {model["name"]: model["sha256"] for file in plan.files for model in file.header["models"]}
    try:
        cards = {card.name: card for used in plan.settings.search.cards().values() for card in used}
    except VsanonError as error:
        return [Finding("models", False, str(error))]
    advice = "bring it: `vsanon models bundle FILE --for PLAN` where it is, `vsanon models import FILE` here"
    found = []
    for name, sha256 in wanted.items():
        card = cards.get(name)
        here = card is not None and card.sha256 == sha256 and locate(card) is not None
        found.append(Finding(f"model {name}", here, sha256 if here else f"{sha256} is not here: {advice}"))
    return found


def _source(file: FilePlan) -> str:
    size = file.source.stat().st_size
    if size != file.bytes:
        raise _LackingError(f"{file.source} has {size} bytes, the plan's has {file.bytes}")
    if not os.access(file.source, os.R_OK):
        raise _LackingError(f"{file.source} can't be read")
    if file.tracks is not None and not file.tracks[0].is_file():
        raise _LackingError(f"{file.tracks[0]} is not here")
    return str(file.source)


def _folder(plan: Plan) -> str:
    folder = plan.path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _LackingError(f"{folder} can't be written")
    return str(folder)
