"""Turns: one thread at a time, and set aside for what runs long."""

from threading import Event, Thread

import cv2

from vsanon import turns

LONG_S = 10


def test_a_thread_waits_while_another_has_the_turn() -> None:
    done = Event()

    def other() -> None:
        with turns.taken():
            done.set()

    with turns.taken():
        thread = Thread(target=other)
        thread.start()
        assert not done.wait(0.1)
    assert done.wait(LONG_S)
    thread.join()


def test_a_turn_set_aside_is_another_threads() -> None:
    done = Event()

    def other() -> None:
        with turns.taken():
            done.set()

    with turns.taken():
        thread = Thread(target=other)
        with turns.set_aside():
            thread.start()
            assert done.wait(LONG_S)
    thread.join()


def test_a_turn_is_taken_within_a_turn_and_given_back_once() -> None:
    with turns.taken(), turns.taken():
        pass
    with turns.set_aside(), turns.taken(), turns.set_aside(), turns.taken():
        pass
    test_a_turn_set_aside_is_another_threads()


def test_a_turn_ends_with_an_error() -> None:
    try:
        with turns.taken():
            raise ValueError
    except ValueError:
        pass
    test_a_turn_set_aside_is_another_threads()


def test_opencv_has_no_threads_of_its_own_while_anyone_asks_for_that_and_as_many_as_before_afterwards() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        first, second = turns.opencv_in_one(), turns.opencv_in_one()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert cv2.getNumThreads() == 1
        second.__exit__(None, None, None)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
