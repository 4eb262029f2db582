"""What boto3 cannot send or would not show: broken signatures, hostile answers, connections."""
import json
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from awssim import KEY_TYPES, ORIGINS, ROOT, SIM_BUILD

JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def signed(sim, service, body, headers, region=None, keys=None):
    """Headers and body as botocore's signer makes them."""
    access, secret, token = keys or sim.base_keys()
    request = AWSRequest("POST", sim.ready["url"] + "/", data=body, headers=headers)
    SigV4Auth(Credentials(access, secret, token), service,
              region or sim.ready["home_region"]).add_auth(request)
    return {**dict(request.prepare().headers.items()), "Content-Length": str(len(body)),
            "Host": urllib.parse.urlsplit(sim.ready["url"]).netloc}


def send(sim, headers, body, path="/", timeout=20):
    """Sends raw bytes; returns status, headers and body as far as they came."""
    host, port = urllib.parse.urlsplit(sim.ready["url"]).netloc.split(":")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((host, int(port)), timeout=timeout) as conn:
        conn.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return receive(conn)


def receive(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return None, {}, data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        more = conn.recv(1 << 20)
        if not more:
            break
        body += more
    return int(lines[0].split()[1]), headers, body


def acm(sim, operation, order, **more):
    body = json.dumps(order).encode()
    headers = signed(sim, "acm", body, {"Content-Type": JSON,
                                        "X-Amz-Target": "CertificateManager." + operation}, **more)
    return headers, body


def assume_role(sim):
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    body = urllib.parse.urlencode({
        "Action": "AssumeRole", "Version": "2011-06-15", "RoleSessionName": "test",
        "RoleArn": f"arn:aws:iam::{member}:role/{sim.ready['role_name']}"}).encode()
    return signed(sim, "sts", body, {"Content-Type": FORM}), body


LIST = {"Includes": {"keyTypes": KEY_TYPES}, "CertificateKeyPairOrigins": ORIGINS, "MaxItems": 1000}


def type_of(answer):
    return json.loads(answer[2])["__type"].split("#")[-1]


def test_every_part_of_a_request_is_covered_by_the_signature(awssim):
    sim = awssim(accounts=2, rate_scale=0)
    headers, body = acm(sim, "ListCertificates", LIST)
    assert send(sim, headers, body)[0] == 200
    assert type_of(send(sim, headers, body.replace(b"1000", b"1001"))) == "InvalidSignatureException"
    assert type_of(send(sim, headers, body, path="/x")) == "InvalidSignatureException"
    assert type_of(send(sim, headers, body, path="/?a=b")) == "InvalidSignatureException"
    for name in headers:
        if name.lower() not in ("content-length", "user-agent", "authorization", "x-amz-target"):
            broken = {**headers, name: headers[name] + "1"}
            assert send(sim, broken, body)[0] == 400, name
    flipped = headers["Authorization"][:-1] + ("0" if headers["Authorization"][-1] != "0" else "1")
    assert type_of(send(sim, {**headers, "Authorization": flipped}, body)) == \
        "InvalidSignatureException"
    assert type_of(send(sim, {**headers, "X-Amz-Extra": "unsigned"}, body)) == \
        "InvalidSignatureException"
    without = {n: v for n, v in headers.items() if n != "Authorization"}
    assert type_of(send(sim, without, body)) == "MissingAuthenticationTokenException"
    assert type_of(send(sim, {**without, "Authorization": "AWS4-HMAC-SHA256 Credential=x"}, body)) \
        == "IncompleteSignatureException"


def test_scope_must_be_that_of_the_service(awssim):
    sim = awssim(accounts=2, regions="us-east-1,eu-west-1", rate_scale=0)
    body = json.dumps(LIST).encode()
    target = {"Content-Type": JSON, "X-Amz-Target": "CertificateManager.ListCertificates"}
    assert type_of(send(sim, signed(sim, "organizations", body, target), body)) == \
        "InvalidSignatureException"
    assert type_of(send(sim, signed(sim, "acm", body, target, region="nowhere-1"), body)) == \
        "InvalidSignatureException"
    assert type_of(send(sim, signed(sim, "acm", body, target, region="eu-west-3"), body)) == \
        "UnrecognizedClientException"
    target["X-Amz-Target"] = "AWSOrganizationsV20161128.ListAccounts"
    headers = signed(sim, "organizations", b"{}", target, region="eu-west-1")
    assert type_of(send(sim, headers, b"{}")) == "InvalidSignatureException"
    target["X-Amz-Target"] = "AWSOrganizationsV20161128.CloseAccount"
    headers = signed(sim, "organizations", b"{}", target)
    assert type_of(send(sim, headers, b"{}")) == "UnknownOperationException"


def test_a_declared_body_hash_is_checked(awssim):
    sim = awssim(accounts=2)
    body = b"{}"
    headers = signed(sim, "acm", body, {"Content-Type": JSON, "x-amz-content-sha256": "0" * 64,
                                        "X-Amz-Target": "CertificateManager.ListCertificates"})
    assert type_of(send(sim, headers, body)) == "InvalidSignatureException"


def test_errors_of_query_services_are_xml(awssim):
    sim = awssim(accounts=2)
    headers, body = assume_role(sim)
    status, answer_headers, answer = send(sim, headers, body)
    assert status == 200 and answer_headers["content-type"] == "text/xml"
    status, _, answer = send(sim, headers, body.replace(b"=test", b"=tesT"))
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in answer
    ec2 = b"Action=DescribeRegions&Version=2016-11-15"
    headers = signed(sim, "ec2", ec2, {"Content-Type": FORM},
                     keys=("AKIAUNKNOWN000000001", "x", None))
    status, _, answer = send(sim, headers, ec2)
    assert status == 401 and b"<Response><Errors><Error><Code>AuthFailure</Code>" in answer


def test_errors_of_the_account_service_are_in_a_header(awssim):
    sim = awssim(accounts=2)
    headers = signed(sim, "account", b"{}", {"Content-Type": "application/json"})
    status, answer_headers, answer = send(sim, headers, b"{}", path="/listRegions")
    # Signed for the path "/".
    assert status == 403
    assert answer_headers["x-amzn-errortype"].split(":")[0] == "InvalidSignatureException"
    assert "message" in json.loads(answer)


@pytest.mark.parametrize("sort", [{"SortBy": "CREATED_AT"}, {"SortOrder": "ASCENDING"},
                                  {"MaxItems": 0}, {"MaxItems": 1001}, {"NextToken": ""},
                                  {"CertificateKeyPairOrigins": []},
                                  {"CertificateStatuses": ["DONE"]},
                                  {"Includes": {"keyTypes": ["RSA-2048"]}}])
def test_wrong_list_parameters_are_refused(awssim, sort):
    sim = awssim(accounts=2)
    assert type_of(send(sim, *acm(sim, "ListCertificates", sort))) == "ValidationException"


def test_lists_are_sorted_when_asked(awssim):
    sim = awssim(accounts=2, certs_per_region=30, regions="us-east-1", rate_scale=0)
    for order in "ASCENDING", "DESCENDING":
        items, token = [], {}
        while True:
            asked = {**LIST, "MaxItems": 7, "SortBy": "CREATED_AT", "SortOrder": order, **token}
            page = json.loads(send(sim, *acm(sim, "ListCertificates", asked))[2])
            items += page["CertificateSummaryList"]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        created = [int(item["CreatedAt"]) for item in items]
        assert created == sorted(created, reverse=order == "DESCENDING")
        assert len({item["CertificateArn"] for item in items}) == len(items) > 7


def test_timestamps_come_in_several_number_forms(awssim):
    sim = awssim(accounts=2, certs_per_region=50, regions="us-east-1")
    answer = send(sim, *acm(sim, "ListCertificates", LIST))[2].decode()
    times = [part.split(",")[0].split("}")[0] for part in answer.split('"CreatedAt":')[1:]]
    assert any("E" in t for t in times) and any("." in t and "E" not in t for t in times)
    assert any(t.isdigit() for t in times)
    assert "XFutureMember" in answer


def hostile(sim, kind, call=acm, **more):
    sim.faults({"kind": kind, **more})
    request = call(sim, "ListCertificates", LIST) if call is acm else call(sim)
    return send(sim, *request)


def test_hostile_bodies(awssim):
    sim = awssim(accounts=2, certs_per_region=3, rate_scale=0)
    assert hostile(sim, "html")[1]["content-type"] == "text/html"
    assert hostile(sim, "html502")[0] == 502
    assert hostile(sim, "empty")[2] == b""
    assert isinstance(json.loads(hostile(sim, "wrong_types")[2])["CertificateSummaryList"], str)
    with pytest.raises(UnicodeDecodeError):
        hostile(sim, "bad_utf8")[2].decode()
    with pytest.raises(ValueError):
        json.loads(hostile(sim, "garbage")[2].decode("latin-1"))
    deep = hostile(sim, "deep", bytes=5000)[2]
    assert deep.count(b"[") == 5000
    pairs = json.loads(hostile(sim, "duplicate_keys")[2], object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) > len(set(names))
    assert len(hostile(sim, "big_body", bytes=3_000_000)[2]) >= 3_000_000
    assert b"<!ENTITY" in hostile(sim, "xml_bomb", call=assume_role)[2]
    assert b"<Credentials>none" in hostile(sim, "wrong_types", call=assume_role)[2]
    status, headers, body = hostile(sim, "truncate")
    assert status == 200 and 0 < len(body) < int(headers["content-length"])
    begin = time.monotonic()
    hostile(sim, "slow", ms=600)
    assert time.monotonic() - begin > 0.5


def test_endless_and_repeated_pages(awssim):
    sim = awssim(accounts=2, certs_per_region=3, regions="us-east-1", rate_scale=0)

    def tokens(kind, count):
        sim.faults({"kind": kind, "operation": "ListCertificates"})
        token, seen = {}, []
        for _ in range(count):
            page = json.loads(send(sim, *acm(sim, "ListCertificates", {**LIST, **token}))[2])
            seen.append(page["NextToken"])
            token = {"NextToken": page["NextToken"]}
        return set(seen)

    assert len(tokens("endless_token", 5)) == 5
    assert len(tokens("repeat_page", 5)) == 1


def test_latency_and_stalls(awssim):
    sim = awssim(accounts=2, latency_ms=300, stall_max_s=1)
    begin = time.monotonic()
    assert send(sim, *acm(sim, "ListCertificates", LIST))[0] == 200
    assert time.monotonic() - begin >= 0.3
    sim.faults({"kind": "stall"}, latency_ms=0)
    status, _, data = send(sim, *acm(sim, "ListCertificates", LIST))
    assert status is None and data == b""


def test_connections_end_unannounced_when_asked_to(awssim):
    sim = awssim(accounts=2, requests_per_connection=2, idle_close_ms=200, rate_scale=0)
    headers, body = acm(sim, "ListCertificates", LIST)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    whole = f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body
    host, port = urllib.parse.urlsplit(sim.ready["url"]).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as conn:
        for _ in range(2):
            conn.sendall(whole)
            _, answered, _ = receive(conn)
            assert "connection" not in answered
        assert conn.recv(1) == b""
    with socket.create_connection((host, int(port)), timeout=5) as conn:
        conn.sendall(whole)
        receive(conn)
        assert conn.recv(1) == b""


def test_requests_that_arrive_early_wait_their_turn(awssim):
    sim = awssim(accounts=2, rate_scale=0)
    headers, body = acm(sim, "ListCertificates", {"MaxItems": 1})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    whole = f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body
    host, port = urllib.parse.urlsplit(sim.ready["tls_url"]).netloc.split(":")
    context = ssl.create_default_context(cafile=sim.ready["ca_file"])
    with context.wrap_socket(socket.create_connection((host, int(port)), timeout=10),
                             server_hostname="localhost") as conn:
        conn.sendall(whole * 50)
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 50:
            more = conn.recv(65536)
            assert more, data[-300:]
            data += more


@pytest.mark.parametrize("junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nA\r\n\r\n",
                                  b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                                  b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                  b"x" * 70000])
