"""Whether the rules' unit tests see a rule that is wrong: each alert is changed in one way after another, and a test must
fail for each."""

import copy
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

import board
from durations import seconds


def mutants(rule):
    """Every change of a rule, with what it is."""

    def changed(what, **fields):
        return what, {**copy.deepcopy(rule), **fields}

    expr = rule["expr"]
    yield changed("never", expr=f"({expr}) and on () vector(1) < 0")
    if "for" in rule:
        yield changed("at once", **{"for": "0s"})
        yield changed("twice as late", **{"for": f"{2 * seconds(rule['for'])}s"})
    for match in re.finditer(r"(?<=[<>=] )\d[\d.]*", expr):
        for factor in (0.5, 2):
            number = float(match.group()) * factor
            if number != float(match.group()):
                yield changed(f"{match.group()} is {number:g}", expr=f"{expr[:match.start()]}{number:g}{expr[match.end():]}")
    for match in re.finditer(r"\[(\w+)\]", expr):
        yield changed(f"{match.group()} is twice as long", expr=f"{expr[:match.start()]}[{2 * seconds(match.group(1))}s]{expr[match.end():]}")
    for match in re.finditer(r'(\w+)(=~?)"([^"]*)"', expr):
        if "le" != match.group(1):
            yield changed(f"{match.group()} is not asked", expr=f'{expr[:match.start()]}{match.group(1)}=~".*"{expr[match.end():]}')
    for match in re.finditer(r"\n\s*and .*", expr):
        yield changed(f"without `{match.group().strip()}`", expr=expr.replace(match.group(), ""))
    for match in re.finditer(r"unless on \(instance\) [^)}]*}", expr):
        yield changed("secondaries count", expr=expr.replace(match.group(), ""))


def tests_of(name, folder):
    """Leaves only what asks for the alert in the unit tests there, and gives their files."""
    files = []
    for file in folder.glob("tests/*.yml"):
        document = yaml.safe_load(file.read_text())
        document["tests"] = [test for test in document["tests"] if any(case["alertname"] == name for case in test.get("alert_rule_test", []))]
        if document["tests"]:
            file.write_text(yaml.safe_dump(document))
            files.append(str(file))
    return files


def survives(rule, name):
    """Whether all unit tests that name the alert pass with this rule in place of the real one."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copytree(board.RULES, folder, dirs_exist_ok=True)
        document = yaml.safe_load((board.RULES / "alerts.yml").read_text())
        for group in document["groups"]:
            group["rules"] = [rule if old["alert"] == name else old for old in group["rules"]]
        (folder / "alerts.yml").write_text(yaml.safe_dump(document))
        done = subprocess.run(["promtool", "test", "rules", *tests_of(name, folder)], capture_output=True, text=True)
        # A mutant that is no rule says nothing about the tests.
        if "parse error" in done.stderr:
            raise ValueError(f"{name}: {rule['expr']}\n{done.stderr}")
        return done.returncode == 0


def main():
    document = yaml.safe_load((board.RULES / "alerts.yml").read_text())
    alerts = [rule for group in document["groups"] for rule in group["rules"]]
    work = [(rule["alert"], what, mutant) for rule in alerts for what, mutant in mutants(rule)]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda one: survives(one[2], one[0]), work))
    faults = [f"{name}: no test sees that it is wrong ({what})" for (name, what, _), alive in zip(work, survived) if alive]
    print("\n".join(faults) if faults else f"{len(work)} wrong rules, each seen by a unit test")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
