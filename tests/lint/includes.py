#!/usr/bin/env python3
"""Checks who includes whom: the layers of the Makefile, read-only folders, self-contained headers' guards."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
# Folders that may only read AWS: of its services they see *_read.h (and sts.h, which only asks who we are).
READ_ONLY = {"orgscope", "discovery"}
AWS_OF_READERS = {"aws/client.h", "aws/sts.h", "aws/arn.h"}
# lmdb.h, curl and so on have one home each.
HOME = {"lmdb.h": "store", "curl/curl.h": {"base", "cli"}, "libxml": "base", "event2": {"base", "sensor"}}


def layers():
    """allow_<folder> := lists of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    return {m[1]: m[2].split() for m in re.finditer(r"^allow_(\w+)\s*:=(.*)$", text, re.M)}


def home_of(header):
    for prefix, folders in HOME.items():
        if header == prefix or header.startswith(prefix + "/"):
            return {folders} if isinstance(folders, str) else folders
    return None


def check_file(path, allowed):
    folder = path.relative_to(ROOT).parts[0]
    text = path.read_text()
    problems = []
    for quote, header in INCLUDE.findall(text):
        target = header.split("/")[0]
        if quote == "<":
            homes = home_of(header)
            if homes and folder not in homes:
                problems.append(f"<{header}> belongs to {', '.join(sorted(homes))}")
            continue
        if "/" not in header:
            problems.append(f'"{header}": includes are root-relative')
        elif not (ROOT / header).exists():
            problems.append(f'"{header}" does not exist')
        elif header == "sensor/local_api.h" and folder == "cli":
            continue
        elif target != folder and target not in allowed[folder]:
            problems.append(f'"{header}": {folder} may include {", ".join(allowed[folder]) or "nothing"}')
        elif header.endswith("_internal.h") and target != folder:
            problems.append(f'"{header}" is private to {target}')
        elif target == "aws" and folder in READ_ONLY:
            if not header.endswith("_read.h") and header not in AWS_OF_READERS:
                problems.append(f'"{header}": {folder} reads only (*_read.h, client.h, sts.h)')
    if path.suffix == ".h":
        guard = re.sub(r"[/.]", "_", str(path.relative_to(ROOT))).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            problems.append(f"include guard is not {guard}")
    return problems


def main():
    allowed = layers()
    count = 0
    failed = 0
    for folder in allowed:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            count += 1
            for problem in check_file(path, allowed):
                print(f"{path.relative_to(ROOT)}: {problem}")
                failed += 1
    print(f"includes: {count} files, {failed} problems")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
