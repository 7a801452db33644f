"""A source in the declarative language of the Airbyte CDK, with that one's own Python.

`airbyte.py leads SALESFORCE_URL` or `airbyte.py prospects OUTREACH_URL`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from airbyte_cdk.cli.source_declarative_manifest._run import create_declarative_source
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from work import FIELDS, outreach_token, salesforce_token, tell

WHAT, URL = sys.argv[1:]
LEADS = {
    "url_base": f"{URL}/services/data/v60.0/",
    "path": "query",
    "request_parameters": {"q": f"SELECT {FIELDS} FROM Lead"},
}
PROSPECTS = {
    "url_base": f"{URL}/api/v2/",
    "path": "prospects",
    "request_parameters": {"page[size]": "1000", "sort": "updatedAt", "count": "false"},
}
#: Where records are, and where it says how a list goes on.
PLACES = {
    "leads": ("records", "{{ response.get('nextRecordsUrl') }}"),
    "prospects": ("data", "{{ response.get('links', {}).get('next') }}"),
}


def manifest() -> dict[str, Any]:
    records, following = PLACES[WHAT]
    token = salesforce_token(URL) if WHAT == "leads" else outreach_token(URL)
    if WHAT == "leads":  # which says only where on the server
        following = f"{{{{ '{URL}' + response.get('nextRecordsUrl', '') }}}}"
    stop = "done" if WHAT == "leads" else "not response.get('links', {}).get('next')"
    stop = f"{{{{ response.get('{stop}') }}}}" if WHAT == "leads" else f"{{{{ {stop} }}}}"
    stream = {
        "type": "DeclarativeStream",
        "name": WHAT,
        "primary_key": [],
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "properties": {}},
        },
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "http_method": "GET",
                "authenticator": {"type": "BearerAuthenticator", "api_token": token},
                **(LEADS if WHAT == "leads" else PROSPECTS),
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": [records]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestPath"},
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": following,
                    "stop_condition": stop,
                },
            },
        },
    }
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [WHAT]},
        "streams": [stream],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    }


def main() -> None:
    stream = {"name": WHAT, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    catalog = {
        "streams": [
            {
                "stream": stream,
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
        ]
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("config.json", "catalog.json")]
        paths[0].write_text(json.dumps({"__injected_declarative_manifest": manifest()}))
        paths[1].write_text(json.dumps(catalog))
        words = ["read", "--config", str(paths[0]), "--catalog", str(paths[1])]
        entry = AirbyteEntrypoint(create_declarative_source(words))
        given = AirbyteEntrypoint.parse_args(words)
        tell(lambda: sum('"type":"RECORD"' in line[:40] for line in entry.run(given)))


if __name__ == "__main__":
    main()
