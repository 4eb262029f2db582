"""The commands of delivery against a daemon that answers from a script: what they send, show and end with."""
import base64
import copy
import json
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

from cli import STYLE, Cli, environment, width
from fake_api import FakeApi, error

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-0123456789ab"
OTHER_ARN = ARN[:-1] + "c"
ALB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
CERT = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"
SECRET = "correct horse battery staple"

SIDE = {"serial": "0a01", "fingerprint_sha256": "ab" * 32, "subject": "CN=www.example.com",
        "issuer": "CN=Example CA,O=Example", "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2199-01-01T00:00:00Z", "key_algorithm": "RSA_2048",
        "signature_algorithm": "SHA256WITHRSA",
        "subject_alternative_names": ["www.example.com", "old.example.com"],
        "key_usages": ["DIGITAL_SIGNATURE"], "extended_key_usages": ["TLS_WEB_SERVER_AUTHENTICATION"]}
PLAN = {
    "id": "p-20261127-aaaa", "decision": "reimport", "reason": "every rule of ACM is kept",
    "connector": "prod", "account_id": "123456789012", "region": "eu-central-1", "arn": ARN,
    "certificate_id": "shop-1", "created": "2026-11-27T12:00:00Z", "expires": "2199-01-01T01:00:00Z",
    "current": {**SIDE, "type": "IMPORTED", "status": "ISSUED", "in_use_by": [ALB],
                "tags": {"team": "old", "own": "x"}, "chain": ["CN=Example CA", "CN=Root"]},
    "new": {**SIDE, "serial": "0b02", "fingerprint_sha256": "cd" * 32, "issuer": "CN=Other CA",
            "subject_alternative_names": ["www.example.com", "new.example.com"],
            "extended_key_usages": ["TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION"],
            "chain": ["CN=Other CA", "CN=Root"]},
    "names": {"added": ["new.example.com"], "lost": ["old.example.com"], "kept": ["www.example.com"]},
    "rules": [{"name": "same_key_type", "verdict": "passed", "text": "the key type stays RSA_2048"},
              {"name": "novel", "verdict": "unconfirmed", "text": "whether AWS minds is not known"}],
    "warnings": [], "notes": [{"name": "bundle", "text": "the chain repeated the leaf"}],
    "tags": {"team": "web"}, "bindings_to_move": [],
    "rollback": {"possible": True, "reason": "this sensor holds the key until 2026-12-27"},
    "auto_rollback": False, "key_escrow": "sensor", "verify_hosts": ["www.example.com:443"]}
JOB = {"id": "j-20261127-bbbb", "kind": "deliver", "state": "running", "phase": "check", "reason": "",
       "plan": PLAN["id"], "of_job": "", "connector": "prod", "account_id": "123456789012",
       "region": "eu-central-1", "arn": ARN, "certificate_id": "shop-1",
       "created": "2026-11-27T12:00:00Z", "updated": "2026-11-27T12:00:01Z", "ended": None,
       "next_attempt": None, "attempts": 0, "old_serial": "0a01", "new_serial": "0b02",
       "rollback_possible": False, "evidence": None}
STEPS = [{"number": n + 1, "at": f"2026-11-27T{at}Z", "phase": phase, "failure": False, "text": text}
         for n, (at, phase, text) in enumerate([
             ("12:00:01", "check", "ACM holds serial 0a01"), ("12:00:02", "import", "sent"),
             ("12:00:09", "confirm", "ACM shows serial 0b02")])]
HOST = {"host": "www.example.com:443", "outcome": "served", "serial": "0b02", "error": "",
        "at": "2026-11-27T12:00:10Z"}
EVIDENCE = {"acm": {"serial": "0b02"}, "tags": {"added": "", "restored": "", "missing": ""},
            "hosts": [HOST]}
PLACE = ["--account", "123456789012", "--region", "eu-central-1"]


def plan_of(**changes):
    return {"schema": 1, "plan": {**copy.deepcopy(PLAN), **changes}}


def job_of(steps=None, **changes):
    job = {**copy.deepcopy(JOB), **changes}
    return job if steps is None else {**job, "steps": STEPS[:steps]}


def jobs(*items):
    return {"schema": 1, "jobs": list(items)}


def ended(state, steps=3, evidence=None, **changes):
    return job_of(steps, state=state, phase="done", ended="2026-11-27T12:00:10Z",
                  **{"reason": f"it {state}", "evidence": evidence or EVIDENCE, **changes})


@pytest.fixture
def api(tmp_path):
    """A function that starts the fake with answers; (fake, CLI)."""
    running = []

    def start(answers):
        fake = FakeApi(tmp_path / f"s{len(running)}", answers).__enter__()
        running.append(fake)
        return fake, Cli("--socket", fake.path)

    yield start
    for fake in running:
        fake.__exit__()


