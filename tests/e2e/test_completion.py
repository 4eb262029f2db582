"""Completion: what a Tab in a real shell completes from the tables and from a running daemon."""
import json
import os
import pty
import select
import shutil
import socket
import subprocess
import time

import pytest

from acmsensor import Sensor
from awssim import BUILD, ROOT, Awssim, clean_environment
from bundle import Authority, key_pem, pem
from cli import Cli
from fake_api import FakeApi

SCRIPTS = ROOT / "packaging" / "completion"
SHELL_S = 30
# How each is started without the user's and the system's settings, and told the completion.
SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"],
             f"PS1='ready> '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; "
             f"source {SCRIPTS}/acmsensor.bash"),
    "zsh": (["zsh", "-f", "-i"],
            f"PS1='ready> '; unsetopt zle_bracketed_paste beep; fpath=({SCRIPTS} $fpath); "
            "autoload -Uz compinit && compinit -D -u"),
    "fish": (["fish", "--no-config", "--private", "-i"],
             "function fish_prompt; echo -n 'ready> '; end; set -g fish_autosuggestion_enabled 0; "
             f"source {SCRIPTS}/acmsensor.fish"),
}


class Terminal:
    """An interactive shell."""

    def __init__(self, command, environment, folder):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.text = ""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        """Until that has come since the last call; returns what came before it."""
        end = time.monotonic() + SHELL_S
        while text not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
        before, _, self.text = self.text.partition(text)
        return before

    def close(self):
        os.close(self.terminal)
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    with Awssim(folder=folder, accounts=3, certs_per_region=2, rate_scale=0,
                regions="us-east-1,eu-central-1") as sim:
        one = Sensor(folder, sim)
        one.start()
        one.scan()
        yield one
        one.stop()


