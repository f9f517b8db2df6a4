"""A streaming endpoint whose first token comes after a known time with 10 % jitter; prints its address."""

from __future__ import annotations

import http.server
import json
import random
import socketserver
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every second token waits 40 ms for an acknowledgement

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.event({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
        time.sleep(float(sys.argv[1]) * random.lognormvariate(0, 0.1))
        self.event({"choices": [{"delta": {"content": "yes"}}]})
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data: object) -> None:
        text = b"data: " + json.dumps(data).encode() + b"\n\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(text), text))
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
        server.serve_forever()
