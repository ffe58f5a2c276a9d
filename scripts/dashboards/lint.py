"""What can be said of the dashboards and rules without a server: form, descriptions, units, names."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import board
import metrics
from durations import seconds

# A dashboard with more is not read.
MOST_PANELS = 20
# What an export has that no reader needs, or that differs between two exports.
NOISE = {"__inputs", "__requires", "__elements", "version", "iteration", "gnetId", "snapshot", "liveNow", "weekStart"}
NOISE_OF_PANELS = {"pluginVersion", "libraryPanel", "maxDataPoints", "cacheTimeout", "repeatedByRow", "scopedVars"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA = 42
KINDS = {"timeseries", "stat", "table", "heatmap"}
# Windows that are not Grafana's own hide what is shorter: these are for what a few proofs an hour would make jump.
LEAST_WINDOW = 300

# Metrics that are on no dashboard and in no rule.
NOT_SHOWN = {
    "proof_server_connections_total": "the open ones are shown, and the refused ones",
    "proof_server_kept_results": "their bytes are what is limited",
    "proof_server_prover_span_seconds": "a profile of the prover, for `bench` and for questions about one release",
    "proof_server_requests_in_flight": "requests minus outcomes, which are shown",
}


def noise(found):
    yield from NOISE & found.keys()
    for panel in found["panels"]:
        yield from NOISE_OF_PANELS & panel.keys()


def check_file(text):
    found = json.loads(text)
    if text != json.dumps(found, indent=2, ensure_ascii=False) + "\n":
        yield "is not in the form of `python3 -m json.tool --indent 2 --no-ensure-ascii`: bring it there"
    for key in noise(found):
        yield f"has {key}, an export's noise: remove it"
    if found.get("id") is not None:
        yield "has an id, which is one Grafana's own: remove it"
    if found.get("schemaVersion") != SCHEMA:
        yield f"has schemaVersion {found.get('schemaVersion')}, the types that are checked have {SCHEMA}"
    if not found.get("uid", "").startswith("proof-"):
        yield "has no uid that begins with proof-: links need one that stays"
    yield from check_variables(found)
    yield from check_layout(found)


def check_variables(found):
    listed = found["templating"]["list"]
    if not listed or listed[0]["type"] != "datasource":
        yield "does not begin its variables with the data source"
    for variable in listed:
        if variable["type"] == "query" and variable.get("datasource") != DATASOURCE:
            yield f"variable {variable['name']} is not bound to the data source's variable"
        if not variable.get("label"):
            yield f"variable {variable['name']} has no label"


def check_layout(found):
    panels = found["panels"]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        yield "has two panels with one id"
    shown = [panel for panel in panels if panel["type"] != "row"]
    if len(shown) > MOST_PANELS:
        yield f"has {len(shown)} panels; more than {MOST_PANELS} nobody reads"
    taken = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield f"panel {panel['id']} is wider than the page"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["id"])
                if other != panel["id"]:
                    yield f"panels {other} and {panel['id']} overlap"
                    return


def check_panel(panel):
    if panel["type"] not in KINDS:
        yield f"is a {panel['type']}: only {', '.join(sorted(KINDS))} are drawn and looked at"
    description = panel.get("description", "")
    if not re.search(r"\bif\b", description, re.I):
        yield "has no description that says what to do if it looks wrong"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "has no unit"
    if panel.get("datasource") != DATASOURCE:
        yield "is not bound to the data source's variable"
    refs = [target["refId"] for target in panel["targets"]]
    if len(set(refs)) != len(refs):
        yield "has two queries with one name"
    for target in panel["targets"]:
        if target.get("datasource") != DATASOURCE:
            yield f"query {target['refId']} is not bound to the data source's variable"
        if target.get("format") != "table" and not target["legendFormat"]:
            yield f"query {target['refId']} has no legend"


class Names:
    """What may be named in a query."""

    def __init__(self, known, values, recorded):
        self.known, self.values, self.recorded = known, values, recorded
        self.used = set()

    def check(self, expr, legend=""):
        query = metrics.read(expr)
        labels = set(metrics.SCRAPED)
        for name, matchers in query.selectors:
            if name in metrics.OF_PROMETHEUS or name in self.recorded:
                own = set()
            else:
                base, own = self.series(name)
                if own is None:
                    yield f"names {name}, which the server does not export"
                    continue
                self.used.add(base)
            labels |= own
            for label, operator, value in matchers:
                if label not in own | metrics.SCRAPED:
                    yield f"asks {name} for the label {label}, which it does not have"
                yield from self.check_value(name, label, operator, value)
        for label in query.grouped | set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend)):
            if label not in labels:
                yield f"uses the label {label}, which none of its metrics has"

    def series(self, name):
        """The metric of a series and the series' labels."""
        if name in self.known:
            metric = self.known[name]
            return (name, None) if metric.kind == "histogram" else (name, set(metric.labels))
        base, _, suffix = name.rpartition("_")
        metric = self.known.get(base)
        if metric is None or metric.kind != "histogram" or suffix not in ("bucket", "sum", "count"):
            return name, None
        return base, set(metric.labels) | ({"le"} if suffix == "bucket" else set())

    def check_value(self, name, label, operator, value):
        values = self.values.get((name, label)) or self.values.get((None, label))
        if values is None or "$" in value:
            return
        for one in value.split("|") if "~" in operator else [value]:
            if one not in values:
                yield f"asks {name} for {label} `{one}`, which is none of its values"


