"""Whether a plan fits where it is worked on: the versions, models, preset and sources that it was made with."""

import os
from collections.abc import Mapping, Sequence

from vsanon.encode.presets import load
from vsanon.errors import InputError
from vsanon.farm.plan import FilePlan, Plan
from vsanon.files import cache_root, sha256_file, sha256_of, write_atomic
from vsanon.job import ledger
from vsanon.job.delivery import stamp
from vsanon.media.best_source import SOURCE_FILTER, best_source_version


def require_fits(plan: Plan, file: FilePlan) -> None:
    """Refuse to work on a file with anything else than what the plan was made with and for.

    Raises:
        InputError: other versions, another preset, another source or other tracks under the same name.
        MissingError: a model is missing.
    """
    for name, wanted in plan.versions.items():
        if (found := versions().get(name)) != wanted:
            raise InputError(
                f"{plan.path}: made with {name} {wanted}, and this machine has {found}: frames would not be the "
                "same. Install that version here, or make the plan anew"
            )
    if load(plan.settings.preset) != plan.preset:
        raise InputError(f"{plan.path}: its preset {plan.preset.name} is another one here: make the plan anew")
    if plan.work != "render":
        cards = {card.name: card for used in plan.settings.search.cards().values() for card in used}
        here = [card.facts for card in cards.values()]
        if here != list(file.header["models"]):
            raise InputError(
                f"{plan.path}: made with the models {_named(file.header['models'])}, and this machine has "
                f"{_named(here)}: bring the same ones here (`vsanon models import FILE`), or make the plan anew"
            )
    require_source(file)
    if file.tracks is not None and sha256_file(file.tracks[0]) != file.tracks[1]:
        raise InputError(f"{file.tracks[0]} was changed after the plan was made: make the plan anew")


def require_source(file: FilePlan) -> None:
    """Refuse another source under the same name.

    All of it is read once on each machine, and then known by what moves whenever it is written to.

    Raises:
        InputError: it is another, or can't be read.
    """
    found = stamp(file.source)
    known = cache_root() / "hashes" / sha256_of(repr((os.fspath(file.source.absolute()), found)).encode())[:32]
    digest = ""
    if found.size == file.bytes:
        try:
            digest = known.read_text()
        except OSError:
            digest = sha256_file(file.source)
            if stamp(file.source) == found:
                write_atomic(known, digest.encode())
    if digest != file.sha256:
        raise InputError(
            f"{file.source} is not the file that the plan was made for, or has changed since: bring that one back, "
            "or make the plan anew"
        )


def versions() -> dict[str, str]:
    """What a result depends on, of this machine; a patch of Python is none of it."""
    found = ledger.versions(f"{SOURCE_FILTER} {best_source_version()}")
    return {name: version for name, version in found.items() if name != "python"}


def _named(models: Sequence[Mapping[str, str]]) -> str:
    return ", ".join(f"{model['name']} ({model['sha256'][:8]})" for model in models) or "none"
