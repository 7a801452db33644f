"""Holds the floors: a module imports from its own floor and those below, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]

#: The floor of a module, by the longest of these that it is or lies in.
FLOORS = {
    "dsl": 0,
    "engine": 0,  # the package itself, which is empty
    "engine.model": 1,
    "engine.ports": 1,
    **dict.fromkeys(
        (
            "engine.act",
            "engine.activity",
            "engine.activities",
            "engine.again",
            "engine.approved",
            "engine.audit",
            "engine.batch",
            "engine.budget",
            "engine.budgeted",
            "engine.byhand",
            "engine.case",
            "engine.cases",
            "engine.chosen",
            "engine.clock",
            "engine.columns",
            "engine.compile",
            "engine.compiled",
            "engine.conclude",
            "engine.config",
            "engine.console",
            "engine.connections",
            "engine.context",
            "engine.conversion",
            "engine.cycle",
            "engine.decide",
            "engine.deciding",
            "engine.diff",
            "engine.draw",
            "engine.examine",
            "engine.explain",
            "engine.graph",
            "engine.guard",
            "engine.harmless",
            "engine.imports",
            "engine.interpreter",
            "engine.kept_rules",
            "engine.kinds",
            "engine.lastknown",
            "engine.ledger",
            "engine.lives",
            "engine.lost",
            "engine.mapping",
            "engine.needs",
            "engine.matching",
            "engine.merge",
            "engine.moments",
            "engine.moves",
            "engine.named",
            "engine.notes",
            "engine.objection",
            "engine.observe",
            "engine.ours",
            "engine.overlap",
            "engine.own_rules",
            "engine.planfile",
            "engine.play",
            "engine.recover",
            "engine.references",
            "engine.refusals",
            "engine.rehearsal",
            "engine.sealing",
            "engine.secrets",
            "engine.sessions",
            "engine.shipped",
            "engine.stages",
            "engine.svg",
            "engine.sweeping",
            "engine.swing",
            "engine.titles",
            "engine.told",
            "engine.tracing",
            "engine.translate",
            "engine.translator",
            "engine.subscribing",
            "engine.undo",
            "engine.upserts",
            "engine.vanishing",
            "engine.vault",
            "engine.whys",
            "engine.whose",
            "engine.worked_out",
        ),
        2,
    ),
    "engine.stores": 3,
    "engine.rule_tests": 4,
    "engine.sandbox": 4,
    "engine.service": 4,
    "engine.cli": 5,
    "engine.lsp": 5,
    "engine.web": 5,
}


def _modules() -> dict[str, Path]:
    """Every module of the program, by its name."""
    found = {}
    for package in ("dsl", "engine"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found


MODULES = _modules()


def _floor(module: str) -> int | None:
    """The floor of a module; None if nobody has given it one."""
    name = module
    while name not in FLOORS:
        name = name.rpartition(".")[0]
    return FLOORS[name] if name != "engine" or module == name else None


FLOORS_OF = {name: floor for name in MODULES if (floor := _floor(name)) is not None}


def _imports(module: str, at_start: bool = False) -> set[str]:
    """The program's modules that a module imports: anywhere, or only those when it is loaded."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in _when_loaded(tree) if at_start else ast.walk(tree):
        match node:
            case ast.Import():
                found.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                origin = _origin(module, node)
                found.update(_named(origin, alias.name) for alias in node.names)
    return {name for name in found if name in MODULES} - {module}


def _origin(module: str, node: ast.ImportFrom) -> str:
    """The module that a `from` names, however many dots it is written with."""
    if not node.level:
        return node.module or ""
    own = module.split(".") if MODULES[module].stem == "__init__" else module.split(".")[:-1]
    return ".".join([*own[: len(own) - node.level + 1], *filter(None, [node.module])])


def _named(origin: str, name: str) -> str:
    return f"{origin}.{name}" if f"{origin}.{name}" in MODULES else origin


def _when_loaded(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes outside functions and outside what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _when_loaded(node)


def test_every_module_has_a_floor() -> None:
    homeless = [name for name in MODULES if name not in FLOORS_OF]
    assert not homeless, f"give these a floor in FLOORS: {', '.join(homeless)}"


@pytest.mark.parametrize("module", FLOORS_OF)
def test_no_module_imports_from_above(module: str) -> None:
    own = FLOORS_OF[module]
    above = {
        other: FLOORS_OF[other] for other in _imports(module) if FLOORS_OF.get(other, own) > own
    }
    assert not above, f"{module} is on floor {own} and imports from above: {above}"


def test_no_circles() -> None:
    graph = nx.DiGraph((m, other) for m in MODULES for other in _imports(m, at_start=True))
    circles = [" -> ".join([*circle, circle[0]]) for circle in nx.simple_cycles(graph)]
    assert not circles


def test_every_module_says_why_it_exists() -> None:
    silent = [
        name
        for name, path in MODULES.items()
        if (text := path.read_text(encoding="utf-8")).strip()
        and not ast.get_docstring(ast.parse(text))
    ]
    assert not silent


def test_no_list_of_floors_outlives_its_modules() -> None:
    gone = [name for name in FLOORS if not any(f"{m}.".startswith(f"{name}.") for m in MODULES)]
    assert not gone, f"no such modules any more: {', '.join(gone)}"