@pytest.fixture
def files(tmp_path):
    """Private files by name."""
    def write(**contents):
        made = {}
        for name, text in contents.items():
            path = tmp_path / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            path.chmod(0o600)
            made[name] = path
        return made
    return write


class Terminal:
    """The CLI with a terminal of its own for all three files, and somebody who types."""

    def __init__(self, cli, *arguments, **more):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execve(cli.command()[0], cli.command(*arguments), environment(**more))
        self.text = ""

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
            self.text += piece.decode()
        return self

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def end(self):
        self.read()
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


# --- plan: what is sent


def sent_plan(api, *arguments, answer=None, code=0, **more):
    fake, cli = api({("POST", "/v1/plan"): answer or plan_of()})
    done = cli.run("plan", *arguments, code=code, **more)
    return fake.posts("/v1/plan"), done


def test_everything_that_is_given_is_sent(api, files):
    at = files(cert=CERT, key=KEY, chain=CERT * 2, pass_=SECRET + "\r\nanother line\n")
    (body,), done = sent_plan(
        api, "--connector", "prod", "--arn", ARN, "--new-arn", "--cert", at["cert"], "--key", at["key"],
        "--chain", at["chain"], "--passphrase-file", at["pass_"], "--keep-root", "--tag", "team=web",
        "--tag", "note=a=b", "--tag", "empty=", "--verify-host", "www.example.com",
        "--verify-host", "[2001:db8::1]:8443", "--auto-rollback")
    assert body == {
        "connector": "prod", "account": "123456789012", "region": "eu-central-1", "arn": ARN,
        "new_arn": True, "keep_root": True, "auto_rollback": True, "certificate": CERT, "key": KEY,
        "chain": CERT * 2, "passphrase": SECRET, "tags": {"team": "web", "note": "a=b", "empty": ""},
        "verify_hosts": ["www.example.com", "[2001:db8::1]:8443"]}
    assert done.stderr == ""


def test_what_is_not_given_is_left_to_the_daemon(api, files):
    at = files(cert=CERT, key=KEY)
    (body,), _ = sent_plan(api, *PLACE, "--certificate-id", "shop-1", "--cert", at["cert"], "--key",
                           at["key"])
    assert body == {"connector": "", "account": "123456789012", "region": "eu-central-1",
                    "certificate_id": "shop-1", "certificate": CERT, "key": KEY, "tags": {},
                    "verify_hosts": []}


def test_pkcs12_and_requests(api, files):
    at = files(p12=bytes(range(256)) * 3, cert=CERT)
    (body,), _ = sent_plan(api, *PLACE, "--pkcs12", at["p12"])
    assert base64.b64decode(body["pkcs12"]) == bytes(range(256)) * 3 and "certificate" not in body
    (body,), _ = sent_plan(api, *PLACE, "--csr", "c-1", "--cert", at["cert"])
    assert body["csr"] == "c-1" and "key" not in body


def test_standard_input_can_be_any_of_the_files(api, files):
    at = files(cert=CERT, key=KEY)
    for options in (["--cert", "-", "--key", at["key"]], ["--cert", at["cert"], "--key", "-"]):
        with open(at["cert" if options[1] == "-" else "key"]) as stdin:
            fake, cli = api({("POST", "/v1/plan"): plan_of()})
            done = subprocess.run(cli.command("plan", *PLACE, *options), stdin=stdin, env=environment(),
                                  capture_output=True, text=True)
        (body,) = fake.posts("/v1/plan")
        assert done.returncode == 0 and (body["certificate"], body["key"]) == (CERT, KEY)


def test_a_large_chain_arrives_whole(api, files):
    chain = CERT + "A" * (2 << 20)
    at = files(cert=CERT, key=KEY, chain=chain)
    (body,), _ = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], "--chain", at["chain"])
    assert body["chain"] == chain


def test_keys_that_others_can_read_are_warned_of(api, files):
    at = files(cert=CERT, key=KEY, both=CERT + KEY)
    at["cert"].chmod(0o644)
    at["key"].chmod(0o640)
    at["both"].chmod(0o604)
    _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"])
    assert done.stderr == f"acmsensor: warning: {at['key']} can be read by others than its owner; " \
        "chmod 600 helps\n"
    # The certificate's file is public, unless a key is in it.
    _, done = sent_plan(api, *PLACE, "--cert", at["both"], "--key", at["both"])
    assert done.stderr.count(f"warning: {at['both']} can be read by others") == 2


# --- plan: wrong input


