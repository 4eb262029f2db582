"""Whether an inventory is complete and correct. A run that is not does not count."""
from acmsensor import compare_certificates, compare_coverage
from awssim import seconds_of


class Wrong(Exception):
    """The inventory is not the truth."""


def daemon(certificates, coverage, truth):
    """certificates: {arn: row}, coverage: {(account, region): row}, as the local API tells."""
    try:
        compare_coverage(coverage, truth)
        compare_certificates(certificates, truth)
    except AssertionError as error:
        raise Wrong(str(error)[:2000]) from error


def peer(inventory, truth):
    found = {one["CertificateArn"]: one for one in inventory["certificates"]}
    expected = {one["arn"]: one for one in truth["certificates"]}
    if set(found) != set(expected):
        missing = len(set(expected) - set(found))
        raise Wrong(f"{missing} certificates are missing, {len(set(found) - set(expected))} extra")
    states = {(one["AccountId"], one["Region"]): one["State"] for one in inventory["coverage"]}
    wanted = {(account["account_id"], one["region"]): one["state"]
              for account in truth["accounts"] for one in account["coverage"]}
    if states != wanted:
        raise Wrong(f"coverage: {len(states)} account-regions instead of {len(wanted)}: "
                    f"{sorted(set(states.items()) - set(wanted.items()))[:3]}")
    for arn, one in expected.items():
        peer_certificate(found[arn], one)


def peer_certificate(found, expected):
    pairs = [("Status", "status"), ("Type", "type"), ("DomainName", "domain_name")]
    if not expected["describe_fails"]:
        pairs.append(("RenewalEligibility", "renewal_eligibility"))
        same("InUseBy", sorted(found.get("InUseBy", [])), sorted(expected["in_use_by"]), expected)
        same("KeyAlgorithm", found["KeyAlgorithm"].replace("-", "_"), expected["key_algorithm"],
             expected)
        names = set(found.get("SubjectAlternativeNames", []))
        if not names <= set(expected["subject_alternative_names"]):
            raise Wrong(f"{expected['arn']}: names {names}")
    if expected["not_after"] is not None:
        # json has isoformat: 2026-01-01T00:00:00+00:00
        same("NotAfter", seconds_of(found["NotAfter"][:19] + "Z"),
             seconds_of(expected["not_after"]), expected)
    same("Tags", found["Tags"], expected["tags"], expected)
    if expected["has_pem"] and not expected["get_fails"]:
        same("FingerprintSha256", found.get("FingerprintSha256"), expected["fingerprint_sha256"],
             expected)
        if not expected["describe_fails"]:
            same("Serial", found["Serial"].replace(":", ""), expected["serial"], expected)
    for name, told in pairs:
        same(name, found.get(name), expected[told], expected)


def same(name, found, expected, certificate):
    if found != expected:
        raise Wrong(f"{certificate['arn']} ({certificate['kind']}): {name} is {found!r}, not "
                    f"{expected!r}")
