"""An endpoint that a gateway calls with jobs: any HTTP server in any language will do."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

GATEWAY = os.environ["GATEWAY"]
SIZES = {"cat.png": 1200, "dog.png": 800}


class Shrink(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        job, token = call["job"], call["token"]
        file = job["data"]["file"]
        if file not in SIZES:
            self.answer(422, "text/plain", f"there is no {file}")
            return
        tell(job["id"], "logs", f"shrinking {file}", token)
        tell(job["id"], "progress", {"percent": 50}, token)
        self.answer(200, "application/json", json.dumps({"width": SIZES[file] // 10}))

    def answer(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())


def tell(job_id: str, what: str, value: object, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{GATEWAY}/queues/shrink/jobs/{job_id}/{what}"
    with urlopen(Request(url, json.dumps(value).encode(), headers)):
        pass


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "9000"))
    ThreadingHTTPServer(("127.0.0.1", port), Shrink).serve_forever()
