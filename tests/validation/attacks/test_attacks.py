"""Attackers read and link what is bare, guess where nothing is left, and are counted rightly."""

from pathlib import Path

import numpy as np
import pytest

from vsanon.validation.attacks import bars, consistency, inverting, linking, persons, plates, reading, sheets
from vsanon.validation.attacks.features import fused, numbers

pytestmark = pytest.mark.slow


def test_a_guess_of_a_plate_gets_a_22nd_of_its_letters_and_a_tenth_of_its_digits() -> None:
    text = plates.texts(np.random.default_rng(1), 4000)
    assert pytest.approx((1 / 22 + 1 / 10) / 2) == plates.CHANCE
    guess = plates.texts(np.random.default_rng(2), 4000)
    assert abs((guess == text).mean() - plates.CHANCE) < 0.01
    assert plates.words(np.array([0, 1, 21, 7, 8, 9])) == "ABZ789"


def test_a_reader_learns_to_read_bare_plates_and_nothing_from_a_fill() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(3)
    text = plates.texts(rng, 420)
    drawn = np.stack([plates.draw(t, rng)[8:64:2, ::3] for t in text])
    n = 380
    bare = reading.train(numbers(drawn[:n]), text[:n], seed=1, rounds=16)
    assert (reading.said(bare.read(numbers(drawn[n:]))) == text[n:]).mean() > 0.8
    filled = numbers(np.full_like(drawn, 64) + rng.integers(0, 2, drawn.shape, np.uint8))
    blind = reading.train(filled[:n], text[:n], seed=1, rounds=2)
    assert (reading.said(blind.read(filled[n:])) == text[n:]).mean() < 0.2


