#!/usr/bin/env python3
"""Functions and words that have no place in the sources, sizes of files and functions, stray characters."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ["base", "store", "aws", "orgscope", "discovery", "delivery", "alert", "sensor", "cli", "packaging"]
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

BANNED = {
    r"\b(sprintf|vsprintf|strcpy|strcat|strncpy|strncat|gets|stpcpy)\s*\(": "unbounded or padding copy: base/buf, text_copy, snprintf",
    r"\b(atoi|atol|atoll|atof|sscanf|strtok)\s*\(": "parses without telling errors: base/text",
    r"\b(system|popen|fork|vfork)\s*\(": "children are started with posix_spawn",
    r"\b(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf)\s*\(": "base/mem.h: allocation that cannot fail",
    r"\balloca\s*\(": "no alloca",
    r"\b(rand|random|srand|drand48)\s*\(": "clock_random",
    r"\b(time|gettimeofday|clock_gettime)\s*\(": "base/clock.h",
    r"\b(localtime|localtime_r|ctime|asctime|mktime)\s*\(": "all times are UTC: base/text.h (the CLI's local dates: cli/dates.c)",
    r"\b(sleep|usleep|nanosleep)\s*\(": "nothing sleeps: loop timers",
    r"\b(TODO|FIXME|XXX|HACK)\b": "finish it or file an issue",
    r"__attribute__\(\(cleanup": "no cleanup attribute",
}
# The homes of what is banned elsewhere.
EXEMPT = {
    ("base/mem.c", "base/mem.h", "base/mem_wiping.c"): r"malloc",
    ("base/clock.c",): r"gettimeofday",
}
STRING_OR_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(match):
    """Comments and strings become blanks, lines stay."""
    return re.sub(r"[^\n]", " ", match[0])


def is_exempt(name, pattern):
    return any(name in files and word in pattern for files, word in EXEMPT.items())


def long_functions(code):
    """A function begins at a line that is only '{' in column one and ends at '}' in column one."""
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES_MAX:
                yield start, number - start - 1
            start = None


def check(path):
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    code = STRING_OR_COMMENT.sub(blank, text)
    for pattern, why in BANNED.items():
        source = text if "TODO" in pattern else code
        if is_exempt(name, pattern):
            continue
        for match in re.finditer(pattern, source):
            line = source.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {match[0].strip('( ')}: {why}"
    if re.search(r"^(?!\s*\*).*//(?!.*\")", code, re.M) and "://" not in code:
        yield f"{name}: // comments are for debugging only"
    for number, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > 100 and '"' not in line:
            yield f"{name}:{number}: {len(line.expandtabs(8))} columns, at most 100"
        if not line.isascii() and path.parts[-2] not in ("tests",):
            yield f"{name}:{number}: not ASCII (write \\u or \\x escapes)"
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{name}: {lines} lines, at most {FILE_LINES_MAX}: two subjects?"
    for start, length in long_functions(code):
        yield f"{name}:{start}: a function of {length} lines, at most {FUNCTION_LINES_MAX}: two subjects?"


def main():
    problems = []
    count = 0
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            count += 1
            problems += check(path)
    print("\n".join(problems))
    print(f"banned: {count} files, {len(problems)} problems")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