USAGE = {
    "nothing": ([], "where to is missing"),
    "no region": (["--account", "123456789012"], "where to is missing"),
    "no certificate": (PLACE, "the certificate is missing"),
    "no key": ([*PLACE, "--cert", "cert"], "the key is missing"),
    "key of a request": ([*PLACE, "--cert", "cert", "--csr", "c", "--key", "key"], "exclude each other"),
    "pkcs12 and more": ([*PLACE, "--pkcs12", "cert", "--key", "key"], "--pkcs12 comes alone"),
    "two addresses": (["--arn", ARN, "--certificate-id", "x", "--cert", "cert", "--key", "key"],
                      "--arn and --certificate-id exclude each other"),
    "no ARN": (["--arn", "arn:aws:iam::123456789012:role/x"], "--arn arn:aws:iam::123456789012:role/x: "),
    "another account": (["--arn", ARN, "--account", "210987654321"], "the ARN is of account 123456789012"),
    "another region": (["--arn", ARN, "--region", "us-east-1"], "the ARN is of eu-central-1"),
    "short account": (["--account", "12", "--region", "eu-central-1"], "expected 12 digits"),
    "no such region": (["--account", "123456789012", "--region", "Mars!"], "--region Mars!: expected"),
    "stdin twice": ([*PLACE, "--cert", "-", "--key", "-"], "--cert and --key both say -"),
    "a tag without =": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "team"], "--tag team: expected"),
    "a tag without key": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "=x"], "--tag =x: expected"),
    "a tag twice": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "a=1", "--tag", "a=2"],
                    "--tag a is given twice"),
    "a URL": ([*PLACE, "--cert", "cert", "--key", "key", "--verify-host", "https://x/"],
              "expected HOST or HOST:PORT"),
    "an empty ID": ([*PLACE, "--certificate-id", "", "--cert", "cert", "--key", "key"],
                    "--certificate-id: expected"),
    "no file": ([*PLACE, "--cert", "none", "--key", "key"], "--cert none: No such file"),
    "a folder": ([*PLACE, "--cert", ".", "--key", "key"], "--cert .: Is a directory"),
    "an empty file": ([*PLACE, "--cert", "cert", "--key", "empty"], "--key empty: it is empty"),
    "DER": ([*PLACE, "--cert", "der", "--key", "key"], "--cert der: expected PEM"),
    "a huge key": ([*PLACE, "--cert", "cert", "--key", "huge"], "--key huge: larger than 65536 bytes"),
    "no passphrase": ([*PLACE, "--cert", "cert", "--key", "key", "--passphrase-file", "line"],
                      "its first line is the passphrase"),
    "an argument": ([*PLACE, "cert"], "does not take \"cert\""),
    "a mistyped option": (["--verify-hots", "x"], "did you mean \"--verify-host\"?"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_one_sentence_and_asks_nobody(api, files, tmp_path, name):
    arguments, message = USAGE[name]
    files(cert=CERT, key=KEY, empty="", der=b"\x30\x82\x00", huge="x" * 65537, line="\n\n")
    fake, cli = api({("POST", "/v1/plan"): plan_of()})
    done = subprocess.run(cli.command("plan", *arguments), cwd=tmp_path, env=environment(),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2, done
    assert message in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""
    assert fake.requests == []


def test_a_refusal_of_the_daemon_is_told_as_it_is(api, files):
    at = files(cert=CERT, key=KEY)
    for kind, status, code in (("config", 400, 2), ("not_found", 404, 1), ("denied", 403, 1),
                               ("stopped", 503, 1)):
        _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], code=code,
                            answer=error(kind, "key and certificate do not belong together", status))
        assert done.stderr == "acmsensor: key and certificate do not belong together\n"
    for answer in ({"schema": 1}, {"plan": []}, b"null", b"{"):
        _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], code=1, answer=answer)
        assert done.stdout == "" and "answer of the daemon" in done.stderr


# --- plan: passphrases


NEEDED = error("config", "the key is encrypted: give its passphrase", code="passphrase")


def test_a_passphrase_is_asked_for_when_it_turns_out_to_be_needed(api, files):
    at = files(cert=CERT, key=KEY)
    fake, cli = api({("POST", "/v1/plan"): [NEEDED, NEEDED, plan_of()]})
    terminal = Terminal(cli, "plan", *PLACE, "--cert", at["cert"], "--key", at["key"])
    terminal.read("Passphrase of the key: ")
    assert not terminal.echoes()
    terminal.type("wrong\n").read("Passphrase of the key: ", times=2).type(SECRET + "\n")
    assert terminal.end() == 0
    assert SECRET not in terminal.text and "wrong" not in terminal.text
    assert "the key is encrypted" in terminal.text and "reimport" in terminal.text
    assert [body.get("passphrase") for body in fake.posts("/v1/plan")] == [None, "wrong", SECRET]


def test_a_terminal_gets_its_echo_back_after_an_interrupt(api, files):
    at = files(cert=CERT, key=KEY)
    fake, cli = api({("POST", "/v1/plan"): NEEDED})
    terminal = Terminal(cli, "plan", *PLACE, "--cert", at["cert"], "--key", at["key"])
    terminal.read("Passphrase of the key: ").type("\x03").read("interrupted")
    assert terminal.echoes() and terminal.end() == 130
    assert len(fake.posts("/v1/plan")) == 1