def complete(*words, at=None):
    """What the shells are told: (candidates, descriptions). at: the daemon's socket."""
    where = ["--socket", str(at)] if at else []
    done = subprocess.run([BUILD / "acmsensor", "complete", *where, *words], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done
    lines = [line.partition("\t") for line in done.stdout.splitlines()]
    return [line[0] for line in lines], [line[2] for line in lines]


@pytest.mark.xdist_group("completion")
def test_what_the_daemon_knows_is_offered(daemon):
    held = daemon.certificates()
    arns, domains = complete("show", "arn:", at=daemon.socket)
    assert sorted(arns) == sorted(held)
    assert domains == [held[arn]["domain_name"] for arn in arns]
    accounts = {pair[0] for pair in daemon.coverage()}
    assert set(complete("certs", "--account", "", at=daemon.socket)[0]) == accounts
    assert set(complete("coverage", "--region=", at=daemon.socket)[0]) == \
        {"--region=us-east-1", "--region=eu-central-1"}
    assert complete("scan", "--connector", "p", at=daemon.socket) == \
        (["prod"], ["organization"])
    domain = next(iter(held.values()))["domain_name"]
    assert complete("certs", "--domain", domain[:-1], at=daemon.socket)[0].count(domain) == 1
    assert complete("jobs", "", at=daemon.socket)[0] == []
    assert complete("apply", "", at=daemon.socket)[0] == []


@pytest.mark.xdist_group("completion")
def test_what_is_typed_before_narrows_what_is_offered(daemon):
    held = daemon.certificates()
    one = next(iter(held.values()))
    account, region = one["account_id"], one["region"]
    there = sorted(arn for arn, cert in held.items()
                   if (cert["account_id"], cert["region"]) == (account, region))
    assert there and len(there) < len(held)
    for words in (["plan", "--account", account, f"--region={region}", "--arn", ""],
                  ["delete", f"arn:aws:acm:{region}:{account}:"]):
        assert sorted(complete(*words, at=daemon.socket)[0]) == there
    assert complete("delete", f"arn:aws:acm:{region}:999999999999:", at=daemon.socket)[0] == []
    assert complete("delete", "arn:aws:acm:nowhere:1:", at=daemon.socket)[0] == []


@pytest.mark.xdist_group("completion")
def test_plans_and_jobs_are_offered(daemon):
    bundle = Authority("ec256").issue("www.example.com")
    (daemon.folder / "leaf.pem").write_bytes(pem(bundle.leaf, *bundle.chain) + key_pem(bundle.key))
    cli = Cli("--socket", daemon.socket)
    leaf = str(daemon.folder / "leaf.pem")
    plan = cli.json("plan", "--account", daemon.sim.ready["management_account_id"], "--region",
                    "us-east-1", "--cert", leaf, "--key", leaf)["plan"]["id"]
    assert complete("apply", "p", at=daemon.socket) == ([plan], ["import open"])
    job = cli.json("apply", plan, "--wait")["jobs"][0]["id"]
    assert complete("rollback", "--wait", "", at=daemon.socket) == ([job], ["deliver succeeded"])


def test_alerts_and_channels_are_offered(tmp_path):
    arn = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
    rows = "".join(json.dumps(row) + "\n" for row in [
        {"id": "00000000000000aa", "subject": arn, "text": "www.example.com ends soon"},
        {"id": "00000000000000bb", "subject": "prod 111122223333", "text": "account lost"}])
    status = {"schema": 1, "status": {"alerts": {"channels": [
        {"name": "ops", "type": "webhook"}, {"name": "oncall", "type": "mail"}]}}}
    with FakeApi(tmp_path / "socket", {("GET", "/v1/alerts"): rows.encode(),
                                       ("GET", "/v1/status"): json.dumps(status).encode()}):
        at = tmp_path / "socket"
        assert complete("alerts", "", at=at)[0] == ["ack", "test"]
        assert complete("alerts", "ack", "", at=at) == \
            (["00000000000000aa", "00000000000000bb"], ["www.example.com ends soon", "account lost"])
        assert complete("alerts", "ack", "a", at=at)[0] == [arn]
        assert complete("alerts", "ack", "arn:aws:acm:eu-west-1:111122223333:", at=at)[0] == [arn]
        assert complete("alerts", "ack", "--note", "x", "00000000000000b", at=at)[0] == \
            ["00000000000000bb"]
        assert complete("alerts", "test", "o", at=at) == (["ops", "oncall"], ["webhook", "mail"])
        assert complete("alerts", "test", "ops", "", at=at)[0] == []
        assert complete("alerts", "--class", "e", at=at)[0] == ["emergency"]


def test_without_a_daemon_the_tables_are_offered():
    assert "certs" in complete("")[0]
    assert complete("certs", "--stat") == (["--status"], ["only this status: ISSUED, EXPIRED, "
                                                          "PENDING_VALIDATION, FAILE..."])
    assert complete("certs", "--status", "I")[0] == ["ISSUED", "INACTIVE"]
    assert complete("certs", "--in-use=")[0] == ["--in-use=yes", "--in-use=no"]
    assert complete("help", "co")[0] == ["coverage", "config"]
    assert complete("-oj")[0] == ["-ojson"]
    assert complete("plan", "--cert", "")[0] == [":files"]
    assert complete("backup", "")[0] == [":files"]
    assert complete("status", "")[0] == []
    for path in ("/nonexistent", "/etc/passwd", ""):
        assert complete("--socket", path, "certs", "--account", "")[0] == []


def test_the_store_is_offered_without_a_daemon(tmp_path):
    subprocess.run([BUILD / "fill_store", tmp_path], check=True, capture_output=True)
    words = ["complete", "--offline", str(tmp_path), "show", "arn:"]
    done = subprocess.run([BUILD / "acmsensor", *words], capture_output=True, text=True)
    assert done.stdout.count("arn:aws:acm:") > 1 and done.stderr == ""


def test_a_daemon_that_hangs_is_not_waited_for(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        before = time.monotonic()
        assert complete("certs", "--account", "", at=tmp_path / "socket")[0] == []
        assert time.monotonic() - before < 10


def test_what_a_shell_would_read_something_into_is_not_offered(tmp_path):
    names = ["www.example.com", "*.example.com", "$(reboot).example.com", "a;b", "a b", "`x`",
             "\x1b[31m", "", "<x", "'", "ä.example.com", "www.example.com"]
    rows = "".join(json.dumps({"domain_name": name}) + "\n" for name in names).encode()
    with FakeApi(tmp_path / "socket", {("GET", "/v1/certificates"): rows}):
        assert complete("certs", "--domain", "", at=tmp_path / "socket")[0] == \
            ["www.example.com", "*.example.com"]


@pytest.fixture
def shell(daemon, tmp_path):
    """A function that starts a shell in which `acmsensor` completes as the real one does, and
    tells what it was called with."""
    opened = []

    def start(name):
        if shutil.which(name) is None:
            pytest.skip(f"no {name} here")
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "acmsensor").write_text(
            f'#!/bin/sh\nif [ "$1" = complete ]; then shift; exec {BUILD}/acmsensor complete '
            f'--socket {daemon.socket} "$@"; fi\nprintf "RAN"; printf " <%s>" "$@"; echo " END"\n')
        (folder / "acmsensor").chmod(0o755)
        command, set_up = SHELLS[name]
        (tmp_path / "some-file.pem").write_text("")
        terminal = Terminal(command, {**clean_environment(
            tmp_path, TERM="xterm", LC_ALL="C.UTF-8", XDG_DATA_HOME=str(tmp_path),
            XDG_CONFIG_HOME=str(tmp_path)), "PATH": f"{folder}:{os.environ['PATH']}"}, tmp_path)
        opened.append(terminal)
        terminal.type(set_up + "; echo set''up\n")
        terminal.wait_for("setup\r\n")
        terminal.wait_for("ready> ")
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def words_of(terminal, typed):
    """What the program is called with after the line, with its Tabs, and Enter."""
    terminal.type(typed + "\n")
    words = terminal.wait_for(" END\r\n").rpartition("RAN ")[2]
    terminal.wait_for("ready> ")
    return words.replace("<", "").replace(">", "").split(" ")


@pytest.mark.xdist_group("completion")
@pytest.mark.parametrize("name", SHELLS)
def test_tab_in_a_real_shell(daemon, shell, name):
    terminal = shell(name)
    held = daemon.certificates()
    arn = sorted(held)[0]
    others = [other for other in held if other != arn]
    unique = next(arn[:n] for n in range(1, len(arn) + 1)
                  if not any(other.startswith(arn[:n]) for other in others))
    assert len(unique) < len(arn)
    account = held[arn]["account_id"]
    assert words_of(terminal, "acmsensor cov\t--prob\t") == ["coverage", "--problems"]
    assert words_of(terminal, f"acmsensor show {unique}\t") == ["show", arn]
    assert words_of(terminal, f"acmsensor certs --account {account[:6]}\t--status=ISS\t") == \
        ["certs", "--account", account, "--status=ISSUED"]
    assert words_of(terminal, "acmsensor scan --connector p\t--region eu\t") == \
        ["scan", "--connector", "prod", "--region", "eu-central-1"]
    assert words_of(terminal, "acmsensor plan --cert some\t") == ["plan", "--cert", "some-file.pem"]
