"""What the server exports, as docs/metrics.md has it, and what a query says of it."""

import re
from dataclasses import dataclass

from board import ROOT

DOCUMENT = ROOT / "docs" / "metrics.md"

# Labels that Prometheus adds, and what it makes of every scrape.
SCRAPED = {"job", "instance"}
OF_PROMETHEUS = {"up": set()}

LINE = re.compile(r"^\| `(proof_server_\w+)` \| (counter|gauge|histogram) \| (.*?) \|", re.M)
LABEL = re.compile(r"^\| `(\w+)`(?: of `(\w+)`)? \| (.*) \|$", re.M)


@dataclass(frozen=True)
class Metric:
    kind: str
    labels: frozenset


def documented(text=None):
    """Every metric by name, from the tables that a test compares with the code."""
    text = DOCUMENT.read_text() if text is None else text
    found = {}
    for name, kind, labels in LINE.findall(text):
        found[name] = Metric(kind, frozenset(re.findall(r"`(\w+)`", labels)))
    if not found:
        raise ValueError("docs/metrics.md has no table of metrics")
    return found


def documented_values(text=None):
    """The values of labels that are lists: by label, or by metric and label where these differ."""
    text = DOCUMENT.read_text() if text is None else text
    values = {}
    for label, metric, listed in LABEL.findall(text.split("<!-- labels", 1)[-1]):
        names = re.findall(r"`([\w-]+)`", listed)
        # A list and nothing else: "`0` up to .." is a description.
        if re.fullmatch(r"`[\w-]+`(, `[\w-]+`)*", listed):
            values[(metric or None, label)] = set(names)
    return values


def exposed(text):
    """The same from a page of metrics."""
    found = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M):
        labels = {label for body in re.findall(rf"^{name}{{(.*)}}", text, re.M) for label in re.findall(r'(\w+)="', body)}
        found[name] = Metric(kind, frozenset(labels))
    return found


TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<range>\[[^\]]*\])|(?P<number>\$?\d[\w.]*|\$\w+)"""
    r"""|(?P<name>[a-zA-Z_:][\w:]*)|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^=<>(){},]))"""
)
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool", "offset"}


@dataclass
class Query:
    """What a query names: metrics with their matchers, the labels that it groups or joins by, the functions it calls."""

    selectors: list
    grouped: set
    functions: set


def read(expr):
    """Reads a query, far enough to know what it names. promtool is what says whether it is one."""
    tokens, place = [], 0
    expr = expr.strip()
    while place < len(expr):
        match = TOKEN.match(expr, place)
        if match is None:
            raise ValueError(f"cannot read this query from `{expr[place:place + 20]}` on")
        tokens.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    query, at = Query([], set(), set()), 0

    def until(closing):
        nonlocal at
        inside = []
        while tokens[at][1] != closing:
            inside.append(tokens[at])
            at += 1
        at += 1
        return inside

    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        at += 1
        if kind != "name" or text in OPERATORS:
            continue
        if text in GROUPING:
            if following == "(":
                at += 1
                query.grouped |= {name for kind, name in until(")") if kind == "name"}
        elif following == "(" or following in GROUPING:
            query.functions.add(text)
        else:
            matchers = []
            if following == "{":
                at += 1
                words = [text for _, text in until("}") if text != ","]
                matchers = [(words[i], words[i + 1], words[i + 2][1:-1]) for i in range(0, len(words), 3)]
            query.selectors.append((text, matchers))
    return query