def test_without_a_terminal_a_file_is_asked_for(api, files):
    at = files(cert=CERT, key=KEY, wrong="wrong")
    fake, cli = api({("POST", "/v1/plan"): NEEDED})
    done = subprocess.run(cli.command("plan", *PLACE, "--cert", at["cert"], "--key", at["key"]),
                          start_new_session=True, stdin=subprocess.DEVNULL, env=environment(),
                          capture_output=True, text=True)
    assert done.returncode == 2 and "--passphrase-file FILE" in done.stderr
    # What is in the file is the answer: no question, whatever there is to ask at.
    _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], "--passphrase-file",
                        at["wrong"], code=2, answer=NEEDED)
    assert "the key is encrypted" in done.stderr


def test_no_secret_is_said_or_left_where_others_look(api, files):
    """Neither in arguments nor environment, nor on stdout or stderr; and the process cannot be dumped."""
    at = files(cert=CERT, key=KEY, pass_=SECRET)
    seen = {}

    def look(request):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if f"{at['key']}".encode() not in open(f"/proc/{pid}/cmdline", "rb").read():
                    continue
                seen["cmdline"] = open(f"/proc/{pid}/cmdline", "rb").read()
                seen["owner"] = os.stat(f"/proc/{pid}/maps").st_uid
            except OSError:
                pass
        return plan_of()
    _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], "--passphrase-file",
                        at["pass_"], answer=look)
    assert seen and b"BBBB" not in seen["cmdline"] and SECRET.encode() not in seen["cmdline"]
    assert seen["owner"] == 0  # of a process that cannot be dumped the kernel gives to root
    for text in (done.stdout, done.stderr):
        assert "BBBB" not in text and SECRET not in text


# --- plan: what is shown


def shown(api, files, *more, columns=80, **changes):
    at = files(cert=CERT, key=KEY)
    code = changes.pop("code", 0)
    _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], *more, code=code,
                        answer=plan_of(**changes), columns=columns)
    return done.stdout


def test_a_plan_reads_as_a_diff(api, files):
    text = shown(api, files)
    lines = text.splitlines()
    assert lines[0] == "  reimport            every rule of ACM is kept"
    for line in ("  Names               www.example.com",
                 "                    - old.example.com",
                 "                    + new.example.com",
                 "  Key                 RSA_2048",
                 "  Extended usage    - TLS_WEB_SERVER_AUTHENTICATION",
                 "  Issuer            - CN=Example CA,O=Example",
                 "                    + CN=Other CA",
                 "  Serial            - 0a01",
                 "                    + 0b02",
                 "  Chain             - CN=Example CA",
                 "                    + CN=Other CA",
                 "                      CN=Root",
                 "  Tags              - team=old",
                 "                    + team=web",
                 "  passed              the key type stays RSA_2048",
                 "  not confirmed       whether AWS minds is not known",
                 "  possible            this sensor holds the key until 2026-12-27",
                 "  Verified at         www.example.com:443"):
        assert line in lines, (line, text)
    assert any(line.startswith("  Next                acmsensor --socket /") and
               line.endswith(f" apply {PLAN['id']} --wait") for line in lines), text
    assert any("own=x" in line and "-" not in line for line in lines)
    assert ALB in text and "the chain repeated the leaf" in text and "Warnings" not in text


def test_what_cannot_be_applied_says_so_first_and_ends_with_1(api, files):
    text = shown(api, files, code=1, decision="refuse", reason="ACM would refuse it: another key type",
                 rules=[{"name": "same_key_type", "verdict": "passed", "text": "fine"},
                        {"name": "key", "verdict": "broken", "text": "RSA_2048 is no EC_prime256v1"}])
    assert text.startswith("  refuse              ACM would refuse it: another key type\n")
    assert text.index("  broken ") < text.index("  passed ")
    assert " apply p-" not in text and "nothing: a refused plan cannot be applied" in text
    assert "  novel" not in text
    # A decision that a newer daemon knows is not taken for one that may be applied.
    shown(api, files, code=1, decision="postpone")


def test_warnings_end_with_4_and_stand_above_the_details(api, files):
    text = shown(api, files, code=4, warnings=[{"name": "name_lost", "text": "old.example.com is lost"}])
    assert text.index("name_lost") < text.index("What changes")


def test_a_first_import_has_nothing_to_compare(api, files):
    text = shown(api, files, decision="import", arn="", current=None, reason="no ARN was named",
                 names={"added": ["www.example.com", "new.example.com"], "lost": [], "kept": []},
                 rollback={"possible": False, "reason": "there is nothing to go back to"})
    assert "  Names               www.example.com, new.example.com\n" in text
    assert "The new certificate" in text
    assert not any(line[20:22] in ("- ", "+ ") for line in text.splitlines())
    assert "  not possible        there is nothing to go back to" in text


