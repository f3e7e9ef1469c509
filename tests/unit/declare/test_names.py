from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel

from framework.declare.names import job_name_of

T = TypeVar("T")


class SendMail2: ...


class HTTPServer: ...


class Card(BaseModel): ...


class _Draft: ...


class OAuthToken: ...


class Envelope(BaseModel, Generic[T]):
    letter: T


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (SendMail2, "send-mail2"),
        (HTTPServer, "http-server"),
        (OAuthToken, "o-auth-token"),
        (_Draft, "draft"),
        (type("Größe", (), {}), "größe"),
        (dict[str, Any], "dict"),
        (list[Card], "list"),
        (str, "str"),
        (None, "none"),
        (Envelope[Card], "envelope-card"),
        (Annotated[Card, "x"], "card"),
        (Card | HTTPServer, "card-or-http-server"),
        (Card | None, "card"),
    ],
)
def test_a_job_is_named_after_its_payload(payload: object, name: str) -> None:
    assert job_name_of(payload) == name
