from collections.abc import Callable
from types import ModuleType

import pytest

from framework.declare.route import Named, Route, RouteSpec, route
from framework.errors import RouteError

Write = Callable[[str, str], ModuleType]


class SendInvoice: ...


def test_a_route_names_its_jobs_after_the_payload(write: Write) -> None:
    shop = write(
        "shop.routes",
        """
        from framework.declare.route import route

        class SendInvoice: ...

        INVOICES = route("invoices", SendInvoice)
        """,
    )

    assert RouteSpec("invoices", shop.SendInvoice, "send-invoice") == shop.INVOICES
    assert shop.INVOICES.where == "shop/routes.py:5"


def test_a_route_may_name_its_jobs() -> None:
    assert route("invoices", SendInvoice, name="pdf").name == "pdf"


def test_markers_can_be_keys() -> None:
    assert hash(Route("mail", "send")) == hash(Route("mail", "send"))
    assert {Named("mail"): 1}[Named("mail")] == 1


def test_a_route_to_no_queue_is_refused_where_it_stands(write: Write) -> None:
    with pytest.raises(RouteError) as caught:
        write("shop.routes", 'from framework.declare.route import route\nroute("a:b", int)')

    assert str(caught.value) == (
        'shop/routes.py:2: "a:b" cannot name a queue. Use a name that is not empty and has no colon'
    )


@pytest.mark.parametrize("make", [lambda: Named(""), lambda: Route(""), lambda: Route("a", "")])
def test_markers_refuse_what_names_nothing(make: Callable[[], object]) -> None:
    with pytest.raises(RouteError):
        make()