def test_bindings_to_move_are_listed_and_cut_but_in_wide(api, files):
    users = [f"{ALB}{n}" for n in range(25)]
    change = {"decision": "import", "bindings_to_move": users,
              "current": {**PLAN["current"], "in_use_by": []}}
    text = shown(api, files, **change)
    assert text.count(ALB) == 10 and "and 15 more: -o wide shows them" in text
    text = shown(api, files, "-o", "wide", **change)
    assert text.count(ALB) == 25 and "ab" * 32 in text and "SHA256WITHRSA" in text


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_plans_and_jobs_fit_the_terminal(api, files, columns):
    fake, cli = api({("GET", "/v1/jobs"): jobs(ended("succeeded")),
                     ("GET", "/v1/plans"): {"plans": [{**PLAN, "state": "open", "job": ""}] * 3}})
    texts = [shown(api, files, columns=columns, warnings=[{"name": "w", "text": "word " * 60}], code=4)]
    texts += [cli.out(*command, columns=columns)
              for command in (["jobs"], ["jobs", "x"], ["plans"], ["plans", "x"], ["-o", "wide", "jobs"])]
    for line in "".join(texts).splitlines():
        longest = max(map(width, line.split()), default=0)
        is_command = "acmsensor --socket " in line  # on one line, to be copied
        assert width(line) <= columns or longest + 22 > columns or is_command, line
        assert line == line.rstrip(), repr(line)


def test_text_from_outside_is_escaped_and_colour_is_for_terminals(api, files):
    at = files(cert=CERT, key=KEY)
    evil = "\x1b]0;x\x07\u202e"
    plan = plan_of(reason=evil, tags={evil: evil}, names={"added": [evil], "lost": [evil], "kept": []},
                   warnings=[{"name": evil, "text": evil}], certificate_id=evil)
    fake, cli = api({("POST", "/v1/plan"): plan})
    arguments = ["plan", *PLACE, "--cert", at["cert"], "--key", at["key"]]
    done = cli.run(*arguments, code=4)
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout and "\u202e" not in done.stdout
    code, text = cli.on_terminal(*arguments)
    assert code == 4 and "\x1b[32m" in text and "\x1b" not in STYLE.sub("", text)
    code, text = cli.on_terminal(*arguments, NO_COLOR="1")
    assert "\x1b" not in text


def test_plans_as_json_and_csv(api, files):
    at = files(cert=CERT, key=KEY)
    fake, cli = api({("POST", "/v1/plan"): plan_of()})
    arguments = ["plan", *PLACE, "--cert", at["cert"], "--key", at["key"]]
    assert cli.json(*arguments) == plan_of()
    (row,) = cli.csv(*arguments)
    assert row["id"] == PLAN["id"] and row["decision"] == "reimport"


# --- apply, rollback, cancel


@pytest.mark.parametrize("command,path,member", [("apply", "/v1/apply", "plan"),
                                                 ("rollback", "/v1/rollback", "job"),
                                                 ("cancel", "/v1/cancel", "job")])
def test_an_order_names_its_job_and_what_to_type(api, command, path, member):
    fake, cli = api({("POST", path): {"schema": 1, "job": job_of()}})
    text = cli.out(command, "x-1")
    assert fake.posts(path) == [{member: "x-1"}]
    assert "deliver running" in text and f"{cli.program} jobs {JOB['id']} --follow" in text
    assert cli.json(command, "x-1")["job"]["id"] == JOB["id"]
    assert cli.csv(command, "x-1")[0]["state"] == "running"
    assert "needs" in cli.run(command, code=2).stderr
    assert "does not take" in cli.run(command, "a", "b", code=2).stderr


def test_a_refused_order_is_one_sentence(api):
    fake, cli = api({("POST", "/v1/apply"): error("refused", "the plan p-1 has expired", 409),
                     ("POST", "/v1/cancel"): error("refused", "the import was sent", 409),
                     ("POST", "/v1/rollback"): {"schema": 1}})
    assert cli.run("apply", "p-1", code=1).stderr == "acmsensor: the plan p-1 has expired\n"
    assert cli.run("apply", "p-1", "--wait", code=1).stderr == "acmsensor: the plan p-1 has expired\n"
    assert cli.run("cancel", "j-1", code=1).stderr == "acmsensor: the import was sent\n"
    assert "no job in it" in cli.run("rollback", "j-1", code=1).stderr


def test_waiting_shows_each_step_once_and_the_end(api):
    fake, cli = api({("POST", "/v1/apply"): {"job": job_of()},
                     ("GET", "/v1/jobs"): [jobs(job_of(1)), jobs(job_of(2)), jobs(job_of(2)),
                                           jobs(ended("succeeded", rollback_possible=True))]})
    done = cli.run("apply", PLAN["id"], "--wait", columns=80)
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["2026-11-27", "UTC"]
    assert lines[1:4] == ["  12:00:01Z check     ACM holds serial 0a01",
                          "  12:00:02Z import    sent",
                          "  12:00:09Z confirm   ACM shows serial 0b02"]
    assert lines[5].split()[:2] == ["deliver", "succeeded"] and lines[5].endswith("it succeeded")
    assert "served, serial 0b02" in done.stdout
    assert f"{cli.program} rollback {JOB['id']} --wait" in done.stdout
    assert JOB["id"] in done.stderr
    assert {one["query"].get("id") for one in fake.requests if one["method"] == "GET"} == {JOB["id"]}


