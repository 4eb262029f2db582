"""The reimport predictor against the simulated ACM's own rules, which nobody derived from ours."""
import base64
import collections
import random
import subprocess

import pytest

from acmsensor import BUILD
from awssim import Awssim
from bundle import CLIENT, SERVER, Authority, der, pem

PAIRS, CHUNK, EACH = 2400, 300, 20
RULES = ("same_key_type", "names_overlap", "key_usage_kept", "ext_key_usage_kept")
NAMES = [("a.example.com",), ("a.example.com", "b.example.com"), ("B.example.com", "c.example.com"),
         ("*.example.com",), ("*.example.com", "a.example.com"), ("10.0.0.1",),
         ("10.0.0.1", "c.example.com"), ("d.example.org", "e.example.org")]
KEY_USAGES = [None, ["digital_signature"], ["digital_signature", "key_encipherment"],
              ["key_encipherment"], ["digital_signature", "key_agreement"]]
EMAIL = "1.3.6.1.5.5.7.3.4"
EXT_KEY_USAGES = [None, [SERVER], [SERVER, CLIENT], [CLIENT], [SERVER, EMAIL], ["1.2.3.4.5"]]


@pytest.fixture(scope="module")
def sim():
    with Awssim(accounts=1, certs_per_region=0, rate_scale=0) as one:
        yield one


def ours(pairs):
    lines = "".join(" ".join(base64.b64encode(der(one)).decode() for one in pair) + "\n"
                    for pair in pairs)
    done = subprocess.run([str(BUILD / "check_rules")], input=lines, capture_output=True, text=True,
                          check=True)
    return [line.partition(" ") for line in done.stdout.splitlines()]


def theirs(sim, pairs):
    verdicts = []
    for at in range(0, len(pairs), CHUNK):
        chunk = [[pem(one).decode() for one in pair] for pair in pairs[at:at + CHUNK]]
        verdicts += sim.rules(pairs=chunk)["verdicts"]
    return verdicts


def pool():
    """Certificates of every kind that the rules tell apart."""
    found = []
    for kind in ("ec256", "ec384", "rsa2048"):
        authority = Authority(kind)
        for number, names in enumerate(NAMES):
            for key_usage in KEY_USAGES:
                for ext_key_usage in EXT_KEY_USAGES:
                    found.append(authority.issue(*names, kind=kind, key_usage=key_usage,
                                                 ext_key_usage=ext_key_usage).leaf)
    return found


def test_agrees_with_acm_on_thousands_of_pairs(sim):
    dice = random.Random(4)
    certificates = pool()
    by_kind = [certificates[i::3] for i in range(3)]
    pairs = [[dice.choice(certificates), dice.choice(certificates)] for _ in range(PAIRS // 3)]
    third = len(certificates) // 3
    for _ in range(PAIRS - len(pairs)):  # of one kind of key, so that the other rules decide
        kind = dice.randrange(3)
        same = certificates[kind * third:(kind + 1) * third]
        pairs.append([dice.choice(same), dice.choice(same)])
    assert by_kind and len(pairs) >= 2000
    broken = collections.Counter()
    for pair, (verdict, _, rules), other in zip(pairs, ours(pairs), theirs(sim, pairs)):
        assert (verdict == "passed") == other["allowed"], (rules, other, [pem(c) for c in pair])
        broken.update(rules.split(",") if rules else ["none"])
    for rule in (*RULES, "none"):
        assert EACH <= broken[rule] <= PAIRS - EACH, broken


def one(sim, old, new):
    [(verdict, _, rules)] = ours([[old, new]])
    [other] = theirs(sim, [[old, new]])
    assert (verdict == "passed") == other["allowed"], (rules, other)
    return rules or verdict


def test_each_documented_condition(sim):
    ec, rsa = Authority("ec256"), Authority("rsa2048")
    name = "a.example.com"
    both = ["digital_signature", "key_encipherment"]

    def certificate(authority=ec, names=(name,), **more):
        kind = "rsa2048" if authority is rsa else "ec256"
        return authority.issue(*names, kind=kind, **more).leaf

    plain = certificate()
    assert one(sim, plain, certificate(rsa)) == "same_key_type"
    assert one(sim, plain, certificate(names=(name, "b.example.com"))) == "passed"
    assert one(sim, certificate(names=(name, "b.example.com")), plain) == "passed"
    assert one(sim, plain, certificate(names=("b.example.com",))) == "names_overlap"
    assert one(sim, plain, certificate(key_usage=["digital_signature"])) == "key_usage_kept"
    assert one(sim, plain, certificate(ext_key_usage=[SERVER])) == "ext_key_usage_kept"
    assert one(sim, certificate(ext_key_usage=[SERVER]),
               certificate(ext_key_usage=[SERVER, CLIENT])) == "passed"
    assert one(sim, certificate(ext_key_usage=[SERVER, CLIENT]),
               certificate(ext_key_usage=[SERVER])) == "passed"
    assert one(sim, certificate(ext_key_usage=[SERVER, CLIENT]),
               certificate(ext_key_usage=[CLIENT])) == "ext_key_usage_kept"
    assert one(sim, certificate(key_usage=both),
               certificate(key_usage=["digital_signature"])) == "passed"
    assert one(sim, certificate(rsa, key_usage=both),
               certificate(rsa, key_usage=["digital_signature"])) == "key_usage_kept"
