"""Background jobs for Python: declared like NestJS, run like Celery, stored like BullMQ."""
