"""How the cost of a job grows: with what is in Redis, its payload and the concurrency."""
