"""Who comes in to Outreach: tokens renewed once, kept before they are used, and never shown."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.model import Write
from engine.ports import StoreError, Tokens, Unauthorized, Unreachable
from engine.sandbox.identity import OUTREACH, OutreachIdentity
from engine.sandbox.outreach.setup import Setup
from engine.secrets import Secrets
from engine.stores.outreach import open_outreach
from engine.stores.outreach.auth import Auth
from tests.stores.listener import answering, self_signed
from tests.stores.outreach import Connected, MemoryVault, connected, store_at

CANARY = "canary-6f1d"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with connected(tmp_path_factory.mktemp("outreach"), setup=Setup(strict=True)) as found:
        yield found


def told(error: BaseException) -> str:
    """All that anybody could be shown of an error."""
    return "".join(traceback.format_exception(error)) + repr(error)


def test_a_rotated_refresh_token_is_kept_before_anything_is_done_with_it(tmp_path: Path) -> None:
    class Broken(MemoryVault):
        def keep(self, tokens: Tokens) -> None:
            super().keep(tokens)
            raise StoreError("the disk is full")

    with connected(tmp_path, setup=Setup(strict=True)) as at:
        vault = Broken()
        store = store_at(at.server.url, vault)
        with pytest.raises(StoreError, match="disk is full"):
            store.fetch("user", [], [1])
        store.close()
        assert (store.calls, vault.told) == (0, ["locked", "kept", "unlocked"])
        # As after a kill in between: the next process goes on with what was kept.
        after = MemoryVault(vault.kept)
        store = store_at(at.server.url, after)
        assert store.fetch("user", [], [1]) == []
        assert after.told == []
        store.close()
        # The access token has ended meanwhile; the first refresh token is long dead.
        assert vault.kept is not None
        ended = MemoryVault(vault.kept._replace(access="ended", expires=None))
        store = store_at(at.server.url, ended)
        assert store.fetch("user", [], [1]) == []
        assert ended.told == ["locked", "kept", "unlocked"]
        assert ended.kept is not None
        assert ended.kept.refresh != vault.kept.refresh
        store.close()


def test_a_newer_refresh_token_in_the_settings_goes_for_a_dead_one_in_the_vault(
    tmp_path: Path,
) -> None:
    with connected(tmp_path) as at:
        vault = MemoryVault(Tokens("dead", "dead too", 1.0))
        store = store_at(at.server.url, vault)
        assert store.fetch("user", [], [1]) == []
        store.close()
        assert vault.told == ["locked", "kept", "unlocked"]


def test_of_several_processes_one_renews(tmp_path: Path) -> None:
    class Shared(MemoryVault):
        def __init__(self) -> None:
            super().__init__()
            self.lock = threading.Lock()

        def exclusive(self) -> threading.Lock:  # type: ignore[override]
            return self.lock

    with connected(tmp_path, setup=Setup(strict=True, pause=timedelta(minutes=1))) as at:
        vault = Shared()
        stores = [store_at(at.server.url, vault) for _ in range(4)]
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda s=s: found.append(s.fetch("user", [], [1])))
            for s in stores
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for store in stores:
            store.close()
        assert (found, vault.told) == ([[]] * 4, ["kept"])


def test_a_token_that_ended_early_is_renewed_once_within_a_batch(tmp_path: Path) -> None:
    with connected(tmp_path, setup=Setup(strict=True)) as at:
        at.store.fetch("user", [], [1])
        assert at.vault.kept is not None
        at.vault.kept = at.vault.kept._replace(access="dead", expires=None)
        store = store_at(at.server.url, at.vault)
        done = store.write("stage", [Write(None, {"name": f"S{n}"}) for n in range(40)])
        store.close()
        assert len({each.id for each in done}) == 40
        assert at.vault.told.count("kept") == 2


def test_two_tokens_are_minted_a_minute_apart(at: Connected) -> None:
    waits: list[float] = []
    vault = MemoryVault(Tokens("dead", "also-dead", 10_000.0))
    auth = Auth(
        store_at(at.server.url, vault, refresh_token="").transport.settings,
        vault,
        at.store.transport.plain,
        clock=lambda: 10_000.0 - 7200 + 20,
        sleep=waits.append,
    )
    with pytest.raises(Unauthorized, match="crosswalk connect outreach"):
        auth.access("dead")
    assert waits == [40.0]


def test_a_mint_that_is_refused_for_now_is_tried_again_without_holding_the_lock(
    tmp_path: Path,
) -> None:
    with connected(tmp_path, setup=Setup(pause=timedelta(seconds=1))) as at:
        at.store.fetch("user", [], [1])
        vault = MemoryVault()
        store = store_at(at.server.url, vault)
        waits: list[float] = []

        def wait(seconds: float) -> None:
            vault.told.append("waited")
            waits.append(seconds)
            time.sleep(1)

        store.auth.sleep = wait
        assert store.fetch("user", [], [1]) == []
        store.close()
        told = ["locked", "unlocked", "waited", "locked", "kept", "unlocked"]
        assert vault.told == told
        assert 0 < waits[0] <= 90


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_secret": "env:CANARY"}, "`client_id` and `client_secret`"),
        ({"refresh_token": "env:CANARY"}, "run `crosswalk connect outreach`"),
        ({"refresh_token": ""}, "there is no refresh token"),
        ({"token": "env:CANARY"}, "`token` in \\[outreach\\]"),
    ],
)
def test_wrong_credentials_are_told_without_them(
    at: Connected, change: dict[str, str], words: str
) -> None:
    given = {
        "base_url": at.server.url,
        "client_id": OUTREACH.client_id,
        "client_secret": "env:SECRET",
        "refresh_token": "env:REFRESH",
    }
    environment = {"CANARY": CANARY, "SECRET": OUTREACH.client_secret, "REFRESH": "old"}
    store = open_outreach(given | change, Secrets(Path(), environment), MemoryVault())
    with pytest.raises(Unauthorized, match=words) as caught:
        store.fetch("user", [], [1])
    text = told(caught.value) + repr(store.auth) + repr(store.transport.settings)
    assert CANARY not in text
    assert OUTREACH.client_secret not in text
    (failed,) = [each for each in store.checkups([]) if not each.right]
    assert CANARY not in failed.advice
    assert failed.advice
    store.close()


def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    with (
        connected(tmp_path, identity=OutreachIdentity(scopes=("users.read",))) as at,
        pytest.raises(Unauthorized, match=r"'prospects\.read'"),
    ):
        at.store.fetch("prospect", [], [1])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9", "cannot be reached"),
        ("https://nowhere.invalid", "cannot be (found|reached)"),
    ],
)
def test_a_wrong_address_is_told(url: str, words: str) -> None:
    store = store_at(url, MemoryVault())
    with pytest.raises(Unreachable, match=words) as caught:
        store.fetch("user", [], [1])
    store.close()
    assert OUTREACH.refresh_token not in told(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.outreach.io",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "https://user:pw@api.outreach.io",
        "nonsense",
    ],
)
def test_an_address_that_would_show_secrets_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="`base_url` in"):
        store_at(url, MemoryVault())


def test_settings_that_are_missing_are_named() -> None:
    for key in ("client_id", "client_secret"):
        with pytest.raises(StoreError, match=f"`{key}` is missing"):
            store_at("https://api.outreach.io", MemoryVault(), Path(), **{key: ""})
    missing = "OUTREACH_SECRET"
    with pytest.raises(StoreError, match=f"{missing}, which is not set"):
        store_at("https://x.io", MemoryVault(), client_secret=f"env:{missing}")


def test_a_list_that_leads_elsewhere_is_not_followed(at: Connected) -> None:
    lists = at.store._reader.lists
    for url in ("https://evil.example/api/v2/users", f"{at.server.url}.evil.example/api/v2/users"):
        before = at.store.calls
        with pytest.raises(StoreError, match="where we do not go with a token"):
            lists.page(url, "user")
        assert at.store.calls == before


def test_a_certificate_that_nobody_here_trusts_is_told(tmp_path: Path) -> None:
    with answering(b"", self_signed(tmp_path)) as url:
        store = store_at(url, MemoryVault())
        with pytest.raises(Unreachable, match="certificate that cannot be trusted"):
            store.fetch("user", [], [1])
        store.close()
