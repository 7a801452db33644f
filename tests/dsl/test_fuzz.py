"""No damage to a rule file makes `lint` or `fmt` fail or hang; each file is made from its seed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.files import decode
from dsl.format import format_source
from dsl.lint import check
from dsl.parser import parse
from dsl.schema import shipped_schema
from dsl.source import Source
from tests.dsl.mutants import mutant
from tests.dsl.support import TEMPLATES

# Seconds of computing that one file may take, however busy the machine is. A long item that is
# wrong in fifty places is read again for each, which takes one or two.
LIMIT = 5.0
CHUNK = 1000
FILES = 50_000


class Slow(BaseException):
    """Not an `Exception`, so that nothing on the way can swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    def stop(_number: int, frame: FrameType | None) -> None:
        raise Slow(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def survives(raw: bytes) -> None:
    """Lints and formats one file, and checks what is promised of any file."""
    source = decode(raw, "x.sync")
    if not isinstance(source, Source):
        return
    for finding in check([source], shipped_schema(), TEMPLATES).diagnostics:
        assert 0 <= finding.span.start <= finding.span.end <= len(source.text)
        assert finding.message
    result = format_source(source)
    assert result.flaw is None
    assert not result.findings or result.text == source.text


def search(seeds: range) -> list[str]:
    """What goes wrong, by seed."""
    wrong = []
    for seed in seeds:
        try:
            with time_limit(LIMIT):
                survives(mutant(seed))
        except (Exception, Slow) as error:  # noqa: BLE001 - whatever it is, it is the finding
            wrong.append(f"mutant({seed}): {type(error).__name__}: {error}")
    return wrong


def test_a_mutant_is_the_same_each_time() -> None:
    assert [mutant(seed) for seed in range(20)] == [mutant(seed) for seed in range(20)]


def test_three_hundred_damaged_files_are_linted_and_formatted() -> None:
    assert search(range(300)) == []


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, FILES, CHUNK))
def test_fifty_thousand_damaged_files_are_linted_and_formatted(start: int) -> None:
    first = int(os.environ.get("CROSSWALK_SEED", "1000")) + start
    assert search(range(first, first + CHUNK)) == []


@settings(max_examples=150, deadline=None)
@given(st.binary() | st.integers(0).map(mutant))
def test_no_bytes_make_reading_fail(raw: bytes) -> None:
    source = decode(raw, "x.sync")
    if isinstance(source, Source):
        parse(source)
    else:
        assert source.code == "CW101"
