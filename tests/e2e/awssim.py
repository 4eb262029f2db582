"""Starts the simulated AWS (tests/awssim) for a test, talks to its control port, stops it.

    with Awssim(accounts=5, seed=3) as sim:
        client = sim.boto3("acm", region="us-east-1")
        truth = sim.truth()

Flags are keyword arguments with underscores; a list repeats a flag; True is a bare flag.
The product's programs come from the folder in ACMSENSOR_BUILD (default: build/release of this
checkout), awssim from AWSSIM_BUILD (default: the same).
"""
import functools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ACMSENSOR_BUILD", ROOT / "build" / "release")).resolve()
SIM_BUILD = pathlib.Path(os.environ.get("AWSSIM_BUILD", BUILD)).resolve()
KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
             "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
ORIGINS = ["AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED"]
START_S = 20
STOP_S = 10


def clean_environment(folder, **more):
    """An environment in which no AWS setting of this machine is seen. folder is a fresh HOME."""
    keep = ("PATH", "LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment.update({
        "HOME": str(folder),
        "AWS_CONFIG_FILE": os.path.join(folder, "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.path.join(folder, "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    })
    environment.update(more)
    return environment


@functools.lru_cache
def boto3_session():
    """One for all clients: it keeps the models that it has read, which take most of their time."""
    import boto3
    import botocore.session
    core = botocore.session.Session()
    core.set_config_variable("config_file", "/nonexistent")
    core.set_config_variable("credentials_file", "/nonexistent")
    core.set_config_variable("sts_regional_endpoints", "regional")
    # Debian 12's botocore knows no ListRegions.
    core.set_config_variable("data_path", str(pathlib.Path(__file__).parent / "models"))
    return boto3.Session(botocore_session=core)


