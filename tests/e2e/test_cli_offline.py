"""The CLI on a store without a daemon: what it shows, how it fits, how it ends."""
import json
import os
import resource
import signal
import subprocess

import pytest

from awssim import BUILD, SIM_BUILD
from cli import Cli, STYLE, environment, width

LISTS = {"certs": "certificates", "accounts": "accounts", "coverage": "coverage",
         "events": "events"}
VIEWS = [["status"], ["accounts"], ["coverage"], ["coverage", "--problems"], ["certs"],
         ["certs", "--gone"], ["events"], ["show", "x.shop1.example.com"],
         ["show", "0a000000000000000000000000000003"]]


def fill(folder, build=BUILD, certificates=96):
    subprocess.run([str(build / "fill_store"), str(folder), str(certificates)], check=True)
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("cli") / "data")


@pytest.fixture(scope="module")
def cli(data_dir):
    return Cli("--offline", data_dir)


def is_clean(text):
    """No control character but line ends, nothing invisible."""
    return all(c == "\n" or (c.isprintable() and c != "\x7f") for c in text)


# --- tables


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 160, 200])
def test_everything_fits_the_terminal(cli, columns):
    for view in VIEWS:
        for wide in ([], ["-o", "wide"]):
            text = cli.out(*wide, *view, columns=columns)
            assert text and is_clean(text)
            for line in text.splitlines():
                # A word that is longer than its line (an ARN) stays whole, to be copied.
                longest = max(map(width, line.split()), default=0)
                is_long_word = view[0] in ("show", "status") and longest + 22 > columns
                assert width(line) <= columns or is_long_word, (view, line)
                assert line == line.rstrip(), (view, line)


def test_nothing_is_cut_without_a_terminal(cli):
    text = cli.out("coverage", "--problems")
    assert "is not authorized to perform: acm:ListCertificates" in text
    assert "…" not in text
    assert "an-account-with-a-name-that-is-as-long-as-AWS-allows-it" in text


def test_outsiders_cannot_reach_the_terminal(cli):
    """Escape sequences in names and domains are shown, not sent."""
    for output in ("table", "wide", "csv", "json"):
        for view in VIEWS:
            text = cli.out("-o", output, *view)
            assert is_clean(text.replace("\r\n", "\n")), (output, view)
    assert "\\x1b]0;evil\\x07name" in cli.out("accounts")
    assert "\\x1b[31mred.example.com" in cli.out("certs")


def test_colour_is_for_terminals_that_want_it(cli):
    code, text = cli.on_terminal("certs")
    assert code == 0 and "\x1b[31m" in text
    assert is_clean(STYLE.sub("", text).replace("\r\n", "\n"))
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in cli.on_terminal("certs", **more)[1]
    assert "\x1b[31m" in cli.on_terminal("certs", NO_COLOR="")[1]
    assert "\x1b" not in cli.out("certs")


def test_without_utf8_nothing_of_it_is_drawn(cli):
    code, text = cli.on_terminal("accounts", columns=60, LC_ALL="C", NO_COLOR="1")
    assert code == 0 and "|- " in text and "├" not in text and "…" not in text


def test_the_tree_has_units_before_what_is_below_and_words_for_regions(cli):
    lines = cli.out("accounts").splitlines()
    assert lines[1].split()[0] == "Root"
    text = "\n".join(lines)
    for words in ("4 read", "1 denied, 3 read", "1 denied by SCP, 3 read", "3 read, 1 disabled",
                  "account suspended", "role cannot be assumed", "1 not tried yet, 3 read"):
        assert words in text
    # A unit whose name continues another's is not mixed up with what is below that one.
    assert text.count("─ Workloads\n") + text.count("─ Workloads ") >= 2
    assert sum(line.strip("│├└─ ") == "Workloads" for line in lines) == 1


def test_coverage_has_problems_first(cli):
    states = [line.split()[0] for line in cli.out("coverage").splitlines()[1:]]
    first_ok = states.index("ok")
    assert sorted(states[:first_ok]) == sorted([
        "denied", "denied_by_scp", "failed", "never_tried", "role_unassumable", "throttled",
        "unreachable"])
    done = cli.run("coverage")
    assert done.stderr == "acmsensor: 7 of 42 account-regions could not be read\n"


def test_certificates_come_with_what_ends_soonest(cli):
    rows = cli.json("certs")["certificates"]
    ends = [row["not_after"] or "9999" for row in rows]
    assert ends == sorted(ends) and len(rows) == 95
    assert len(cli.json("certs", "--gone")["certificates"]) == 96
    lines = cli.out("certs", columns=80).splitlines()
    assert lines[0].split()[0] == "EXPIRES" and len(lines) == 96


def test_status_tells_what_the_store_knows(cli, data_dir):
    text = cli.out("status")
    assert text.startswith("Read without a daemon\n")
    for part in (str(data_dir), "Connector prod", "took 1m 50s", "7 account-regions could not be read",
                 "o-exampleorgid", "role_unassumable"):
        assert part in text
    status = cli.json("status")["status"]
    assert status["counts"]["certificates"] == 95 and status["coverage"]["ok"] == 32
    assert status["connectors"][0]["cycle"]["calls"] == 512
    rows = cli.csv("status")
    assert {"section": "counts", "item": "1", "name": "certificates", "value": "95"} in rows


