"""Says which Python is needed, before anything else: older pips go on, and complain of a dependency instead."""

import sys

if sys.version_info < (3, 12):
    have = ".".join(map(str, sys.version_info[:3]))
    raise SystemExit(f"vsanon needs Python 3.12 or newer, and this is Python {have}: take a newer one")

from hatchling.metadata.plugin.interface import MetadataHookInterface


class NeedsPython(MetadataHookInterface):
    """Changes nothing: that this file could be read is all that it is for."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, object]) -> None:
        pass
