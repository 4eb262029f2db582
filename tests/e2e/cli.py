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
        child, terminal = pty.fork()
        if child == 0:
            os.execve(PROGRAM, self.command(*arguments), environment(**more))
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        text, end = b"", time.monotonic() + timeout
        while True:
            assert time.monotonic() < end, text
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
            if interrupt_at is not None and interrupt_at.encode() in text:
                os.write(terminal, b"\x03")
                interrupt_at = None
        os.close(terminal)
        status = os.waitpid(child, 0)[1]
        return os.waitstatus_to_exitcode(status), text.decode()


def width(line):
    """Terminal columns of a line."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF"
               else 1 for c in STYLE.sub("", line))
