"""Which files a run takes and where they go: folders keep their tree, and no two results have one name."""

from pathlib import Path

import pytest

from vsanon.errors import InputError
from vsanon.farm.listing import Job, listed


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_keeps_its_tree_and_what_is_no_video_is_left_alone_and_said(tmp_path: Path) -> None:
    touch(
        tmp_path / "in/a.mov",
        tmp_path / "in/day 2/b.MXF",
        tmp_path / "in/day 2/notes.txt",
        tmp_path / "in/.c.mp4",
    )
    found = listed([tmp_path / "in"], tmp_path / "out", ".mp4")
    assert found.jobs == (
        Job(tmp_path / "in/a.mov", tmp_path / "out/a.mp4"),
        Job(tmp_path / "in/day 2/b.MXF", tmp_path / "out/day 2/b.mp4"),
    )
    assert set(found.left_alone) == {tmp_path / "in/.c.mp4", tmp_path / "in/day 2/notes.txt"}


def test_results_below_the_folder_are_no_inputs_of_the_next_run(tmp_path: Path) -> None:
    touch(tmp_path / "a.mov", tmp_path / "covered/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "covered")
    for out in ("covered", "link", "covered/../covered"):
        assert [j.source for j in listed([tmp_path], tmp_path / out, ".mp4").jobs] == [tmp_path / "a.mov"]


def test_a_link_to_a_folder_or_to_nothing_is_left_alone_and_said_and_followed_where_it_is_named(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "card/a.mov", tmp_path / "in/b.mov")
    links = {"in/card": "../card", "in/up": "..", "in/gone.mov": "nowhere.mov", "in/c.mov": "b.mov"}
    for link, target in links.items():
        (tmp_path / link).symlink_to(target)
    found = listed([tmp_path / "in"], tmp_path / "out", ".mp4")
    assert [job.source.name for job in found.jobs] == ["b.mov", "c.mov"]
    assert [path.name for path in found.left_alone] == ["card", "gone.mov", "up"]
    named = listed([tmp_path / "in", tmp_path / "in/card"], tmp_path / "out", ".mp4")
    assert [job.output.name for job in named.jobs] == ["b.mp4", "c.mp4", "a.mp4"]


def test_results_that_would_go_to_a_file_or_into_the_inputs_are_refused_at_once(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.mov")
    with pytest.raises(InputError, match=r"a\.mov is no folder, and results go below one"):
        listed([tmp_path / "in"], tmp_path / "in/a.mov", ".mp4")
    with pytest.raises(InputError, match=r"in lies in .*in, where results go.*name another folder with --out"):
        listed([tmp_path / "in"], tmp_path / "in", ".mp4")


def test_a_file_that_is_named_is_taken_whatever_its_suffix_and_once(tmp_path: Path) -> None:
    touch(tmp_path / "camera.bin")
    (tmp_path / "list.txt").write_text("# of Monday\n\ncamera.bin\n")
    found = listed([tmp_path / "camera.bin"], tmp_path / "out", ".mkv", lists=[tmp_path / "list.txt"])
    assert found.jobs == (Job(tmp_path / "camera.bin", tmp_path / "out/camera.mkv"),)


def test_a_pattern_that_no_shell_expanded_is(tmp_path: Path) -> None:
    touch(tmp_path / "a.mov", tmp_path / "b.mov", tmp_path / "c.mp4")
    assert [j.source.name for j in listed([tmp_path / "*.mov"], tmp_path / "o", ".mp4").jobs] == ["a.mov", "b.mov"]


def test_two_results_of_one_name_are_refused_and_the_advice_helps(tmp_path: Path) -> None:
    touch(tmp_path / "a.mov", tmp_path / "a.mxf", tmp_path / "x/a.mov")
    with pytest.raises(InputError, match=r"a\.mov and .*a\.mxf would both be .*tell them apart with --name"):
        listed([tmp_path / "a.mov", tmp_path / "a.mxf"], tmp_path / "o", ".mp4")
    both = listed([tmp_path / "a.mov", tmp_path / "a.mxf"], tmp_path / "o", ".mp4", pattern="{name}")
    assert [j.output.name for j in both.jobs] == ["a.mov.mp4", "a.mxf.mp4"]
    two = listed([tmp_path / "a.mov", tmp_path / "x/a.mov"], tmp_path / "o", ".mp4", pattern="{parent}-{stem}")
    assert [j.output.name for j in two.jobs] == [f"{tmp_path.name}-a.mp4", "x-a.mp4"]


@pytest.mark.parametrize("pattern", ["{nothing}", "{", "../{stem}", "{stem.__class__}/x", "", "{0}"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path / "a.mov")
    with pytest.raises(InputError, match=r"is no name|no name of a file"):
        listed([tmp_path / "a.mov"], tmp_path / "o", ".mp4", pattern=pattern)


@pytest.mark.parametrize("name", ["x" * 300, "a\x1b[31m.mov"])
def test_a_name_in_a_list_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "list.txt").write_text(name + "\n")
    with pytest.raises(InputError, match=r"shorten it|control characters"):
        listed([], tmp_path / "o", ".mp4", lists=[tmp_path / "list.txt"])


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        listed([tmp_path / "no.mov"], tmp_path / "o", ".mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video is there"):
        listed([tmp_path / "empty"], tmp_path / "o", ".mp4")
    assert listed([tmp_path / "empty"], tmp_path / "o", ".mp4", may_be_empty=True).jobs == ()
    with pytest.raises(InputError, match="can't read the list"):
        listed([], tmp_path / "o", ".mp4", lists=[tmp_path / "no.txt"])
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x14ftyp")
    with pytest.raises(InputError, match="no list of files"):
        listed([], tmp_path / "o", ".mp4", lists=[tmp_path / "a.mov"])


def test_images_are_refused_with_what_to_do_and_results_of_images_lie_in_folders_of_their_own(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "in/shot.0001.dpx", tmp_path / "in/shot.0002.dpx", tmp_path / "film/a.mov")
    for named in (tmp_path / "in", tmp_path / "in/shot.%04d.dpx"):
        with pytest.raises(InputError, match=r"are not cut into chunks: .* -i shot.%06d.dpx -c copy film.mov"):
            listed([named], tmp_path / "out", ".mp4")
    found = listed([tmp_path / "film"], tmp_path / "out", ".%06d.dpx")
    assert found.jobs == (Job(tmp_path / "film/a.mov", tmp_path / "out/a/a.%06d.dpx"),)
