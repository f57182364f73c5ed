"""Whether a process may use as much memory as its job takes: libraries in C++ abort where they get none."""

import sys

from vsanon.errors import MissingError
from vsanon.media.best_source import DECODED_MB
from vsanon.media.source import CACHE_MB
from vsanon.models.runtime import cores

LEAST_MB = 1024
"""Address space of the smallest job, and ..."""
PER_CORE_MB = 256
"""... for each core: its threads' stacks, and what glibc sets aside for each; 1.48 GB were used on 2 cores."""


def require_memory(frames_mb: int = 0) -> None:
    """Refuse a job under a limit (`ulimit -v`) that it would meet on its way.

    Args:
        frames_mb: all frames of the clip; no more of them are held than the caches take.

    Raises:
        MissingError: the limit is lower than what the job takes.
    """
    if sys.platform == "win32":
        return
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed_mb = LEAST_MB + PER_CORE_MB * cores() + min(frames_mb, CACHE_MB + DECODED_MB)
    if allowed != resource.RLIM_INFINITY and allowed >> 20 < needed_mb:
        raise MissingError(
            f"this process may use {allowed >> 20} MB of address space (`ulimit -v`, or a farm's limit), the job "
            f"takes about {needed_mb} MB: raise the limit, or work on a smaller picture"
        )
