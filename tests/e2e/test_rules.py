"""The sensor's predictor of ACM's rules (delivery/import_rules.c, by check_rules) against the rules
that awssim enforces, written independently from AWS's documentation: on drawn pairs of certificates
that break and keep every rule and use every exception, on the documented examples, and on imports.

What the predictor calls broken ACM must refuse, what it calls passed ACM must take. What is
unconfirmed may go either way, and has to be one of the few things that AWS does not document."""
import collections
import functools
import json
import random
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization

from awssim import BUILD, ROOT
from bundle import (CLIENT, KEY_USAGES, SERVER, certificate, kept_key, key_pem, name, new_key, pem,
                    version_1)

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
    assert counts["passed"] + counts["broken"] >= 2000, counts  # decided, not left open
    assert counts["unconfirmed"] < len(faces) / 5, counts
    assert counts["keyEncipherment gone, EC", "passed"] >= ENOUGH, counts
    assert counts["keyEncipherment gone, EC", "broken"] == 0, counts
    assert counts["keyEncipherment gone, RSA", "broken"] >= ENOUGH, counts
    assert counts["keyEncipherment gone, RSA", "passed"] == 0, counts
    assert counts["clientAuth gone", "passed"] >= ENOUGH, counts
    assert counts["clientAuth gone", "broken"] == 0, counts


# --- the documented examples (facts.md 3.1)

SIGN, CIPHER = "digital_signature", "key_encipherment"
CODE = "1.3.6.1.5.5.7.3.3"
EXAMPLES = [
    # what, old, new, verdict, the rule that decides
    ("nothing changes", face(), face(), "passed", None),
    ("key type", face("rsa2048-1"), face("p256-1"), "broken", "same_key_type"),
    ("key size", face("rsa2048-1"), face("rsa4096-1"), "broken", "same_key_type"),
    ("a smaller key", face("rsa3072-1"), face("rsa2048-1"), "broken", "same_key_type"),
    ("curve", face("p256-1"), face("p384-1"), "broken", "same_key_type"),
    ("a name is added", face(names=["a.example"]), face(names=["a.example", "b.example"]),
     "passed", None),
    ("a name is removed", face(names=["a.example", "b.example"]), face(names=["b.example"]),
     "passed", None),
    ("one of two is replaced", face(names=["a.example", "b.example"]),
     face(names=["a.example", "c.example"]), "passed", None),
    ("all names are replaced", face(names=["a.example", "b.example"]),
     face(names=["c.example", "d.example"]), "broken", "names_overlap"),
    ("a wildcard is not the name it stands for", face(names=["a.example.com"]),
     face(names=["*.example.com"]), "broken", "names_overlap"),
    ("names in another case", face(names=["a.example"]), face(names=["A.EXAMPLE"]), "passed",
     None),
    ("an address stays", face(names=["192.0.2.1", "a.example"]), face(names=["192.0.2.1"]),
     "passed", None),
    ("a key usage is added", face(key_usage=[SIGN]), face(key_usage=[SIGN, "key_agreement"]),
     "passed", None),
    ("a key usage goes", face(key_usage=[SIGN, "key_agreement"]), face(key_usage=[SIGN]), "broken",
     "key_usage_kept"),
    ("key usage goes altogether", face(key_usage=[SIGN]), face(), "broken", "key_usage_kept"),
    ("no key usage before", face(), face(key_usage=[SIGN]), "broken", "key_usage_not_added"),
    ("an extended key usage is added", face(ext_key_usage=[SERVER]),
     face(ext_key_usage=[SERVER, CODE]), "passed", None),
    ("an extended key usage goes", face(ext_key_usage=[SERVER, CODE]),
     face(ext_key_usage=[SERVER]), "broken", "ext_key_usage_kept"),
    ("extended key usage goes altogether", face(ext_key_usage=[SERVER]), face(), "broken",
     "ext_key_usage_kept"),
    ("no extended key usage before", face(), face(ext_key_usage=[SERVER]), "broken",
     "ext_key_usage_not_added"),
    ("no extended key usage before, clientAuth", face(), face(ext_key_usage=[CLIENT]), "broken",
     "ext_key_usage_not_added"),
    # since 2025-10-22
    ("clientAuth goes", face(ext_key_usage=[SERVER, CLIENT]), face(ext_key_usage=[SERVER]),
     "passed", None),
    ("clientAuth goes, RSA", face("rsa2048-1", ext_key_usage=[SERVER, CLIENT]),
     face("rsa2048-1", ext_key_usage=[SERVER]), "passed", None),
    ("serverAuth goes, clientAuth stays", face(ext_key_usage=[SERVER, CLIENT]),
     face(ext_key_usage=[CLIENT]), "broken", "ext_key_usage_kept"),
    ("clientAuth and another go", face(ext_key_usage=[SERVER, CLIENT, CODE]),
     face(ext_key_usage=[SERVER]), "broken", "ext_key_usage_kept"),
    ("any is not all", face(ext_key_usage=[SERVER]), face(ext_key_usage=["2.5.29.37.0"]),
     "broken", "ext_key_usage_kept"),
    # since 2026-04-03
    ("keyEncipherment goes, EC", face(key_usage=[SIGN, CIPHER]), face(key_usage=[SIGN]), "passed",
     None),
    ("keyEncipherment goes, P-384", face("p384-1", key_usage=[SIGN, CIPHER]),
     face("p384-1", key_usage=[SIGN]), "passed", None),
    ("keyEncipherment goes, RSA", face("rsa2048-1", key_usage=[SIGN, CIPHER]),
     face("rsa2048-1", key_usage=[SIGN]), "broken", "key_usage_kept"),
    ("keyEncipherment and another go, EC", face(key_usage=[SIGN, CIPHER, "data_encipherment"]),
     face(key_usage=[SIGN]), "broken", "key_usage_kept"),
    ("both exceptions", face(key_usage=[SIGN, CIPHER], ext_key_usage=[SERVER, CLIENT]),
     face(key_usage=[SIGN], ext_key_usage=[SERVER]), "passed", None),
    # Not documented: what awssim assumes is no proof, so it is a warning.
    ("clientAuth was the only one", face(ext_key_usage=[CLIENT]), face(), "unconfirmed",
     "ext_key_usage_kept"),
    ("keyEncipherment was the only one, EC", face(key_usage=[CIPHER]), face(), "unconfirmed",
     "key_usage_kept"),
    ("only a common name stays", face(common_name="a.example", names=["b.example"]),
     face(names=["a.example"]), "unconfirmed", "names_overlap"),
    ("no name before", face(common_name="My Server", names=[]), face(), "unconfirmed",
     "names_overlap"),
]


