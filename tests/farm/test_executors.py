"""What runs a plan's tasks: what a cluster of ours says is kept from the user's screen."""

import logging

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
