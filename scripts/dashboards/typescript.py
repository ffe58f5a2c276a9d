"""Writes a TypeScript module in which each dashboard is a value of Grafana's own types, for `tsc` to judge.

    typescript.py SCHEMA OUT.ts

SCHEMA is the folder of @grafana/schema. Panels' options and custom fields are judged by the types of their kind; what a
panel leaves out has a default there."""

import json
import sys

import board

KINDS = ["timeseries", "stat", "table", "heatmap"]
# A stat has no custom fields.
CUSTOM = {"timeseries", "table", "heatmap"}

# In JSON an enum's value is its text or number, and tsc takes only its name for it.
PLAIN = """
type Plain<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : T)
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Loose<T> = T extends (infer U)[] ? Loose<U>[] : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;
"""


def module(schema, boards):
    raw = f"{schema}/dist/types/raw"
    lines = [f"import type {{ Dashboard }} from '{raw}/dashboard/x/types.gen';"]
    lines += [f"import type * as {kind} from '{raw}/composable/{kind}/panelcfg/x/types.gen';" for kind in KINDS]
    lines.append(PLAIN)
    for name, found in boards.items():
        lines.append(f"export const {name}: Plain<Dashboard> = {json.dumps(found, indent=1)};")
        for panel in found["panels"]:
            kind = panel["type"]
            if kind in KINDS:
                options, custom = panel["options"], panel["fieldConfig"]["defaults"].get("custom", {})
                lines.append(f"export const {name}{panel['id']}: Loose<Plain<{kind}.Options>> = {json.dumps(options)};")
                if kind in CUSTOM:
                    lines.append(f"export const {name}{panel['id']}fields: Loose<Plain<{kind}.FieldConfig>> = {json.dumps(custom)};")
    return "\n".join(lines) + "\n"


def main():
    schema, out = sys.argv[1:]
    boards = {file.stem: board.load(file.stem) for file in board.files()}
    with open(out, "w") as file:
        file.write(module(schema, boards))


if __name__ == "__main__":
    main()