OTHER = {**EVIDENCE, "hosts": [HOST, {**HOST, "outcome": "other certificate", "serial": "0a01"}]}
ENDS = [
    ("succeeded", {}, 0), ("restored", {"kind": "rollback"}, 0), ("failed", {}, 1), ("cancelled", {}, 1),
    ("impossible", {"kind": "rollback"}, 1), ("unheard-of", {}, 1),
    ("succeeded", {"evidence": OTHER}, 4),
    ("succeeded", {"evidence": {**EVIDENCE, "tags": {"missing": "team"}}}, 4),
    ("succeeded", {"evidence": {}, "reason": "ACM holds serial 0b02; warning: tags are missing"}, 4),
    ("failed", {"evidence": OTHER}, 1),
]


@pytest.mark.parametrize("state,changes,code", ENDS)
def test_the_end_of_a_job_is_the_exit_code(api, state, changes, code):
    answers = {("POST", "/v1/apply"): {"job": job_of()}, ("POST", "/v1/rollback"): {"job": job_of()},
               ("GET", "/v1/jobs"): jobs(ended(state, **changes))}
    fake, cli = api(answers)
    for command in (["apply", "p-1", "--wait"], ["rollback", "j-1", "--wait"], ["jobs", "j-1", "--follow"]):
        text = cli.run(*command, code=code).stdout
        assert state in text and changes.get("reason", f"it {state}") in text
    # Only looking is no failure.
    cli.run("jobs", "j-1")


def test_json_and_csv_get_the_job_on_stdout_and_the_steps_on_stderr(api):
    fake, cli = api({("GET", "/v1/jobs"): [jobs(job_of(1)), jobs(ended("succeeded"))]})
    done = cli.run("-o", "json", "jobs", "j-1", "--follow")
    assert json.loads(done.stdout) == jobs(ended("succeeded"))
    assert done.stderr.splitlines()[0] == \
        "acmsensor: 2026-11-27T12:00:01Z check: ACM holds serial 0a01"
    assert len(done.stderr.splitlines()) == 3
    assert cli.csv("jobs", "j-1", "--follow")[0]["state"] == "succeeded"


def test_an_interrupt_leaves_the_job_running_and_says_so(api):
    fake, cli = api({("GET", "/v1/jobs"): jobs(job_of(1))})
    code, text = cli.on_terminal("jobs", JOB["id"], "--follow", interrupt_at="ACM holds serial 0a01")
    assert code == 130
    assert f"interrupted; the job goes on: {cli.program} jobs {JOB['id']} --follow" in text.replace("\r\n", "\n")
    assert fake.posts("/v1/cancel") == []
    process = cli.start("jobs", JOB["id"], "--follow")
    assert process.stdout.readline() and process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 130
    process.stdout.close()
    process.stderr.close()


def test_a_daemon_that_goes_away_is_waited_for(tmp_path):
    path = tmp_path / "s"
    cli = Cli("--socket", path)
    with FakeApi(path, {("GET", "/v1/jobs"): jobs(job_of(1))}):
        process = cli.start("jobs", JOB["id"], "--follow")
        lines = [process.stdout.readline() for _ in range(2)]
    assert b"went away" in process.stderr.readline()
    path.unlink()
    with FakeApi(path, {("GET", "/v1/jobs"): jobs(ended("succeeded"))}):
        rest, said = process.communicate(timeout=30)
    assert process.returncode == 0 and b"the daemon is back" in said
    text = b"".join(lines) + rest
    assert text.count(b"ACM holds serial 0a01") == 1 and b"ACM shows serial 0b02" in text


def test_commands_of_delivery_need_a_daemon(tmp_path, files):
    at = files(cert=CERT, key=KEY)
    commands = [["plan", *PLACE, "--cert", at["cert"], "--key", at["key"]], ["apply", "p"], ["jobs"],
                ["jobs", "j", "--follow"], ["cancel", "j"], ["rollback", "j"], ["plans"],
                ["csr", "--domain", "x"], ["delete", ARN, "--yes", ARN]]
    for command in commands:
        done = Cli("--socket", tmp_path / "none").run(*command, code=3)
        assert "is acmsensord running?" in done.stderr and done.stdout == ""
        done = Cli("--offline", tmp_path).run(*command, code=2)
        assert "needs a running daemon" in done.stderr


# --- jobs and plans


