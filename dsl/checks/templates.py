"""Reads title templates: which variables they name and where, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dsl.diagnostics import closest

if TYPE_CHECKING:
    from jinja2 import Environment, TemplateSyntaxError, nodes

__all__ = ["LONGEST", "Problem", "Template", "Variable", "read_template"]

#: How many characters a title template may have. With what it may say (`_SAFE`, `_FILTERS`), that
#: is what bounds the time and the room that a title takes.
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the characters `start` to `end` of a template."""

    start: int
    end: int
    message: str
    help: str | None = None
    near: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with its attributes, as in `prospect.company`; `start` is where it stands."""

    start: int
    names: tuple[str, ...]

    def at(self, index: int) -> tuple[int, int]:
        """Where one of the names stands."""
        start = self.start + sum(len(name) + 1 for name in self.names[:index])
        return start, start + len(self.names[index])


@dataclass(frozen=True, slots=True)
class Template:
    variables: tuple[Variable, ...] = ()
    problems: tuple[Problem, ...] = ()


# Text and plain names is what nearly all titles are made of: these need no template engine.
_PLAIN = re.compile(r"(?:[^{]|\{(?![{%#])|\{\{-?\s*[A-Za-z_]\w*\s*-?\}\})*")
_NAME = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
_NO_NAMES = frozenset(("true", "false", "none", "not", "and", "or", "in", "is", "if", "else"))


@lru_cache(maxsize=512)
def read_template(text: str) -> Template:
    """The variables of a template, or what keeps it from being rendered."""
    if len(text) > LONGEST:
        message = f"the title's template has {len(text):,} characters, and {LONGEST:,} are enough"
        return Template((), (Problem(LONGEST, len(text), message, "write a shorter one"),))
    if _PLAIN.fullmatch(text):
        found = tuple(Variable(name.start(1), (name[1],)) for name in _NAME.finditer(text))
        if not any(variable.names[0].lower() in _NO_NAMES for variable in found):
            return Template(found)
    return _read(text)


def _read(text: str) -> Template:
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 - slow: only where a title needs it
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - likewise

    environment = ImmutableSandboxedEnvironment()
    try:
        tree = environment.parse(text)
        problems = tuple(_unusable(tree, text, environment))
        return Template((), problems) if problems else Template(tuple(_variables(tree, text)))
    except TemplateSyntaxError as error:
        return Template((), (_unreadable(text, error, environment),))


# -- where things stand -------------------------------------------------------------------------

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _find(text: str, shape: str, line: int) -> tuple[int, int]:
    """Where the one group of `shape` stands in a tag, on this line if it does; or else all."""
    pattern = re.compile(shape)
    places = [
        found.span(1)
        for tag in _TAG.finditer(text)
        for found in pattern.finditer(text, tag.start(), tag.end())
    ]
    on_line = [place for place in places if text.count("\n", 0, place[0]) + 1 == line]
    return next(iter(on_line or places), (0, len(text)))


# -- what cannot be read ------------------------------------------------------------------------

_CLOSED_BY = {"{{": "}}", "{%": "%}", "{#": "#}"}


def _unreadable(text: str, error: TemplateSyntaxError, environment: Environment) -> Problem:
    for opening, closing in _CLOSED_BY.items():
        at = text.rfind(opening)
        if at >= 0 and closing not in text[at:]:
            return Problem(
                at, len(text), f"`{opening}` is not closed", f"close it with `{closing}`"
            )
    for tag in _TAG.finditer(text):
        wrong = _error_in(tag[0], environment) if tag[0].startswith("{{") else None
        if wrong is not None:
            message = f"`{_one_line(tag[0])}` cannot be read: {_said(wrong)}"
            return Problem(tag.start(), tag.end(), message)
    start, end = _tag_on(text, error.lineno)
    return Problem(start, end, f"the title cannot be read: {_said(error)}")


def _error_in(tag: str, environment: Environment) -> TemplateSyntaxError | None:
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415 - see `_read`

    try:
        environment.parse(tag)
    except TemplateSyntaxError as error:
        return error
    return None


def _tag_on(text: str, line: int) -> tuple[int, int]:
    """The last `{% … %}` that starts on a line or before it."""
    tags = [
        tag.span()
        for tag in _TAG.finditer(text)
        if tag[0].startswith("{%") and text.count("\n", 0, tag.start()) < line
    ]
    return tags[-1] if tags else (0, len(text))


def _said(error: TemplateSyntaxError) -> str:
    """The engine's own words, as one of ours: its first sentence, with its quotes as backticks."""
    sentence = str(error.message).partition(". ")[0].rstrip(".")
    words = re.sub(r"'([^']*)'", r"`\1`", sentence)
    return words[:1].lower() + words[1:]


def _one_line(text: str) -> str:
    return " ".join(text.split())


# -- what cannot be used ------------------------------------------------------------------------

