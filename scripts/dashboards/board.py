"""The dashboards, as files and as queries with their variables filled."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "dashboards"
RULES = ROOT / "deploy" / "prometheus"

# What stands in for the variable of each dashboard that matches everything, and for Grafana's own.
ALL = ".*"


@dataclass(frozen=True)
class Target:
    """One query of one panel."""

    board: str
    panel: int
    title: str
    ref: str
    expr: str
    legend: str
    instant: bool

    def where(self):
        return f"{self.board}.json, panel {self.panel} ({self.title}), query {self.ref}"


def files():
    return sorted(DASHBOARDS.glob("*.json"))


def load(name):
    return json.loads((DASHBOARDS / f"{name}.json").read_text())


def targets(name, board):
    """Every query of a dashboard. `name` is for messages."""
    return [
        Target(name, panel["id"], panel["title"], target["refId"], target["expr"], target["legendFormat"], target.get("instant", False))
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def variables(board):
    """Names of the variables that are labels' values, with whether each may have several."""
    return {
        variable["name"]: variable.get("multi", False)
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    }


def constants(board):
    """The variables that have one value, and that value."""
    return {
        variable["name"]: variable["current"]["value"]
        for variable in board["templating"]["list"]
        if variable["type"] == "textbox"
    }


def fill(expr, values, rate_interval):
    """The query with every variable filled; one that is left is an error."""
    filled = expr
    for name, value in {**values, "__rate_interval": rate_interval}.items():
        filled = re.sub(rf"\${name}\b", lambda _: value, filled)
    if "$" in filled:
        raise ValueError(f"a variable of this query is not known: {filled}")
    return filled
