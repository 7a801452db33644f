"""Tells people of troubles, each once while it lasts: to a webhook, to Slack, by e-mail."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

from dsl.pairs import spoken_pair
from dsl.values import stamp
from engine.budget import State as Budget
from engine.clock import SystemClock
from engine.ledger import Ledger
from engine.secrets import Secrets
from engine.service.state import State
from engine.sessions import Sober

__all__ = ["Alerts", "troubles"]

_LOG = logging.getLogger("crosswalk.serve")
_PATIENCE = 10.0  # seconds for one message
_SMTP_PORT = 587
_NEARLY = 80  # percent of a budget from which on people are told


class Alerts:
    """Sends what is new among a service's troubles, on a thread of its own.

    `settings` are [alerts] of `crosswalk.toml`. Raises `SecretError` if a reference leads nowhere.
    """

    def __init__(self, settings: Mapping[str, str], secrets: Secrets, project: str) -> None:
        self._settings = {key: secrets.get(key, text) for key, text in settings.items()}
        self._project = project
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="alerts")

    def see(self, ledger: Ledger, troubles: Mapping[str, str]) -> None:
        """Tell of the troubles (what they are about, and in words) that were not there before."""
        known = ledger.alerted()
        new = {key: text for key, text in troubles.items() if key not in known}
        over = known - troubles.keys()
        if new or over:
            ledger.note_alerts(sorted(new), sorted(over), stamp(SystemClock().now()))
        for key, text in new.items():
            _LOG.warning("alert: %s", text)
            for way, send in self._ways().items():
                self._sender.submit(self._try, way, send, key, text)

    def close(self) -> None:
        """Send nothing that has not begun."""
        self._sender.shutdown(wait=False, cancel_futures=True)

    def _ways(self) -> dict[str, Callable[[str, str], None]]:
        known = {"webhook": self._webhook, "slack": self._slack, "email_to": self._mail}
        return {way: send for way, send in known.items() if way in self._settings}

    def _try(self, way: str, send: Callable[[str, str], None], key: str, text: str) -> None:
        try:
            send(key, text)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            # Its words may hold the address, which is a secret of Slack's.
            _LOG.error("the alert cannot be sent by `%s`: %s", way, type(error).__name__)

    def _webhook(self, key: str, text: str) -> None:
        told = {"version": 1, "project": self._project, "trouble": key, "message": text}
        self._post("webhook", told)

    def _slack(self, _key: str, text: str) -> None:
        self._post("slack", {"text": f"Crosswalk {self._project}: {text}"})

    def _post(self, way: str, told: Mapping[str, object]) -> None:
        url = self._settings[way].reveal()
        with Sober() as session:
            session.post(url, json=told, timeout=_PATIENCE).raise_for_status()

    def _mail(self, _key: str, text: str) -> None:
        told = {key: secret.reveal() for key, secret in self._settings.items()}
        mail = EmailMessage()
        mail["To"] = told["email_to"]
        mail["From"] = told.get("email_from", told["email_to"])
        mail["Subject"] = f"Crosswalk {self._project}: {text.splitlines()[0][:100]}"
        mail.set_content(text)
        host, _, port = told["smtp"].partition(":")
        with smtplib.SMTP(host, int(port or _SMTP_PORT), timeout=_PATIENCE) as server:
            if "smtp_password" in told:
                server.starttls(context=ssl.create_default_context())
                server.login(told.get("smtp_user", told["email_to"]), told["smtp_password"])
            server.send_message(mail)


def troubles(
    state: State, held: Mapping[str, int], budgets: Sequence[Budget]
) -> Iterator[tuple[str, str]]:
    """What is wrong now: what each trouble is about, and in words. `held` counts by pair."""
    if state.unreachable:
        yield "unreachable", state.unreachable
    if state.findings:
        yield "rules", "the new rules are refused: " + "\n".join(state.findings)
    ended = [step for step in state.steps if step.last in ("stopped", "failed")]
    stopped = {step.trouble for step in ended if step.trouble}
    if stopped and not state.unreachable:
        yield "stopped", "; ".join(sorted(stopped))
    for pair, count in held.items():
        what = f"{count:,} {'record' if count == 1 else 'records'} of {spoken_pair(pair)}"
        yield f"held {pair}", f"{what} held or refused: `crosswalk review` says why"
    for each in budgets:
        if each.threshold is not None and 100 * each.used >= _NEARLY * each.threshold:
            name = f"{each.side.title()} {each.scope} per {each.period}"
            used = f"{each.used:,} of {each.threshold:,} calls are used"
            yield f"budget {name}", f"the budget {name}: {used}"
