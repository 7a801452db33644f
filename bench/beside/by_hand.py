"""The same pages and writes as ours, with no rules, no ledger and no log.

`by_hand.py read SALESFORCE_URL` reads leads; `by_hand.py carry SALESFORCE_URL OUTREACH_URL` writes
each as a prospect, one request a record, 16 at a time.
"""

from __future__ import annotations

import asyncio
import http.client
import sys
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from work import FIELDS, outreach_token, salesforce_token, tell

PAGE = 2_000
AT_ONCE = 16
MEDIA = "application/vnd.api+json"


class Lead(msgspec.Struct):
    Id: str
    SystemModstamp: str
    FirstName: str | None
    LastName: str
    Email: str | None
    Title: str | None
    Company: str
    Phone: str | None
    City: str | None
    State: str | None
    PostalCode: str | None
    Country: str | None
    LeadSource: str | None
    Status: str | None
    IsConverted: bool


class Answer(msgspec.Struct):
    totalSize: int  # noqa: N815 - as the vendor has it
    done: bool
    records: list[Lead]


def pages(url: str, token: str) -> Iterator[list[Lead]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    decode, after = msgspec.json.Decoder(Answer).decode, ""
    while True:
        query = f"SELECT {FIELDS} FROM Lead {after} ORDER BY SystemModstamp, Id LIMIT {PAGE}"
        connection.request(
            "GET",
            f"/services/data/v60.0/query?q={quote(query)}",
            headers={"Authorization": f"Bearer {token}"},
        )
        found = decode(connection.getresponse().read()).records
        if found:
            yield found
        if len(found) < PAGE:
            connection.close()
            return
        stamp, last = found[-1].SystemModstamp.replace("+0000", "Z"), found[-1].Id
        after = f"WHERE (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{last}'))"


def prospect(lead: Lead) -> bytes:
    attributes = {
        "firstName": lead.FirstName,
        "lastName": lead.LastName,
        "emails": [lead.Email],
        "title": lead.Title,
        "company": lead.Company,
        "workPhones": [lead.Phone],
        "addressCity": lead.City,
        "addressState": lead.State,
        "addressZip": lead.PostalCode,
        "addressCountry": lead.Country,
        "source": lead.LeadSource,
    }
    return msgspec.json.encode({"data": {"type": "prospect", "attributes": attributes}})


async def write(url: str, token: str, found: Iterator[list[Lead]]) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": MEDIA, "Accept": MEDIA}
    made = 0
    async with aiohttp.ClientSession(headers=headers) as session:

        async def send(leads: Iterator[Lead]) -> None:
            nonlocal made
            for lead in leads:
                async with session.post(f"{url}/api/v2/prospects", data=prospect(lead)) as answer:
                    await answer.read()
                    made += answer.status == 201

        for page in found:
            leads = iter(page)
            await asyncio.gather(*(send(leads) for _ in range(AT_ONCE)))
    return made


def main() -> None:
    what, *urls = sys.argv[1:]
    reading = salesforce_token(urls[0])
    if what == "read":
        tell(lambda: sum(map(len, pages(urls[0], reading))))
    else:
        writing = outreach_token(urls[1])
        tell(lambda: asyncio.run(write(urls[1], writing, pages(urls[0], reading))))


if __name__ == "__main__":
    main()