def seconds_of(rfc3339):
    """Unix seconds of a time in the truth."""
    import calendar
    return calendar.timegm(time.strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ"))


class Awssim:
    """One running awssim. Every listener is on; ports are free ones."""

    def __init__(self, folder=None, **flags):
        self._own_folder = None
        if folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="awssim-")
            folder = self._own_folder.name
        self.folder = pathlib.Path(folder)
        self.flags = {"listen": "127.0.0.1:0", "listen_tls": "127.0.0.1:0",
                      "listen_proxy": "127.0.0.1:0", "control": "127.0.0.1:0",
                      "max_seconds": 900, **flags}
        self.process = None
        self.ready = None

    def start(self):
        ready_file = self.folder / "ready.json"
        command = [str(SIM_BUILD / "awssim"), "--ready-file", str(ready_file),
                   "--keys-dir", str(ROOT / "tests" / "data" / "keys")]
        for name, value in self.flags.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                command.append(flag)
            elif value is not None and value is not False:
                for one in value if isinstance(value, list) else [value]:
                    command += [flag, str(one)]
        self.log = self.folder / "awssim.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=clean_environment(
                self.folder))
        end = time.monotonic() + START_S
        while not ready_file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("awssim did not start: " + self.log.read_text())
            time.sleep(0.01)
        self.ready = json.loads(ready_file.read_text())
        return self

    def stop(self):
        """Ends it and returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        code, self.process = self.process.returncode, None
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        code = self.stop()
        text = self.log.read_text(errors="replace")
        if self._own_folder is not None:
            self._own_folder.cleanup()
        if code != 0:
            raise RuntimeError(f"awssim ended with {code}:\n{text}")

    # --- the control port

    def control(self, path, order=None):
        """GET, or POST when there is an order; returns the JSON answer."""
        data = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(self.ready["control_url"] + path, data=data)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)

    def truth(self, **query):
        """query: reachable=1, pem=1, certificates=0."""
        return self.control("/truth?" + urllib.parse.urlencode(query))

    def stats(self, pairs=False):
        return self.control("/stats?pairs=1" if pairs else "/stats")

    def reset_stats(self):
        self.control("/reset-stats", {})

    def faults(self, *rules, clear=True, **settings):
        """Rules are dicts: kind, probability, service, operation, account, region, count, skip,
        after, ..."""
        return self.control("/faults", {"clear": clear, "add": list(rules), **settings})

    def clock(self, **order):
        """offset_s=N or advance_s=N."""
        return self.control("/clock", order)

    def acm(self, **order):
        """ACM's limits and habits: certificates_max, imports_max, mismatch_code; reset=True."""
        return self.control("/acm", order)

    def consistency(self, **order):
        """delay_ms, jitter_ms, in_progress_ms, use_lag_ms, seed; reset=True."""
        return self.control("/consistency", order)

    def secretsmanager(self, **order):
        """forced_delete_ms, encrypt_fails, decrypt_fails (with a KmsKeyId)."""
        return self.control("/secretsmanager", order)

    def secrets(self):
        """Every secret that ever was: names, tags, hashes of the values, when it was deleted."""
        return self.control("/secrets")["secrets"]

    def rules(self, **order):
        """ACM's verdict without an import: certificate, private_key, chain, old (PEM texts); or
        pairs=[[old, new], ...], only the conditions of a reimport."""
        return self.control("/rules", order)

    def key(self, arn):
        """The private key (PEM) that was imported, which ACM never gives away."""
        return self.control("/key", {"arn": arn})["private_key"].encode()

    def imports(self):
        """Every ImportCertificate that had its effect, in order: arn, serial, is_reimport, ..."""
        return self.control("/imports")["imports"]

    def bind(self, arn, **order):
        """A TLS listener that serves what the ARN holds; returns id and port. listen, names,
        delay_ms, in_use_by; with id another certificate of that listener, default or replace."""
        return self.control("/bind", {"arn": arn, **order})

    def unbind(self, id, arn=None):
        """The listener, or only the ARN."""
        self.control("/unbind", {"id": id, **({"arn": arn} if arn else {})})

    def bindings(self):
        return self.control("/bindings")["bindings"]

    def served(self, port, host="www.example.com"):
        """The leaf (DER) that a listener serves for an SNI (None: without one)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as conn:
            with context.wrap_socket(conn, server_hostname=host) as tls:
                return tls.getpeercert(binary_form=True)

    def mutate(self, op, **order):
        """Returns the list of what was changed (ARNs, or account and region)."""
        return self.control("/mutate", {"op": op, **order})["changed"]

    # --- clients that nobody here wrote

    def environment(self, via="http", region=None, keys=None, **more):
        """What a program needs to use this AWS: via http, tls or proxy (the real host names)."""
        access, secret, token = keys or self.base_keys()
        environment = clean_environment(
            self.folder, AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret,
            AWS_REGION=region or self.ready["home_region"],
            AWS_DEFAULT_REGION=region or self.ready["home_region"])
        if token:
            environment["AWS_SESSION_TOKEN"] = token
        if via == "proxy":
            environment["HTTPS_PROXY"] = environment["https_proxy"] = self.ready["proxy_url"]
        else:
            environment["AWS_ENDPOINT_URL"] = self.endpoint(via)
        if via != "http":
            environment["AWS_CA_BUNDLE"] = self.ready["ca_file"]
        environment.update(more)
        return environment

    def endpoint(self, via="http"):
        """The endpoint URL; None for the proxy, where the real names are used."""
        return {"http": self.ready["url"], "tls": self.ready["tls_url"], "proxy": None}[via]

    def base_keys(self):
        return (self.ready["access_key_id"], self.ready["secret_access_key"],
                self.ready["session_token"])

    def boto3(self, service, region=None, keys=None, via="http", retries=0, **more):
        """A boto3 client. keys: (access key, secret, token); default: the base keys."""
        import botocore.config
        access, secret, token = keys or self.base_keys()
        proxies = {"https": self.ready["proxy_url"]} if via == "proxy" else {}
        config = botocore.config.Config(
            retries={"total_max_attempts": retries + 1, "mode": "standard"}, proxies=proxies,
            connect_timeout=5, read_timeout=20, **more)
        return boto3_session().client(
            service, region_name=region or self.ready["home_region"],
            endpoint_url=self.endpoint(via), verify=False if via == "http" else
            self.ready["ca_file"], aws_access_key_id=access, aws_secret_access_key=secret,
            aws_session_token=token, config=config)

    def assume(self, account_id, role=None, keys=None, via="http", **more):
        """Keys of a session of the common role (or role) in the account."""
        role_name = role or self.ready["role_name"]
        arn = f"arn:{self.ready['partition']}:iam::{account_id}:role/{role_name}"
        if self.ready["external_id"] and "ExternalId" not in more:
            more["ExternalId"] = self.ready["external_id"]
        answer = self.boto3("sts", keys=keys, via=via).assume_role(
            RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
        return answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]


def with_all_origins(acm):
    """Makes a client of an older boto3 ask for every key pair origin, a parameter it lacks."""
    def add(params, **_):
        body = json.loads(params["body"])
        body["CertificateKeyPairOrigins"] = ORIGINS
        params["body"] = json.dumps(body).encode()
    acm.meta.events.register("before-call.acm.ListCertificates", add)
    return acm


def list_everything(acm, page=1000):
    """Every certificate of an account and region, by ARN."""
    found = {}
    for answer in with_all_origins(acm).get_paginator("list_certificates").paginate(
            Includes={"keyTypes": KEY_TYPES}, PaginationConfig={"PageSize": page}):
        for summary in answer["CertificateSummaryList"]:
            found[summary["CertificateArn"]] = summary
    return found
