"""A daemon that is none: HTTP on a unix socket that answers what a test says and keeps what it was asked."""
import http.server
import json
import socketserver
import threading
import urllib.parse


def error(kind, message, status=400, code=None):
    body = {"error": {"kind": kind, "message": message}}
    if code is not None:
        body["error"]["code"] = code
    return status, body


class FakeApi:
    """answers: {(method, path): an answer, a list of answers (the last stays), or a function of the
    request}. An answer: a document, or (status, document). Requests are kept as dictionaries with
    method, path, query, body and bytes."""

    def __init__(self, path, answers):
        self.path, self.answers, self.requests = str(path), answers, []

    def answer(self, request):
        given = self.answers.get((request["method"], request["path"]))
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        if callable(given):
            given = given(request)
        if given is None:
            given = error("not_found", "there is no such thing", 404)
        return given if isinstance(given, tuple) else (200, given)

    def __enter__(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                url = urllib.parse.urlsplit(self.path)
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = {"method": self.command, "path": url.path, "bytes": data,
                           "query": dict(urllib.parse.parse_qsl(url.query)),
                           "body": json.loads(data) if data else None}
                api.requests.append(request)
                status, document = api.answer(request)
                text = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = handle_any

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(self.path, Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def posts(self, path):
        return [one["body"] for one in self.requests if (one["method"], one["path"]) == ("POST", path)]
