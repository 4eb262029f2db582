"""The sensor's predictor of ACM's rules (delivery/import_rules.c, by check_rules) against the rules
that awssim enforces, written independently from AWS's documentation: on drawn pairs of certificates
that break and keep every rule and use every exception, on the documented examples, and on imports.

What the predictor calls broken ACM must refuse, what it calls passed ACM must take. What is
unconfirmed may go either way, and has to be one of the few things that AWS does not document."""
import collections
import datetime
import functools
import json
import random
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization

from awssim import BUILD, ROOT
from bundle import (CLIENT, KEY_USAGES, SERVER, certificate, kept_key, key_pem, name, new_key, pem)

PAIRS = 3000
BATCH = 400
ENOUGH = 20  # times that each rule has to be broken, and to be passed
KEYS = ["rsa1024-1", "rsa2048-1", "rsa3072-1", "rsa4096-1", "p256-1", "p384-1", "p521-1"]
EC = {"p256-1", "p384-1", "p521-1"}
EXT_USAGES = [SERVER, CLIENT, "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.9",
              "2.5.29.37.0", "1.2.3.4.5"]
HOSTS = ["www.example.com", "*.example.com", "example.com", "shop.example.net", "api.example.org",
         "192.0.2.1", "2001:db8::1", "xn--mnchen-3ya.example"]
COMMON_NAMES = [None, None, "www.example.com", "shop.example.net", "192.0.2.1", "My Server",
                "WWW.Example.COM", "intranet"]
RULES = ["same_key_type", "names_overlap", "key_usage_kept", "key_usage_not_added",
         "ext_key_usage_kept", "ext_key_usage_not_added"]
# What awssim says first, and the rule that the predictor has for it.
RULE_OF_MESSAGE = [
    ("same key algorithm", "same_key_type"), ("none of the domain names", "names_overlap"),
    ("has Key Usages", "key_usage_not_added"),
    ("has Extended Key Usages", "ext_key_usage_not_added"),
    ("more Key Usages", "key_usage_kept"), ("more Extended Key Usages", "ext_key_usage_kept")]

Face = collections.namedtuple("Face", "key common_name names key_usage ext_key_usage")


@functools.lru_cache(maxsize=None)
def file_key(kind):
    path = ROOT / "tests" / "data" / "keys" / f"leaf-{kind}.pem"
    return serialization.load_pem_private_key(path.read_bytes(), None)


@functools.lru_cache(maxsize=None)
def leaf_pem(face):
    """A certificate with that face. None for an extension leaves it out."""
    return pem(certificate(
        file_key(face.key), name(face.common_name), name("Rules CA"), kept_key("ec256"),
        names=face.names, key_usage=face.key_usage, ext_key_usage=face.ext_key_usage)).decode()


def face(key="p256-1", common_name=None, names=("www.example.com",), key_usage=None,
         ext_key_usage=None):
    return Face(key, common_name, tuple(names), key_usage and tuple(key_usage),
                ext_key_usage and tuple(ext_key_usage))


# --- the two that are compared

def check_rules(groups, *arguments):
    text = "".join("".join(group) + "=\n" for group in groups)
    done = subprocess.run([BUILD / "check_rules", *arguments], input=text.encode(), check=True,
                          stdout=subprocess.PIPE, timeout=120)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(groups)
    return found


def ask_awssim(sim, pairs):
    verdicts = []
    for at in range(0, len(pairs), BATCH):
        verdicts += sim.rules(pairs=pairs[at:at + BATCH])["verdicts"]
    assert len(verdicts) == len(pairs)
    return verdicts


def verdicts_of(foreseen):
    return {rule["name"]: rule["verdict"] for rule in foreseen["rules"]}


def assert_agreement(what, foreseen, verdict):
    told = f"{what}\nforeseen: {foreseen}\nawssim: {verdict}"
    if foreseen["verdict"] == "broken":
        assert not verdict["allowed"], told
    if foreseen["verdict"] == "passed":
        assert verdict["allowed"], told


def assert_same_rule(what, foreseen, verdict):
    """The rule that awssim names is one that the predictor found broken (or open)."""
    if verdict["allowed"]:
        return
    rule = next(rule for part, rule in RULE_OF_MESSAGE if part in verdict["message"])
    assert verdicts_of(foreseen)[rule] != "passed", (what, foreseen, verdict)


# --- drawn pairs

def draw_key_usage(draw):
    if draw.random() < 0.25:
        return None
    chosen = {usage for usage in KEY_USAGES if draw.random() < 0.35}
    if "key_agreement" not in chosen:  # python3-cryptography makes no such certificate
        chosen -= {"encipher_only", "decipher_only"}
    return tuple(sorted(chosen)) or ("digital_signature",)


