from framework import Job


def of_text(job: Job[str]) -> None: ...


def of_anything(job: Job[object]) -> None:
    of_text(job)  # error: arg-type