def test_what_is_not_http_is_refused(awssim, junk):
    sim = awssim(accounts=1)
    for url in "url", "proxy_url", "control_url":
        host, port = urllib.parse.urlsplit(sim.ready[url]).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as conn:
            conn.sendall(junk)
            assert conn.recv(100).startswith(b"HTTP/1.1 400 ")


def secretsmanager(sim, operation, order):
    body = json.dumps(order).encode()
    return signed(sim, "secretsmanager", body, {
        "Content-Type": JSON, "X-Amz-Target": "secretsmanager." + operation}), body


def test_blobs_are_base64_exactly_once(awssim):
    sim = awssim(accounts=1, certs_per_region=0, rate_scale=0)
    for blob in ("-----BEGIN CERTIFICATE-----", "A", "AAAA=", "AA=A", "AB==", "AAAA\n", "A_-A"):
        answer = send(sim, *acm(sim, "ImportCertificate", {"Certificate": blob,
                                                           "PrivateKey": "AAAA"}))
        assert answer[0] == 400 and type_of(answer) == "SerializationException", blob
    for order, member in (({"PrivateKey": "AAAA"}, "certificate"), ({"Certificate": "AAAA"},
                                                                    "privateKey")):
        answer = send(sim, *acm(sim, "ImportCertificate", order))
        assert type_of(answer) == "ValidationException"
        assert f"Value null at '{member}'" in json.loads(answer[2])["message"]
    for wrong in ({"Certificate": 5}, {"CertificateArn": []}, {"Tags": "x"}, {"Tags": [5]}):
        order = {"Certificate": "AAAA", "PrivateKey": "AAAA", **wrong}
        assert type_of(send(sim, *acm(sim, "ImportCertificate", order))) == \
            "SerializationException"
    order = {"Certificate": "AAAA", "PrivateKey": "AAAA", "Tags": []}
    assert type_of(send(sim, *acm(sim, "ImportCertificate", order))) == "ValidationException"


