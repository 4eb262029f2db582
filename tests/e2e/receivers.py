"""Receivers of alerts: a webhook that can be told to misbehave, and a mail server with STARTTLS that
nobody here wrote (aiosmtpd)."""
import email
import email.policy
import http.server
import json
import socket
import ssl
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

from bundle import key_pem, pem
from ports import free_port
from waiting import wait_until

PATH = "/services/T0SECRET/B0SECRET/xyzSECRETxyz"


def write_tls(folder, authority, *names):
    """A server's certificate of an Authority of bundle.py: (context, file of the CA)."""
    bundle = authority.issue(*names)
    (folder / "server.pem").write_bytes(pem(bundle.leaf, *bundle.chain))
    (folder / "server.key").write_bytes(key_pem(bundle.key))
    (folder / "ca.pem").write_bytes(pem(authority.root))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context, folder / "ca.pem"


class Webhook:
    """answers: what it does with each request, the last for all that follow: a status, "stall",
    "garbage", "close"."""

    def __init__(self, folder, context=None, answers=(200,)):
        self.messages, self.attempts, self.answers = [], 0, list(answers)
        self._lock, self._done = threading.Lock(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer._serve(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://localhost:{self._server.server_port}{PATH}"
        self.url_file = folder / f"hook-{self._server.server_port}.url"
        self.url_file.write_text(self.url + "\n")
        self.url_file.chmod(0o600)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self._lock:
            self.attempts += 1
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "stall":
            self._done.wait(60)
            return
        if answer == "close":
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer == "garbage":
            request.wfile.write(b"\x00\xffthis is no HTTP\r\n" * 50)
            return
        if answer // 100 == 2:
            assert request.path == PATH
            assert request.headers["Content-Type"] == "application/json"
            with self._lock:
                self.messages.append(json.loads(body))
        text = f"not found: {request.path}".encode() if answer == 404 else b"no_such_team"
        request.send_response(answer)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def wait(self, count, timeout=40):
        wait_until(lambda: len(self.messages) >= count, timeout, f"message {count}")
        return self.messages[count - 1]

    def quiet(self, count, seconds=2.5):
        """No more than these come."""
        time.sleep(seconds)
        assert len(self.messages) == count, self.messages[count:]

    def stop(self):
        self._done.set()
        self._server.shutdown()
        self._server.server_close()


class MailSink:
    """STARTTLS and AUTH are demanded; mails are parsed messages with their envelope."""

    def __init__(self, context, user="sensor", password="mail-SECRET"):
        self.mails, self.logins = [], []
        outer = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                outer.mails.append((envelope, mail))
                return "250 taken"

        def authenticate(server, session, envelope, mechanism, data):
            outer.logins.append((data.login.decode(), data.password.decode()))
            return AuthResult(success=outer.logins[-1] == (user, password))

        class TlsController(Controller):
            def factory(self):
                return SMTP(self.handler, tls_context=context, require_starttls=True,
                            auth_required=True, authenticator=authenticate)

        self._controller = TlsController(Handler(), hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.port = self._controller.port

    def wait(self, count, timeout=40):
        wait_until(lambda: len(self.mails) >= count, timeout, f"mail {count}")
        return self.mails[count - 1]

    def stop(self):
        self._controller.stop()
