#!/usr/bin/env python3
"""Compares every argument and block of our Terraform code with the AWS provider 6, which cannot be run here.

    provider_schema.py WHEEL FOLDER

WHEEL is cdktf-cdktf-provider-aws: classes generated from the provider's schema, one for each resource and block, whose
parameters are the arguments. Names and required arguments are compared, and nothing is evaluated.
"""
import ast
import pathlib
import re
import sys
import zipfile

import hcl2

META = {"count", "for_each", "depends_on", "lifecycle", "provider", "provisioner", "connection", "dynamic"}


class Schema:
    """The classes of one resource: arguments by class, each with the class of its block if it is one."""

    def __init__(self, wheel, kind):
        tree = ast.parse(wheel.read(f"cdktf_cdktf_provider_aws/{kind}/__init__.py"))
        self.arguments, self.required = {}, {}
        for item in tree.body:
            init = next((x for x in getattr(item, "body", []) if isinstance(x, ast.FunctionDef) and x.name == "__init__"), None)
            if not isinstance(item, ast.ClassDef) or init is None:
                continue
            given = list(zip(init.args.kwonlyargs, init.args.kw_defaults))
            self.arguments[item.name] = {argument.arg: ast.unparse(argument.annotation) for argument, _ in given}
            self.required[item.name] = {argument.arg for argument, default in given if default is None}
        self.root = next(name for name in self.arguments if name.endswith("Config"))

    def block(self, annotation):
        """The class among those of this resource that an annotation names."""
        return next((word for word in re.findall(r"\w+", annotation) if word in self.arguments), None)

    def faults(self, kind, body, where):
        arguments = self.arguments[kind]
        seen = {}
        for name, value in body.items():
            if name.startswith("__"):
                continue
            if name == "dynamic":
                for entry in value:
                    for block, inner in entry.items():
                        seen.setdefault(block, []).extend(inner["content"])
            else:
                seen[name] = value
        for name in self.required[kind] - set(seen) - {"scope", "id_"}:
            yield f"{where} lacks {name}, which the provider requires"
        for name, value in seen.items():
            if name in META:
                continue
            if name not in arguments:
                yield f"{where} has {name}, which the provider does not know"
                continue
            block = self.block(arguments[name])
            for inner in value if block and isinstance(value, list) else []:
                if isinstance(inner, dict):
                    yield from self.faults(block, inner, f"{where}.{name}")


def main():
    wheel, folder = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
    known, faults, compared = {}, [], 0
    for path in sorted(folder.rglob("*.tf")):
        if ".terraform" in path.parts:
            continue
        document = hcl2.loads(path.read_text())
        for keyword, prefix in (("resource", ""), ("data", "data_aws_")):
            for entry in document.get(keyword, []):
                for kind, named in entry.items():
                    module = prefix + kind.removeprefix("aws_")
                    known[module] = known.get(module) or Schema(wheel, module)
                    for name, body in named.items():
                        faults += known[module].faults(known[module].root, body, f"{path}: {kind}.{name}")
                        compared += 1
    if not compared:
        sys.exit(f"no resource in {folder}: nothing was compared")
    if faults:
        sys.exit("\n".join(faults))
    print(f"{compared} resources and data sources of {len(known)} kinds have the arguments of the AWS provider 6")


main()
