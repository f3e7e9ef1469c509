from framework import Job, processor


@processor("demo", run_in="threads")  # error: arg-type
def run(job: Job[str]) -> None: ...