def test_answers_without_content_and_in_regions_that_are_not(awssim):
    sim = awssim(accounts=1, regions="eu-west-1", certs_per_region=3, rate_scale=0)
    arn = sim.truth()["certificates"][0]["arn"]
    status, headers, body = send(sim, *acm(sim, "AddTagsToCertificate", {
        "CertificateArn": arn, "Tags": [{"Key": "a"}]}))
    assert status == 200 and body == b"" and headers["content-length"] == "0"
    assert type_of(send(sim, *acm(sim, "ListCertificates", LIST, region="us-east-1"))) == \
        "UnrecognizedClientException"


def test_secrets_manager_asks_for_a_token(awssim):
    sim = awssim(accounts=1, certs_per_region=0, rate_scale=0)
    order = {"Name": "a", "SecretString": "x"}
    answer = send(sim, *secretsmanager(sim, "CreateSecret", order))
    assert type_of(answer) == "InvalidRequestException"
    assert "ClientRequestToken" in json.loads(answer[2])["Message"]
    for token in ("short", "x" * 65):
        assert type_of(send(sim, *secretsmanager(sim, "CreateSecret", {
            **order, "ClientRequestToken": token}))) == "InvalidParameterException"
    assert send(sim, *secretsmanager(sim, "CreateSecret", {
        **order, "ClientRequestToken": "x" * 32}))[0] == 200
    assert type_of(send(sim, *secretsmanager(sim, "GetRandomPassword", {}))) == \
        "UnknownOperationException"


