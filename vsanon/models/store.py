"""The model store: finds a card's file, pulls it if need be, and verifies it at every load."""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from vsanon.errors import InputError, MissingError, ModelError
from vsanon.files import cache_root, models_folder, read_bytes, sha256_of, write_atomic
from vsanon.models.card import ModelCard, PackageSource, load_card
from vsanon.models.prepare import prepared
from vsanon.models.session import Session

Say = Callable[[str], None]

SHIPPED = Path(__file__).parent / "cards"


def cards() -> dict[str, ModelCard]:
    """All cards by name: those that come with vsanon, then *.yaml of `VSANON_MODELS` and of the cache.

    Raises:
        InputError: a card is not valid, or two different cards have one name.
    """
    folder = models_folder()
    paths = [] if folder is None else sorted(folder.rglob("*.yaml"))
    paths += sorted(_cache().glob("*.yaml"))
    found: dict[str, ModelCard] = {}
    for path, card in [*shipped(), *((path, load_card(path)) for path in paths)]:
        other = found.setdefault(card.name, card)
        if other != card:
            raise InputError(
                f"two model cards have the name {card.name}: {other.path} and {path}. Rename one of them."
            )
    return found


@cache
def shipped() -> tuple[tuple[Path, ModelCard], ...]:
    """The cards that come with vsanon, which don't change while it runs."""
    return tuple((path, load_card(path)) for path in sorted(SHIPPED.glob("*.yaml")))


def locate(card: ModelCard) -> Path | None:
    """The card's file on this machine, None where it is not.

    Looked for among the files that come with vsanon, in the folder that `VSANON_MODELS` names (in its subfolders
    too, under any name), beside the card, and in the cache; only the content's SHA-256 counts.

    Raises:
        InputError: `VSANON_MODELS` names something that is not a folder.
        MissingError: a file there can't be read.
    """
    folder = models_folder()
    candidates = _packaged(card)
    if folder is not None:
        candidates += _named_first(folder.rglob("*.onnx"), card)
    if card.path is not None:
        candidates += _named_first(card.path.parent.glob("*.onnx"), card)
    candidates.append(_cached(card))
    return next((p for p in candidates if p.is_file() and sha256_of(read_bytes(p)) == card.sha256), None)


def fetch(card: ModelCard, say: Say) -> Path:
    """The card's file, pulled into the cache if it is not on this machine.

    Args:
        say: takes one line for each source that is pulled from: what, from where, under which licence.

    Raises:
        InputError: `VSANON_MODELS` names something that is not a folder.
        MissingError: it can't be had. Where `VSANON_MODELS` is set, nothing is pulled.
    """
    found = locate(card)
    if found is not None:
        return found
    tried = [f"{path}: its SHA-256 is {sha256_of(read_bytes(path))}" for path in _impostors(card)]
    folder = models_folder()
    if folder is not None:
        raise MissingError(
            f"the model {card.name} is not in {folder}, which VSANON_MODELS names, nor in the cache "
            f"{_cache()}.{_listed(tried)}\n"
            f"  Put the file with the SHA-256 {card.sha256} there, under any name ending in .onnx;"
            " or unset VSANON_MODELS, and it is pulled."
        )
    from vsanon.models.pull import PullError, pull  # only here: most jobs need no network's modules

    for source in card.sources:
        say(f"Pulling the model {card.name} (licence: {card.licence}) from {source}")
        try:
            content = pull(source)
        except PullError as error:
            tried.append(f"{source}: {error}")
            continue
        if sha256_of(content) == card.sha256:
            try:
                write_atomic(_cached(card), content)
            except OSError as error:
                raise MissingError(
                    f"can't keep the model {card.name} in {_cache()}: {error.strerror}. "
                    "Name a folder that can be written in VSANON_CACHE."
                ) from error
            return _cached(card)
        tried.append(f"{source}: it gave {len(content)} bytes with the SHA-256 {sha256_of(content)}")
    if not card.sources:
        tried.append("its card names no source")
    raise MissingError(
        f"can't get the model {card.name} (SHA-256 {card.sha256}).{_listed(tried)}\n"
        "  Take the file on another machine, then run `vsanon models import FILE` here,"
        " or put it into a folder and name that in VSANON_MODELS."
    )


