"""Everything that talks to Redis, and nothing else."""