def test_the_list_of_jobs(api):
    fake, cli = api({("GET", "/v1/jobs"): [
        jobs(job_of(reason="waits for the quota", next_attempt="2199-01-01T00:00:00Z"),
             job_of(id="j-2", kind="delete", state="failed", reason="in use")), jobs()]})
    text = cli.out("-o", "wide", "jobs", columns=250)
    assert text.splitlines()[0].split()[:3] == ["JOB", "KIND", "STATE"]
    for part in (JOB["id"], "running", "check", "waits for the quota", "j-2", "delete", "in use", ARN,
                 "shop-1", "in 17"):
        assert part in text, part
    done = cli.run("jobs")
    assert done.stdout == "" and "there is no job yet" in done.stderr
    assert "--follow follows one job" in cli.run("jobs", "--follow", code=2).stderr


def test_one_job_in_full(api):
    fake, cli = api({("GET", "/v1/jobs"): [
        jobs(job_of(2, state="running", phase="confirm", attempts=3, next_attempt="2199-01-01T00:00:00Z",
                    reason="ACM does not show it everywhere yet")),
        jobs(ended("restored", kind="rollback", of_job="j-0")), jobs()]})
    text = cli.out("jobs", "j-1")
    for part in ("deliver running", "ACM does not show it everywhere yet", "Next attempt", "2199-01-01",
                 "0a01", "0b02", "Steps", "12:00:02Z import", "confirm", PLAN["id"], "connector prod"):
        assert part in text, part
    assert "j-0" in cli.out("jobs", "j-1")
    assert "no job in it" in cli.run("jobs", "j-1", code=1).stderr
    fake, cli = api({("GET", "/v1/jobs"): error("not_found", "there is no job j-1", 404)})
    for command in (["jobs", "j-1"], ["jobs", "j-1", "--follow"]):
        assert cli.run(*command, code=1).stderr == "acmsensor: there is no job j-1\n"


def test_plans_are_listed_and_shown_again(api):
    rows = [{**PLAN, "state": "open", "job": ""},
            {**PLAN, "id": "p-2", "state": "applied", "job": JOB["id"]},
            {**PLAN, "id": "p-3", "state": "expired", "job": ""}]
    fake, cli = api({("GET", "/v1/plans"): lambda request: {
        "schema": 1, "plans": [row for row in rows if request["query"].get("id", row["id"]) == row["id"]]}})
    text = cli.out("-o", "wide", "plans")
    for part in (PLAN["id"], "open", "applied", "expired", "www.example.com", JOB["id"], "in 17"):
        assert part in text, part
    assert len(cli.json("plans")["plans"]) == len(cli.csv("plans")) == 3
    assert f"{cli.program} apply {PLAN['id']}" in cli.out("plans", PLAN["id"])
    assert f"{cli.program} jobs {JOB['id']}" in cli.out("plans", "p-2")
    text = cli.out("plans", "p-3")
    assert "this one has expired" in text and " apply p-" not in text
    assert "no plan in it" in cli.run("plans", "p-9", code=1).stderr
    fake, cli = api({("GET", "/v1/plans"): {"schema": 1, "plans": []}})
    assert "there is no plan" in cli.run("plans").stderr


# --- csr


CSR = {"schema": 1, "csr": {"id": "c-1", "key_algorithm": "EC_prime256v1",
                            "pem": "-----BEGIN CERTIFICATE REQUEST-----\nCCCC\n"
                                   "-----END CERTIFICATE REQUEST-----\n"}}


def test_a_request_goes_to_stdout_and_its_id_to_stderr(api):
    fake, cli = api({("POST", "/v1/csr"): CSR})
    done = cli.run("csr", "--domain", "a.example.com", "--domain", "*.a.example.com", "--key-type",
                   "ec256", "--subject", "CN=a.example.com", "--connector", "prod")
    assert done.stdout == CSR["csr"]["pem"]
    assert f"{cli.program} plan --csr c-1 --cert FILE" in done.stderr
    cli.run("csr", "--arn", ARN)
    assert fake.posts("/v1/csr") == [
        {"domains": ["a.example.com", "*.a.example.com"], "key_type": "ec256",
         "subject": "CN=a.example.com", "connector": "prod"}, {"arn": ARN}]
    assert cli.json("csr", "--arn", ARN) == CSR
    assert cli.csv("csr", "--arn", ARN)[0]["id"] == "c-1"


def test_wrong_requests(api):
    fake, cli = api({("POST", "/v1/csr"): {"schema": 1, "csr": {}}})
    assert "--domain DOMAIN" in cli.run("csr", code=2).stderr
    assert "expected arn:aws:acm" in cli.run("csr", "--arn", "x", code=2).stderr
    assert fake.requests == []
    assert "no request in it" in cli.run("csr", "--domain", "x", code=1).stderr
    fake, cli = api({("POST", "/v1/csr"): {"schema": 1, "csr": {"pem": "x\x1b[2J\x9b31m"}}})
    done = cli.run("csr", "--domain", "x", code=1)
    assert done.stdout == "" and "no request in it" in done.stderr
    fake, cli = api({("POST", "/v1/csr"): error("config", "\"-x\" is no domain name")})
    assert cli.run("csr", "--domain", "-x", code=2).stderr == "acmsensor: \"-x\" is no domain name\n"


