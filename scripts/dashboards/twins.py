"""The checks' own tests: each fault that they are for is put into what is right, and must be found and named."""

import copy
import json
import re
import unittest

import yaml

import board
import durations
import lint
import metrics

DOCUMENT = """
| `proof_server_jobs_total` | counter | `task`, `code` |  | Jobs. |
| `proof_server_job_seconds` | histogram | `task` | seconds | Time. |
<!-- labels -->
| `task` | `prove`, `verify` |
| `code` | `OK`, `BUSY` |
| `worker` | `0` up to the number of workers |
"""


def names():
    return lint.Names(metrics.documented(DOCUMENT), metrics.documented_values(DOCUMENT), {"fleet:recorded"})


class Queries(unittest.TestCase):
    def test_what_a_query_names_is_read(self):
        query = metrics.read('sum by (le, a) (rate(x_total{b=~"c|d)", e!="f}"}[5m]) unless on (g) y{h="i"}) / 2e3 > 0')
        self.assertEqual(query.selectors, [("x_total", [("b", "=~", "c|d)"), ("e", "!=", "f}")]), ("y", [("h", "=", "i")])])
        self.assertEqual(query.grouped, {"le", "a", "g"})
        self.assertEqual(query.functions, {"sum", "rate"})

    def test_what_is_named_as_documented_passes(self):
        for expr in (
            'sum by (instance, code) (rate(proof_server_jobs_total{task="prove",code=~"OK|BUSY"}[5m])) / fleet:recorded',
            "sum by (le) (rate(proof_server_job_seconds_bucket[5m]))",
            'max by (instance) (up{job="proof-server"})',
            'proof_server_jobs_total{task="$task"}',
        ):
            self.assertEqual(list(names().check(expr)), [], expr)

    def test_what_is_not_documented_is_found(self):
        for expr, legend, says in (
            ("proof_server_job_total", "", "names proof_server_job_total, which the server does not export"),
            ("proof_server_job_seconds", "", "names proof_server_job_seconds, which"),
            ("proof_server_jobs_total_bucket", "", "names proof_server_jobs_total_bucket, which"),
            ("fleet:unrecorded", "", "names fleet:unrecorded, which"),
            ('proof_server_jobs_total{mode="core"}', "", "for the label mode"),
            ('proof_server_job_seconds_sum{le="1"}', "", "for the label le"),
            ('proof_server_jobs_total{code="Ok"}', "", "for code `Ok`"),
            ('proof_server_jobs_total{code!~"OK|LATE"}', "", "for code `LATE`"),
            ("sum by (worker) (proof_server_jobs_total)", "", "uses the label worker"),
            ("proof_server_jobs_total", "{{ worker }}", "uses the label worker"),
        ):
            found = list(names().check(expr, legend))
            self.assertTrue(len(found) == 1 and says in found[0], f"{expr}: {found}")

    def test_windows_and_functions_that_depend_on_the_zoom_are_found(self):
        self.assertEqual(list(lint.check_query("rate(x_total[$__rate_interval]) + rate(x_total[15m])")), [])
        self.assertIn("increase()", next(lint.check_query("increase(x_total[5m])")))
        self.assertIn("window of 1m", next(lint.check_query("rate(x_total[1m])")))

    def test_promtool_judges_queries(self):
        self.assertEqual(lint.parses(["sum(up)"]), "")
        self.assertIn("parse error", lint.parses(["sum(up", "up"]))

    def test_a_variable_that_is_left_is_an_error(self):
        filled = board.fill('up{instance=~"$host"}[$__rate_interval]', {"host": "a"}, "1m")
        self.assertEqual(filled, 'up{instance=~"a"}[1m]')
        with self.assertRaisesRegex(ValueError, "not known: up"):
            board.fill('up{instance="$hosts"}', {"host": "a"}, "1m")


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.found = board.load("fleet")

    def faults(self):
        return list(lint.check_file(json.dumps(self.found, indent=2, ensure_ascii=False) + "\n"))

    def test_each_fault_of_a_file_is_found(self):
        whole = copy.deepcopy(self.found)
        self.assertEqual(self.faults(), [])
        panels = self.found["panels"]

        def overlap(found):
            found["panels"][3]["gridPos"] = found["panels"][2]["gridPos"]

        for says, change in (
            ("has version", lambda found: found.update(version=3)),
            ("has pluginVersion", lambda found: found["panels"][1].update(pluginVersion="11.0.0")),
            ("has an id", lambda found: found.update(id=7)),
            ("has schemaVersion 39", lambda found: found.update(schemaVersion=39)),
            ("has no uid", lambda found: found.update(uid="abc")),
            ("does not begin its variables", lambda found: found["templating"]["list"].reverse()),
            ("has no label", lambda found: found["templating"]["list"][1].pop("label")),
            ("two panels with one id", lambda found: found["panels"][1].update(id=panels[2]["id"])),
            ("nobody reads", lambda found: found["panels"].extend({**panels[1], "id": 100 + n, "gridPos": {"x": 0, "y": 900 + n, "w": 1, "h": 1}} for n in range(20))),
            ("is wider", lambda found: found["panels"][1]["gridPos"].update(w=25)),
            ("overlap", overlap),
        ):
            self.found = copy.deepcopy(whole)
            change(self.found)
            self.assertTrue(any(says in fault for fault in self.faults()), f"{says}: {self.faults()}")

    def test_another_form_of_the_file_is_found(self):
        self.assertIn("is not in the form", next(lint.check_file(json.dumps(self.found))))

    def test_each_fault_of_a_panel_is_found(self):
        panel = next(panel for panel in self.found["panels"] if panel["type"] == "timeseries")
        self.assertEqual(list(lint.check_panel(panel)), [])
        for says, change in (
            ("has no description", lambda one: one.update(description="Requests.")),
            ("has no unit", lambda one: one["fieldConfig"]["defaults"].pop("unit")),
            ("is not bound", lambda one: one.update(datasource={"type": "prometheus", "uid": "abc"})),
            ("query A is not bound", lambda one: one["targets"][0].pop("datasource")),
            ("has no legend", lambda one: one["targets"][0].update(legendFormat="")),
            ("two queries with one name", lambda one: one["targets"].append(one["targets"][0])),
            ("is a piechart", lambda one: one.update(type="piechart")),
        ):
            changed = copy.deepcopy(panel)
            change(changed)
            self.assertTrue(any(says in fault for fault in lint.check_panel(changed)), says)


