"""All safe fixes of a file at once, as an editor makes them on saving."""

from __future__ import annotations

from tests.lsp.editor import Editor, applied

TEXT = """\
sync Lead <-> prospect {
    match email = emails
    inbound update when rating = "Hot" and Titel = "a"
}
"""


def test_safe_fixes_are_made_at_once_and_the_others_left(scratch: Editor) -> None:
    uri = "untitled:fixes"
    scratch.open(uri, TEXT)
    scratch.wait_for(uri, "CW202", "CW202", "CW202")
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 4, "character": 0}}
    context = {"diagnostics": [], "only": ["source.fixAll"]}
    (action,) = scratch.of("codeAction", uri, range=whole, context=context)
    assert action["title"] == "make 2 safe fixes"
    assert action["kind"] == "source.fixAll.crosswalk"
    after = applied(TEXT, action["edit"]["changes"][uri])
    assert after == TEXT.replace("match email", "match Email").replace("rating", "Rating")
