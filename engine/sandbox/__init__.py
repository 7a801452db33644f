"""Two local orgs behind their vendors' HTTP protocols, on loopback, for trying and for proving."""