class Alerts(unittest.TestCase):
    def test_each_fault_of_an_alert_is_found(self):
        rule = next(rule for rule in lint.rules() if "alert" in rule)
        operations = (board.ROOT / "docs" / "operations.md").read_text()
        tests = lint.unit_tests()
        self.assertEqual(list(lint.check_alert(rule, operations, tests)), [])
        quiet = [case for case in tests if not case.get("exp_alerts")]
        firing = [case for case in tests if case.get("exp_alerts")]
        for says, change, text, cases in (
            ("has no harm", lambda one: one["annotations"].pop("harm"), operations, tests),
            ("severity", lambda one: one["labels"].update(severity="critical"), operations, tests),
            ("no such section", lambda one: one["annotations"].update(runbook="docs/operations.md#nowhere"), operations, tests),
            ("is not named", lambda one: None, operations.replace(rule["alert"], ""), tests),
            ("in which it fires", lambda one: None, operations, quiet),
            ("in which it stays quiet", lambda one: None, operations, firing),
        ):
            changed = copy.deepcopy(rule)
            change(changed)
            self.assertTrue(any(says in fault for fault in lint.check_alert(changed, text, cases)), says)


class Durations(unittest.TestCase):
    def test_durations_are_divided_and_nothing_else(self):
        self.assertEqual([durations.shorter(text) for text in ("6h", "10m", "90s", "5s", "1h30m")], ["360s", "10s", "1s", "1s", "90s"])
        self.assertEqual(durations.shorten_query('rate(x{a="5m"}[5m]) > 300'), 'rate(x{a="5m"}[5s]) > 300')
        with self.assertRaisesRegex(ValueError, "no duration"):
            durations.shorter("5 minutes")

    def test_the_real_rules_are_shortened_and_keep_their_shape(self):
        for file in ("recording.yml", "alerts.yml"):
            real = yaml.safe_load((board.RULES / file).read_text())
            short = durations.shorten_rules(real)
            self.assertNotEqual(real, short)
            numbers = r"\d[\d.]*[smhd]?"
            shape = lambda document: re.sub(numbers, "N", yaml.safe_dump(document, width=10000))
            self.assertEqual(shape(real), shape(short))

    def test_a_number_of_seconds_that_is_no_longer_there_is_found(self):
        rules = {"groups": [{"rules": [{"alert": "ProofQueueOld", "expr": "x > 200"}]}]}
        with self.assertRaisesRegex(ValueError, "300 s is there 0 times"):
            durations.shorten_rules(rules)


if __name__ == "__main__":
    unittest.main()
