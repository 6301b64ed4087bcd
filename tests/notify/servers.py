"""A mail server and a webhook, on loopback, each in threads of its own."""

import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail. `said` holds the commands, `mails` the bodies, as they came.

    `refuse` maps the beginning of a command to the answer in its stead.
    """

    daemon_threads = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Talk)
        self.said, self.mails, self.refuse, self.context = [], [], {}, context
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""

    def close(self):
        self.shutdown()
        self.server_close()


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self.answer("220 here")
        while line := self.rfile.readline().decode().strip():
            self.server.said.append(line)
            verb = line.split()[0].upper()
            refused = next((answer for start, answer in self.server.refuse.items() if line.startswith(start)), None)
            if refused is not None:
                self.answer(refused)
            else:
                getattr(self, verb.lower(), lambda: self.answer("250 yes"))()
            if verb == "QUIT":
                break

    def answer(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def ehlo(self):
        self.answer("250-here", *(["250-STARTTLS"] if self.server.context else []), "250 AUTH PLAIN")

    def auth(self):
        self.answer("235 come in")

    def quit(self):
        self.answer("221 bye")

    def starttls(self):
        self.answer("220 go on")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def data(self):
        self.answer("354 go on")
        self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
        self.answer("250 taken")

    def finish(self):
        super().finish()
        self.connection.close()


class Hooks(ThreadingHTTPServer):
    """`seen` holds (path, headers, body) of each post; `answers` the statuses to give, the last one for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Taker)
        self.seen, self.answers = [], [200]
        self.place = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.place}/secret-path"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Taker(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