# What a title may be made of. Each of these takes time in proportion to what it is given, so that
# a template of `LONGEST` characters is rendered at once: no loops, calls, products or powers.
_SAFE = {
    *(
        "Template",
        "Output",
        "TemplateData",
        "Const",
        "Name",
        "Getattr",
        "Getitem",
        "If",
        "CondExpr",
    ),
    *("Compare", "Operand", "And", "Or", "Not", "Concat", "Filter", "Test", "Keyword", "Neg"),
    *("Pos", "List", "Tuple"),
}
_FILTERS = {
    *("abs", "capitalize", "d", "default", "e", "escape", "first", "float", "int", "last"),
    *("length", "lower", "replace", "string", "title", "trim", "truncate", "upper"),
}
_WORDS = {
    "For": ("a loop", r"\{%[-+]?\s*(for)\b"),
    "Macro": ("a macro", r"\{%[-+]?\s*(macro)\b"),
    "Assign": ("a `set`", r"\{%[-+]?\s*(set)\b"),
    "AssignBlock": ("a `set`", r"\{%[-+]?\s*(set)\b"),
    "Call": ("a call", r"(\w+\s*\()"),
    "Mul": ("a product", r"(\*)"),
    "Pow": ("a power", r"(\*\*)"),
    "Add": ("a sum (`~` joins texts)", r"(\+)"),
    "Mod": ("`%`", r"(%)(?!\})"),
}

_ELSEWHERE = {"Include": "include", "Import": "import", "FromImport": "from", "Extends": "extends"}


def _unusable(tree: nodes.Template, text: str, environment: Environment) -> Iterator[Problem]:
    """Filters and tests that do not exist, and statements that read other files."""
    from jinja2 import nodes  # noqa: PLC0415 - see `_read`

    statements = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for statement in tree.find_all(statements):
        word = _ELSEWHERE[type(statement).__name__]
        start, end = _find(text, rf"\{{%[-+]?\s*({word})\b", statement.lineno)
        message = f"`{word}` reads another template, which a title cannot"
        yield Problem(start, end, message, "write all of the title into one template")
        return
    for node in tree.find_all(nodes.Node):
        if type(node).__name__ not in _SAFE:
            yield _too_much(node, text)
            return
    for used in tree.find_all(nodes.Filter):
        if used.name not in _FILTERS:
            at = _find(text, rf"\|\s*({re.escape(used.name)})\b", used.lineno)
            yield _unknown("filter", used.name, _FILTERS, at)
    for asked in tree.find_all(nodes.Test):
        if asked.name not in environment.tests:
            at = _find(text, rf"\bis\s+(?:not\s+)?({re.escape(asked.name)})\b", asked.lineno)
            yield _unknown("test", asked.name, environment.tests, at)


def _too_much(node: nodes.Node, text: str) -> Problem:
    """What could run on for long, or grow without end, has no place in a title."""
    kind = type(node).__name__
    word, shape = _WORDS.get(kind, (kind.lower(), ""))
    at = _find(text, shape, node.lineno) if shape else _tag_on(text, node.lineno)
    message = f"a title cannot have {word}"
    return Problem(*at, message, "it has variables, `if`, comparisons, `~` and filters")


def _unknown(what: str, name: str, known: Collection[str], at: tuple[int, int]) -> Problem:
    near = closest(name, known)
    some = "`upper`, `default` or `truncate`" if what == "filter" else "`defined` or `none`"
    help_text = f"did you mean `{near}`?" if near else f"there are others, such as {some}"
    return Problem(*at, f"there is no {what} `{name}`", help_text, near)


# -- variables ----------------------------------------------------------------------------------


def _variables(tree: nodes.Template, text: str) -> Iterator[Variable]:
    """Each variable that the template does not itself define, where it first stands."""
    from jinja2 import meta, nodes  # noqa: PLC0415 - see `_read`
    from jinja2.defaults import DEFAULT_NAMESPACE  # noqa: PLC0415 - likewise

    free = meta.find_undeclared_variables(tree) - DEFAULT_NAMESPACE.keys()
    paths: dict[tuple[str, ...], int] = {}
    for node in tree.find_all((nodes.Name, nodes.Getattr)):
        names = _names(node)
        if names and names[0] in free:
            paths.setdefault(names, node.lineno)
    longer = {names[:-1] for names in paths if len(names) > 1}
    for names, line in paths.items():
        if names not in longer:
            shape = r"\.".join(map(re.escape, names))
            start, _ = _find(text, rf"(?<![\w.'\"])({shape})\b", line)
            yield Variable(start, names)


def _names(node: nodes.Node) -> tuple[str, ...]:
    from jinja2 import nodes  # noqa: PLC0415 - see `_read`

    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        owner = _names(node.node)
        return (*owner, node.attr) if owner else ()
    return ()