def test_documented_examples(awssim):
    pairs = [(leaf_pem(old), leaf_pem(new)) for _, old, new, _, _ in EXAMPLES]
    verdicts = ask_awssim(awssim(), pairs)
    for (what, _, _, expected, rule), mine, theirs in zip(EXAMPLES, check_rules(pairs), verdicts):
        assert mine["verdict"] == expected, (what, mine)
        decides = [r["name"] for r in mine["rules"] if r["verdict"] == expected]
        assert rule is None or decides == [rule], (what, mine)
        assert_agreement(what, mine, theirs)


# --- imports as new

class Import:
    """A leaf with key and chain, each of which can be spoilt. Signatures hold: delivery/bundle.h
    looks at them, not the rules."""

    def __init__(self, key="p256-1", ca="ec256", chain=("issuing", "root"), **leaf):
        self.key = key if not isinstance(key, str) else file_key(key)
        root_key, issuing_key = kept_key(ca, "root"), kept_key(ca, "issuing")
        made = {
            "root": certificate(root_key, name("R " + ca), name("R " + ca), root_key, ca=True,
                                days=(-900, 900)),
            "issuing": certificate(issuing_key, name("I " + ca), name("R " + ca), root_key,
                                   ca=True, days=(-800, 800)),
            "expired": certificate(issuing_key, name("I " + ca), name("R " + ca), root_key,
                                   ca=True, days=(-800, -20)),
            "no ca": certificate(issuing_key, name("I " + ca), name("R " + ca), root_key,
                                 days=(-800, 800)),
            "other": certificate(root_key, name("Other"), name("Other"), root_key, ca=True,
                                 days=(-900, 900)),
        }
        leaf.setdefault("names", ["www.example.com"])
        signer = issuing_key
        if leaf.pop("is_self_signed", False):
            signer, leaf["issuer"], chain = self.key, name("self"), ()
        common_name = leaf.pop("common_name", None)
        is_version_1 = leaf.pop("is_version_1", False)
        self.leaf = certificate(self.key, leaf.pop("subject", name(common_name)),
                                leaf.pop("issuer", name("I " + ca)), signer, **leaf)
        if is_version_1:
            self.leaf = version_1(self.leaf, signer)
        made["leaf"] = self.leaf
        self.chain = [made[one] for one in chain]

    def order(self):
        chain = {"chain": pem(*self.chain).decode()} if self.chain else {}
        return {"certificate": pem(self.leaf).decode(),
                "private_key": key_pem(self.key).decode(), **chain}


