"""What runs a plan's tasks: what a cluster of ours says is kept from the user's screen, and what workers hear."""

import logging
import signal
import sys
from multiprocessing import util
from typing import Any

import pytest

from vsanon.farm import executors


def test_a_cluster_of_ours_logs_nothing_to_the_command_and_logs_are_as_before_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with executors._silent("distributed"):
        logging.getLogger("distributed.scheduler").error("Scheduler closing all comms")
        logging.getLogger("vsanon").warning("seen")
    logging.getLogger("distributed.scheduler").error("seen again")
    assert [record.message for record in caplog.records] == ["seen", "seen again"]


def _signals(_: str) -> tuple[bool, bool]:
    """Whether Ctrl-C is ignored here, and whether it is blocked, too."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN, signal.SIGINT in blocked


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no masks of signals")
def test_a_worker_does_not_hear_an_interrupt_while_it_imports_and_hands_no_block_on_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is imported before the first task runs ended with a traceback where Ctrl-C came."""
    masks = []
    spawn: Any = util.spawnv_passfds

    def spied(path: bytes, arguments: list[str], descriptors: list[int]) -> int:
        if "--multiprocessing-fork" in map(str, arguments):
            masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return int(spawn(path, arguments, descriptors))

    monkeypatch.setattr(util, "spawnv_passfds", spied)
    assert list(executors.LocalExecutor(1).run(_signals, ["a"])) == [("a", (True, False))]
    assert [signal.SIGINT in mask for mask in masks] == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
