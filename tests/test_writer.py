"""One event, one line, whatever stands in it; and a file that is whole or not there."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline.writer
from pipeline.errors import OutputError, ResumeError
from pipeline.schema import (
    AmountKind,
    ArticleRef,
    Certainty,
    Event,
    EventType,
    Focus,
    Investor,
    InvestorRole,
    Label,
    Mention,
    Money,
    Party,
    Status,
    TypedMention,
    Valuation,
)
from pipeline.writer import (
    atomic_open,
    event_json,
    is_interrupted,
    journal_open,
    mention_json,
    write_events,
    write_lines,
    write_mentions,
)

# From the contract, written out here so that a reordered schema fails.
EVENT_KEYS = """schema_version id article type focus status certainty company amount components
    total_raised valuations investors round instrument date expected_close sources evidence
    confidence trace"""
ARTICLE_KEYS = "id path published title outlet url sha256"
PARTY_KEYS = "name id wikidata named mentions"
MONEY_KEYS = "value min max currency qualifier currency_inferred also mention"
TYPED_MENTION_KEYS = "start end text article label kind money date party"


def mention(text: str, start: int = 0) -> Mention:
    return Mention(start=start, end=start + len(text), text=text)


def money(value: str, text: str) -> Money:
    return Money(value=Decimal(value), currency="EUR", mention=mention(text))


def event(name: str = "Société") -> Event:
    return Event(
        id="e1",
        article=ArticleRef(id="a1", sha256="0" * 64),
        type=EventType.FINANCING,
        focus=Focus.MAIN,
        status=Status.CLOSED,
        certainty=Certainty.ASSERTED,
        company=Party(name=name, id="societe", mentions=(mention(name),)),
        amount=money("6600000000", "6,6 Md€"),
        valuations=(Valuation(**money("1E+2", "100").model_dump()),),
        investors=(
            Investor(
                name="Fonds", id="fonds", mentions=(mention("Fonds"),), role=InvestorRole.LEAD
            ),
        ),
        confidence=0.8,
    )


def test_keys_stand_in_the_order_of_the_contract() -> None:
    row = json.loads(event_json(event()))
    assert list(row) == EVENT_KEYS.split()
    assert list(row["article"]) == ARTICLE_KEYS.split()
    assert list(row["company"]) == PARTY_KEYS.split()
    assert list(row["amount"]) == MONEY_KEYS.split()
    assert list(row["amount"]["mention"]) == ["start", "end", "text"]
    assert list(row["valuations"][0]) == [*MONEY_KEYS.split(), "basis"]
    investor_keys = [*PARTY_KEYS.split(), "role", "commitment", "returning", "amount"]
    assert list(row["investors"][0]) == investor_keys


def test_numbers_are_written_digit_by_digit() -> None:
    line = event_json(event())
    assert '"value": 6600000000,' in line
    assert '"value": 100,' in line
    assert '"confidence": 0.8,' in line


def test_accents_are_written_as_they_are() -> None:
    assert '"name": "Société à l’été"' in event_json(event("Société à l’été"))


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "a\u2028b\u2029c\u0085d", "a\x0b\x0c\x1c\x1eb"])
def test_no_line_end_of_any_kind(name: str) -> None:
    line = event_json(event(name))
    assert line.splitlines() == [line]
    assert json.loads(line)["company"]["name"] == name
    assert Event.model_validate_json(line) == event(name)


def test_lone_surrogate_can_be_encoded() -> None:
    # Validation refuses one; only what passes it by can hold one.
    broken = event().model_copy(update={"id": "a\ud800b"})
    line = event_json(broken)
    assert json.loads(line.encode("utf-8"))["id"] == "a\ud800b"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_back_from_one_line(name: str) -> None:
    line = event_json(event(name))
    assert line.splitlines() == [line]
    assert Event.model_validate_json(line) == event(name)


def test_mention_line() -> None:
    typed = TypedMention(
        start=3,
        end=10,
        text="6,6 Md€",
        article="a1",
        label=Label.AMOUNT,
        kind=AmountKind.DEAL,
        money=money("6600000000", "6,6 Md€"),
    )
    row = json.loads(mention_json(typed))
    assert list(row) == TYPED_MENTION_KEYS.split()
    assert (row["label"], row["kind"], row["money"]["value"]) == ("AMOUNT", "deal", 6_600_000_000)
    target = io.StringIO()
    write_mentions([typed, typed], target)
    assert target.getvalue() == (mention_json(typed) + "\n") * 2


def test_events_are_written_one_a_line() -> None:
    target = io.StringIO()
    write_events([event("a"), event("b")], target)
    assert target.getvalue() == f"{event_json(event('a'))}\n{event_json(event('b'))}\n"


def test_no_event_writes_nothing() -> None:
    target = io.StringIO()
    write_events([], target)
    assert target.getvalue() == ""


# Files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_written_in_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "deals.jsonl"
    with atomic_open(path) as target:
        write_events([event()], target)
        assert not path.exists()
    assert path.read_bytes() == event_json(event()).encode() + b"\n"
    assert names(tmp_path) == ["deals.jsonl"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, OSError])
def test_failure_midway_leaves_what_stood_there(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_text("old", "utf-8")
    with pytest.raises(failure), atomic_open(path) as target:
        write_events([event()] * 1_000, target)
        raise failure
    assert path.read_text("utf-8") == "old"
    assert names(tmp_path) == ["deals.jsonl"]


def test_failure_midway_leaves_no_new_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError), atomic_open(tmp_path / "deals.jsonl") as target:
        target.write("half")
        raise ValueError
    assert names(tmp_path) == []


def test_failure_of_the_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deals.jsonl"
    path.write_text("old", "utf-8")

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OutputError) as caught, atomic_open(path) as target:
        target.write("new")
    assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert path.read_text("utf-8") == "old"
    assert names(tmp_path) == ["deals.jsonl"]


def test_full_disk_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    class Full(io.StringIO):
        name = "deals.jsonl"

        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError) as caught:
        write_events([event()], Full())
    assert str(caught.value) == "deals.jsonl: cannot be written: No space left on device"
    path = tmp_path / "deals.jsonl"
    with atomic_open(path) as target:
        assert target.name == str(path)


def test_full_device() -> None:
    with pytest.raises(OutputError) as caught, atomic_open("/dev/full") as target:
        write_events([event()], target)
    assert str(caught.value) == "/dev/full: cannot be written: No space left on device"


def test_broken_pipe_is_no_error_of_the_output() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    target = open(writing, "w", encoding="utf-8")  # noqa: SIM115
    with pytest.raises(BrokenPipeError):
        write_events([event()], target)
    with pytest.raises(BrokenPipeError):
        target.close()


def test_device_is_written_in_place() -> None:
    with atomic_open("/dev/null") as target:
        write_events([event()], target)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/deals.jsonl", "No such file or directory"),
        ("file/deals.jsonl", "Not a directory"),
        (".", "is a folder"),
        ("x" * 300, "File name too long"),
    ],
)
def test_place_that_cannot_be_written(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    path = tmp_path / place
    with pytest.raises(OutputError) as caught, atomic_open(path) as target:
        target.write("new")
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert names(tmp_path) == ["file"]


def test_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By patching, since the tests may run as root, whom no mode keeps out.
    path = tmp_path / "deals.jsonl"
    path.write_text("old", "utf-8")
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    with pytest.raises(OutputError, match="read-only"), atomic_open(path):
        pass
    assert path.read_text("utf-8") == "old"


def test_mode_of_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "deals.jsonl"
    before = os.umask(0o027)
    try:
        with atomic_open(path) as target:
            target.write("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_mode_and_link_of_an_old_file_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "deals.jsonl", tmp_path / "latest.jsonl"
    path.write_text("old", "utf-8")
    path.chmod(0o604)
    link.symlink_to(path.name)
    with atomic_open(link) as target:
        target.write("new")
    assert link.is_symlink()
    assert path.read_text("utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


# Long runs

RUN = {"INPUT": "in"}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [tmp_path / "deals.jsonl", tmp_path / "mentions.jsonl"]


class StopError(Exception):
    pass


def interrupt(files: list[Path], steps: int, *, resume: bool = False) -> object:
    """A run that is interrupted after some steps, of which each writes a line; what was kept."""
    with (
        pytest.raises(StopError) as caught,
        journal_open(files, RUN, resume=resume) as journal,
    ):
        done = journal.kept or 0
        for step in range(done, done + steps):
            for path in files:
                write_lines([f"{path.stem} {step}"], journal.streams[path])
            journal.mark(step + 1)
        raise StopError
    way_on = ["what was read is kept; the same command with --resume goes on"]
    assert getattr(caught.value, "__notes__", []) == way_on * bool(done + steps)
    return journal.kept


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_files_take_their_places_together(files: list[Path]) -> None:
    for path in files:
        path.write_text("old", "utf-8")
    with journal_open(files, RUN, resume=False) as journal:
        for path in files:
            write_lines(["new"], journal.streams[path])
        journal.mark(1)
        assert [path.read_text("utf-8") for path in files] == ["old", "old"]
    assert [lines(path) for path in files] == [["new"], ["new"]]
    assert names(files[0].parent) == ["deals.jsonl", "mentions.jsonl"]


def test_nothing_stays_of_a_run_that_marked_nothing(files: list[Path]) -> None:
    assert interrupt(files, 0) is None
    assert names(files[0].parent) == []
    assert not is_interrupted(files[0])


def test_interrupted_run_goes_on(files: list[Path]) -> None:
    assert interrupt(files, 2) is None
    assert is_interrupted(files[0])
    assert not files[0].exists()
    assert interrupt(files, 1, resume=True) == 2
    assert interrupt(files, 0, resume=True) == 3
    with journal_open(files, RUN, resume=True) as journal:
        assert journal.kept == 3
        write_lines(["last"], journal.streams[files[0]])
    assert lines(files[0]) == ["deals 0", "deals 1", "deals 2", "last"]
    assert lines(files[1]) == ["mentions 0", "mentions 1", "mentions 2"]
    assert names(files[0].parent) == ["deals.jsonl", "mentions.jsonl"]


def test_what_was_written_after_the_last_mark_is_cut(files: list[Path]) -> None:
    with pytest.raises(StopError), journal_open(files, RUN, resume=False) as journal:
        write_lines(["whole"], journal.streams[files[0]])
        journal.mark("one")
        write_lines(["not marked"], journal.streams[files[0]])
        raise StopError
    with journal_open(files, RUN, resume=True) as journal:
        assert journal.kept == "one"
    assert lines(files[0]) == ["whole"]
    assert lines(files[1]) == []


def test_marks_are_kept_as_time_goes_by(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What kill -9 leaves: the notes so far, and no last word."""
    record = files[0].with_name("deals.jsonl.progress")
    clock = [100.0]
    monkeypatch.setattr(pipeline.writer, "monotonic", lambda: clock[0])
    with journal_open(files, RUN, resume=False) as journal:
        for state, now, kept in ((1, 100.9, None), (2, 101.1, 2), (3, 102.0, 2), (4, 102.2, 4)):
            clock[0] = now
            write_lines([str(state)], journal.streams[files[0]])
            journal.mark(state)
            found = json.loads(record.read_text("utf-8")) if record.exists() else {"state": None}
            assert found["state"] == kept
        assert found == {"run": RUN, "sizes": [8, 0], "state": 4}