# --- show


def test_show_tells_everything_about_one(cli):
    text = cli.out("show", "0a000000000000000000000000000008")
    for part in ("www8.shop8.example.com", "ARN", "Root", "In use", "elasticloadbalancing",
                 "team-8", "Serial", "First"):
        assert part in text
    assert "0a000000000000000000000000000008" in text


def test_show_lists_several_by_arn(cli):
    done = cli.run("show", "anything.shop2.example.com")
    row = cli.json("show", "anything.shop2.example.com")["certificates"][0]
    assert row["arn"] in done.stdout and row["history"]
    one = cli.json("show", row["arn"])["certificates"]
    assert one[0]["arn"] == row["arn"] and "pem" not in one[0]


def test_show_prints_pem_only(cli):
    text = cli.out("show", "--pem", "0a000000000000000000000000000008")
    assert text.startswith("-----BEGIN CERTIFICATE-----\n")
    assert text.endswith("-----END CERTIFICATE-----\n")
    done = cli.run("show", "--pem", "0a000000000000000000000000000004", code=1)
    assert done.stdout == "" and "has no certificate yet (PENDING_VALIDATION)" in done.stderr


def test_what_is_not_found_is_said_with_what_was_not_read(cli):
    for output in ("table", "wide"):
        done = cli.run("-o", output, "show", "nosuch.example.net", code=1)
        assert done.stdout == ""
        assert f"7 account-regions could not be read: {cli.program} coverage --problems" in done.stderr
    for output in ("json", "csv"):
        done = cli.run("-o", output, "show", "nosuch.example.net", code=1)
        assert done.stdout == "" and "no certificate matches" in done.stderr
    done = cli.run("certs", "--domain", "nosuch.example.net")
    assert done.stdout == "" and "7 account-regions could not be read" in done.stderr


# --- for programs


def test_csv_has_the_rows_and_columns_of_json(cli):
    for command, name in LISTS.items():
        rows = cli.json(command)[name]
        lines = cli.csv(command)
        assert len(lines) == len(rows) > 0
        for row, line in zip(rows, lines):
            assert list(line) == list(row)
            for key, value in row.items():
                if key == "days_left":
                    continue  # told by the clock, and two looks may fall on two days
                if isinstance(value, (int, bool)) or value is None:
                    assert line[key] == ("" if value is None else json.dumps(value))


def test_csv_has_a_header_without_rows(cli):
    empty = {"certs": ["--region", "mars-north-1"], "accounts": ["--connector", "none"],
             "coverage": ["--connector", "none"], "events": ["--since", "2199-01-01"]}
    for command, filters in empty.items():
        full = cli.out("-o", "csv", command).split("\r\n")[0]
        assert cli.out("-o", "csv", command, *filters) == full + "\r\n"
        assert cli.json(command, *filters)[LISTS[command]] == []


def test_csv_holds_no_formula(cli):
    cells = [cell for row in cli.csv("certs") + cli.csv("accounts") for cell in row.values()]
    assert "'=1+1" in cells
    assert not any(cell and cell[0] in "=@+" for cell in cells)


def test_every_filter_of_certs_filters(cli):
    every = {row["arn"]: row for row in cli.json("certs", "--gone")["certificates"]}

    def arns(*filters):
        return {row["arn"] for row in cli.json("certs", "--gone", *filters)["certificates"]}

    def those(test):
        return {arn for arn, row in every.items() if test(row)}
    assert arns() == set(every)
    assert arns("--region", "us-east-1") == those(lambda row: row["region"] == "us-east-1")
    assert arns("--account", "000000100001") == those(
        lambda row: row["account_id"] == "000000100001")
    assert arns("--connector", "prod") == set(every)
    assert arns("--type", "imported") == those(lambda row: row["type"] == "IMPORTED")
    assert arns("--status", "EXPIRED") == those(
        lambda row: row["status"] == "EXPIRED" or row["expired"])
    assert arns("--in-use", "no") == those(lambda row: not row["in_use"])
    assert arns("--tag", "team=team-3") == those(lambda row: row["tags"]["team"] == "team-3")
    assert arns("--expires", "60d") == those(
        lambda row: row["days_left"] is not None and row["days_left"] < 60)
    assert arns("--expires-after", "0d") == those(
        lambda row: row["not_after"] is not None and not row["expired"])
    assert arns("--domain", "x.shop6.example.com") == those(
        lambda row: "*.shop6.example.com" in row["subject_alternative_names"])
    assert arns("--domain-suffix", "shop6.example.com") == those(
        lambda row: "*.shop6.example.com" in row["subject_alternative_names"])
    one = every[sorted(every)[0]]
    assert arns("--serial", one["serial"].upper()) == {one["arn"]}
    assert arns("--fingerprint", one["fingerprint_sha256"]) == {one["arn"]}
    assert [row["domain_name"] or "" for row in cli.json("certs", "--sort", "domain")[
        "certificates"]][-1].startswith("www9")


