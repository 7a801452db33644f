"""`crosswalk graph`: the steps of a cycle, what each waits for, and why."""

from __future__ import annotations

import argparse
import sys

from engine.cli.project import Project

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--format", choices=["text", "json", "dot", "mermaid", "svg"], default="text"
    )
    parser.epilog = (
        "The graph is made from the rules alone; neither side is asked.\n\n"
        "examples:\n"
        "  crosswalk graph\n"
        "  crosswalk graph --format svg > graph.svg\n"
        "  crosswalk graph --format dot | dot -Tpng > graph.png\n"
        "  crosswalk graph --format json | jq -r '.nodes[].id'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the graph of the project's rules."""
    from engine.draw import FORMATS
    from engine.graph import build

    sys.stdout.write(FORMATS[args.format](build(project.program())))
    return 0
