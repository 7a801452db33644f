"""The console: what the core and the ledger say, as pages and as an HTTP API."""