# --- usage and ends


def refused(message, *arguments, code=2, cli=Cli()):
    done = cli.run(*arguments, code=code)
    assert done.stdout == ""
    assert done.stderr == f"acmsensor: {message}\n"


def test_mistakes_are_named_on_stderr_with_exit_2(cli, data_dir):
    refused('unknown command "certz"; did you mean "certs"?', "certz")
    refused('unknown option "--exprise"; did you mean "--expires"?', "certs", "--exprise", "3d")
    refused('-o: "xml" is none of table, wide, json and csv', "-o", "xml", "certs")
    refused("--socket and --offline exclude each other", "--socket", "/x", "--offline", "/y",
            "certs")
    refused("`acmsensor show` needs ARN|FINGERPRINT|SERIAL|DOMAIN", "show")
    refused('expires: "soon" is not a duration (30d, 12h) or a date (2026-12-31)', "certs",
            "--expires", "soon", cli=cli)
    refused('state: "fine" is not a coverage state', "coverage", "--state", "fine", cli=cli)
    refused("this needs a running daemon: leave out --offline", "config", cli=cli)
    refused("this needs a running daemon: leave out --offline", "scan", cli=cli)
    refused("--follow goes with neither --offline nor --limit", "events", "--follow", cli=cli)


def test_help_names_every_command_and_option():
    text = Cli().out("help")
    for command in ("status", "scan", "accounts", "coverage", "certs", "show", "events", "config",
                    "backup"):
        assert f"\n  {command} " in text
        one = Cli().out("help", command)
        assert one == Cli().out(command, "--help") and one.startswith(
            f"Usage: acmsensor {command}")
    assert Cli().out("--help") == text
    assert Cli().run(code=2).stdout == text
    assert Cli().out("--version").startswith("acmsensor ")
    refused('there is no command "nonsense"; `acmsensor help` lists them', "help", "nonsense")


def test_no_daemon_is_exit_3_and_says_what_to_do(tmp_path):
    nobody = Cli("--socket", tmp_path / "none.sock")
    for command in ("status", "certs", "accounts", "coverage", "events", "config", "scan",
                    "backup"):
        arguments = [command, tmp_path / "file"] if command == "backup" else [command]
        done = nobody.run(*arguments, code=3)
        assert done.stdout == "" and "is acmsensord running?" in done.stderr
        assert "No such file or directory" in done.stderr
    assert not (tmp_path / "file").exists()


def test_a_store_that_is_none_is_exit_1(tmp_path):
    done = Cli("--offline", tmp_path).run("certs", code=1)
    assert str(tmp_path) in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["table", "wide", "json", "csv"])
def test_a_full_disk_is_exit_1_and_said_once(cli, output):
    for view in VIEWS:
        with open("/dev/full", "wb") as full:
            done = cli.run("-o", output, *view, stdout=full, code=1)
        assert done.stderr.count("No space left on device") == 1, (view, done.stderr)
    with open("/dev/full", "wb") as full:
        cli.run("help", stdout=full, code=1)


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_a_closed_pipe_ends_quietly(tmp_path, output):
    big = Cli("--offline", fill(tmp_path / "data", certificates=4000))
    process = big.start("-o", output, "certs")
    assert len(process.stdout.read(100)) == 100
    process.stdout.close()
    assert process.wait(30) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


# --- backup


def without_days(document):
    """Rows as they are stored: days_left is told by the clock, and two looks may fall on two days."""
    return [{key: value for key, value in row.items() if key != "days_left"}
            for row in document["certificates"]]


def test_a_backup_holds_the_same_and_overwrites_nothing(cli, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    done = cli.run("backup", copy / "store.mdb")
    assert done.stdout == ""
    restored = Cli("--offline", copy)
    assert without_days(restored.json("certs")) == without_days(cli.json("certs"))
    before = (copy / "store.mdb").read_bytes()
    done = cli.run("backup", copy / "store.mdb", code=2)
    assert "exists already" in done.stderr
    assert (copy / "store.mdb").read_bytes() == before
    assert "No such file" in cli.run("backup", copy / "none" / "x", code=1).stderr


# --- speed


def cpu_seconds(build, *arguments):
    """Of the program alone; what it writes is thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.devnull, "wb") as nowhere:
        subprocess.run([str(build / "acmsensor"), *arguments], env=environment(), stdout=nowhere,
                       check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.long
@pytest.mark.skipif(not (SIM_BUILD / "fill_store").exists(), reason="no release build beside")
def test_100000_certificates_take_less_than_a_second(tmp_path):
    folder = str(fill(tmp_path / "data", SIM_BUILD, 100000))
    assert min(cpu_seconds(SIM_BUILD, "--offline", folder, "-o", "json", "certs")
               for _ in range(3)) < 1.0
