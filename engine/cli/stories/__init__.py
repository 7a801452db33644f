"""The stories that `crosswalk demo` plays, step by step, on the sample org."""

from __future__ import annotations

from engine.cli.stories.day import DAY
from engine.cli.stories.first import FIRST
from engine.cli.stories.teller import Step, Story, play_story

__all__ = ["STORIES", "Step", "Story", "play_story"]

#: By the name that `--story` takes; the first one is told unless another is asked for.
STORIES: dict[str, Story] = {story.name: story for story in (FIRST, DAY)}
