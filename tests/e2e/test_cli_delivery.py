"""The commands of delivery after a plan (test_cli_plan.py) against a daemon that answers from a script:
what they send, show and end with."""
import json
import signal
import subprocess

import pytest

from cli import Cli, Terminal, environment
from fake_api import FakeApi, error
from scripted import ALB, ARN, CERT, EVIDENCE, HOST, JOB, KEY, OTHER_ARN, PLACE, PLAN, ended, job_of, jobs


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
        assert "--offline" not in done.stderr  # it would not help
        done = Cli("--offline", tmp_path).run(*command, code=2)
        assert "needs a running daemon" in done.stderr
    assert "--offline DATA_DIR" in Cli("--socket", tmp_path / "none").run("certs", code=3).stderr


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
    assert f"{cli.program} plan --csr c-1 --account ACCOUNT" in done.stderr
    cli.run("csr", "--arn", ARN)
    assert fake.posts("/v1/csr") == [
        {"domains": ["a.example.com", "*.a.example.com"], "key_type": "ec256",
         "subject": "CN=a.example.com", "connector": "prod"}, {"arn": ARN}]
    assert cli.json("csr", "--arn", ARN) == CSR
    assert cli.csv("csr", "--arn", ARN)[0]["id"] == "c-1"
    warned = {"schema": 1, "csr": {**CSR["csr"], "warnings": ["the ARN holds another", 7]}}
    fake, cli = api({("POST", "/v1/csr"): warned})
    done = cli.run("csr", "--arn", ARN, "--key-type", "ec384", code=4)
    assert done.stdout == CSR["csr"]["pem"]
    assert "acmsensor: warning: the ARN holds another\n" in done.stderr


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


def test_ctrl_c_deletes_nothing_and_says_so(api):
    fake, cli = deletable(api)
    terminal = Terminal(cli, "delete", ARN).read("characters of the ARN: ").type("\x03")
    assert terminal.end() == 130
    assert terminal.text.endswith("\r\nacmsensor: interrupted; nothing was deleted\r\n"), terminal.text
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