def check_query(expr):
    query = metrics.read(expr)
    for function in query.functions & {"increase", "delta", "irate"}:
        yield f"calls {function}(), whose value depends on the zoom: use rate()"
    for window in re.findall(r"\[(\w+)\]", expr):
        if seconds(window) < LEAST_WINDOW:
            yield f"has a window of {window}, less than scrapes may be apart: use $__rate_interval"


def check_alert(rule, operations, tests):
    for part in ("summary", "harm", "first", "runbook"):
        if not rule.get("annotations", {}).get(part):
            yield f"has no {part}"
    if rule.get("labels", {}).get("severity") not in ("page", "ticket"):
        yield "has a severity that is neither page nor ticket"
    anchor = rule.get("annotations", {}).get("runbook", "").removeprefix("docs/operations.md#")
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", operations, re.M)}
    if anchor not in headings:
        yield f"points to docs/operations.md#{anchor}, where there is no such section"
    if f"`{rule['alert']}`" not in operations:
        yield "is not named in docs/operations.md"
    cases = [case for case in tests if case["alertname"] == rule["alert"]]
    if not any(case.get("exp_alerts") for case in cases):
        yield "has no unit test in which it fires"
    if not any(not case.get("exp_alerts") for case in cases):
        yield "has no unit test in which it stays quiet"


def parses(exprs):
    """What promtool says of queries, in the form of rules."""
    rules = [{"record": f"query:{number}", "expr": expr} for number, expr in enumerate(exprs)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        said = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    return "" if said.returncode == 0 else said.stdout + said.stderr


def rules():
    return [rule for file in ("recording.yml", "alerts.yml") for group in yaml.safe_load((board.RULES / file).read_text())["groups"] for rule in group["rules"]]


def unit_tests():
    documents = [yaml.safe_load(file.read_text()) for file in sorted((board.RULES / "tests").glob("*.yml"))]
    return [case for document in documents for test in document["tests"] for case in test.get("alert_rule_test", [])]


def names(text=None):
    """Everything that may be named: by the documentation, by the recorded GPU series, by the recording rules."""
    known = metrics.documented(text)
    gpu = metrics.exposed((Path(__file__).parent / "gpu.prom").read_text())
    for name, metric in gpu.items():
        if name in known and known[name] != metric:
            raise ValueError(f"gpu.prom has {name} as {metric}, docs/metrics.md as {known[name]}")
    return Names(gpu | known, metrics.documented_values(text), {rule["record"] for rule in rules() if "record" in rule})


def main():
    faults = []
    allowed = names()
    queries = []
    for file in board.files():
        text = file.read_text()
        faults += [f"{file.name} {fault}" for fault in check_file(text)]
        found = json.loads(text)
        for panel in found["panels"]:
            if panel["type"] != "row":
                faults += [f"{file.name}, panel {panel['id']} ({panel['title']}) {fault}" for fault in check_panel(panel)]
        for target in board.targets(file.stem, found):
            problems = [*check_query(target.expr), *allowed.check(target.expr, target.legend)]
            faults += [f"{target.where()} {fault}" for fault in problems]
            values = dict.fromkeys(board.variables(found), board.ALL) | board.constants(found)
            queries.append(board.fill(target.expr, values, "1m"))
    operations = (board.ROOT / "docs" / "operations.md").read_text()
    tests = unit_tests()
    for rule in rules():
        name = rule.get("alert") or rule["record"]
        faults += [f"rule {name} {fault}" for fault in allowed.check(rule["expr"])]
        if "alert" in rule:
            faults += [f"alert {name} {fault}" for fault in check_alert(rule, operations, tests)]
    said = parses(queries)
    if said:
        faults.append(f"promtool refuses a query:\n{said}")
    for name in sorted(metrics.documented().keys() - allowed.used - NOT_SHOWN.keys()):
        faults.append(f"docs/metrics.md has {name}, which no dashboard shows: show it, or say in NOT_SHOWN of lint.py why not")
    for name in sorted(NOT_SHOWN.keys() & allowed.used):
        faults.append(f"NOT_SHOWN of lint.py has {name}, which is shown")
    print("\n".join(faults) if faults else f"{len(board.files())} dashboards with {len(queries)} queries and {len(rules())} rules: well-formed, named as documented")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