def test_an_effect_without_its_answer_by_flag(awssim):
    sim = awssim(accounts=1, certs_per_region=0, rate_scale=0, fault=[
        "truncate=1,operation=CreateSecret,after=1,skip=1,count=1",
        "error=1,operation=TagResource,code=LimitExceededException,message=too many of them"])
    for name, whole in (("a", True), ("b", False), ("c", True)):
        order = {"Name": name, "SecretString": "x", "ClientRequestToken": name * 32}
        _, headers, body = send(sim, *secretsmanager(sim, "CreateSecret", order))
        assert (len(body) == int(headers["content-length"])) == whole
    assert [s["name"] for s in sim.secrets()] == ["a", "b", "c"]
    answer = send(sim, *secretsmanager(sim, "TagResource", {"SecretId": "a", "Tags": []}))
    assert json.loads(answer[2]) == {"__type": "LimitExceededException",
                                     "Message": "too many of them"}


def test_wrong_orders_are_refused(awssim):
    sim = awssim(accounts=2)
    for path, order in (("/faults", {"add": [{"kind": "nonsense"}]}),
                        ("/faults", {"add": [{"kind": "reset", "probability": 2}]}),
                        ("/mutate", {"op": "explode"}), ("/mutate", {}),
                        ("/mutate", {"op": "add", "account": "1"}), ("/nothing", {}),
                        ("/mutate", {"op": "deny_action"}), ("/acm", {"mismatch_code": "x" * 50}),
                        ("/consistency", {"delay_ms": -1}), ("/bind", {}), ("/unbind", {"id": 9}),
                        ("/rules", {}), ("/rules", {"pairs": [["x"]]}),
                        ("/bind", {"arn": "arn:aws:acm"}), ("/secretsmanager", {
                            "forced_delete_ms": "1"})):
        with pytest.raises(OSError, match="40[04]"):
            sim.control(path, order)


