"""The rows of the result, and how they are printed."""
import datetime
import json
import os
import pathlib
import platform
import sys
import textwrap

MET = {True: "met", False: "NOT MET", None: ""}
WIDTHS = (30, 24, 40)


class Report:
    def __init__(self):
        self.rows = []
        self.figures = {}

    def add(self, section, what, target, measured, met=None):
        """met: None where there is no target, or it cannot be told."""
        print(f"bench:   {what}: {measured} {MET[met]}", file=sys.stderr, flush=True)
        self.rows.append({"section": section, "what": what, "target": target,
                          "measured": measured, "met": met})

    def keep(self, name, figures):
        """What the rows were made from, for --json."""
        self.figures[name] = figures

    def misses(self):
        return [row for row in self.rows if row["met"] is False]

    def print(self):
        machine_now = machine()
        print("\n" + ", ".join(f"{key} {value}" for key, value in machine_now.items()) + "\n")
        section = None
        print(line_of(("WHAT", "TARGET", "MEASURED"), ""))
        for row in self.rows:
            if row["section"] != section:
                section = row["section"]
                print(section)
            cells = [textwrap.wrap(str(text), width) or [""] for text, width in
                     zip((row["what"], row["target"], row["measured"]), WIDTHS)]
            for i in range(max(map(len, cells))):
                print(line_of([cell[i] if i < len(cell) else "" for cell in cells],
                              MET[row["met"]] if i == 0 else ""))
        print()

    def write_json(self, file, options):
        document = {"schema": 1, "machine": machine(), "options": options, "rows": self.rows,
                    "figures": self.figures}
        pathlib.Path(file).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def line_of(cells, end):
    return ("  " + "  ".join(text.ljust(width) for text, width in zip(cells, WIDTHS)) + "  "
            + end).rstrip()


def machine():
    import boto3  # here, so that a report can be read without it
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": f"{os.cpu_count()} x {model}", "kernel": platform.release(),
            "python": platform.python_version(), "boto3": boto3.__version__,
            "load": "%.1f" % os.getloadavg()[0]}
