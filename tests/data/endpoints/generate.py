#!/usr/bin/env python3
"""Makes expected.tsv: every service, region, FIPS and dual stack, as AWS's own data has it.

usage: generate.py MODELS [BOTOCORE-DATA] > expected.tsv

MODELS          folder with partitions.json, endpoints.json and SERVICE/VERSION/endpoint-rule-set-1.json
                (botocore 1.43.67) and partitions-js-core-3.981.0.json
BOTOCORE-DATA   botocore's data folder, for services that MODELS lacks (ec2)

A line: service, region, fips (0, 1), dual stack (0, 1), URL, signing region; "-" twice when there is
no such endpoint. Names are what the rule sets say. Rule sets name FIPS endpoints everywhere, so
whether one exists is taken from endpoints.json, but for
  - regions that the partition data does not know: by the rule, where the partition has any;
  - Account, which endpoints.json has no FIPS entry for: by the rule, in aws and aws-us-gov.
A global service is asked with its partition's global region, wherever the caller is.
"""
import gzip
import itertools
import json
import pathlib
import re
import sys

SERVICES = {"sts": False, "organizations": True, "account": True, "ec2": False, "acm": False,
            "secretsmanager": False}  # global?
UNKNOWN_REGIONS = ["us-east-9", "eu-east-1", "ap-southeast-12", "cn-south-1", "us-gov-north-1",
                   "us-iso-north-1", "us-isob-north-1", "eu-isoe-east-1", "us-isof-north-1",
                   "eusc-de-west-1", "xx-north-1"]


def load_rules(service, folders):
    for folder in folders:
        for name in ("endpoint-rule-set-1.json", "endpoint-rule-set-1.json.gz"):
            found = sorted(pathlib.Path(folder, service).glob("*/" + name))
            if found:
                opened = gzip.open(found[-1]) if name.endswith("gz") else open(found[-1])
                with opened as file:
                    return json.load(file)
    sys.exit(f"no endpoint rule set of {service}")


class Partitions:
    def __init__(self, models):
        data = json.load(open(models / "partitions.json"))
        newer = json.load(open(models / "partitions-js-core-3.981.0.json"))
        self.list = data["partitions"]
        self.regions = sorted({region for part in data["partitions"] + newer["partitions"]
                               for region in part["regions"] if not region.endswith("-global")})

    def of(self, region):
        for part in self.list:
            if re.match(part["regionRegex"], region):
                return part["outputs"]
        return self.list[0]["outputs"]


class Rules:
    """As much of AWS's endpoint rule language as these services use."""

    def __init__(self, rules, partitions):
        self.rules, self.partitions = rules, partitions

    def value(self, node, scope):
        if isinstance(node, dict):
            return scope.get(node["ref"]) if "ref" in node else self.call(node, scope)
        if isinstance(node, str):
            return re.sub(r"\{(\w+)(?:#(\w+))?\}", lambda m: scope[m[1]][m[2]] if m[2] else scope[m[1]], node)
        return node

    def call(self, node, scope):
        args = [self.value(arg, scope) for arg in node["argv"]]
        name = node["fn"]
        if name == "isSet":
            return args[0] is not None
        if name == "not":
            return not args[0]
        if name in ("booleanEquals", "stringEquals"):
            return args[0] == args[1]
        if name == "aws.partition":
            return self.partitions.of(args[0])
        if name == "getAttr":
            return args[0][args[1]]
        raise ValueError(name)

    def run(self, rules, scope):
        for rule in rules:
            inner = dict(scope)
            for condition in rule["conditions"]:
                result = self.call(condition, inner)
                if not result:
                    break
                if "assign" in condition:
                    inner[condition["assign"]] = result
            else:
                if rule["type"] == "tree":
                    return self.run(rule["rules"], inner)
                if rule["type"] == "error":
                    return None
                endpoint = rule["endpoint"]
                schemes = endpoint.get("properties", {}).get("authSchemes", [{}])
                signing = schemes[0].get("signingRegion", "{Region}")
                return self.value(endpoint["url"], inner), self.value(signing, inner)
        return None

    def resolve(self, region, fips, dual):
        scope = {"Region": region, "UseFIPS": fips, "UseDualStack": dual, "UseGlobalEndpoint": False}
        return self.run(self.rules["rules"], scope)


def has_fips(endpoints, service, region, partition, is_known):
    name = partition["name"]
    if service == "account":
        return name in ("aws", "aws-us-gov")
    part = next(part for part in endpoints["partitions"] if part["partition"] == name)
    data = part["services"].get(service, {"endpoints": {}})
    is_fips = lambda entry: any("fips" in variant["tags"] for variant in entry.get("variants", []))
    if is_fips(data.get("defaults", {})):
        return True
    if SERVICES[service] or not is_known:
        return any(is_fips(entry) for entry in data["endpoints"].values())
    return is_fips(data["endpoints"].get(region, {}))


def main():
    folders = [pathlib.Path(arg) for arg in sys.argv[1:]]
    partitions = Partitions(folders[0])
    endpoints = json.load(open(folders[0] / "endpoints.json"))
    for service, is_global in SERVICES.items():
        rules = Rules(load_rules(service, folders), partitions)
        for region, fips, dual in itertools.product(
                partitions.regions + UNKNOWN_REGIONS, (False, True), (False, True)):
            partition = partitions.of(region)
            asked = partition["implicitGlobalRegion"] if is_global else region
            found = rules.resolve(asked, fips, dual)
            if fips and not has_fips(endpoints, service, region, partition, region in partitions.regions):
                found = None
            print(service, region, int(fips), int(dual), *(found or ("-", "-")), sep="\t")


main()
