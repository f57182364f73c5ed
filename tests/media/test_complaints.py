"""Damage that ffmpeg only logs is heard, whatever else the process reads meanwhile, and laid to no other file."""

import threading
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.support.footage import blob
from vsanon.errors import InputError
from vsanon.media import decode_timestamps, packet_hashes, probe
from vsanon.media.complaints import Ear, _Room, heard, reading
from vsanon.media.packets import video_packets

FFV1 = ("-c:v", "ffv1", "-level", "3", "-slices", "4", "-slicecrc", "1", "-g", "1")
FRAMES = 24


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blob(tmp_path_factory.mktemp("complaints") / "whole.mkv", *FFV1, sound=False)


@pytest.fixture(scope="module")
def damaged(whole: Path) -> Path:
    """One byte of a slice in the second half of the file is another: its checksum tells, its decoder goes on."""
    content = bytearray(whole.read_bytes())
    content[len(content) * 3 // 4] ^= 0x10
    path = whole.with_name("damaged.mkv")
    path.write_bytes(content)
    return path


def once(work: Callable[[], object], at: int, wait_s: float) -> Callable[[], None]:
    """Called with each packet: at one of them, does the work in another thread, and waits for it for a while."""
    seen = 0

    def on_frame() -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            thread.join(wait_s)

    return on_frame


def test_one_flipped_byte_is_heard(whole: Path, damaged: Path) -> None:
    assert len(decode_timestamps(whole)[0]) == FRAMES
    with pytest.raises(InputError, match=r"damaged\.mkv: does not decode without error: ffv1"):
        decode_timestamps(damaged)


@pytest.mark.parametrize("other", [decode_timestamps, probe, packet_hashes, video_packets])
def test_it_is_heard_beside_another_reader_that_begins_later_and_ends_sooner(
    whole: Path, damaged: Path, other: Callable[[Path], object]
) -> None:
    with pytest.raises(InputError, match=r"damaged\.mkv: does not decode without error: ffv1"):
        decode_timestamps(damaged, on_frame=once(lambda: other(whole), 3, 0.5))


def test_it_is_heard_where_another_reader_began_sooner_and_ends_meanwhile(whole: Path, damaged: Path) -> None:
    began, other_ended = threading.Event(), threading.Event()
    told: list[str] = []

    def meanwhile() -> None:
        began.set()
        other_ended.wait(1800)

    def check() -> None:
        try:
            decode_timestamps(damaged, on_frame=once(meanwhile, 3, 1800))
        except InputError as error:
            told.append(str(error))
        began.set()

    thread = threading.Thread(target=check)

    def begin() -> None:
        thread.start()
        began.wait(1800)

    decode_timestamps(whole, on_frame=once(begin, 3, 1800))
    other_ended.set()
    thread.join()
    assert "does not decode without error: ffv1" in told[0]


def test_a_whole_file_passes_beside_a_damaged_one(whole: Path, damaged: Path) -> None:
    heard = threading.Event()

    def read() -> None:
        video_packets(damaged)  # its decoder logs the error
        heard.set()

    found, _ = decode_timestamps(whole, on_frame=once(read, 3, 1800))
    assert heard.is_set()
    assert len(found) == FRAMES


def test_two_jobs_of_one_process_judge_each_its_own_file(whole: Path, damaged: Path) -> None:
    told: dict[int, str] = {}

    def check(n: int) -> None:
        try:
            decode_timestamps(damaged if n % 2 else whole)
            told[n] = "whole"
        except InputError:
            told[n] = "damaged"

    threads = [threading.Thread(target=check, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {n: "damaged" if n % 2 else "whole" for n in range(8)}


def test_the_level_is_left_as_it_was(whole: Path) -> None:
    before = av.logging.get_level()
    decode_timestamps(whole)
    assert av.logging.get_level() == before


def test_who_opens_a_second_file_does_not_wait_for_a_check_that_waits_for_the_first() -> None:
    """Each waited for the other, without end: a job's probe beside another job's damaged source."""
    inside = threading.Event()

    def read(ear: Ear, first: bool) -> None:
        if first:
            inside.set()
            av.logging.log(av.logging.ERROR, "ffv1", "damaged")

    def probe_twice() -> None:
        with reading():
            check.start()
            inside.wait()
            while not _Room.alone and check.is_alive():
                threading.Event().wait(0.001)
            with reading():
                pass

    check = threading.Thread(target=lambda: heard(read, lambda: None), daemon=True)
    other = threading.Thread(target=probe_twice, daemon=True)
    other.start()
    other.join(30)
    assert not other.is_alive()
    check.join(30)
    assert not check.is_alive()
