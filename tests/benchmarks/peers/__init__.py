"""What runs in the peers' own virtual environments: a file each, and what they share."""