def test_begun_anew_without_resume(files: list[Path]) -> None:
    interrupt(files, 2)
    assert interrupt(files, 0) is None
    assert names(files[0].parent) == []


def test_other_run_cannot_go_on_and_spoils_nothing(files: list[Path]) -> None:
    interrupt(files, 1)
    before = {path.name: path.read_bytes() for path in files[0].parent.iterdir()}
    with (
        pytest.raises(ResumeError, match="had another INPUT; repeat its command"),
        journal_open(files, {"INPUT": "other"}, resume=True),
    ):
        raise AssertionError
    assert {path.name: path.read_bytes() for path in files[0].parent.iterdir()} == before


def test_discarded_run_leaves_nothing(files: list[Path]) -> None:
    interrupt(files, 1)
    with pytest.raises(StopError), journal_open(files, RUN, resume=True) as journal:
        journal.mark(2)
        journal.discard()
        raise StopError
    assert names(files[0].parent) == []


def test_one_run_at_a_time(files: list[Path]) -> None:
    with journal_open(files[:1], RUN, resume=False) as journal:
        write_lines(["first"], journal.streams[files[0]])
        with (
            pytest.raises(OutputError, match="another run is writing it"),
            journal_open(files[:1], RUN, resume=True),
        ):
            raise AssertionError
    assert lines(files[0]) == ["first"]


