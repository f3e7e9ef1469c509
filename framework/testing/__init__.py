"""What tests of applications use: runs without Redis, recorders."""