def test_the_same_plates_and_seed_make_the_same_reader() -> None:
    pytest.importorskip("sklearn")
    text = plates.texts(np.random.default_rng(4), 60)
    drawn = numbers(np.stack([plates.draw(t, np.random.default_rng(4))[::4, ::6] for t in text]))
    one, other = (reading.train(drawn, text, seed=5, rounds=2).read(drawn[:5]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_who_looks_like_everybody_is_named_as_often_as_a_guess_is_right() -> None:
    whose = np.arange(10)
    assert linking.named(np.zeros((10, 10)), whose).sum() == pytest.approx(1)
    assert linking.named(np.eye(10), whose).sum() == 10
    assert linking.named(-np.eye(10), whose).sum() == 0


def test_who_is_named_whatever_is_seen_is_named_no_more() -> None:
    rng = np.random.default_rng(2)
    whose = np.tile(np.arange(20), 5)
    seen = rng.normal(0, 1e-3, (100, 20)) + np.linspace(0, 1, 20)
    assert linking.named(seen, whose).tolist() == (whose == 19).tolist()
    hits = linking.named(linking.levelled(seen), whose)
    assert np.bincount(whose, hits).max() <= 3
    seen[np.arange(100), whose] += 0.01
    assert linking.named(linking.levelled(seen), whose).all()


def test_a_probe_passes_where_it_is_more_like_itself_than_all_but_one_stranger_in_a_hundred() -> None:
    likeness = np.linspace(0, 0.5, 101 * 101).reshape(101, 101)
    likeness[np.arange(101), np.arange(101)] = np.where(np.arange(101) < 60, 0.9, 0.1)
    assert linking.verified(likeness, np.arange(101)).sum() == 60


def test_a_linker_learns_from_others_whom_a_cover_hides_and_learns_nothing_where_it_hides_all() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(6)
    own, mixed = rng.normal(0, 1, (80, 1, 60)), rng.normal(0, 1, (60, 30))
    bare = (own + rng.normal(0, 0.2, (80, 3, 60))).astype(np.float32)
    covered = (bare @ mixed).astype(np.float32)
    who = np.repeat(np.arange(70), 3)
    rate = {}
    for name, seen in (("mixed", covered), ("gone", rng.normal(0, 1, covered.shape).astype(np.float32))):
        linker = linking.train(bare[:70].reshape(210, -1), seen[:70].reshape(210, -1), who, who, seed=1)
        likeness = linking.like(linker.guessed(seen[70:, 1]), linker.known(bare[70:, 0]))
        rate[name] = linking.named(likeness, np.arange(10)).mean()
    assert rate["mixed"] >= 0.7  # a guess: 0.1
    assert rate["gone"] <= 0.4


def test_two_shots_of_a_person_differ_and_hold_the_face_in_its_box() -> None:
    rng = np.random.default_rng(9)
    look, build = persons.person(rng), persons.build(rng)
    (one, box), (other, _) = (persons.shot(look, build, rng) for _ in range(2))
    assert one.shape == other.shape
    assert np.abs(one.astype(int) - other).mean() > 3
    assert 0 < box[0] < box[2] < one.shape[1]
    assert box[3] - box[1] == pytest.approx(persons.FACE_PX)


def test_swatches_of_a_plate_tell_its_text_to_who_tries_them_all() -> None:
    text = plates.texts(np.random.default_rng(7), 60)
    clean = inverting.swatches_of(text)
    assert clean.shape == (60, 75)
    assert (inverting.tried(clean[:8], clean) == np.arange(8)).all()


def test_swatches_are_read_from_what_a_cover_makes_of_them_by_a_map_learnt_from_others() -> None:
    rng = np.random.default_rng(12)
    swatches, look = rng.integers(0, 256, (60, 6)), rng.normal(0, 1, (6, 40))
    seen = (swatches @ look + 9).astype(np.float32)
    read = inverting.learnt(seen[:50], swatches[:50])(seen[50:])
    assert (inverting.tried(read, swatches) == np.arange(50, 60)).all()


def test_people_of_another_size_are_told_apart_by_their_masks_and_those_of_one_size_by_their_motion() -> None:
    rng = np.random.default_rng(13)
    rows = []
    for person, (height, restless) in enumerate(((40, 0.01), (80, 0.01), (80, 0.2))):
        corners = 200 + rng.normal(0, restless * height, (60, 2))
        rows += [(n, person, x, y, x + 0.8 * height, y + height) for n, (x, y) in enumerate(corners.tolist())]
    table = np.array(rows)
    before, after = consistency.halves(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:])
    assert before.shape == (3, 6)
    told = {
        name: linking.named(consistency.likeness(before[:, columns], after[:, columns]), np.arange(3))
        for name, columns in consistency.TRAITS.items()
    }
    assert told["size"][0] == 1
    assert told["motion"][2] == 1
    assert told["size and motion"].all()


def test_no_hit_of_forty_people_leaves_nine_in_a_hundred() -> None:
    found = bars.figure(np.zeros(40), np.ones(40), chance=0.0)
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 40), abs=1e-6)  # Clopper and Pearson
    assert bars.outcome(found) == bars.HOLDS
    assert bars.outcome(bars.figure(np.zeros(20), np.ones(20), chance=0.0)) == bars.OPEN
    assert bars.outcome(bars.figure(np.ones(20), np.ones(20), chance=0.05)) == bars.BROKEN


def test_a_look_holds_only_where_every_attack_fails() -> None:
    good = bars.figure(np.zeros(100), np.ones(100), chance=0.01)
    bad = bars.figure(np.repeat([0, 1], 50), np.ones(100), chance=0.01)
    unsure = bars.figure(np.zeros(5), np.ones(5), chance=0.2)
    assert [bars.verdict(v) for v in ([good], [good, unsure], [good, bad, unsure], [])] == [
        bars.HOLDS, bars.OPEN, bars.BROKEN, bars.OPEN,
    ]  # fmt: skip


def test_what_is_cut_out_of_a_covered_sheet_is_the_subject_or_its_cover(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    text = plates.texts(rng, 4)
    boxes = [(0.0, 0.0, 288.0, 72.0)] * 4
    sheet = sheets.make_sheet(tmp_path / "a.mp4", [plates.draw(t, rng) for t in text], boxes, tile=(160, 80),
                              height_px=24, label="screen", seed=1)  # fmt: skip
    contrast = {}
    for look in (sheets.PLAIN, "strict"):
        for codec, frames in sheets.cover_sheet(sheet, look, tmp_path).items():
            cut = sheets.cut_out(frames, sheet.boxes, size=(96, 24), reach=1.0)
            assert cut.shape == (4, sheets.FRAMES, 24, 96, 3)
            contrast[look, codec] = cut[..., 0].std(axis=(2, 3))
            assert fused(cut).shape == (4, 24, 96, 3)
    for codec in sheets.CODECS:
        assert contrast[sheets.PLAIN, codec].min() > 20
        assert contrast["strict", codec].max() < 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4"]