def test_run_that_ends_while_another_begins(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other opened the partial file just before it was moved into its place."""
    with journal_open(files[:1], RUN, resume=False) as journal:
        write_lines(["first"], journal.streams[files[0]])
    open_file = os.open

    def open_and_move(path: Path, *arguments: int) -> int:
        files[0].rename(path)
        descriptor = open_file(path, *arguments)
        path.rename(files[0])
        return descriptor

    monkeypatch.setattr(os, "open", open_and_move)
    with (
        pytest.raises(OutputError, match="another run is writing it"),
        journal_open(files[:1], RUN, resume=False),
    ):
        raise AssertionError
    assert lines(files[0]) == ["first"]


@pytest.mark.parametrize("place", ["missing/deals.jsonl", ".", "x" * 300])
def test_second_file_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    with (
        pytest.raises(OutputError, match=r"cannot be written|is a folder"),
        journal_open([tmp_path / "deals.jsonl", tmp_path / place], RUN, resume=False),
    ):
        raise AssertionError
    assert names(tmp_path) == []


def test_folder_that_vanishes_before_the_end(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "deals.jsonl"
    with pytest.raises(OutputError) as caught, journal_open([path], RUN, resume=False) as journal:
        journal.mark(1)
        (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert "cannot be written: No such file or directory" in str(caught.value)


def test_mode_and_link_are_kept_by_a_journal(tmp_path: Path) -> None:
    path, link = tmp_path / "deals.jsonl", tmp_path / "latest.jsonl"
    path.write_text("old", "utf-8")
    path.chmod(0o604)
    link.symlink_to(path.name)
    with journal_open([link], RUN, resume=False) as journal:
        write_lines(["new"], journal.streams[link])
    assert link.is_symlink()
    assert lines(path) == ["new"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert names(tmp_path) == ["deals.jsonl", "latest.jsonl"]


def test_note_that_cannot_be_kept(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for the note too: the note before still holds."""
    interrupt(files, 1)

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pipeline.writer, "_KEEP_EVERY", 0)
    with pytest.raises(OutputError) as caught, journal_open(files, RUN, resume=True) as journal:
        write_lines(["lost"], journal.streams[files[0]])
        monkeypatch.setattr(os, "fsync", no_space)
        journal.mark(2)
    assert str(caught.value).endswith("cannot be written: No space left on device")
    monkeypatch.undo()
    assert interrupt(files, 1, resume=True) == 1
    with journal_open(files, RUN, resume=True):
        pass
    assert lines(files[0]) == ["deals 0", "deals 1"]
