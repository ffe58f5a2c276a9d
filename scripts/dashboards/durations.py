"""The rules with an hour shortened to a minute, so that a check can wait for them.

Every duration in `for:` and in brackets is divided by FACTOR, and so is every number of seconds in SECONDS. Nothing
else changes: names, labels, comparisons, shares and counts are those of the real rules.
"""

import copy
import re

FACTOR = 60

# Numbers of seconds in the alerts' queries. Each must be there exactly once, so that none is forgotten when a rule changes.
# Certificates are not here: the check makes ones that end soon.
SECONDS = {
    "ProofQueueOld": [300],
    "ProofJobNoProgress": [900],
    "ProofLatencyBurnFast": [3600],
    "ProofLatencyBurnSlow": [21600],
}

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """`1h30m` in seconds."""
    parts = re.findall(r"(\d+)([smhd])", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ValueError(f"`{text}` is no duration: write it in s, m, h or d")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def shorter(text):
    """A duration, divided; a second at least."""
    return f"{max(1, seconds(text) // FACTOR)}s"


def shorten_query(expr):
    """A query with its ranges divided."""
    return re.sub(r"\[(\w+)\]", lambda match: f"[{shorter(match.group(1))}]", expr)


def shorten_rules(document):
    """A rules file, parsed, with everything divided."""
    document = copy.deepcopy(document)
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = shorten_query(rule["expr"])
            if "for" in rule:
                rule["for"] = shorter(rule["for"])
            for number in SECONDS.get(rule.get("alert"), []):
                rule["expr"], count = re.subn(rf"\b{number}\b", str(number // FACTOR), rule["expr"])
                if count != 1:
                    raise ValueError(f"{rule['alert']}: {number} s is there {count} times: mend SECONDS in durations.py")
    return document
