"""Examples that are tests run where they belong: in the project that the quick start writes."""

collect_ignore = ["examples"]
