"""A small HTTP server for probes. It has a thread of its own: a blocked event loop is no excuse.

It answers any path that it does not know with 404 and takes no input at all.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6

import structlog

from framework.app.process_answers import Answer
from framework.app.settings import Settings
from framework.errors import ServerError

log = structlog.get_logger("framework.health")

# Who connects and says nothing is left.
REQUEST_SECONDS = 5.0

Answers = Callable[[str], Answer]


def probes_of(answers: Answers, settings: Settings) -> AbstractContextManager[object]:
    """Answer probes while the context is open, where a port is set for them."""
    if settings.health_port is None:
        return nullcontext()
    return serving_probes(answers, settings.health_host, settings.health_port)


class ProbeServer(ThreadingHTTPServer):
    """Listens for probes."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Note that who asked left; the next probe tells what is to be told."""
        log.debug("probe broken off", exc_info=True)


@contextmanager
def serving_probes(answers: Answers, host: str, port: int) -> Iterator[int]:
    """Answer probes while this is open; yield the port, which is a free one if 0 was asked for.

    Raises:
        ServerError: Nobody can listen there.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS

        def do_GET(self) -> None:
            code, body = answers(self.path.partition("?")[0].rstrip("/"))
            text = json.dumps(body).encode() + b"\n"
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_HEAD = do_GET  # noqa: N815 - http.server calls it so

        def log_message(self, *_: object) -> None:
            """Say nothing: probes come every few seconds."""

    ProbeServer.address_family = AF_INET6 if ":" in host else AF_INET
    try:
        server = ProbeServer((host, port), Handler)
    except OSError as error:
        raise ServerError(
            f"health port {port} is taken or not allowed ({error.strerror}). End what listens "
            "there, or choose another with --health-port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
    thread.start()
    listens_at = server.server_address[1]
    log.info("probes answered", port=listens_at, paths="/livez /readyz /healthz")
    try:
        yield listens_at
    finally:
        server.shutdown()
        server.server_close()
