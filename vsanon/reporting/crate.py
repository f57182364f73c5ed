"""Where a report comes from, for machines: RO-Crate 1.1 metadata of its folder."""

from typing import Any

from vsanon.files import sha256_of
from vsanon.reporting.facts import canonical_json

Json = dict[str, Any]

CRATE = "ro-crate-metadata.json"

_FORMATS = {".json": "application/json", ".html": "text/html", ".xml": "application/xml", ".pdf": "application/pdf"}


def to_crate(report: Json, files: dict[str, bytes]) -> bytes:
    """The crate's metadata: the test made the evidence of sources by tools and models, vsanon made the rest of it.

    Args:
        report: see `vsanon.reporting.document`.
        files: of the folder by name, evidence.json among them; without the metadata itself and the manifest.

    Returns:
        JSON-LD. Sources are named by their id and SHA-256 alone.
    """
    evidence, facts = report["evidence"], report["facts"]
    tools = [_tool(name, version) for name, version in sorted(evidence["provenance"]["versions"].items())]
    models = [_model(card) for card in report["model_cards"]]
    sources = [_source(name, source) for name, source in sorted(evidence["sources"].items())]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "identifier": report["id"],
        "name": report["title"],
        "description": evidence["purpose"],
        "datePublished": facts["issued"],
        "publisher": facts["issuer"],
        "hasPart": [{"@id": name} for name in sorted(files)],
        "mentions": [{"@id": "#test"}, {"@id": "#report"}],
    }
    test = {
        "@id": "#test",
        "@type": "CreateAction",
        "name": f"vsanon validate run, matrix with SHA-256 {evidence['provenance']['matrix_sha256']}",
        "endTime": facts["tested"],
        "instrument": [{"@id": entry["@id"]} for entry in (*tools, *models)],
        "object": [{"@id": entry["@id"]} for entry in sources],
        "result": {"@id": "evidence.json"},
    }
    rendering = {
        "@id": "#report",
        "@type": "CreateAction",
        "name": "vsanon report",
        "instrument": {"@id": "#report-vsanon"},
        "object": {"@id": "evidence.json"},
        "result": [{"@id": name} for name in sorted(files) if name != "evidence.json"],
    }
    graph = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        root,
        *(_file(name, content) for name, content in sorted(files.items())),
        test,
        rendering,
        {**_tool("vsanon", report["vsanon"]), "@id": "#report-vsanon"},
        *tools,
        *models,
        *sources,
    ]
    stated = [{key: value for key, value in entity.items() if value not in (None, [])} for entity in graph]
    return canonical_json({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": stated})


def _file(name: str, content: bytes) -> Json:
    return {
        "@id": name,
        "@type": "File",
        "contentSize": str(len(content)),
        "encodingFormat": _FORMATS[name[name.rindex(".") :]],
        "sha256": sha256_of(content),
    }


def _tool(name: str, version: Any) -> Json:
    return {"@id": f"#tool-{name}", "@type": "SoftwareApplication", "name": name, "softwareVersion": str(version)}


def _model(card: Json) -> Json:
    return {
        "@id": f"#model-{card['name']}",
        "@type": "CreativeWork",
        "name": card["name"],
        "license": card["licence"],
        "url": card["homepage"],
        "sha256": card["sha256"],
    }


def _source(name: str, source: Json) -> Json:
    return {"@id": f"#source-{name}", "@type": "CreativeWork", "name": name, "sha256": source.get("sha256")}
