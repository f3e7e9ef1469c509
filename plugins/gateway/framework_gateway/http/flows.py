"""Adding trees of jobs over HTTP."""

from starlette.requests import Request
from starlette.responses import Response

from framework import FlowProducer, FlowTree, job_json
from framework_gateway.auth import Channel, Token
from framework_gateway.errors import bad_request, forbidden
from framework_gateway.flow_check import FlowCheck
from framework_gateway.http.answers import written
from framework_gateway.http.body import read_json
from framework_gateway.hub import Hub


async def add_flows(hub: Hub, request: Request) -> Response:
    """Add a tree, or an array of them, whole or not at all."""
    body = await read_json(hub, request)
    token: Token = request.scope["token"]

    def admit(queue: str) -> None:
        if not token.may(Channel.HTTP, queue):
            raise forbidden()

    if not isinstance(body, dict | list):
        raise bad_request("Body must be an object or an array")
    check = FlowCheck(hub.settings, admit)
    flows = [check.read(flow) for flow in (body if isinstance(body, list) else [body])]
    producer: FlowProducer = await hub.application.get(FlowProducer)
    trees = await producer.add_trees(flows)
    shown = [tree_json(tree) for tree in trees]
    return written(b"[%b]" % b",".join(shown) if isinstance(body, list) else shown[0])


def tree_json(tree: FlowTree) -> bytes:
    """Return a tree as BullMQ shows it: ``{"job", "children"}``, the latter where it has any."""
    if not tree.children:
        return b'{"job":%b}' % job_json(tree.job)
    children = b",".join(map(tree_json, tree.children))
    return b'{"job":%b,"children":[%b]}' % (job_json(tree.job), children)
