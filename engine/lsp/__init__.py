"""The language server: what `crosswalk lint`, `fmt` and the schema know, while a rule is typed."""
