"""The BullMQ format: pure functions between bytes and values."""
