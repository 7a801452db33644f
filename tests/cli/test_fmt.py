"""`crosswalk fmt` from outside: what it writes, prints and exits with."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
from pathlib import Path

import pytest

from dsl import format as formatter
from engine.cli import fmt
from tests.cli.program import Answer, crosswalk, program

UGLY = "# c\nfields g {A<->b once}\n"
PRETTY = "# c\nfields g {\n    A  <-> b  once\n}\n"
WRONG = "fields   g { A = b }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a file of each kind."""
    (tmp_path / "crosswalk.toml").write_text(
        '[project]\nname = "x"\n[salesforce]\nstore = "local"\npath = "s.db"\n'
        '[outreach]\nstore = "local"\npath = "o.db"\n'
    )
    (tmp_path / "rules" / "more").mkdir(parents=True)
    (tmp_path / "rules" / "pretty.sync").write_text(PRETTY)
    (tmp_path / "rules" / "more" / "ugly.sync").write_text(UGLY)
    return tmp_path


def piped(folder: Path, content: bytes, *words: str) -> tuple[int, bytes, bytes]:
    answer = crosswalk(folder, "fmt", "-", *words, stdin=content)
    out, err = (text.encode(errors="surrogateescape") for text in (answer.out, answer.err))
    return answer.code, out, err


def texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.rglob("*.sync")}


def test_the_rules_of_the_project_are_formatted_where_no_path_is_given(folder: Path) -> None:
    answer = crosswalk(folder, "fmt")
    assert answer == Answer(
        0,
        "formatted rules/more/ugly.sync\n1 file formatted, 1 file is in canonical form already\n",
        "",
    )
    assert texts(folder) == {"pretty.sync": PRETTY.encode(), "ugly.sync": PRETTY.encode()}
    again = crosswalk(folder, "fmt")
    assert (again.code, again.out) == (0, "2 files are in canonical form already\n")


def test_a_project_elsewhere_is_formatted_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    answer = crosswalk(tmp_path / "away", "--project", str(folder), "fmt")
    assert answer.code == 0
    assert (folder / "rules" / "more" / "ugly.sync").read_text() == PRETTY


def test_a_new_project_is_in_canonical_form(tmp_path: Path) -> None:
    crosswalk(tmp_path, "init", "acme")
    assert crosswalk(tmp_path / "acme", "fmt", "--check").code == 0


def test_only_the_files_that_are_named_are_formatted(folder: Path) -> None:
    (folder / "draft.txt").write_text(UGLY)
    assert crosswalk(folder, "fmt", "draft.txt").out.startswith("formatted draft.txt\n1 file form")
    assert (folder / "draft.txt").read_text() == PRETTY
    assert texts(folder)["ugly.sync"] == UGLY.encode()


def test_check_lists_what_would_change_and_writes_nothing(folder: Path) -> None:
    before = texts(folder)
    answer = crosswalk(folder, "fmt", "rules", "--check")
    assert answer == Answer(
        1,
        "would format rules/more/ugly.sync\n1 file would change, 1 file is in canonical form\n",
        "",
    )
    assert texts(folder) == before
    assert crosswalk(folder, "fmt", "rules/pretty.sync", "--check").code == 0


DIFF = """\
--- rules/more/ugly.sync
+++ rules/more/ugly.sync
@@ -1,2 +1,4 @@
 # c
-fields g {A<->b once}
+fields g {
+    A  <-> b  once
+}
"""


def test_diff_prints_only_a_patch_and_writes_nothing(folder: Path) -> None:
    before = texts(folder)
    answer = crosswalk(folder, "fmt", "--diff")
    assert (answer.code, answer.out) == (0, DIFF)
    assert "would format rules/more/ugly.sync" in answer.err
    assert texts(folder) == before


def test_check_and_diff_go_together(folder: Path) -> None:
    answer = crosswalk(folder, "fmt", "--check", "--diff")
    assert (answer.code, answer.out) == (1, DIFF)


def test_a_diff_shows_a_missing_end_of_line_as_patches_do(folder: Path) -> None:
    (folder / "a.sync").write_text("# c\ncrosswalk  1")
    out = crosswalk(folder, "fmt", "--diff", "a.sync").out
    assert out.endswith("-crosswalk  1\n\\ No newline at end of file\n+crosswalk 1\n")


def test_standard_input_comes_out_formatted(tmp_path: Path) -> None:
    assert piped(tmp_path, b"\xef\xbb\xbf# \xc3\xbc\r\nfields\tg{ }") == (
        *(0, "# ü\nfields g { }\n".encode()),
        b"",
    )


def test_standard_input_can_be_checked_and_compared(tmp_path: Path) -> None:
    assert piped(tmp_path, UGLY.encode(), "--check")[:2] == (1, b"would format <stdin>\n")
    assert piped(tmp_path, PRETTY.encode(), "--check")[:2] == (0, b"")
    code, out, _ = piped(tmp_path, UGLY.encode(), "--check", "--diff")
    assert (code, out.count(b"\n")) == (1, 8)


