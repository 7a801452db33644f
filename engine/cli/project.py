"""A user's project as commands see it: its configuration, stores, ledger and rules."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.schema import Side
from engine.config import Config, StoreConfig, read_config
from engine.shipped import own_titles, title_names, title_texts

if TYPE_CHECKING:  # each command imports only what it uses: lint must not wait for a database
    from contextlib import ExitStack

    from dsl.program import Program
    from engine.ledger import Ledger
    from engine.ports import Store, Vault, Wait

__all__ = ["Failure", "Project", "able", "load_project"]


class Failure(Exception):
    """A command cannot go on: a sentence for the user, and the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Project:
    """A project's folder with its checked configuration."""

    config: Config

    @property
    def root(self) -> Path:
        return self.config.root

    @property
    def rules(self) -> Path:
        return self.config.rules

    @property
    def templates(self) -> frozenset[str]:
        return title_names(self.root)

    def open_store(self, side: Side) -> Store:
        """The configured store of one side. Raises `Failure` or `StoreError`."""
        config = self.config.stores[side]
        if config.store == "local":
            from engine.stores.local import open_org

            return open_org(side, self.root / config.settings["path"])
        if config.store == side.value:
            return self._connected(config)
        return _plugged_in(config)

    def _connected(self, config: StoreConfig) -> Store:
        """The vendor itself. Raises `Failure` if a secret is missing, or `StoreError`."""
        from engine.secrets import SecretError, Secrets

        given = config.settings, Secrets(self.root), self.vault(config.side)
        try:
            if config.side is Side.SALESFORCE:
                from engine.stores.salesforce import open_salesforce

                return open_salesforce(*given)
            from engine.stores.outreach import open_outreach

            return open_outreach(*given)
        except SecretError as error:
            raise Failure(f"[{config.side}] {error}") from None

    def vault(self, side: Side) -> Vault:
        """Where a side's tokens are kept, sealed."""
        from engine.vault import LedgerVault

        return LedgerVault(self.ledger_path, side)

    def open_ledger(self) -> Ledger:
        """The project's ledger. Raises `LedgerError`."""
        from engine.ledger import Ledger

        return Ledger(self.ledger_path)

    @property
    def ledger_path(self) -> Path:
        return self.root / self.config.ledger.removeprefix("sqlite:///")

    def open_stores(self, stack: ExitStack) -> dict[Side, Store]:
        """Both sides' stores, which `stack` closes."""
        stores = {}
        for side in Side:
            stores[side] = self.open_store(side)
            stack.callback(stores[side].close)
        return stores

    def open_budgeted(
        self, stack: ExitStack, program: Program, ledger: Ledger, wait: Wait | None = None
    ) -> dict[Side, Store]:
        """Both sides' stores within the rules' `limits`, their calls counted in the ledger."""
        from engine.budgeted import Budgeted, budgeted
        from engine.clock import SystemClock

        raw, zone = self.open_stores(stack), self.config.timezone
        stores = budgeted(raw, program.limits, ledger, zone, SystemClock(), wait)
        for store in stores.values():
            if isinstance(store, Budgeted):
                stack.callback(store.budget.close)
        return stores

    def open_ledger_to_look(self, stack: ExitStack, program: Program) -> Ledger:
        """The ledger, for a command that only looks; none is made for it unless calls are limited.

        Raises `LedgerError`.
        """
        from engine.ledger import Ledger

        kept = self.ledger_path.exists() or program.limits
        ledger = self.open_ledger() if kept else Ledger(Path(":memory:"))
        stack.callback(ledger.close)
        return ledger

    def program(self) -> Program:
        """The rules, which must have no error to be run. Raises `Failure`."""
        program, findings = self.rules_read()
        if program is None:
            print("\n".join(findings), file=sys.stderr)
            raise Failure("the rules have errors: mend them, then try again", 1)
        return program

    def rules_read(self) -> tuple[Program | None, tuple[str, ...]]:
        """The rules, or None with the findings that keep them from being run.

        Raises `Failure` if their folder cannot be read.
        """
        from dsl.diagnostics import as_text, in_order
        from dsl.files import read_folder
        from dsl.lint import check
        from dsl.schema import shipped_schema
        from engine.activities import carried_out

        loaded = read_folder(self.rules, Path(self.config.rules_name))
        if loaded.error:
            raise Failure(loaded.error)
        checked = check(loaded.sources, shipped_schema(), self.templates, own_titles(self.root))
        found = in_order((*loaded.failed, *checked.diagnostics))
        # Which values its picklists have, an org decides for itself: the shipped lists are a guess.
        errors = [d for d in found if d.is_error and d.code != "CW205"]
        if errors:
            return None, tuple(as_text([each]) for each in errors)
        return carried_out(checked.program, title_texts(self.root)), ()


def able(program: Program, stores: dict[Side, Store]) -> Program:
    """The program without activities that a connected system does not tell of, which is said."""
    from engine.activities import able as able_with

    program, told = able_with(program, stores)
    for each in told:
        print(f"crosswalk: note: {each}", file=sys.stderr)
    return program


def _plugged_in(config: StoreConfig) -> Store:
    """A store that an installed package offers by the entry point `crosswalk.stores`."""
    from importlib.metadata import entry_points

    found = list(entry_points(group="crosswalk.stores", name=config.store))
    if not found:
        raise Failure(
            f"[{config.side}] names the store `{config.store}`, which is not installed:"
            f" this version has `local` and `{config.side}`"
        )
    store: Store = found[0].load()(config)
    return store


def load_project(folder: str | None) -> Project:
    """The project in `folder`, or where the command was called. Raises `ConfigError`."""
    return Project(read_config(Path(folder or ".").resolve()))
