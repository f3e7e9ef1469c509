"""The WebSocket channels."""