def draw_ext_key_usage(draw):
    if draw.random() < 0.25:
        return None
    return tuple(u for u in EXT_USAGES if draw.random() < 0.35) or (SERVER,)


def draw_face(draw):
    names = tuple(draw.sample(HOSTS, draw.randint(0, 3)))
    common_name = draw.choice(COMMON_NAMES)
    return Face(draw.choice(KEYS), common_name, names, draw_key_usage(draw),
                draw_ext_key_usage(draw))


def change_list(draw, old, fresh, droppable, pool):
    """What becomes of a list of usages: it stays, grows, loses what may go, or is another one."""
    fate = draw.random()
    if fate < 0.35 or (old is None and fate < 0.8):
        return old
    if fate < 0.6 and old:
        return tuple(sorted({*old, draw.choice(pool)}, key=str))
    if fate < 0.8 and old:
        return tuple(usage for usage in old if usage != droppable) or None
    return fresh


def change_names(draw, old):
    fate = draw.random()
    if fate < 0.4:
        return old.names
    if fate < 0.6:
        return tuple(name.upper() if ":" not in name else name for name in old.names)
    if fate < 0.75:
        return tuple(dict.fromkeys(old.names[:1] + (draw.choice(HOSTS),)))
    return tuple(draw.sample(HOSTS, draw.randint(0, 3)))


def draw_pair(draw):
    old, other = draw_face(draw), draw_face(draw)
    if draw.random() < 0.5:  # also pairs that nothing but the exceptions tells apart
        old = old._replace(key_usage=tuple(sorted({*(old.key_usage or ()), "digital_signature",
                                                   "key_encipherment"})),
                           ext_key_usage=tuple(dict.fromkeys((SERVER, CLIENT) +
                                                             (old.ext_key_usage or ()))))
    key_usage = change_list(draw, old.key_usage, other.key_usage, "key_encipherment",
                            KEY_USAGES[:7])
    if key_usage and "key_agreement" not in key_usage:
        key_usage = tuple(u for u in key_usage if u not in ("encipher_only", "decipher_only"))
    return old, Face(
        old.key if draw.random() < 0.8 else other.key,
        old.common_name if draw.random() < 0.6 else other.common_name, change_names(draw, old),
        key_usage or None, change_list(draw, old.ext_key_usage, other.ext_key_usage, CLIENT,
                                       EXT_USAGES))


def lost(old, new):
    return set(old or ()) - set(new or ())


def count_exceptions(counts, old, new, foreseen):
    rules = verdicts_of(foreseen)
    if lost(old.key_usage, new.key_usage) == {"key_encipherment"}:
        kind = "EC" if old.key in EC and new.key in EC else "RSA"
        counts[f"keyEncipherment gone, {kind}", rules["key_usage_kept"]] += 1
    if lost(old.ext_key_usage, new.ext_key_usage) == {CLIENT}:
        counts["clientAuth gone", rules["ext_key_usage_kept"]] += 1


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_predictor_agrees_with_awssim_on_drawn_pairs(awssim, seed):
    draw = random.Random(seed)
    faces = list({draw_pair(draw): None for _ in range(PAIRS)})
    assert len(faces) >= 2000
    pairs = [(leaf_pem(old), leaf_pem(new)) for old, new in faces]
    foreseen = check_rules(pairs)
    verdicts = ask_awssim(awssim(), pairs)
    counts = collections.Counter()
    for (old, new), mine, theirs in zip(faces, foreseen, verdicts):
        assert_agreement((old, new), mine, theirs)
        assert_same_rule((old, new), mine, theirs)
        count_exceptions(counts, old, new, mine)
        counts[mine["verdict"]] += 1
        counts.update((rule["name"], rule["verdict"]) for rule in mine["rules"])
    print(json.dumps({str(key): n for key, n in sorted(counts.items(), key=str)}, indent=1))
    for rule in RULES:
        for verdict in ("broken", "passed"):
            assert counts[rule, verdict] >= ENOUGH, (rule, verdict, counts)
    assert counts["passed"] >= 200 and counts["broken"] >= 200, counts
    assert counts["unconfirmed"] < len(faces) / 5, counts
    assert counts["keyEncipherment gone, EC", "passed"] >= ENOUGH, counts
    assert counts["keyEncipherment gone, EC", "broken"] == 0, counts
    assert counts["keyEncipherment gone, RSA", "broken"] >= ENOUGH, counts
    assert counts["keyEncipherment gone, RSA", "passed"] == 0, counts
    assert counts["clientAuth gone", "passed"] >= ENOUGH, counts
    assert counts["clientAuth gone", "broken"] == 0, counts
