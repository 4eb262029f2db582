"""Plans, jobs and certificates as a daemon tells of them that answers from a script (fake_api.py)."""
import copy

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
