"""The contract: what the jobs of queue "demo" carry.

Web code imports this and nothing of the workers. In Redis the names are in camel case, as
producers in Node write them: ``{"message": "hi", "failTimes": 2}``.
"""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Payload(BaseModel):
    """What all jobs of this queue have in common."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Echo(Payload):
    """Say it back."""

    message: str


class MaybeFail(Payload):
    """Fail so many times, then succeed."""

    message: str
    fail_times: int = Field(ge=0)
