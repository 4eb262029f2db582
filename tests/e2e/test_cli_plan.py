"""acmsensor plan against a daemon that answers from a script: what it sends, asks for and shows."""
import base64
import os
import subprocess

import pytest

from cli import STYLE, Terminal, environment, width
from fake_api import error
from scripted import ALB, ARN, CERT, KEY, PLACE, PLAN, SECRET, ended, jobs, plan_of


# --- what is sent


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
    (body,), _ = sent_plan(api, *PLACE, "--csr", "q-1", "--cert", at["cert"])
    assert body["csr"] == "q-1" and "key" not in body


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
    assert done.stderr.count(f"warning: {at['both']} can be read by others") == 1


# --- wrong input


USAGE = {
    "nothing": ([], "where to is missing"),
    "no region": (["--account", "123456789012"], "where to is missing"),
    "no certificate": (PLACE, "the certificate is missing"),
    "no key": ([*PLACE, "--cert", "cert"], "the key is missing"),
    "key of a request": ([*PLACE, "--cert", "cert", "--csr", "q-1", "--key", "key"], "exclude each other"),
    "a request's file": ([*PLACE, "--cert", "cert", "--csr", "arn.csr"],
                         "--csr arn.csr: expected the id of a request"),
    "pkcs12 and more": ([*PLACE, "--pkcs12", "cert", "--key", "key"], "--pkcs12 comes alone"),
    "no ARN": (["--arn", "arn:aws:iam::123456789012:role/x"], "--arn arn:aws:iam::123456789012:role/x: "),
    "another account": (["--arn", ARN, "--account", "210987654321"], "the ARN is of account 123456789012"),
    "another region": (["--arn", ARN, "--region", "us-east-1"], "the ARN is of eu-central-1"),
    "short account": (["--account", "12", "--region", "eu-central-1"], "expected 12 digits"),
    "no such region": (["--account", "123456789012", "--region", "Mars!"], "--region Mars!: expected"),
    "stdin twice": ([*PLACE, "--cert", "-", "--key", "k", "--passphrase-file", "-"],
                    "--cert and --passphrase-file both say -"),
    "a tag without =": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "team"], "--tag team: expected"),
    "a tag without key": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "=x"], "--tag =x: expected"),
    "a tag twice": ([*PLACE, "--cert", "cert", "--key", "key", "--tag", "a=1", "--tag", "a=2"],
                    "--tag a is given twice"),
    "a URL": ([*PLACE, "--cert", "cert", "--key", "key", "--verify-host", "https://x/"],
              "expected HOST or HOST:PORT"),
    "an empty ID": ([*PLACE, "--certificate-id", "", "--cert", "cert", "--key", "key"],
                    "--certificate-id is empty"),
    "no file": ([*PLACE, "--cert", "none", "--key", "key"], "--cert none: No such file"),
    "a folder": ([*PLACE, "--cert", ".", "--key", "key"], "--cert .: Is a directory"),
    "an empty file": ([*PLACE, "--cert", "cert", "--key", "empty"], "--key empty: it is empty"),
    "neither text nor DER": ([*PLACE, "--cert", "bytes", "--key", "key"], "--cert bytes: expected PEM, which is text, or DER"),
    "UTF-16": ([*PLACE, "--cert", "utf16", "--key", "key"], "--cert utf16: it is text in UTF-16"),
    "a huge key": ([*PLACE, "--cert", "cert", "--key", "huge"], "--key huge: larger than 49152 bytes"),
    "no host": ([*PLACE, "--cert", "cert", "--key", "key", "--verify-host", ":"], "--verify-host :: expected HOST or HOST:PORT"),
    "a wildcard": ([*PLACE, "--cert", "cert", "--key", "key", "--verify-host", "*.example.com"], "a wildcard is no host"),
    "many hosts": ([*PLACE, "--cert", "cert", "--key", "key", *(f"--verify-host=h{i}" for i in range(33))],
                   "--verify-host is given 33 times, at most 32 are taken"),
    "a long ID": ([*PLACE, "--cert", "cert", "--key", "key", "--certificate-id", "i" * 129],
                  "--certificate-id is longer than 128 bytes"),
    "no passphrase": ([*PLACE, "--cert", "cert", "--key", "key", "--passphrase-file", "line"],
                      "its first line is the passphrase"),
    "an argument": ([*PLACE, "cert"], "does not take \"cert\""),
    "a mistyped option": (["--verify-hots", "x"], "did you mean \"--verify-host\"?"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_one_sentence_and_asks_nobody(api, files, tmp_path, name):
    arguments, message = USAGE[name]
    files(cert=CERT, key=KEY, empty="", bytes=b"\x81\x82\x00", utf16=CERT.encode("utf-16"), huge="x" * 65537, line="\n\n")
    fake, cli = api({("POST", "/v1/plan"): plan_of()})
    done = subprocess.run(cli.command("plan", *arguments), cwd=tmp_path, env=environment(),
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2, done
    assert message in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""
    assert fake.requests == []


def test_a_refusal_of_the_daemon_is_told_as_it_is(api, files):
    at = files(cert=CERT, key=KEY)
    for kind, status, code in (("config", 400, 2), ("not_found", 404, 1), ("denied", 403, 1),
                               ("stopped", 503, 1), ("unreachable", 500, 1), ("timeout", 500, 1)):
        _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], code=code,
                            answer=error(kind, "key and certificate do not belong together", status))
        assert done.stderr == "acmsensor: key and certificate do not belong together\n"
    for answer in ({"schema": 1}, {"plan": []}, b"null", b"{"):
        _, done = sent_plan(api, *PLACE, "--cert", at["cert"], "--key", at["key"], code=1, answer=answer)
        assert done.stdout == "" and "answer of the daemon" in done.stderr


# --- passphrases


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


# --- what is shown


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
    assert text.index("name lost") < text.index("What changes")


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