SHA1, SHA384, SHA512 = hashes.SHA1(), hashes.SHA384(), hashes.SHA512()
def imports():
    """A list, made only where it is tested: RSA keys are dear."""
    return [
        # what, import, verdict, the rule that decides
        ("EC by EC", Import(), "passed", None),
        ("RSA by RSA", Import("rsa2048-1", "rsa2048"), "passed", None),
        *[("key " + key, Import(key, "ec256" if key in EC else "rsa2048"), "passed", None)
          for key in KEYS],
        ("SHA-384", Import(digest=SHA384), "passed", None),
        ("SHA-512 with RSA", Import("rsa2048-1", "rsa2048", digest=SHA512), "passed", None),
        ("SHA-1", Import("rsa2048-1", "rsa2048", digest=SHA1), "unconfirmed",
         "signature_algorithm"),
        ("P-224", Import(new_key("ec224")), "broken", "key_type"),
        ("Ed25519", Import(new_key("ed25519")), "broken", "key_type"),
        ("version 1", Import(common_name="www.example.com", names=[], is_version_1=True), "broken",
         "version"),
        ("no issuer", Import(issuer=name(None), chain=[]), "broken", None),
        ("OCSP URL of 1,000", Import(ocsp="http://ocsp.example/" + 980 * "a"), "passed", None),
        ("OCSP URL of 1,001", Import(ocsp="http://ocsp.example/" + 981 * "a"), "broken",
         "ocsp_url"),
        ("RSA by EC", Import("rsa2048-1", "ec256"), "broken", "issuer_key_type"),
        ("EC by RSA", Import("p256-1", "rsa2048"), "broken", "issuer_key_type"),
        ("expired", Import(days=(-90, -3)), "broken", "valid_now"),
        ("not valid yet", Import(days=(3, 90)), "broken", "valid_now"),
        ("no name", Import(names=[], common_name="My Server"), "broken", "has_name"),
        ("one label", Import(names=["intranet"]), "broken", "has_name"),
        ("name in the subject", Import(names=[], common_name="www.example.com"), "passed", None),
        ("address", Import(names=["192.0.2.1"]), "passed", None),
        ("IPv6 address in the subject", Import(names=[], common_name="2001:db8::1"), "passed",
         None),
        ("wildcard", Import(names=["*.example.com"]), "passed", None),
        ("underscore", Import(names=["_a.example.com"]), "unconfirmed", "has_name"),
        ("without the root", Import(chain=["issuing"]), "passed", None),
        ("no chain", Import(chain=[]), "broken", "chain_given"),
        ("signed by itself", Import(is_self_signed=True, common_name="self"), "passed", None),
        ("chain upside down", Import(chain=["root", "issuing"]), "broken", "chain_order"),
        ("chain with the leaf", Import(chain=["leaf", "issuing", "root"]), "broken", "chain_order"),
        ("root twice", Import(chain=["issuing", "root", "root"]), "broken", "chain_order"),
        ("a stranger follows", Import(chain=["issuing", "other"]), "broken", "chain_order"),
        ("only the root", Import(chain=["root"]), "broken", "chain_order"),
        ("expired CA", Import(chain=["expired", "root"]), "unconfirmed", "chain_valid_now"),
        ("not a CA", Import(chain=["no ca", "root"]), "unconfirmed", "chain_order"),
    ]


def test_imports_as_new(awssim):
    sim, cases = awssim(), imports()
    foreseen = check_rules([[pem(one.leaf, *one.chain).decode()] for _, one, _, _ in cases],
                           "--import", str(int(time.time())))
    for (what, one, expected, rule), mine in zip(cases, foreseen):
        assert mine["verdict"] == expected, (what, mine)
        decides = [r["name"] for r in mine["rules"] if r["verdict"] == expected]
        assert rule is None or decides == [rule], (what, mine)
        assert_agreement(what, mine, sim.rules(**one.order()))
    broken = {rule for _, _, verdict, rule in cases if verdict == "broken"}
    assert broken == {None, "version", "key_type", "issuer_key_type", "valid_now", "has_name",
                      "ocsp_url", "chain_given", "chain_order"}
