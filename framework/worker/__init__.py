"""Getting jobs out, and running them."""
