"""Cells of CSV that no spreadsheet computes: what users typed into a CRM may be a formula."""

from __future__ import annotations

__all__ = ["harmless"]

# As OWASP has them, "CSV Injection"; the last four are the wide forms of the first.
_FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def harmless(cell: object) -> object:
    """A text that a spreadsheet would compute gets an apostrophe, after which it takes it as text.

    Which first characters those are: OWASP, "CSV Injection".
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
