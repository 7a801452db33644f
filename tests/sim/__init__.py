"""A simulated world for the engine: two orgs with weather, users who do not wait, crashes."""