def test_it_ends_cleanly_with_a_stalled_connection_open(awssim):
    sim = awssim(accounts=1)
    sim.faults({"kind": "stall"})
    headers, body = acm(sim, "ListCertificates", LIST)
    with pytest.raises(socket.timeout):
        send(sim, headers, body, timeout=0.3)
    host, port = urllib.parse.urlsplit(sim.ready["tls_url"]).netloc.split(":")
    with socket.create_connection((host, int(port))):
        assert sim.stop() == 0


@pytest.mark.parametrize("flags", [["--nonsense"], ["--accounts"], ["--accounts", "0"],
                                   ["--accounts", "2x"], ["extra"], ["--mixed=1"],
                                   ["--rate-scale", "nan"]])
def test_wrong_flags_are_a_usage_error(flags):
    done = subprocess.run([SIM_BUILD / "awssim", *flags], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.startswith("awssim: ")


@pytest.mark.parametrize("flags", [["--hub", "nobody"], ["--regions", "us-east-1,us-east-1"],
                                   ["--regions", "moon-1"], ["--suspended", "12"], [],
                                   ["--partition", "aws-mars"], ["--management-id", "12"],
                                   ["--listen", "nowhere"], ["--fault", "nonsense=1"],
                                   ["--keys-dir", "/nonexistent"], ["--account-fields", "none"]])
def test_a_world_that_cannot_be_is_refused(flags):
    more = ["--listen", "127.0.0.1:0"] if flags and flags[0] != "--listen" else []
    if flags[:1] != ["--keys-dir"]:
        more += ["--keys-dir", str(ROOT / "tests" / "data" / "keys")]
    done = subprocess.run([SIM_BUILD / "awssim", *flags, *more], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and done.stderr.startswith("awssim: ")


def test_help_names_every_flag_and_the_time_limit_ends_it():
    done = subprocess.run([SIM_BUILD / "awssim", "--help"], capture_output=True, text=True,
                          timeout=20, check=True)
    assert "--listen-proxy TEXT" in done.stdout and "[us-east-1," in done.stdout
    subprocess.run([SIM_BUILD / "awssim", "--listen", "127.0.0.1:0", "--max-seconds", "1",
                    "--keys-dir", str(ROOT / "tests" / "data" / "keys")], timeout=20, check=True)