def load(card: ModelCard, say: Say) -> bytes:
    """The verified content of the card's file, pulled if need be; see `fetch`.

    Raises:
        ModelError: the file changed while it was read.
    """
    path = fetch(card, say)
    content = read_bytes(path)
    if sha256_of(content) != card.sha256:
        raise ModelError(f"{path} has the SHA-256 {sha256_of(content)}, {card.name} wants {card.sha256}")
    return content


def import_file(path: Path, say: Say) -> ModelCard:
    """Copy a model file into the cache, under the card that knows its SHA-256.

    Raises:
        InputError: no card knows it.
        MissingError: it can't be read, or the cache can't be written.
    """
    content = read_bytes(path)
    digest = sha256_of(content)
    known = cards()
    card = next((card for card in known.values() if card.sha256 == digest), None)
    if card is None:
        raise InputError(
            f"{path} (SHA-256 {digest}) is none of the known models: {', '.join(sorted(known))}.\n"
            f"  For a model of your own, write a card and put it into {_cache()}."
        )
    try:
        write_atomic(_cached(card), content)
    except OSError as error:
        raise MissingError(f"can't copy {path} to {_cached(card)}: {error.strerror}") from error
    say(f"Imported {card.name} (licence: {card.licence}) to {_cached(card)}")
    return card


def cache_card(path: Path) -> ModelCard:
    """Copy a card into the cache, so that it is known by its name; errors as for `cards`.

    Raises:
        InputError: it is not valid.
        MissingError: the cache can't be written.
    """
    card = load_card(path)
    try:
        write_atomic(_cache() / f"{card.name}.yaml", read_bytes(path))
    except OSError as error:
        raise MissingError(f"can't copy {path} to {_cache()}: {error.strerror}") from error
    cards()  # which refuses two cards of one name
    return card


def check(say: Say) -> list[tuple[ModelCard, str]]:
    """Each card with its state: `ready: …`, `absent: …` or `damaged: …`; nothing is pulled.

    Args:
        say: takes one line for each model before it is opened.
    """
    return [(card, _state(card, say)) for card in cards().values()]


def _state(card: ModelCard, say: Say) -> str:
    path = locate(card)
    if path is None:
        impostors = _impostors(card)
        if impostors:
            return f"damaged: {impostors[0]} has another SHA-256 than {card.sha256}"
        return "absent: pulled on first use" if card.sources and not models_folder() else "absent"
    say(f"Opening {card.name} from {path}")
    try:
        Session(card, prepared(read_bytes(path), card))
    except ModelError as error:
        return f"damaged: {error}"
    return f"ready: {path}"


def _cache() -> Path:
    return cache_root() / "models"


def _cached(card: ModelCard) -> Path:
    return _cache() / f"{card.sha256}.onnx"


def _named_first(paths: Iterable[Path], card: ModelCard) -> list[Path]:
    """Files named as the card come first, so that most searches hash one file."""
    return sorted(paths, key=lambda path: (path.stem not in (card.name, card.sha256), path))


def _impostors(card: ModelCard) -> list[Path]:
    """Files that are named as the card's but, as `locate` found none, hold something else."""
    folder = models_folder()
    named = [] if folder is None else [p for p in _named_first(folder.rglob("*.onnx"), card) if p.stem == card.name]
    return [p for p in [*named, *_packaged(card), _cached(card)] if p.is_file()]


def _packaged(card: ModelCard) -> list[Path]:
    return [source.path for source in card.sources if isinstance(source, PackageSource)]


def _listed(tried: list[str]) -> str:
    return "".join(f"\n  - {line}" for line in tried)