# --- delete


def deletable(api, row=None):
    row = {"arn": ARN, "domain_name": "www.example.com", "in_use_by": [ALB]} if row is None else row
    found = json.dumps(row).encode() + b"\n" if row else error("not_found", "no certificate", 404)
    return api({("POST", "/v1/delete"): {"job": job_of(kind="delete")},
                ("GET", "/v1/certificate"): lambda _: found,
                ("GET", "/v1/jobs"): jobs(ended("succeeded", kind="delete", evidence={}))})


@pytest.mark.parametrize("typed", ["www.example.com", "WWW.example.com", ARN[-8:]])
def test_a_person_types_what_is_deleted(api, typed):
    fake, cli = deletable(api)
    terminal = Terminal(cli, "delete", ARN)
    terminal.read("characters of the ARN: ")
    assert "This deletes www.example.com, " in terminal.text and ARN in terminal.text
    assert "in use by 1" in terminal.text and fake.posts("/v1/delete") == []
    assert terminal.type(typed + "\n").end() == 0
    assert fake.posts("/v1/delete") == [{"arn": ARN}]


@pytest.mark.parametrize("typed", ["\n", "y\n", "yes\n", "www.example.org\n", ARN[-7:] + "\n", "\x04"])
def test_anything_else_deletes_nothing(api, typed):
    fake, cli = deletable(api)
    terminal = Terminal(cli, "delete", ARN).read("characters of the ARN: ").type(typed)
    assert terminal.end() == 1
    assert "nothing was deleted: what was typed is not the domain name" in terminal.text
    assert fake.posts("/v1/delete") == []


def test_what_the_inventory_does_not_know_is_confirmed_by_the_arn(api):
    fake, cli = deletable(api, row={})
    terminal = Terminal(cli, "delete", ARN).read("Type the last 8 characters of the ARN: ")
    assert terminal.type("\n").end() == 1 and fake.posts("/v1/delete") == []
    fake, cli = deletable(api, row={})
    terminal = Terminal(cli, "delete", ARN).read("Type the last 8 characters of the ARN: ")
    assert terminal.type(ARN[-8:] + "\n").end() == 0 and fake.posts("/v1/delete") == [{"arn": ARN}]


def test_a_script_says_the_arn_twice(api):
    fake, cli = deletable(api)
    done = cli.run("delete", ARN, "--yes", ARN, "--wait-until-unused", "--connector", "prod", "--wait")
    assert fake.posts("/v1/delete") == [{"arn": ARN, "wait": True, "connector": "prod"}]
    assert "delete succeeded" in done.stdout
    for arguments, message in ((["--yes", OTHER_ARN], "--yes must repeat the ARN"),
                               (["--yes", "yes"], "--yes must repeat the ARN"), ([], "--yes ARN")):
        done = subprocess.run(cli.command("delete", ARN, *arguments), stdin=subprocess.DEVNULL,
                              env=environment(), capture_output=True, text=True)
        assert done.returncode == 2 and message in done.stderr and "nothing was deleted" in done.stderr
    assert "expected arn:aws:acm" in cli.run("delete", "www.example.com", "--yes", "www.example.com",
                                             code=2).stderr
    assert len(fake.posts("/v1/delete")) == 1


# --- help, and answers of another shape


def test_help_tells_exit_codes_and_fits(api):
    cli = Cli()
    for command in ("plan", "apply", "jobs", "cancel", "rollback", "csr", "delete", "plans"):
        text = cli.out("help", command)
        assert text.startswith(f"Usage: acmsensor {command}")
        assert all(len(line) <= 100 for line in text.splitlines()), text
        assert command in cli.out("help")
    for command in ("plan", "apply", "jobs", "rollback"):
        assert "Exit codes" in cli.out("help", command)


def test_members_of_the_wrong_type_are_shown_as_nothing(api, files):
    at = files(cert=CERT, key=KEY)
    odd = {"id": [], "decision": "reimport", "current": [1], "new": "x", "names": [1], "rules": {"a": 1},
           "warnings": "no", "tags": [1], "rollback": 7, "verify_hosts": {}, "expires": 5}
    fake, cli = api({("POST", "/v1/plan"): {"plan": odd}, ("GET", "/v1/plans"): {"plans": [odd, 7, {}]},
                     ("GET", "/v1/jobs"): {"jobs": [{"state": "failed", "steps": [1, {}], "evidence": [],
                                                     "arn": {}, "created": 3}, 7]}})
    for output in ("table", "wide", "csv"):
        cli.run("-o", output, "plan", *PLACE, "--cert", at["cert"], "--key", at["key"])
        cli.run("-o", output, "plans")
        cli.run("-o", output, "plans", "x")
        cli.run("-o", output, "jobs")
        cli.run("-o", output, "jobs", "x")
        cli.run("-o", output, "jobs", "x", "--follow", code=1)
