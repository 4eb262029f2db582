"""The CLI with a daemon: scans and their progress, events across restarts, answers that break."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from cli import Cli
from other_user import NOBODY, open_to_everybody, takes_root
from waiting import wait_until

SMALL = dict(accounts=3, regions="us-east-1,eu-west-1", certs_per_region=3, rate_scale=0)


@pytest.fixture
def ready(awssim, sensor):
    """A daemon whose first cycle has ended, and a CLI for it."""
    def make(**flags):
        daemon = sensor(awssim(**{**SMALL, **flags})).start()
        daemon.wait_idle()
        return daemon, Cli("--socket", daemon.socket)
    return make


# --- the same with and without a daemon


def test_lists_are_the_same_with_and_without_a_daemon(ready):
    daemon, cli = ready(mixed=True, accounts=8, units=3)
    arn = cli.json("certs")["certificates"][0]["arn"]
    commands = [["certs"], ["certs", "--expires", "60d", "--in-use", "yes"], ["accounts"],
                ["coverage"], ["coverage", "--problems"], ["show", arn], ["show", "--pem", arn],
                ["certs", "--region", "mars-north-1"], ["events", "--since", "7d", "--limit", "20"]]
    online = {}
    for command in commands:
        for output in ("json", "csv", "table", "wide"):
            online[output, tuple(command)] = cli.out("-o", output, *command)
    status = cli.json("status")["status"]
    daemon.stop()
    offline = Cli("--offline", daemon.data_dir)

    def no_times(text):
        return re.sub(r"(in )?\d+ (s|min|hours)( ago)?|now", "T", re.sub(" +", " ", text))
    for (output, command), text in online.items():
        assert no_times(offline.out("-o", output, *command)) == no_times(text), (output, command)
    alone = offline.json("status")["status"]
    assert alone["counts"] == status["counts"] and alone["coverage"] == status["coverage"]
    assert alone["store"]["epoch"] == status["store"]["epoch"]
    assert alone["connectors"][0]["cycle"] == status["connectors"][0]["cycle"]


def test_show_pem_is_the_certificate_and_its_chain(ready):
    daemon, cli = ready()
    truth = {one["arn"]: one for one in daemon.sim.truth(pem=1)["certificates"]}
    arn = next(arn for arn, one in truth.items() if one["has_pem"])
    text = cli.out("show", "--pem", arn)
    assert text.startswith(truth[arn]["pem"].strip()) and text.count("BEGIN CERTIFICATE") >= 1
    whole = cli.out("show", arn)
    for part in (arn, truth[arn]["serial"], truth[arn]["domain_name"]):
        assert part in whole


# --- status, config, backup


def test_status_has_what_needs_attention_first(ready):
    daemon, cli = ready(accounts=8, mixed=True)
    text = cli.out("status")
    lines = text.splitlines()
    assert lines[0] == "e2e" and "acmsensord" in lines[1]
    at = lines.index("Needs attention")
    assert at < lines.index("Connector prod") < lines.index("Certificates")
    assert f"{cli.program} coverage --problems" in text
    attention = cli.json("status")["status"]["attention"]
    for item in attention:
        assert item["hint"].replace("acmsensor", cli.program, 1) in text
    daemon.stop()


def test_status_says_that_nothing_needs_attention(ready):
    daemon, cli = ready(certs_per_region=0)
    assert "nothing needs it" in cli.out("status")


def test_status_shows_how_far_a_running_cycle_is(awssim, sensor):
    daemon = sensor(awssim(**SMALL, latency_ms=400)).start()
    cli = Cli("--socket", daemon.socket)
    text = cli.out("status")
    assert "\n  Running             " in text
    daemon.wait_idle()
    assert "Running" not in cli.out("status")


def test_config_shows_values_and_where_they_come_from(ready):
    daemon, cli = ready()
    rows = {(row["section"], row["key"]): row for row in cli.json("config")["config"]}
    assert any(key == "interval" for _, key in rows)
    text = cli.out("config")
    assert "interval" in text and "1h" in text and str(daemon.config) in cli.out("config")
    assert {row["key"] for row in cli.csv("config")} == {key for _, key in rows}
    assert "WHAT IT IS" in cli.out("-o", "wide", "config")
    secret = daemon.sim.ready["secret_access_key"]
    assert secret not in cli.out("-o", "json", "config")


def test_a_backup_is_taken_while_the_daemon_runs(ready, tmp_path):
    daemon, cli = ready()
    copy = tmp_path / "copy"
    copy.mkdir()
    cli.run("backup", copy / "store.mdb")
    assert (copy / "store.mdb").stat().st_mode & 0o777 == 0o600
    assert Cli("--offline", copy).json("certs")["certificates"] == \
        cli.json("certs")["certificates"]


# --- scan


def test_a_scan_begins_and_says_how_to_follow_it(ready):
    daemon, cli = ready()
    done = cli.run("scan")
    assert done.stdout.split() == ["prod", "a", "cycle", "has", "begun"]
    assert done.stderr == \
        f"acmsensor: progress and outcome: {cli.program} scan --wait\n"
    daemon.wait_idle()
    scan = cli.json("scan", "--account", daemon.sim.ready["hub_account_id"])["scan"]
    assert len(scan["cycle_ids"]) == 1
    daemon.wait_idle()
    assert cli.csv("scan")[0]["connector"] == "prod"


def test_waiting_ends_with_the_outcome_and_exit_0(ready):
    daemon, cli = ready()
    done = cli.run("scan", "--wait")
    assert "prod                everything in scope was read\n" in done.stdout
    assert "3 accounts, 6 account-regions, " in done.stdout
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    document = cli.json("scan", "--wait")
    (cycle,) = document["progress"]
    assert document["schema"] == 1 and cycle["result"] == "complete"
    assert cycle["pairs_done"] == cycle["pairs_total"] == 6
    (row,) = cli.csv("scan", "--wait")
    assert row["result"] == "complete" and list(row) == list(cycle)


def test_what_could_not_be_read_is_named_with_exit_4(ready):
    daemon, cli = ready(accounts=8, mixed=True)
    done = cli.run("scan", "--wait", code=4)
    problems = cli.json("coverage", "--problems")["coverage"]
    assert f"{len(problems)} of " in done.stdout and "could not be read" in done.stdout
    for row in problems:
        assert row["account_id"] in done.stdout and row["reason"][:20] in done.stdout
    done = cli.run("-o", "json", "scan", "--wait", code=4)
    assert json.loads(done.stdout)["progress"][0]["result"] == "incomplete"
    assert f"{cli.program} coverage --problems" in done.stderr
    # A part that can be read is no warning.
    good = next(row for row in cli.json("coverage")["coverage"] if row["state"] == "ok")
    done = cli.run("scan", "--wait", "--account", good["account_id"], "--region", good["region"])
    assert "everything in scope was read" in done.stdout


def test_the_list_of_what_was_not_read_is_bounded(ready):
    daemon, cli = ready(accounts=30, acm_denied=25)
    problems = cli.json("coverage", "--problems")["coverage"]
    done = cli.run("scan", "--wait", code=4)
    assert len(problems) > 20
    table = done.stdout.split("Could not be read\n")[1].splitlines()
    assert len(table) == 1 + 20
    assert f"and {len(problems) - 20} more; all, with reasons: {cli.program} coverage --problems" in done.stderr


def test_a_terminal_gets_a_bar_that_goes_away(awssim, sensor):
    daemon = sensor(awssim(**SMALL, latency_ms=150)).start()
    cli = Cli("--socket", daemon.socket)
    code, text = cli.on_terminal("scan", "--wait", columns=80)
    assert code == 0
    bars = [piece.split("\x1b[K")[0] for piece in text.split("\r") if "account-regions" in piece
            and ("█" in piece or "░" in piece)]
    assert bars and all(len(bar) <= 79 for bar in bars)
    assert "certificates" in "".join(bars)
    # The last thing that is done to the bar's line is to clear it.
    end = text.rindex("\r\x1b[K")
    assert "░" not in text[end:] and "everything in scope was read" in text[end:]


def test_elsewhere_plain_lines_are_said(awssim, sensor):
    daemon = sensor(awssim(**SMALL, latency_ms=150)).start()
    done = Cli("--socket", daemon.socket).run("scan", "--wait")
    assert done.stderr and all(line.startswith("acmsensor: ")
                               for line in done.stderr.splitlines())


def test_an_interrupted_wait_leaves_the_cycle_alone(awssim, sensor):
    daemon = sensor(awssim(**SMALL, latency_ms=300)).start()
    cli = Cli("--socket", daemon.socket)
    code, text = cli.on_terminal("scan", "--wait", interrupt_at="\x1b[K")
    assert code == 130
    assert f"interrupted; the cycle goes on: {cli.program} scan --wait joins it" in text
    ended = daemon.wait_idle()
    assert ended["prod"]["result"] == "complete"


def test_a_daemon_that_goes_away_while_one_waits_is_told(awssim, sensor):
    daemon = sensor(awssim(**SMALL, latency_ms=500)).start()
    cli = Cli("--socket", daemon.socket)
    process = cli.start("scan", "--wait")
    assert process.stderr.readline()
    daemon.kill()
    assert process.wait(30) == 3
    assert b"no daemon answers" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


def test_a_scan_of_something_unknown_is_refused(ready):
    daemon, cli = ready()
    told = cli.run("scan", "--connector", "none", code=2).stderr
    assert told == 'acmsensor: there is no connector "none"; there is prod\n'
    assert "12 digits" in cli.run("scan", "--account", "12", code=2).stderr
    assert "region" in cli.run("scan", "--region", "Mars!", code=2).stderr


@takes_root
def test_who_may_not_ask_is_told_whom_to_ask(ready):
    daemon, cli = ready()
    os.chmod(daemon.socket, 0o600)
    open_to_everybody(daemon.socket.parent)
    done = subprocess.run(cli.command("status"), capture_output=True, text=True, user=NOBODY,
                          group=NOBODY, extra_groups=[], env={"LC_ALL": "C.UTF-8"})
    if "cannot open shared" in done.stderr or done.returncode == 126:
        pytest.skip("nobody cannot run the program")
    assert done.returncode == 3, done
    assert "Permission denied" in done.stderr and "group acmsensor" in done.stderr
    os.chmod(daemon.socket, 0o666)
    done = subprocess.run(cli.command("scan"), capture_output=True, text=True, user=NOBODY,
                          group=NOBODY, extra_groups=[], env={"LC_ALL": "C.UTF-8"})
    assert done.returncode == 1 and "may read only" in done.stderr


# --- events


class Follower:
    """acmsensor -o json events --follow; what it prints is gathered."""

    def __init__(self, cli, *arguments):
        self.process = cli.start("-o", "json", "events", "--follow", *arguments)
        self.rows, self.talk = [], []
        self.threads = [threading.Thread(target=self.read_rows),
                        threading.Thread(target=self.read_talk)]
        for thread in self.threads:
            thread.start()

    def read_rows(self):
        for line in self.process.stdout:
            self.rows.append(json.loads(line))

    def read_talk(self):
        for line in self.process.stderr:
            self.talk.append(line.decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()

    def sequences(self):
        return [row["sequence"] for row in self.rows]

    def said(self, text):
        """How often."""
        return sum(text in line for line in self.talk)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def newest(daemon):
    return daemon.events()[-1]["sequence"]


def caught_up(daemon, follower):
    wait_until(lambda: follower.rows and follower.rows[-1]["sequence"] == newest(daemon))


def test_followed_events_survive_restarts_without_loss_or_repetition(ready):
    daemon, cli = ready()
    with Follower(cli, "--since", "1h") as follower:
        caught_up(daemon, follower)
        for turn, ending in enumerate((daemon.stop, daemon.kill, daemon.stop), 1):
            daemon.scan()
            ending()
            wait_until(lambda: follower.said("went away") == turn)
            daemon.start()
            daemon.scan()
            caught_up(daemon, follower)
            assert follower.said("is back") == turn
        assert follower.sequences() == list(range(1, newest(daemon) + 1))
        assert [row["hash"] for row in follower.rows] == [row["hash"] for row in daemon.events()]
        assert follower.end() == -signal.SIGINT
        assert follower.said("went away") == follower.said("is back") == 3


def test_followed_events_go_on_in_a_store_that_was_restored(ready, tmp_path):
    daemon, cli = ready()
    backup = tmp_path / "backup"
    cli.run("backup", backup)
    with Follower(cli, "--since", "1h") as follower:
        # Times are whole seconds: the last one of the backup has to be over.
        second = int(time.time())
        wait_until(lambda: int(time.time()) > second)
        for _ in range(3):
            daemon.scan()
        caught_up(daemon, follower)
        shown = len(follower.rows)
        daemon.stop()
        shutil.copy(backup, daemon.data_dir / "store.mdb")
        daemon.start()
        wait_until(lambda: follower.said("another store"))
        daemon.scan()
        wait_until(lambda: follower.rows[-1]["hash"] == daemon.events()[-1]["hash"])
        later = follower.rows[shown:]
        assert "store_restored" in [row["kind"] for row in later]
        hashes = [row["hash"] for row in follower.rows]
        assert len(hashes) == len(set(hashes))
        restored = [row["hash"] for row in daemon.events()]
        first = restored.index(later[0]["hash"])
        assert [row["hash"] for row in later] == restored[first:]
        assert follower.end() == -signal.SIGINT


def test_events_are_listed_from_when_one_asks(ready):
    daemon, cli = ready()
    every = cli.json("events", "--since", "1h")["events"]
    assert [row["sequence"] for row in every] == list(range(1, len(every) + 1))
    assert cli.json("events", "--limit", "2")["events"] == every[:2]
    text = cli.out("events")
    assert "cycle_finished" in text and len(text.splitlines()) == len(every) + 1
    done = cli.run("events", "--since", "2199-01-01")
    assert done.stdout == "" and "--since 30d looks further back" in done.stderr


def test_following_without_a_daemon_is_exit_3(tmp_path):
    done = Cli("--socket", tmp_path / "none").run("events", "--follow", code=3)
    assert "is acmsensord running?" in done.stderr


def test_a_follower_whose_pipe_closes_ends_quietly(ready):
    daemon, cli = ready()
    process = cli.start("events", "--follow", "--since", "1h")
    assert process.stdout.readline()
    process.stdout.close()
    daemon.scan()
    assert process.wait(40) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


# --- a daemon that lies, breaks off or is no daemon


class FakeDaemon:
    """Answers every connection with the same bytes."""

    def __init__(self, path, answer):
        self.path, self.answer = str(path), answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(self.answer)
                except OSError:
                    pass

    def __enter__(self):
        return Cli("--socket", self.path)

    def __exit__(self, *_):
        self.listener.close()


def http(body, status="200 OK", length=None):
    length = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n").encode() + body


def chunked(*chunks, is_whole=False):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + \
        (b"0\r\n\r\n" if is_whole else b"")


ROW = b'{"arn":"arn:aws:acm:x","domain_name":"a.example","status":"ISSUED"}\n'
BROKEN = {
    "nothing": (b"", 3, "no daemon answers"),
    "no HTTP": (b"220 smtp.example ESMTP\r\n" * 3, 3, "no daemon answers"),
    "a row cut": (http(ROW[:-10]), 1, "broke off in the middle of a row"),
    "less than promised": (http(ROW, length=500), 1, "broke off"),
    "no final chunk": (chunked(ROW, ROW), 1, "broke off"),
    "HTML": (http(b"<html>\n"), 1, "answer of the daemon"),
    "lists": (http(b"[1]\n"), 1, "answer of the daemon"),
    "an error": (http(b'{"error":{"kind":"config","message":"region: \\u001b[31m no"}}',
                      "400 Bad Request"), 2, "region: \\x1b[31m no"),
    "an error of a newer daemon": (http(b'{"error":{"kind":"novel","message":"m"}}',
                                        "500 Oops"), 1, "acmsensor: m\n"),
    "an error without words": (http(b"<html>", "502 Bad Gateway"), 1,
                               "the daemon answered 502"),
    "an error of the wrong type": (http(b'{"error":[]}', "500 Oops"), 1,
                                   "the daemon answered 500"),
    "an endless row": (http(b'{"a":"' + b"x" * (9 << 20) + b'"}\n'), 1, "larger than"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_an_error_and_never_a_short_list(tmp_path, name):
    answer, code, message = BROKEN[name]
    with FakeDaemon(tmp_path / "s", answer) as cli:
        for output in ("table", "wide"):
            done = cli.run("-o", output, "certs", code=code)
            assert message in done.stderr, done.stderr
            assert done.stdout == "" and done.stderr.count("\n") == 1
        done = cli.run("-o", "csv", "certs", code=code)
        assert message in done.stderr


@pytest.mark.parametrize("command", [["status"], ["config"], ["accounts"], ["coverage"],
                                     ["events"], ["show", "x"], ["scan", "--wait"],
                                     ["backup", "/nonexistent/file"]])
def test_no_command_takes_nonsense_for_an_answer(tmp_path, command):
    for number, answer in enumerate((http(b"null"), http(b'{"schema":1'), http(b"\xff\n"),
                                     b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")):
        with FakeDaemon(tmp_path / f"s{number}", answer) as cli:
            done = cli.run(*command, code=1)
            assert done.stdout == "" and done.stderr.startswith("acmsensor: ")


HIDDEN = "a\x7f\x85\x9b31m\u202e\u200b\ufeff\U000e0041\x1b[0m"


def is_shown_not_obeyed(text):
    return all(c == "\n" or c.isprintable() for c in text)


def test_status_shows_alerts_and_channels(tmp_path):
    """Both kinds of silence differ: nothing to tell, and nobody who can be told."""
    channels = [{"name": "chat", "type": "webhook", "sent": "2025-01-01T00:00:00Z"},
                {"name": "oncall", "type": "mail", "sent": "2025-01-01T00:00:00Z",
                 "failing_since": "2025-01-02T00:00:00Z", "error": "mail: no TLS connection"},
                {"name": "new", "type": "command"}]
    for number, (alerts, expected) in enumerate([
            ({"open": {"notice": 3, "emergency": 1}, "acknowledged": 2, "looked": True,
              "channels": channels},
             ["\nAlerts\n", "  Open                1 emergency, 3 notice\n",
              "  Acknowledged        2\n", "  Channel chat        webhook, last message ",
              "  Channel oncall      mail, failing since ", ": mail: no TLS connection\n",
              "  Channel new         command, no message yet\n"]),
            ({"open": {"notice": 0}, "acknowledged": 0, "looked": True, "channels": []},
             ["  Open                none\n"]),
            ({"open": {"notice": 0}, "looked": False, "channels": []},
             ["  Open                not looked yet\n"])]):
        body = json.dumps({"schema": 1, "status": {"alerts": alerts}}).encode()
        with FakeDaemon(tmp_path / str(number), http(body)) as cli:
            text = cli.out("status", columns=200)
            for part in expected:
                assert part in text, text
            assert ("Acknowledged" in text) == (alerts.get("acknowledged", 0) > 0)


@pytest.mark.parametrize("command", [["status"], ["config"]])
def test_json_of_a_daemon_shows_what_a_terminal_would_obey(tmp_path, command):
    document = {"schema": 1, command[0]: {"name": HIDDEN, "more": ["Zürich 東京"]}}
    body = json.dumps(document, ensure_ascii=False).encode()
    with FakeDaemon(tmp_path / "s", http(body)) as cli:
        text = cli.out("-o", "json", *command)
        assert json.loads(text) == document
        assert "Zürich 東京" in text and is_shown_not_obeyed(text)


@pytest.mark.parametrize("pem, chain_pem", [(HIDDEN, ""), ("", HIDDEN), ("x\x1b[2J\n", "")])
def test_what_is_not_pem_is_not_printed(tmp_path, pem, chain_pem):
    row = json.dumps({"arn": "arn:aws:acm:x", "pem": pem, "chain_pem": chain_pem})
    with FakeDaemon(tmp_path / "s", http(row.encode() + b"\n")) as cli:
        done = cli.run("show", "--pem", "x", code=1)
        assert done.stdout == "" and done.stderr.count("\n") == 1
        assert "not PEM" in done.stderr and is_shown_not_obeyed(done.stderr)


def test_members_of_the_wrong_type_or_none_are_shown_as_nothing(tmp_path):
    """A newer daemon may say things in another way: no command breaks down over it. Only an answer without any status
    is none: it would look like one of a sensor that knows nothing."""
    rows = [b"{}", b'{"arn":[],"domain_name":{},"not_after":7,"tags":[],"chain":"x",'
            b'"subject_alternative_names":{"a":1},"in_use":"yes","in_use_by":[1,{}],'
            b'"coverage":[],"history":[1,2],"sequence":"x","at":"never","unit_path":"//a//"}',
            b'{"status":{"attention":[1,{}],"connectors":["x",{}],"coverage":{"a":"b"},'
            b'"alerts":{"open":[1],"acknowledged":"x","channels":[1,{},{"sent":7}]}},'
            b'"config":[1,{}],"progress":7}']
    for number, row in enumerate(rows):
        with FakeDaemon(tmp_path / f"s{number}", http(row + b"\n")) as cli:
            for command in (["certs"], ["accounts"], ["coverage"], ["events"], ["show", "x"],
                            ["status"], ["config"]):
                for output in ("table", "wide", "csv"):
                    is_none = command == ["status"] and b'"status"' not in row
                    cli.run("-o", output, *command, code=1 if is_none else 0)
