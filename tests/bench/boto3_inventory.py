#!/usr/bin/python3
"""Inventories every ACM certificate of an AWS organization with boto3: the benchmark's peer.

The script that a good engineer would write for the job today, and nothing in it is slow on
purpose: one session (service models are loaded once), one client an account and region, a thread
pool over account x region, SDK retries, the complete answer of each call kept.
"""
import argparse
import concurrent.futures
import hashlib
import json
import ssl
import sys
import threading

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Without them ListCertificates hides all but RSA_1024 and RSA_2048, and what came through ACME.
KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
             "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
ORIGINS = ["AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED"]
NEVER_ISSUED = {"PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED"}


class Inventory:
    def __init__(self, options):
        self.options = options
        self.session = boto3.Session(region_name=options.region)
        self.config = Config(
            retries={"mode": options.retries, "max_attempts": options.attempts},
            connect_timeout=5, read_timeout=20,
            proxies={"https": options.proxy} if options.proxy else None)
        self.making_clients = threading.Lock()  # a session is not thread-safe, its clients are
        self.certificates = []
        self.coverage = []

    def client(self, service, region=None, credentials=None):
        keys = {}
        if credentials is not None:
            keys = {"aws_access_key_id": credentials["AccessKeyId"],
                    "aws_secret_access_key": credentials["SecretAccessKey"],
                    "aws_session_token": credentials["SessionToken"]}
        with self.making_clients:
            return self.session.client(
                service, region_name=region, endpoint_url=self.options.endpoint_url,
                config=self.config, **keys)

    def run(self):
        sts = self.client("sts")
        self.hub = sts.get_caller_identity()
        accounts = [account
                    for page in self.client("organizations").get_paginator("list_accounts")
                    .paginate() for account in page["Accounts"]]
        with concurrent.futures.ThreadPoolExecutor(self.options.threads) as pool:
            opened = pool.map(lambda account: self.open_account(sts, account), accounts)
            pairs = [pair for account in opened for pair in account]
            for certificates, coverage in pool.map(self.scan, pairs):
                self.certificates += certificates
                self.coverage.append(coverage)

    def open_account(self, sts, account):
        """What there is to scan: (account id, region, credentials)."""
        account_id = account["Id"]
        if account.get("State", account.get("Status")) != "ACTIVE":
            self.coverage.append(covered(account_id, "*", "inactive"))
            return []
        try:
            credentials = self.assume(sts, account_id)
            regions = self.options.regions or self.enabled_regions(credentials)
        except (ClientError, BotoCoreError) as error:
            self.coverage.append(covered(account_id, "*", "failed", error))
            return []
        return [(account_id, region, credentials) for region in regions]

    def assume(self, sts, account_id):
        if account_id == self.hub["Account"]:
            return None
        partition = self.hub["Arn"].split(":")[1]
        more = {"ExternalId": self.options.external_id} if self.options.external_id else {}
        return sts.assume_role(
            RoleArn=f"arn:{partition}:iam::{account_id}:role/{self.options.role_name}",
            RoleSessionName="inventory", **more)["Credentials"]

    def enabled_regions(self, credentials):
        answer = self.client("ec2", credentials=credentials).describe_regions()
        return [region["RegionName"] for region in answer["Regions"]]

    def scan(self, pair):
        account_id, region, credentials = pair
        try:
            acm = self.client("acm", region, credentials)
            found = [self.details(acm, account_id, region, summary)
                     for summary in self.list(acm)]
        except (ClientError, BotoCoreError) as error:
            return [], covered(account_id, region, "failed", error)
        return found, covered(account_id, region, "ok", certificates=len(found))

    def list(self, acm):
        arguments = {"Includes": {"keyTypes": KEY_TYPES}}
        operation = acm.meta.service_model.operation_model("ListCertificates")
        if "CertificateKeyPairOrigins" in operation.input_shape.members:
            arguments["CertificateKeyPairOrigins"] = ORIGINS
        else:
            acm.meta.events.register("before-call.acm.ListCertificates", add_origins)
        pages = acm.get_paginator("list_certificates").paginate(
            PaginationConfig={"PageSize": 1000}, **arguments)
        return [summary for page in pages for summary in page["CertificateSummaryList"]]

    def details(self, acm, account_id, region, summary):
        arn = summary["CertificateArn"]
        certificate = {**summary, "AccountId": account_id, "Region": region, "Errors": []}

        def ask(call, member=None):
            try:
                answer = call(CertificateArn=arn)
                return answer[member] if member else answer
            except ClientError as error:
                certificate["Errors"].append(str(error))
                return {}
        certificate.update(ask(acm.describe_certificate, "Certificate"))
        if certificate["Status"] not in NEVER_ISSUED:
            answer = ask(acm.get_certificate)
            certificate["Pem"] = answer.get("Certificate")
            certificate["ChainPem"] = answer.get("CertificateChain")
        if certificate.get("Pem"):
            der = ssl.PEM_cert_to_DER_cert(certificate["Pem"].strip())
            certificate["FingerprintSha256"] = hashlib.sha256(der).hexdigest()
        tags = ask(acm.list_tags_for_certificate, "Tags")
        certificate["Tags"] = {tag["Key"]: tag.get("Value", "") for tag in tags}
        return certificate


def add_origins(params, **_):
    """For an SDK whose model is older than the parameter."""
    body = json.loads(params["body"])
    body["CertificateKeyPairOrigins"] = ORIGINS
    params["body"] = json.dumps(body).encode()


def covered(account_id, region, state, error=None, certificates=0):
    return {"AccountId": account_id, "Region": region, "State": state,
            "Certificates": certificates, "Error": str(error) if error else None}


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role-name", default="OrganizationAccountAccessRole")
    parser.add_argument("--external-id")
    parser.add_argument("--region", default="us-east-1", help="home region")
    parser.add_argument("--regions", type=lambda text: text.split(","),
                        help="default: those enabled in each account")
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--retries", choices=["standard", "adaptive"], default="standard")
    parser.add_argument("--attempts", type=int, default=10)
    parser.add_argument("--endpoint-url")
    parser.add_argument("--proxy")
    parser.add_argument("--output", default="/dev/stdout")
    return parser.parse_args(arguments)


def main():
    options = options_of(sys.argv[1:])
    inventory = Inventory(options)
    inventory.run()
    text = json.dumps({"certificates": inventory.certificates, "coverage": inventory.coverage},
                      default=lambda time: time.isoformat())
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
