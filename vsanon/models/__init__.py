"""Models: cards describe them, the store finds and verifies their files, sessions run them."""

import os

# From 1.29 on ONNX Runtime reports models, sessions and errors to its maker unless this is set before it is loaded;
# it also writes an identifier of the machine and a queue of events into the user's cache folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from vsanon.models.card import InputRules, ModelCard, Source, UrlSource, WheelSource, load_card
from vsanon.models.own import own_card
from vsanon.models.prepare import prepared
from vsanon.models.provider_choice import chosen
from vsanon.models.runtime import CPU, PROVIDERS, cores, package_version
from vsanon.models.session import Session
from vsanon.models.store import cards, check, fetch, import_file, load, locate, shipped

__all__ = [
    "CPU",
    "PROVIDERS",
    "InputRules",
    "ModelCard",
    "Session",
    "Source",
    "UrlSource",
    "WheelSource",
    "cards",
    "check",
    "chosen",
    "cores",
    "fetch",
    "import_file",
    "load",
    "load_card",
    "locate",
    "own_card",
    "package_version",
    "prepared",
    "shipped",
]
