"""awssim held to the truth by two clients that nobody here wrote: boto3 and the AWS CLI."""
import datetime
import json
import ssl
import subprocess

import botocore.exceptions
import pytest

from awssim import KEY_TYPES, list_everything, seconds_of

VIAS = ["http", "tls", "proxy"]


def code_of(call, *args, **kwargs):
    """The error code that the call ends with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"]


def status_of(call, *args, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def coverage(truth):
    return {(a["account_id"], c["region"]): c["state"] for a in truth["accounts"] for c in a["coverage"]}


def ok_pairs(truth):
    return sorted(pair for pair, state in coverage(truth).items() if state == "ok")


def walk(organizations):
    """Accounts by id with the names of their units, found from the root downwards."""
    accounts = {}
    todo = [(root["Id"], root["Name"]) for root in organizations.list_roots()["Roots"]]
    while todo:
        parent, path = todo.pop()
        for page in organizations.get_paginator("list_accounts_for_parent").paginate(
                ParentId=parent):
            accounts.update({a["Id"]: {**a, "unit_path": path} for a in page["Accounts"]})
        for page in organizations.get_paginator(
                "list_organizational_units_for_parent").paginate(ParentId=parent):
            todo += [(unit["Id"], path + "/" + unit["Name"])
                     for unit in page["OrganizationalUnits"]]
    return accounts


@pytest.mark.parametrize("via", VIAS)
def test_walk_of_the_organization_equals_the_truth(awssim, via):
    sim = awssim(accounts=70, units=30, unit_depth=5, mixed=True, awkward_pages=True, rate_scale=0,
                 certs_per_region=0)
    organizations = sim.boto3("organizations", via=via)
    truth = sim.truth()
    found = walk(organizations)
    assert {a["account_id"]: (a["name"], a["unit_path"]) for a in truth["accounts"]} == \
        {i: (a["Name"], a["unit_path"]) for i, a in found.items()}
    described = organizations.describe_organization()["Organization"]
    assert described["MasterAccountId"] == truth["management_account_id"]
    listed = [a["Id"] for page in organizations.get_paginator("list_accounts").paginate()
              for a in page["Accounts"]]
    assert sorted(listed) == sorted(found)
    assert any(i.startswith("00") for i in found)
    assert {a["Status"] for a in found.values()} >= {"ACTIVE", "SUSPENDED", "PENDING_CLOSURE"}


@pytest.mark.parametrize("via", VIAS)
def test_listing_with_everything_equals_the_truth_and_the_default_hides(awssim, via):
    sim = awssim(accounts=4, certs_per_region=12, regions="us-east-1,eu-west-1", rate_scale=0,
                 seed=5, awkward_pages=True)
    truth = sim.truth(reachable=1)
    sessions = {}
    for account, region in ok_pairs(truth):
        if account not in sessions:
            is_hub = account == truth["hub_account_id"]
            sessions[account] = None if is_hub else sim.assume(account, via=via)
        wanted = {c["arn"]: c for c in truth["certificates"]
                  if (c["account_id"], c["region"]) == (account, region)}
        acm = sim.boto3("acm", region=region, keys=sessions[account], via=via)
        default = [s["CertificateArn"] for page in acm.get_paginator("list_certificates").paginate()
                   for s in page["CertificateSummaryList"]]
        assert set(default) == {arn for arn, c in wanted.items() if c["listed_by_default"]}
        found = list_everything(acm, page=7)
        assert set(found) == set(wanted)
        for arn, summary in found.items():
            check_summary(summary, wanted[arn])


def check_summary(summary, truth):
    assert summary.get("DomainName") == truth["domain_name"]
    assert summary["Status"] == truth["status"]
    assert summary["Type"] == truth["type"]
    assert summary["KeyAlgorithm"] == truth["key_algorithm"]
    assert summary["InUse"] == truth["in_use"]
    names = [n for n in truth["subject_alternative_names"] if not is_address(n)]
    assert summary["SubjectAlternativeNameSummaries"] == names[:100]
    assert summary["HasAdditionalSubjectAlternativeNames"] == (len(names) > 100)
    for key, name in (("NotAfter", "not_after"), ("NotBefore", "not_before")):
        if truth[name] is None:
            assert key not in summary
        else:
            assert summary[key].timestamp() == seconds_of(truth[name])


def is_address(name):
    return ":" in name or name.replace(".", "").isdigit()


def test_describe_get_and_tags_equal_the_truth(awssim, tmp_path):
    sim = awssim(accounts=3, certs_per_region=25, regions="us-east-1,eu-west-1", rate_scale=0)
    truth = sim.truth(reachable=1, pem=1)
    clients, kinds = {}, set()
    for cert in truth["certificates"]:
        place = cert["account_id"], cert["region"]
        if place not in clients:
            is_hub = place[0] == truth["hub_account_id"]
            clients[place] = sim.boto3("acm", region=place[1],
                                       keys=None if is_hub else sim.assume(place[0]))
        acm, arn = clients[place], {"CertificateArn": cert["arn"]}
        kinds.add(cert["kind"])
        check_get(acm, arn, cert)
        tags = acm.list_tags_for_certificate(**arn)["Tags"]
        assert {t["Key"]: t.get("Value", "") for t in tags} == cert["tags"]
        if cert["describe_fails"]:
            assert code_of(acm.describe_certificate, **arn) == "ValidationException"
            continue
        check_description(acm.describe_certificate(**arn)["Certificate"], cert)
    assert len(kinds) > 40


def check_get(acm, arn, cert):
    if cert["get_fails"]:
        assert code_of(acm.get_certificate, **arn) == "ValidationException"
    elif cert["status"] == "PENDING_VALIDATION":
        assert code_of(acm.get_certificate, **arn) == "RequestInProgressException"
    elif not cert["has_pem"]:
        assert code_of(acm.get_certificate, **arn) == "ResourceNotFoundException"
    else:
        answer = acm.get_certificate(**arn)
        assert answer["Certificate"] == cert["pem"]
        assert answer.get("CertificateChain") == cert["chain_pem"]
        ssl.PEM_cert_to_DER_cert(answer["Certificate"].strip())


def check_description(detail, cert):
    assert detail["KeyAlgorithm"].replace("-", "_") == cert["key_algorithm"]
    assert "-" in detail["KeyAlgorithm"]
    assert detail["InUseBy"] == cert["in_use_by"]
    assert detail["RenewalEligibility"] == cert["renewal_eligibility"]
    assert detail.get("RenewalSummary", {}).get("RenewalStatus") == cert["renewal_status"]
    assert detail["Status"] == cert["status"]
    if cert["has_pem"]:
        assert detail["Serial"].replace(":", "") == cert["serial"]
        assert detail["SignatureAlgorithm"] == cert["signature_algorithm"]
        assert isinstance(detail["NotAfter"], datetime.datetime)
    if cert["validation_method"]:
        methods = {o["ValidationMethod"] for o in detail["DomainValidationOptions"]}
        assert methods == {cert["validation_method"]}
    assert all(set(usage) == {"Name"} for usage in detail["KeyUsages"])


def test_real_certificates_verify_against_their_chain(awssim, tmp_path):
    sim = awssim(accounts=2, certs_per_region=40, regions="us-east-1")
    for cert in sim.truth(pem=1)["certificates"]:
        if not cert["has_pem"]:
            continue
        leaf, chain = tmp_path / "leaf.pem", tmp_path / "chain.pem"
        leaf.write_text(cert["pem"])
        chain.write_text(cert["chain_pem"] or cert["pem"])
        subprocess.run(["openssl", "verify", "-no_check_time", "-CAfile", chain, leaf], check=True,
                       capture_output=True)
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256", "-subject",
             "-issuer", "-nameopt", "RFC2253,-esc_msb,utf8", "-in", leaf], check=True,
            capture_output=True, text=True).stdout.splitlines()
        values = [line.split("=", 1)[1] for line in text]
        assert values[0].lower() == cert["serial"]
        assert values[1].replace(":", "").lower() == cert["fingerprint_sha256"]
        assert values[2:] == [cert["subject"], cert["issuer"]]


def test_same_flags_give_the_same_world_and_another_seed_another(awssim):
    flags = {"accounts": 6, "mixed": True, "now_base": "2026-09-01T00:00:00Z", "regions": 3}
    one, two, other = (awssim(**flags, seed=s).truth() for s in (4, 4, 5))
    for truth in (one, two, other):
        truth.pop("now")
    assert one == two
    assert one != other


@pytest.mark.parametrize("via", VIAS)
def test_wrong_secret_unknown_key_and_wrong_token_are_refused(awssim, via):
    sim = awssim(accounts=3, rate_scale=0)
    access, secret, _ = sim.base_keys()
    wrong = (access, secret + "x", None)
    assert code_of(sim.boto3("sts", keys=wrong, via=via).get_caller_identity) == \
        "SignatureDoesNotMatch"
    assert code_of(sim.boto3("acm", keys=wrong, via=via).list_certificates) == \
        "InvalidSignatureException"
    assert code_of(sim.boto3("account", keys=wrong, via=via).list_regions) == \
        "InvalidSignatureException"
    assert sim.stats()["signature_failures"] == 3
    unknown = ("AKIAUNKNOWN000000001", secret, None)
    assert code_of(sim.boto3("sts", keys=unknown, via=via).get_caller_identity) == \
        "InvalidClientTokenId"
    assert code_of(sim.boto3("acm", keys=unknown, via=via).list_certificates) == \
        "UnrecognizedClientException"
    assert code_of(sim.boto3("ec2", keys=unknown, via=via).describe_regions) == "AuthFailure"
    assert status_of(sim.boto3("ec2", keys=unknown, via=via).describe_regions) == 401
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    session = sim.assume(member, via=via)
    assert code_of(sim.boto3("acm", keys=session[:2] + ("x" * 100,), via=via).list_certificates) == \
        "UnrecognizedClientException"
    assert code_of(sim.boto3("acm", keys=session[:2] + (None,), via=via).list_certificates) == \
        "UnrecognizedClientException"


def test_identities(awssim):
    sim = awssim(accounts=3)
    truth = sim.truth()
    me = sim.boto3("sts").get_caller_identity()
    assert me["Account"] == truth["hub_account_id"]
    assert me["Arn"] == f"arn:aws:iam::{me['Account']}:user/acmsensor-hub"
    member = [a["account_id"] for a in truth["accounts"] if not a["is_hub"]][0]
    them = sim.boto3("sts", keys=sim.assume(member)).get_caller_identity()
    assert them["Account"] == member
    assert them["Arn"] == \
        f"arn:aws:sts::{member}:assumed-role/OrganizationAccountAccessRole/test"


def test_every_odd_account_is_refused_in_its_own_way(awssim):
    sim = awssim(accounts=40, mixed=True, rate_scale=0, certs_per_region=1,
                 regions="us-east-1,eu-west-1,ap-east-1")
    truth = sim.truth()
    seen = set()
    for account in truth["accounts"]:
        states = {c["region"]: c["state"] for c in account["coverage"]}
        if account["is_hub"]:
            continue
        if set(states.values()) & {"role_unassumable", "account_inactive"}:
            assert code_of(sim.assume, account["account_id"]) == "AccessDenied"
            seen |= set(states.values())
            continue
        keys = sim.assume(account["account_id"])
        listed = {c["region"]: c["state"] for c in account["coverage_of_listed_regions"]}
        for region, state in listed.items():
            acm = sim.boto3("acm", region=region, keys=keys)
            if state == "ok":
                acm.list_certificates()
            elif state == "region_disabled":
                assert code_of(acm.list_certificates) == "UnrecognizedClientException"
            else:
                with pytest.raises(botocore.exceptions.ClientError) as caught:
                    acm.list_certificates()
                error = caught.value.response["Error"]
                assert error["Code"] == "AccessDeniedException"
                by_scp = "explicit deny in a service control policy" in error["Message"]
                assert by_scp == (state == "denied_by_scp")
            seen.add(state)
        check_regions(sim, keys, states, listed, account)
    assert seen >= {"ok", "role_unassumable", "account_inactive", "region_disabled", "denied",
                    "denied_by_scp"}


def check_regions(sim, keys, states, listed, account):
    regions = sim.boto3("account", keys=keys)
    ec2 = sim.boto3("ec2", keys=keys)
    if "*" in states:
        assert code_of(regions.list_regions) == "AccessDeniedException"
        assert code_of(ec2.describe_regions) == "UnauthorizedOperation"
    elif account["list_regions_denied"]:
        assert code_of(regions.list_regions) == "AccessDeniedException"
        names = [r["RegionName"] for r in ec2.describe_regions(AllRegions=True)["Regions"]]
        assert sorted(names) == sorted(listed)
    else:
        found = {r["RegionName"]: r["RegionOptStatus"] for r in regions.list_regions()["Regions"]}
        assert sorted(found) == sorted(listed)
        enabled = {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
        assert enabled == {name for name, status in found.items() if status != "DISABLED"}


def test_hub_in_a_member_account_needs_the_management_role(awssim):
    sim = awssim(accounts=4, hub="member")
    truth = sim.truth()
    assert truth["hub_account_id"] != truth["management_account_id"]
    hub = sim.boto3("organizations")
    assert hub.describe_organization()["Organization"]["Id"] == truth["organization_id"]
    assert code_of(hub.list_accounts) == "AccessDeniedException"
    keys = sim.assume(truth["management_account_id"], role=sim.ready["management_role"])
    accounts = sim.boto3("organizations", keys=keys).list_accounts()["Accounts"]
    assert len(accounts) == 4
    other = [a["account_id"] for a in truth["accounts"]
             if not a["is_hub"] and not a["is_management"]][0]
    sim.assume(other)
    assert code_of(sim.assume, truth["management_account_id"]) == "AccessDenied"


def test_delegated_administrator_and_older_or_newer_account_fields(awssim):
    for fields, has_status in (("both", True), ("status", True), ("state", False)):
        sim = awssim(accounts=4, hub="delegated", account_fields=fields, management_id="000000000042")
        accounts = sim.boto3("organizations").list_accounts()["Accounts"]
        assert {"Status" in a for a in accounts} == {has_status}
        assert "000000000042" in {a["Id"] for a in accounts}
        member = [a["Id"] for a in accounts
                  if a["Id"] not in ("000000000042", sim.ready["hub_account_id"])][0]
        keys = sim.assume(member)
        assert code_of(sim.boto3("organizations", keys=keys).list_accounts) == \
            "AccessDeniedException"
        assert code_of(sim.assume, "000000000042") == "AccessDenied"


def test_a_huge_account_is_listed_whole(awssim):
    sim = awssim(accounts=3, huge_account=3000, certs_per_region=0, regions="us-east-1",
                 rate_scale=0)
    truth = sim.truth(certificates=0)
    huge = [a["account_id"] for a in truth["accounts"] if a["coverage"][0].get("certificates") == 3000]
    acm = sim.boto3("acm", keys=sim.assume(huge[0]))
    assert len(list_everything(acm)) == 3000


def test_external_id_and_chaining_limits(awssim):
    sim = awssim(accounts=3, external_id="tenant:42/x", base_token=True, max_session_seconds=43200)
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    sim.assume(member)
    assert code_of(sim.assume, member, ExternalId="tenant:43") == "AccessDenied"
    assert code_of(sim.assume, member, DurationSeconds=7200) == "ValidationError"
    assert code_of(sim.assume, "999999999999") == "AccessDenied"


def test_sessions_end(awssim):
    sim = awssim(accounts=3, session_seconds=100)
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    keys = sim.assume(member)
    sim.boto3("acm", keys=keys).list_certificates()
    sim.clock(advance_s=101)
    # The client's clock is now 101 s behind: within the window, but the session has ended.
    assert code_of(sim.boto3("acm", keys=keys).list_certificates) == "ExpiredTokenException"
    assert code_of(sim.boto3("sts", keys=keys).get_caller_identity) == "ExpiredToken"
    assert code_of(sim.boto3("ec2", keys=keys).describe_regions) == "RequestExpired"


def test_a_clock_that_is_off_is_noticed(awssim):
    sim = awssim(accounts=2, clock_offset_s=1200)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sim.boto3("acm").list_certificates()
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidSignatureException"
    assert error["Message"].startswith("Signature expired: ")
    assert code_of(sim.boto3("sts").get_caller_identity) == "SignatureDoesNotMatch"
    sim.clock(offset_s=-1200)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sim.boto3("acm").list_certificates()
    assert caught.value.response["Error"]["Message"].startswith("Signature not yet current: ")
    sim.clock(offset_s=200)
    sim.boto3("acm").list_certificates()


def test_throttling_is_retried_by_boto3_and_counted(awssim):
    sim = awssim(accounts=2, certs_per_region=0)
    patient = sim.boto3("acm", retries=9)
    for _ in range(30):
        patient.list_certificates()
    stats = sim.stats()
    assert stats["throttles"] > 0
    assert stats["operations"]["acm:ListCertificates"]["ok"] == 30
    hasty = sim.boto3("acm")
    codes = []
    for _ in range(30):
        try:
            hasty.list_certificates()
        except botocore.exceptions.ClientError as error:
            codes.append((error.response["Error"]["Code"],
                          error.response["ResponseMetadata"]["HTTPStatusCode"]))
    assert set(codes) == {("ThrottlingException", 400)}
    roots = sim.boto3("organizations")
    codes = {code_of(lambda: [roots.list_roots() for _ in range(9)])}
    assert codes == {"TooManyRequestsException"}


def test_pages_are_tied_to_their_request(awssim):
    sim = awssim(accounts=2, certs_per_region=30, regions="us-east-1", rate_scale=0)
    acm = sim.boto3("acm")
    first = acm.list_certificates(MaxItems=2)
    assert len(first["CertificateSummaryList"]) == 2
    assert code_of(acm.list_certificates, MaxItems=3, NextToken=first["NextToken"]) == \
        "ValidationException"
    assert code_of(acm.list_certificates, MaxItems=2, NextToken="v1" + "0" * 42) == \
        "ValidationException"
    second = acm.list_certificates(MaxItems=2, NextToken=first["NextToken"])
    arns = [s["CertificateArn"] for s in first["CertificateSummaryList"] +
            second["CertificateSummaryList"]]
    assert len(set(arns)) == 4


def test_a_foreign_arn_is_denied_without_a_message(awssim):
    sim = awssim(accounts=3, certs_per_region=5, regions="us-east-1,eu-west-1", seed=2)
    truth = sim.truth()
    hub = truth["hub_account_id"]
    foreign = [c for c in truth["certificates"] if c["account_id"] != hub][0]
    abroad = [c for c in truth["certificates"]
              if c["account_id"] == hub and c["region"] == "eu-west-1"][0]
    acm = sim.boto3("acm")
    for arn in foreign["arn"], abroad["arn"]:
        assert code_of(acm.describe_certificate, CertificateArn=arn) == "AccessDeniedException"
    gone = abroad["arn"].replace("eu-west-1", "us-east-1")
    assert code_of(acm.describe_certificate, CertificateArn=gone) == "ResourceNotFoundException"
    assert code_of(acm.describe_certificate, CertificateArn="arn:aws:s3:::no-such-bucket") == \
        "InvalidArnException"


def test_older_partition_refuses_the_origins_parameter(awssim):
    sim = awssim(accounts=2, refuse_origins=True, partition="aws-us-gov", regions=2)
    acm = sim.boto3("acm")
    acm.list_certificates(Includes={"keyTypes": KEY_TYPES})
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        list_everything(acm)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_the_proxy_knows_aws_hosts_only_and_checks_the_region(awssim):
    sim = awssim(accounts=2)
    proxies = {"https": sim.ready["proxy_url"]}
    import urllib.request
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    with pytest.raises(OSError, match="502"):
        opener.open("https://www.example.com/", timeout=10)
    with pytest.raises(OSError, match="502"):
        opener.open("https://acm.xx-nowhere-9.amazonaws.com/", timeout=10)
    # Signed for another region than the endpoint's.
    acm = sim.boto3("acm", region="us-east-1", via="proxy")
    acm.meta.events.register(
        "before-sign.acm.ListCertificates",
        lambda request, **_: setattr(request, "url", request.url.replace("us-east-1", "eu-west-1")))
    assert code_of(acm.list_certificates) == "InvalidSignatureException"


def test_global_sts_tokens_do_not_work_in_opt_in_regions(awssim):
    sim = awssim(accounts=2, regions="us-east-1,ap-east-1")
    member = [a["account_id"] for a in sim.truth()["accounts"] if not a["is_hub"]][0]
    regional = sim.assume(member, via="proxy")
    sim.boto3("acm", region="ap-east-1", keys=regional, via="proxy").list_certificates()
    sts = sim.boto3("sts", via="proxy")
    import boto3
    sts = boto3.Session().client(
        "sts", region_name="us-east-1", endpoint_url="https://sts.amazonaws.com",
        aws_access_key_id=sim.base_keys()[0], aws_secret_access_key=sim.base_keys()[1],
        verify=sim.ready["ca_file"], config=sts.meta.config)
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole",
                          RoleSessionName="test")["Credentials"]
    keys = got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]
    sim.boto3("acm", region="us-east-1", keys=keys, via="proxy").list_certificates()
    acm = sim.boto3("acm", region="ap-east-1", keys=keys, via="proxy")
    assert code_of(acm.list_certificates) == "UnrecognizedClientException"


def test_mutations_change_the_truth_and_what_clients_see(awssim):
    sim = awssim(accounts=3, certs_per_region=20, regions="us-east-1", rate_scale=0)

    def seen():
        return {c["arn"]: c for c in sim.truth(reachable=1)["certificates"]}

    before = seen()
    added = sim.mutate("add", count=3)
    removed = sim.mutate("remove", count=2)
    renewed = sim.mutate("renew", count=1)
    reimported = sim.mutate("reimport", percent=10)
    sim.mutate("tags", count=4)
    sim.mutate("in_use", count=4)
    after = seen()
    assert set(after) == (set(before) | set(added)) - set(removed)
    for arn in renewed + reimported:
        assert after[arn]["serial"] != before.get(arn, {}).get("serial")
    account = sim.mutate("break_role")[0]["account_id"]
    assert code_of(sim.assume, account) == "AccessDenied"
    sim.mutate("restore_role", account=account)
    sim.mutate("deny_region", account=account, region="us-east-1")
    acm = sim.boto3("acm", keys=sim.assume(account))
    assert code_of(acm.list_certificates) == "AccessDeniedException"
    assert coverage(sim.truth())[account, "us-east-1"] == "denied_by_scp"
    sim.mutate("suspend_account", account=account)
    assert coverage(sim.truth())[account, "*"] == "account_inactive"


def test_certificates_expire_when_the_clock_goes_on(awssim):
    sim = awssim(accounts=2, certs_per_region=40, regions="us-east-1")
    states = {c["arn"]: c["status"] for c in sim.truth()["certificates"] if c["kind"] == "imported_soon"}
    assert "ISSUED" in states.values()
    sim.clock(advance_s=40 * 86400)
    later = {c["arn"]: c["status"] for c in sim.truth()["certificates"]}
    assert {later[arn] for arn in states} == {"EXPIRED"}


@pytest.mark.parametrize("kind", ["http500", "http503", "reset", "close", "throttle", "truncate",
                                  "garbage", "html", "html502", "empty"])
def test_one_fault_is_survived_by_a_client_that_retries(awssim, kind):
    sim = awssim(accounts=2, certs_per_region=5)
    sim.faults({"kind": kind, "count": 1, "service": "acm"})
    acm = sim.boto3("acm")
    try:
        acm.list_certificates()
    except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError,
            botocore.parsers.ResponseParserError, ValueError) as error:
        assert error is not None
    acm.list_certificates()
    faults = sim.control("/faults")["faults"]
    assert [f["hits"] for f in faults] == [1]


def test_faults_keep_to_their_filter(awssim):
    sim = awssim(accounts=2, regions="us-east-1,eu-west-1", rate_scale=0)
    sim.faults({"kind": "error", "code": "InternalFailure", "status": 500, "service": "acm",
                "region": "eu-west-1", "operation": "ListCertificates"})
    sim.boto3("acm").list_certificates()
    assert code_of(sim.boto3("acm", region="eu-west-1").list_certificates) == "InternalFailure"
    sim.faults()
    sim.boto3("acm", region="eu-west-1").list_certificates()


def test_a_dead_endpoint_never_answers_and_a_refused_one_says_so(awssim):
    sim = awssim(accounts=2, regions="us-east-1,eu-west-1")
    sim.faults({"kind": "dead", "region": "eu-west-1"}, {"kind": "refuse", "region": "us-east-1"})
    with pytest.raises(botocore.exceptions.ConnectionError):
        sim.boto3("acm", region="us-east-1", via="proxy").list_certificates()
    with pytest.raises(botocore.exceptions.HTTPClientError):
        sim.boto3("acm", region="us-east-1").list_certificates()
    import socket
    host, port = sim.ready["proxy_url"].split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=0.5) as conn:
        conn.sendall(b"CONNECT acm.eu-west-1.amazonaws.com:443 HTTP/1.1\r\n\r\n")
        with pytest.raises(socket.timeout):
            conn.recv(1)


def aws(sim, *arguments, via="http", region=None):
    """Runs the AWS CLI; returns its JSON, or the text of its error."""
    command = ["/usr/bin/aws", "--output", "json", *arguments]
    if via != "proxy":
        command += ["--endpoint-url", sim.endpoint(via)]
    done = subprocess.run(command, env=sim.environment(via=via, region=region), check=False,
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("via", VIAS)
def test_aws_cli_reads_the_organization_and_certificates(awssim, via):
    sim = awssim(accounts=25, certs_per_region=10, regions="us-east-1,eu-west-1", seed=2)
    truth = sim.truth()
    accounts = aws(sim, "organizations", "list-accounts", via=via)["Accounts"]
    assert sorted(a["Id"] for a in accounts) == sorted(a["account_id"] for a in truth["accounts"])
    assert aws(sim, "sts", "get-caller-identity", via=via)["Account"] == truth["hub_account_id"]
    listed = aws(sim, "acm", "list-certificates", "--includes", "keyTypes=" + ",".join(KEY_TYPES),
                 via=via, region="eu-west-1")["CertificateSummaryList"]
    wanted = {c["arn"] for c in truth["certificates"] if c["region"] == "eu-west-1" and
              c["account_id"] == truth["hub_account_id"] and c["key_pair_origin"] != "ACME"}
    assert {c["CertificateArn"] for c in listed} == wanted
    whole = [c for c in truth["certificates"] if c["arn"] in wanted and c["has_pem"] and
             not c["describe_fails"]][0]
    detail = aws(sim, "acm", "describe-certificate", "--certificate-arn", whole["arn"], via=via,
                 region="eu-west-1")["Certificate"]
    assert detail["Serial"].replace(":", "") == whole["serial"]
    assert "not valid ACM" in aws(sim, "acm", "describe-certificate", "--certificate-arn",
                                  "arn:aws:acm:nothing:at:all/", via=via).replace("a valid", "valid")
    regions = aws(sim, "ec2", "describe-regions", "--all-regions", via=via)["Regions"]
    assert {r["RegionName"] for r in regions} == {"us-east-1", "eu-west-1"}
