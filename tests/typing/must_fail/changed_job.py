from framework import Job


def change(job: Job[str]) -> None:
    job.data = "other"  # error: misc
