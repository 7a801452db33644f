"""`crosswalk demo`: a story on the sample org, told so that a newcomer understands it."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from engine.cli.project import Project, load_project
from engine.cli.stories import STORIES, play_story

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "folder", nargs="?", metavar="DIR", help="keep the demo's project here (default: nowhere)"
    )
    parser.add_argument(
        "--story",
        choices=list(STORIES),
        default=next(iter(STORIES)),
        help="; ".join(f"{story.name}: {story.about}" for story in STORIES.values()),
    )
    parser.add_argument(
        "--serve", action="store_true", help="open the console on the demo's data afterwards"
    )
    parser.epilog = (
        "examples:\n"
        "  crosswalk demo\n"
        "  crosswalk demo --story day\n"
        "  crosswalk demo --serve\n"
        "  crosswalk demo --story day trial && cd trial"
    )


def run(args: argparse.Namespace, _project: Project | None) -> int:
    """Play the story. Raises `Failure` with exit code 1 if a step does not go as told."""
    story = STORIES[args.story]
    if args.folder is not None:
        folder = Path(args.folder)
        play_story(story, folder, keep=True)
        _offer(folder, f"--project {shlex.quote(args.folder)} serve", asked=args.serve)
        return 0
    with tempfile.TemporaryDirectory(prefix="crosswalk-demo-") as made:
        folder = Path(made) / "demo"
        play_story(story, folder, keep=False)
        _offer(folder, f"demo --story {args.story} --serve", asked=args.serve)
    return 0


def _offer(folder: Path, command: str, *, asked: bool) -> None:
    """Open the console on what the story left, if somebody says so; else tell the command."""
    at_a_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if asked or (at_a_terminal and _agreed()):
        from engine.cli.serve import serve_until_told

        print("Ctrl-C ends it.", flush=True)
        serve_until_told(load_project(str(folder)), port=0)
    else:
        print(f"Open the console on this data: crosswalk {command}")


def _agreed() -> bool:
    try:
        answer = input("Open the console on this data? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        print()
        return False
    return answer.strip().lower() in ("y", "yes")
