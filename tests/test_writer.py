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

from pipeline.errors import OutputError
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
    mention_json,
    write_events,
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
