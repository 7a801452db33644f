"""Highlights `sync` blocks; the keywords are those of the grammar file."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from crosswalk_docs.grammar import keywords
from dsl.grammar import GRAMMAR_FILE

__all__ = ["SyncLexer"]

_KEYWORDS = keywords(GRAMMAR_FILE.read_text(encoding="utf-8"))
_CONSTANTS = {"true", "false", "now", "today"}
_WORD = r"[^\W\d]\w*"
_KEYWORD = rf"\b(?:{'|'.join(sorted(_KEYWORDS - _CONSTANTS))})\b"
_CONSTANT = rf"\b(?:{'|'.join(sorted(_CONSTANTS))})\b"
_COMPARISON = r"(?:<=|>=|!=|=|<(?!-)|>|\b(?:is|in|contains|starts|ends|matches|changed)\b)"


class SyncLexer(RegexLexer):
    """Rule files. A keyword where a name stands (beside an arrow, in a record) is a name."""

    name = "Crosswalk rules"
    aliases: ClassVar[list[str]] = ["sync"]
    filenames: ClassVar[list[str]] = ["*.sync"]
    tokens: ClassVar = {
        "root": [
            (r"\s+", Text),
            (r"#[^\n]*", Comment.Single),
            (r'"(?:[^"\\\n]|\\[^\n])*"', String.Double),
            # `email sent ->`, `not in (`: two keywords in a row are no field line.
            (rf"({_KEYWORD})([ \t]+)({_KEYWORD})(?=\s*->)", bygroups(Keyword, Text, Keyword)),
            (rf"(<->|->|<-)(\s*)({_WORD}(?:\.\w+)*)(?!\()", bygroups(Operator, Text, Name)),
            (r"<->|->|<-", Operator),
            (rf"{_CONSTANT}(?!\s*:)", Keyword.Constant),
            (rf"({_WORD}(?:\.\w+)*)(?=[ \t]*(?:<->|->|<-))", Name),
            (rf"({_WORD})(\s*)(:)", bygroups(Name.Attribute, Text, Punctuation)),
            (rf"{_WORD}(?=\()", Name.Function),
            (rf"{_WORD}(?:\.\w+)+", Name),
            (rf"(?!not\b|and\b|or\b|when\b){_WORD}(?=[ \t]+{_COMPARISON})", Name),
            (rf"(!=|<=|>=|=)(\s*)(?!{_CONSTANT})({_WORD})(?!\()", bygroups(Operator, Text, Name)),
            (_KEYWORD, Keyword),
            (r"-?\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)?", Number),
            (r"-?\d+(?:\.\d+)?%?", Number),
            (_WORD, Name),
            (r"[=!<>]+", Operator),
            (r"[{}()\[\],:.%]", Punctuation),
            (r".", Text),
        ]
    }
