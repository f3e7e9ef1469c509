"""A client of a gateway for Python programs: it needs no Redis, and comes back after a cut."""
