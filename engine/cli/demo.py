"""`crosswalk demo`: a story on the sample org, told so that a newcomer understands it."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from engine.cli.project import Project
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
    parser.epilog = (
        "examples:\n"
        "  crosswalk demo\n"
        "  crosswalk demo --story day\n"
        "  crosswalk demo --story day trial && cd trial"
    )


def run(args: argparse.Namespace, _project: Project | None) -> int:
    """Play the story. Raises `Failure` with exit code 1 if a step does not go as told."""
    story = STORIES[args.story]
    if args.folder is not None:
        play_story(story, Path(args.folder), keep=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="crosswalk-demo-") as folder:
        play_story(story, Path(folder) / "demo", keep=False)
    return 0
