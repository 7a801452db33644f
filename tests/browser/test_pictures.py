"""Pictures of each page, for the documentation and for whoever changes how pages look."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dsl.values import stamp
from engine.model import Side
from tests.browser.day import BERTHA
from tests.browser.estate import Estate
from tests.browser.watched import Watched

_JEFF = "00Q3z00001AmqLaEAJ"
_PAGES = {
    "types": "/types",
    "type": "/types/Lead%3C-%3Eprospect",
    "limits": "/limits",
    "activity": "/activity",
    "logs": "/logs?status=updated",
    "plan": "/plan",
    "explain": f"/explain?type=Lead&id={BERTHA}",
    "review": "/review",
}
_TALLEST = {390: 1500, 820: 1400, 1440: 1300}
_HOURS = (0, 2, 1, 0, 3, 9, 40, 96, 120, 140, 132, 70, 110, 128, 133, 90, 61, 30, 14, 6, 3, 1, 1, 2)
# Chromium itself makes the smaller file, so that nobody needs a library of pictures.
_SMALLER = """async (png) => {
    const image = await createImageBitmap(await (await fetch(png)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d').drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({type: 'image/webp', quality: 0.86});
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
}"""


def test_each_page_has_its_picture(
    browser: Any, open_page: Callable[..., Watched], estate: Estate, pictures: Path
) -> None:
    estate.hasten("15 seconds")
    _age(estate)
    estate.edit(Side.SALESFORCE, "Lead", BERTHA, Phone="(850) 644-4201")
    estate.edit(Side.SALESFORCE, "Lead", _JEFF, Company="Jackson & Sons", City="Boston")
    studio = browser.new_page()
    for theme in ("light", "dark"):
        for width, tallest in _TALLEST.items():
            watched = open_page(
                width=width, height=900, color_scheme=theme, reduced_motion="reduce"
            )
            page = watched.go("/plan")
            if not page.locator("main").get_by_text("Jackson & Sons").count():
                page.select_option("#plan-type", "Lead")
                page.click("text=Make a plan")
                watched.see("Jackson & Sons")
            for name, path in _PAGES.items():
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(path)
                tall = page.evaluate("document.body.scrollHeight")
                page.set_viewport_size({"width": width, "height": min(tall, tallest)})
                png = base64.b64encode(page.screenshot()).decode()
                small = studio.evaluate(_SMALLER, f"data:image/png;base64,{png}")
                file = pictures / f"{name}-{width}-{theme}.webp"
                file.write_bytes(base64.b64decode(small))
            watched.close()
    studio.close()
    assert len(list(pictures.glob("*.webp"))) >= len(_PAGES) * len(_TALLEST) * 2


def _age(estate: Estate) -> None:
    """The day before now, hour by hour, as a team would have left it."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with estate.ledger() as ledger, ledger._driver() as connection:
        connection.execute("BEGIN IMMEDIATE")
        for back in range(1, len(_HOURS)):
            at = now - timedelta(hours=back)
            busy = _HOURS[at.hour]
            for side, share in (("salesforce", 2), ("outreach", 41)):
                row = (side, "hour", stamp(at), busy * share + 9, busy * share + 9)
                connection.execute("INSERT OR IGNORE INTO budget VALUES (?, ?, ?, ?, ?)", row)
            moved = (stamp(at + timedelta(minutes=back)), back, len(_HOURS) + 6, busy > 10)
            connection.execute("UPDATE change SET at = ?1 WHERE id % ?3 = ?2 AND ?4", moved)
        connection.execute(
            "UPDATE budget AS d SET (used, sent) = (SELECT sum(used), sum(sent) FROM budget AS h"
            " WHERE h.side = d.side AND h.period = 'hour' AND h.start >= d.start)"
            " WHERE period = 'day' AND start = (SELECT max(start) FROM budget WHERE period = 'day')"
        )
        connection.execute("COMMIT")
