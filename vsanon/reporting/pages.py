"""The report as a page: jinja2, sandboxed and autoescaped, over vsanon's templates or a house's own."""

import base64
import hashlib
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from vsanon.errors import InputError
from vsanon.reporting import figures, sweep_charts
from vsanon.reporting.facts import ReportFacts
from vsanon.reporting.pointers import Branch, Real, Whole, at
from vsanon.reporting.words import (
    CONDITION_WORDS,
    DEFINITIONS,
    IDENTITIES,
    METRICS,
    OUTCOMES,
    TRIALS,
    counted_of,
    exact,
    share_kind,
    short,
    shown,
    visible,
)

PAGE = "report.html"

_OF_EXPRESSIONS = (ArithmeticError, TypeError, ValueError, LookupError, AttributeError)
"""What an expression of a house's own template may raise."""


def templates() -> Path:
    """The folder of vsanon's own templates: of the checkout, or of the installed wheel."""
    packaged = Path(str(resources.files("vsanon"))) / "report_templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "reports" / "templates"


def render(report: dict[str, Any], template: Path | None = None, page: str = PAGE, **more: Any) -> str:
    """A page of the report.

    Args:
        report: see `vsanon.reporting.document`.
        template: a folder of a house's own templates; a file that it lacks is taken from vsanon's.
        page: which template.
        more: what this page needs besides; documented in reports/templates/README.md.

    Raises:
        InputError: the folder is none, or a template can't be read or rendered; the message names file and line.
    """
    if template is not None and not template.is_dir():
        raise InputError(f"--template {template} is no folder. Give one with a {PAGE}, or leave it out.")
    folders = ([template] if template is not None else []) + [templates()]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([_Templates(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    _equip(environment)
    try:
        return environment.get_template(page).render(report=at(report), **{k: at(v) for k, v in more.items()})
    except TemplateSyntaxError as error:
        where = f"{error.filename or error.name or page}, line {error.lineno}"
        raise InputError(f"template {where}: {error.message}.") from error
    except SecurityError as error:
        raise InputError(
            f"template {page}: {error}. Templates are sandboxed; they see the report alone."
        ) from error
    except TemplateError as error:
        line = _line(error)
        raise InputError(f"template {page}{line}: {error}. See reports/templates/README.md.") from error
    except _OF_EXPRESSIONS as error:
        if template is None:
            raise
        raise InputError(f"template {page}{_line(error)}: {error}. See reports/templates/README.md.") from error


class _Templates(FileSystemLoader):
    """The templates of a folder, and nothing that links in it lead to elsewhere: they see the report alone."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """As of `FileSystemLoader`."""
        for folder in map(Path, self.searchpath):
            if not (folder / template).resolve().is_relative_to(folder.resolve()):
                raise InputError(f"template {folder / template}: a link out of its folder: copy the file there")
        return super().get_source(environment, template)


def _equip(environment: ImmutableSandboxedEnvironment) -> None:
    environment.filters.update(
        {"name": named, "short": short, "num": numbered, "figure": figured, "json": _json_text, "word": _word}
    )
    environment.globals.update(
        {
            "csp": _csp(environment),
            "style": _inline(environment, "style"),
            "script": _inline(environment, "script"),
            "METRICS": METRICS,
            "DEFINITIONS": DEFINITIONS,
            "counted_of": counted_of,
            "share_kind": share_kind,
            "OUTCOMES": OUTCOMES,
            "BANDS": figures.BANDS,
            "CONDITIONS": CONDITION_WORDS,
            "FACTS": tuple(ReportFacts.__slots__),
            "heat_map": pass_context(_drawing(figures.heat_map)),
            "recall_chart": pass_context(_drawing(figures.recall_chart)),
            "precision_chart": pass_context(_drawing(sweep_charts.precision_chart)),
            "miss_chart": pass_context(_drawing(sweep_charts.miss_chart)),
            "series": pass_context(lambda context, curve: figures.series_name(context["report"], curve)),
            "quality_over_time": pass_context(_drawing(figures.quality_over_time)),
            "timeline": pass_context(_drawing(figures.timeline)),
            "literature_chart": pass_context(
                lambda context, identity: figures.literature_chart(context["report"], identity)
            ),
        }
    )


def named(text: object) -> Markup:
    """Foreign text: escaped, isolated in its reading direction, free to break anywhere, best after a slash."""
    parts = Markup("/<wbr>").join(visible(str(text)).split("/"))
    return Markup('<bdi class="name">{}</bdi>').format(parts)


def numbered(value: Any, kind: str = "number") -> Markup:
    """One number with its pointer into report.json; "not measured" with its reason, or – where there is none."""
    if value is None:
        return Markup('<span class="absent">none</span>')
    if isinstance(value, Branch) and "not_measured" in value:
        return Markup('<span class="absent">not measured: {}</span>').format(named(value["not_measured"]))
    if not isinstance(value, Whole | Real):
        raise InputError(f"`num` prints numbers of the report, got {type(value).__name__}; text has `name`.")
    return Markup('<data class="figure" data-path="{}" data-as="{}" value="{}">{}</data>').format(
        value.path, kind, exact(value), shown(value, kind)
    )


def figured(value: Any, kind: str = "share", metric: str = "", name: str | None = None) -> Markup:
    """A figure of the conclusions: the estimate, its interval and its sample, each with its pointer.

    Of the class `name`, identities are called by what they are.
    """
    if value is None or "not_measured" in value:
        return numbered(value)
    trials = TRIALS.get(metric, "trials")
    ends = (kind, kind)
    if kind == "share":
        people = value.get("n_identities")
        kind = share_kind(None if people is None else int(people))
        ends = (f"{kind}_from", f"{kind}_to")
    sample = [
        Markup("{} {}").format(numbered(value[key], "count"), words if value[key] != 1 else singular)
        for key, words, singular in (
            ("n_clips", "clips", "clip"),
            ("n_identities", *IDENTITIES.get(name or "", ("identities", "identity"))),
            ("n_trials", trials, trials.removesuffix("s").replace("boxe", "box").replace("identitie", "identity")),
        )
        if value.get(key) is not None and not (key == "n_trials" and trials == "identities")
    ]
    return Markup(
        '<span class="estimate">{}</span> <span class="interval">[{} to {}]</span> <span class="sample">{}</span>'
    ).format(
        numbered(value["estimate"], kind),
        numbered(value["low"], ends[0]),
        numbered(value["high"], ends[1]),
        Markup(", ").join(sample),
    )


def _drawing(draw: Callable[[Any, Any, str], Markup]) -> Callable[[Context, Any, str], Markup]:
    return lambda context, view, identity: draw(view, context["report"], identity)


def _word(value: object) -> str:
    """A key of the report as words: `sampling_plan` as "Sampling plan"."""
    text = str(value).replace("_", " ")
    return text[:1].upper() + text[1:]


def _json_text(value: Any) -> str:
    """A part of the report as one line of JSON."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Branch):
        return {key: _plain(inside) for key, inside in value.items()}
    return [_plain(inside) for inside in value] if hasattr(value, "_values") else value


def _finalized(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(environment: ImmutableSandboxedEnvironment, file: str, context: Context) -> str:
    """A file of the template folder, itself rendered: print styles name the report's id."""
    text = environment.get_template(file).render(report=context["report"])
    if "</" in text.lower():
        raise InputError(f"template {file}: it must not hold `</`, which would end its element in the page.")
    return text


def _inline(environment: ImmutableSandboxedEnvironment, tag: str) -> Callable[..., Markup]:
    @pass_context
    def inline(context: Context, file: str) -> Markup:
        return Markup(f"<{tag}>{_source(environment, file, context)}</{tag}>")

    return inline


def _csp(environment: ImmutableSandboxedEnvironment) -> Callable[..., Markup]:
    @pass_context
    def csp(context: Context, style: str, script: str | None = None) -> Markup:
        """A policy that lets nothing in but the page's own style and script, by their SHA-256."""
        hashes = [
            base64.b64encode(hashlib.sha256(_source(environment, file, context).encode()).digest()).decode()
            for file in (style, script)
            if file is not None
        ]
        scripts = f"script-src 'sha256-{hashes[1]}'; " if script is not None else ""
        return escape(
            f"default-src 'none'; style-src 'sha256-{hashes[0]}'; {scripts}img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )

    return csp


def _line(error: BaseException) -> str:
    """The line of the template that an error came from, where it is known."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith((".html", ".css", ".js")):
            line = f" ({Path(name).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return line
