"""Runs the real acmsensor, on pipes or on a terminal of any width."""
import csv
import io
import json
import os
import pty
import re
import select
import struct
import fcntl
import subprocess
import termios
import time
import unicodedata

from awssim import BUILD, clean_environment

PROGRAM = str(BUILD / "acmsensor")
STYLE = re.compile("\x1b\\[[0-9;]*m")


def environment(**more):
    return {**clean_environment("/nonexistent"), "LC_ALL": "C.UTF-8", "TERM": "xterm", **more}


class Cli:
    """base: the options before each command: --offline DIR or --socket PATH."""

    def __init__(self, *base):
        self.base = [str(one) for one in base]

    @property
    def program(self):
        """How the commands begin that it suggests."""
        return " ".join(["acmsensor", *self.base])

    def command(self, *arguments):
        return [PROGRAM, *self.base, *[str(one) for one in arguments]]

    def run(self, *arguments, code=0, timeout=60, stdout=subprocess.PIPE, columns=None, **more):
        """The completed process; its exit code is checked, unless that is None."""
        if columns is not None:
            more["COLUMNS"] = str(columns)
        done = subprocess.run(self.command(*arguments), env=environment(**more), stdout=stdout,
                              stderr=subprocess.PIPE, timeout=timeout)
        done.stderr = done.stderr.decode()
        if done.stdout is not None:
            done.stdout = done.stdout.decode()
        assert code in (None, done.returncode), (arguments, done.returncode, done.stdout, done.stderr)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr
        return done

    def out(self, *arguments, **more):
        return self.run(*arguments, **more).stdout

    def json(self, *arguments, **more):
        return json.loads(self.out("-o", "json", *arguments, **more))

    def csv(self, *arguments, **more):
        return list(csv.DictReader(io.StringIO(self.out("-o", "csv", *arguments, **more),
                                               newline="")))

    def start(self, *arguments, **more):
        return subprocess.Popen(self.command(*arguments), env=environment(**more),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def on_terminal(self, *arguments, columns=80, timeout=60, interrupt_at=None, **more):
        """(exit code, everything that a terminal got). interrupt_at: a text; when it has come,
        Ctrl-C is typed."""
        terminal = Terminal(self, *arguments, columns=columns, **more)
        if interrupt_at is not None:
            terminal.read(interrupt_at, timeout=timeout).type("\x03")
        code = terminal.end(timeout)
        return code, terminal.text


class Terminal:
    """The CLI with a terminal of its own for all three files, and somebody who types."""

    def __init__(self, cli, *arguments, columns=80, **more):
        self.got = b""
        self.child, self.fd = pty.fork()
        if self.child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            os.execve(PROGRAM, cli.command(*arguments), environment(**more))

    @property
    def text(self):
        return self.got.decode(errors="replace")

    def read(self, until=None, times=1, timeout=20):
        """Until that text has come that often, or all."""
        end = time.monotonic() + timeout
        while until is None or self.text.count(until) < times:
            assert time.monotonic() < end, self.text
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                piece = b""
            if not piece:
                assert until is None, self.text
                return self
            self.got += piece
        return self

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def end(self, timeout=20):
        """Reads all; its exit code."""
        self.read(timeout=timeout)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def width(line):
    """Terminal columns of a line."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF"
               else 1 for c in STYLE.sub("", line))