@pytest.mark.parametrize("content", [WRONG.encode() + b"\r\n", b"# caf\xe9\n"])
def test_wrong_standard_input_comes_out_as_it_went_in(tmp_path: Path, content: bytes) -> None:
    code, out, told = piped(tmp_path, content)
    assert (code, out) == (1, content)
    assert b"<stdin>:1:" in told
    assert b"error[CW101]" in told


def test_a_file_with_a_syntax_error_is_shown_and_left_and_the_others_are_formatted(
    folder: Path,
) -> None:
    (folder / "rules" / "wrong.sync").write_text(WRONG)
    (folder / "rules" / "latin.sync").write_bytes(b"# caf\xe9\n")
    answer = crosswalk(folder, "fmt")
    assert answer.code == 1
    assert "rules/wrong.sync:1:16: error[CW101]: unexpected `=`" in answer.err
    assert "1 | fields   g { A = b }" in answer.err
    assert "rules/latin.sync:1:1: error[CW101]: the file is not UTF-8 text" in answer.err
    assert answer.out == (
        "formatted rules/more/ugly.sync\n"
        "1 file formatted, 1 file is in canonical form already, 2 files with errors left alone\n"
    )
    assert texts(folder)["wrong.sync"] == WRONG.encode()
    assert texts(folder)["latin.sync"] == b"# caf\xe9\n"
    assert texts(folder)["ugly.sync"] == PRETTY.encode()


def test_names_that_lint_does_not_know_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "a.sync").write_text("sync Nope<->nothing{}")
    assert crosswalk(tmp_path, "fmt", "a.sync").code == 0


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfcrosswalk 1\n", b"crosswalk 1\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_go(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.sync").write_bytes(content)
    assert crosswalk(tmp_path, "fmt", "--check", "a.sync").code == 1
    assert crosswalk(tmp_path, "fmt", "a.sync").code == 0
    assert (tmp_path / "a.sync").read_bytes() == b"crosswalk 1\n"


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.sync").write_text(UGLY)
    (tmp_path / "real.sync").chmod(0o640)
    (tmp_path / "link.sync").symlink_to("real.sync")
    assert crosswalk(tmp_path, "fmt", "link.sync").code == 0
    assert (tmp_path / "link.sync").is_symlink()
    assert (tmp_path / "real.sync").read_text() == PRETTY
    assert (tmp_path / "real.sync").stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link.sync", "real.sync"]


def test_a_pipe_can_be_checked(tmp_path: Path) -> None:
    command = f'printf "crosswalk  1" | {program()} fmt --check /dev/stdin'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout[:24]) == (1, b"would format /dev/stdin\n")


def test_a_file_in_canonical_form_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a.sync").write_text(PRETTY)
    before = (tmp_path / "a.sync").stat()
    assert crosswalk(tmp_path, "fmt", "a.sync").code == 0
    after = (tmp_path / "a.sync").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "there is no project here"),
        (("gone.sync",), "there is no file `gone.sync`"),
        ((".",), "there is no rule file"),
        (("-", "a.sync"), "stands alone"),
    ],
)
def test_nothing_to_format_is_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    answer = crosswalk(tmp_path, "fmt", *words)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


# -- in process: what cannot be brought about from outside --------------------------------------


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    fmt.register(parser)
    return fmt.run(parser.parse_args(words), None)


def test_a_bug_of_the_formatter_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.sync"
    file.write_text(UGLY)
    monkeypatch.setattr(formatter, "_printed", lambda _: "fields g { }\n")
    assert run(str(file)) == 1
    assert file.read_text() == UGLY
    told = capsys.readouterr().err
    assert f"`{file}` is left as it is" in told
    assert "changed what the rules say" in told
    assert "report" in told


def test_a_write_that_fails_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    for name in ("a.sync", "b.sync"):
        (tmp_path / name).write_text(UGLY)
    monkeypatch.setattr(os, "fsync", full)
    assert run(str(tmp_path)) == 2
    assert [file.read_text() for file in tmp_path.iterdir()] == [UGLY, UGLY]
    told = capsys.readouterr().err
    assert told.count("cannot be written: No space left on device") == 2


def test_a_file_that_may_not_be_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_path: Path, mode: str = "r") -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.sync").write_text(UGLY)
    with monkeypatch.context() as patch:
        real = Path.open
        patch.setattr(
            Path, "open", lambda p, mode="r", **k: refused(p) if "+" in mode else real(p, mode, **k)
        )
        assert run(str(tmp_path / "a.sync")) == 2
    assert (tmp_path / "a.sync").read_text() == UGLY
    assert "Permission denied" in capsys.readouterr().err
