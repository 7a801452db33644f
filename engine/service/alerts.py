"""Tells people of troubles, each once while it lasts: to a webhook, to Slack, by e-mail."""

from __future__ import annotations

import logging
import queue
import smtplib
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from time import monotonic

from dsl.values import stamp
from engine.clock import SystemClock
from engine.ledger import Ledger
from engine.ledger.records import LedgerError
from engine.secrets import Secrets
from engine.sessions import Sober

__all__ = ["Alerts"]

_LOG = logging.getLogger("crosswalk.serve")
_PATIENCE = 10.0  # seconds for one message
_LEAVE = 2.0  # seconds for the messages that are under way at the end
_SMTP_PORT, _SMTPS_PORT = 587, 465
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 900.0  # seconds from one try to the next
_LOGGED = "log"
_Send = Callable[[str, str], None]


@dataclass(slots=True)
class _Try:
    """A message that is under way, or is sent again later."""

    under_way: bool = True
    failures: int = 0
    again: float = 0.0


class Alerts:
    """Sends what is new among a service's troubles, on a thread of its own.

    `settings` are [alerts] of `crosswalk.toml`. What was sent by which way is kept in the ledger,
    so that a restart does not tell it again; while that cannot be written, here. What could not be
    sent is sent again as long as its trouble lasts. Raises `SecretError` if a reference leads
    nowhere.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        secrets: Secrets,
        project: str,
        first_wait: float = _FIRST_WAIT,
    ) -> None:
        self._settings = {key: secrets.get(key, text) for key, text in settings.items()}
        self._project, self._first_wait = project, first_wait
        self._lock = threading.Lock()
        self._tries: dict[str, _Try] = {}
        self._told: set[str] | None = None
        self._kept: frozenset[str] = frozenset()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send, name="alerts", daemon=True)

    def see(
        self,
        ledger: Ledger | None,
        troubles: Mapping[str, str],
        is_open: Callable[[str], bool] = lambda _trouble: False,
    ) -> None:
        """Tell of the troubles (what they are about, and in words) that were not told of yet.

        Those that are not there are over, and told anew when they come again, except where
        `is_open` says that nobody knows yet. Without a ledger, all is kept here meanwhile.
        """
        told = self._told if ledger is None else self._load(ledger)
        ways = self._ways()
        with self._lock:
            if told is not None:
                gone = {mark for mark in told if _about(mark) not in troubles}
                told -= {mark for mark in gone if not is_open(_about(mark))}
            lasting = {f"{way} {trouble}" for way in ways for trouble in troubles}
            self._tries = {m: t for m, t in self._tries.items() if t.under_way or m in lasting}
        for way, send in ways.items():
            for text, about in _by_text(troubles).items():
                self._tell(way, send, about, text)
        if ledger is not None:
            self.keep(ledger)

    def keep(self, ledger: Ledger) -> None:
        """Write down what was told of, and what is over. Never raises."""
        with self._lock:
            told = frozenset(self._told or ())
        new, over = told - self._kept, self._kept - told
        if not new and not over:
            return
        try:
            ledger.note_alerts(sorted(new), sorted(over), stamp(SystemClock().now()))
            self._kept = told
        except LedgerError as error:
            _LOG.error("which alerts were sent cannot be kept: %s", error, extra={"event": "alert"})

    def close(self, ledger: Ledger | None = None) -> None:
        """Send nothing that has not begun; what was sent is kept."""
        if self._sender.ident is not None:
            self._work.put(None)
            self._sender.join(_LEAVE)
        if ledger is not None:
            self.keep(ledger)

    def _load(self, ledger: Ledger) -> set[str] | None:
        if self._told is None:
            try:
                self._kept = ledger.alerted()
            except LedgerError as error:
                _LOG.error(
                    "which alerts were sent cannot be read: %s", error, extra={"event": "alert"}
                )
                return None
            self._told = set(self._kept)
        return self._told

    def _tell(self, way: str, send: _Send, about: Sequence[str], text: str) -> None:
        """Put a message on its way for those of the troubles that it is due for."""
        now, due = monotonic(), []
        with self._lock:
            for trouble in about:
                mark = f"{way} {trouble}"
                tried = self._tries.get(mark)
                waits = tried is not None and (tried.under_way or now < tried.again)
                if mark not in (self._told or ()) and not waits:
                    due.append(mark)
                    self._tries[mark] = _Try(failures=tried.failures if tried else 0)
        if due:
            if self._sender.ident is None:
                self._sender.start()
            self._work.put(partial(self._try, due, partial(send, _about(due[0]), text)))

    # -- the sender's thread --------------------------------------------------------------------

    def _send(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _try(self, marks: Sequence[str], send: Callable[[], None]) -> None:
        try:
            send()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next one is to be told
            # Its words may hold the address, which is a secret of Slack's.
            way, name = marks[0].partition(" ")[0], type(error).__name__
            _LOG.error(
                "the alert cannot be sent by `%s`, and is tried again: %s",
                way,
                name,
                extra={"event": "alert"},
            )
            with self._lock:
                for mark in marks:
                    self._failed(self._tries[mark])
            return
        with self._lock:
            for mark in marks:
                self._tries.pop(mark, None)
                if self._told is None:
                    self._told = set()
                self._told.add(mark)

    def _failed(self, tried: _Try) -> None:
        wait = min(self._first_wait * 2**tried.failures, _LONGEST_WAIT)
        tried.under_way, tried.failures = False, min(tried.failures + 1, 30)
        tried.again = monotonic() + wait

    # -- ways -----------------------------------------------------------------------------------

    def _ways(self) -> dict[str, _Send]:
        known = {"webhook": self._webhook, "slack": self._slack, "email_to": self._mail}
        chosen = {way: send for way, send in known.items() if way in self._settings}
        return {_LOGGED: _logged, **chosen}

    def _webhook(self, trouble: str, text: str) -> None:
        told = {"version": 1, "project": self._project, "trouble": trouble, "message": text}
        self._post("webhook", told)

    def _slack(self, _trouble: str, text: str) -> None:
        self._post("slack", {"text": f"Crosswalk {self._project}: {text}"})

    def _post(self, way: str, told: Mapping[str, object]) -> None:
        url = self._settings[way].reveal()
        with Sober() as session:
            session.post(url, json=told, timeout=_PATIENCE).raise_for_status()

    def _mail(self, _trouble: str, text: str) -> None:
        told = {key: secret.reveal() for key, secret in self._settings.items()}
        mail = EmailMessage()
        mail["To"] = told["email_to"]
        mail["From"] = told.get("email_from", told["email_to"])
        mail["Subject"] = f"Crosswalk {self._project}: {text.splitlines()[0][:100]}"
        mail.set_content(text)
        with _server(told["smtp"], secure="smtp_password" in told) as server:
            if "smtp_password" in told:
                server.login(told.get("smtp_user", told["email_to"]), told["smtp_password"])
            server.send_message(mail)


def _server(address: str, *, secure: bool) -> smtplib.SMTP:
    """A mail server, over TLS where a password is sent; its certificate has to be trusted here."""
    host, _, given = address.partition(":")
    port, context = int(given or _SMTP_PORT), ssl.create_default_context()
    if port == _SMTPS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=_PATIENCE, context=context)
    server = smtplib.SMTP(host, port, timeout=_PATIENCE)
    if secure:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _logged(_trouble: str, text: str) -> None:
    _LOG.warning("alert: %s", text, extra={"event": "alert"})


def _about(mark: str) -> str:
    """What a mark (a way, and what was told) is about."""
    return mark.partition(" ")[2]


def _by_text(troubles: Mapping[str, str]) -> dict[str, list[str]]:
    """Troubles in the same words, which are told of in one message."""
    found: dict[str, list[str]] = defaultdict(list)
    for trouble, text in troubles.items():
        found[text].append(trouble)
    return found
