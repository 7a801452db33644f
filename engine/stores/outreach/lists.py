"""Lists of records as Outreach answers them: page after page, or for as many values as fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.ports import StoreError
from engine.stores.outreach.failures import body_of, refused
from engine.stores.outreach.paths import address, plural
from engine.stores.outreach.transport import Answer, Request, Transport

__all__ = ["Lists", "page_size_of"]

_PAGE = 1000
_PAGES = {"mailing": 100}  # a mailing's text is long
#: Characters that the values of one filter may take. Web servers commonly take addresses of 8,192.
_LONGEST = 6000

Document = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


def page_size_of(type_name: str) -> int:
    """How many records of a type a list answers at once at the most."""
    return _PAGES.get(type_name, _PAGE)


@dataclass
class Lists:
    """Asks for lists of one connection."""

    transport: Transport

    def first(self, type_name: str, parameters: Parameters, size: int | None = None) -> Document:
        """The first page of a list. Raises `StoreError`."""
        return self.page(self.url(type_name, parameters, size), type_name)

    def page(self, url: str, type_name: str) -> Document:
        """The page at an address, which `links.next` of another may have told."""
        if not self.transport.settings.is_ours(url):
            raise StoreError(
                "Outreach's list goes on at another address than `base_url` in [outreach] of"
                " crosswalk.toml names, where we do not go with a token"
            )
        answer = self.transport.one(Request("GET", url), f"{plural(type_name)}")
        return _document(answer)

    def all(self, type_name: str, parameters: Parameters) -> Iterator[Document]:
        """All pages of a list that nobody changes meanwhile, or where that does no harm."""
        page = self.first(type_name, parameters)
        yield page
        while following := next_of(page):
            page = self.page(following, type_name)
            yield page

    def of_values(
        self, type_name: str, name: str, values: Sequence[Any], parameters: Parameters
    ) -> list[Document]:
        """The records whose `name` (an attribute, or `account][id`) is one of the values."""
        urls = [
            self.url(type_name, [(f"filter[{name}]", ",".join(part)), *parameters])
            for part in _parts([str(value) for value in values], page_size_of(type_name))
        ]
        return self._together(type_name, urls)

    def of_texts(
        self, type_name: str, name: str, texts: Sequence[str], parameters: Parameters
    ) -> list[Document]:
        """As `of_values`, for texts with commas or dots, which only the newer syntax can say."""
        urls = []
        for part in _parts(
            [quote(text) for text in texts], page_size_of(type_name), len(name) + 12
        ):
            listed = "".join(f"filter[{name}][]={text}&" for text in part)
            rest = self.url(type_name, [("newFilterSyntax", "true"), *parameters])
            urls.append(rest.replace("?", f"?{listed}", 1))
        return self._together(type_name, urls)

    def url(self, type_name: str, parameters: Parameters, size: int | None = None) -> str:
        """The address of a list's first page."""
        base = self.transport.settings.base
        paging = ("page[size]", str(size or page_size_of(type_name)))
        return address(base, plural(type_name), [*parameters, paging, ("count", "false")])

    def _together(self, type_name: str, urls: Sequence[str]) -> list[Document]:
        """The lists at several addresses, asked for at once, each to its end."""
        found: list[Document] = []
        while urls:
            requests = [Request("GET", url) for url in urls]
            answers = self.transport.all(requests, plural(type_name)) if requests else []
            pages = [_checked(answer, type_name) for answer in answers]
            found += pages
            urls = [following for page in pages if (following := next_of(page))]
            for url in urls:
                if not self.transport.settings.is_ours(url):
                    self.page(url, type_name)
        return found


def next_of(page: Document) -> str | None:
    """Where a list goes on."""
    following = (page.get("links") or {}).get("next")
    return following if isinstance(following, str) else None


def _checked(answer: Answer | StoreError, type_name: str) -> Document:
    if isinstance(answer, StoreError):
        raise answer
    if answer.status >= 300:
        raise refused(answer.status, answer.body, plural(type_name))
    return _document(answer)


def _document(answer: Answer) -> Document:
    found = body_of(answer.body)
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise StoreError(
            "what answers at `base_url` in [outreach] of crosswalk.toml is not Outreach's API: its"
            " lists have no `data`"
        )
    return found


def _parts(texts: Sequence[str], most: int, more: int = 1) -> Iterator[list[str]]:
    """The texts in parts that fit into an address, each with `more` characters beside it."""
    part: list[str] = []
    length = 0
    for text in texts:
        own = len(quote(text, safe=",:%")) + more
        if part and (length + own > _LONGEST or len(part) == most):
            yield part
            part, length = [], 0
        part.append(text)
        length += own
    if part:
        yield part
