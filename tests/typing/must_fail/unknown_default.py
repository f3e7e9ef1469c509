from framework import JobOptions

DEFAULTS = JobOptions(retries=3)  # error: typeddict-unknown-key
