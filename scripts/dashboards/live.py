"""The dashboards and alerts against real servers: under a replay first, and then with everything done to them that an
alert is for.

    live.py BIN [--spare BIN] [--keep FILE]

BIN has proof-server and bench; with --spare, bench and a proof-server with SP1 are taken from there. --keep writes what
the panels' queries gave, to draw them from.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import board
from durations import shorten_query
from fleet import Authority, Replay, Server, WithGpu, ready, send
from watch import Watch, has_data, wait_for

# Long enough for every mode of both programs to be proven on every host, and for the rates' windows to fill.
CALM = 30
# Time from the last fault to the last alert. The slowest: a job must say nothing for 15 s.
PATIENCE = 90
# Grafana's is four scrapes at least; with a scrape a second that leaves too few proofs in it.
RATE_INTERVAL = "10s"

HEALTHY = ["primary", "secondary", "tls", "gpu"]

# The fault that each alert is for, by the host that has it; None for alerts about all hosts.
EXPECTED = {
    "ProofQueueOld": "slow",
    "ProofWorkerCrashLoop": "crash",
    "ProofWorkerMemoryNearLimit": "hoard",
    "ProofJobNoProgress": "stall",
    "ProofGpuErrors": "gpu",
    "ProofHostNotServing": "gone",
    "ProofCertificateExpiring": "tls",
    "ProofCertificateExpiringNow": "tls",
    "ProofLatencyBurnFast": None,
    "ProofLatencyBurnSlow": None,
    "ProofVkeyMismatch": None,
}
# What a faulty host may say beside that: its fault has more than one face.
ALSO = {
    ("ProofHostNotServing", "crash"),  # Three deaths in a row make a server unready.
    ("ProofWorkerCrashLoop", "hoard"),  # A worker over its memory is killed, time and again.
    ("ProofHostNotServing", "hoard"),
    ("ProofJobNoProgress", "hoard"),  # It hoards for as long as a job may say nothing.
    ("ProofQueueOld", "crash"),  # Between two that die there is a pause.
    ("ProofQueueOld", "stall"),  # Behind a job that hangs others wait.
    ("ProofQueueOld", "late"),
}
# Another alert says the same and holds these back.
HELD_BACK = {"ProofLatencyBurnSlow", "ProofCertificateExpiring"}

# Panels that have something to say on some of the healthy hosts only, and on which.
ONLY_ON = {
    "Certificate ends in": {"tls"},
    "Secondary": {"primary"},
    "Time to start a worker": {"tls"},
    "GPU memory": {"gpu"},
    "GPU utilisation": {"gpu"},
    "GPU temperature": {"gpu"},
    "GPU power": {"gpu"},
    "Energy a proof": {"gpu"},
    "GPU errors, an hour": {"gpu"},
    "Memory of workers, query B": set(),
}


class Fleet:
    """Hosts that do well, and one for each fault."""

    def __init__(self, binaries, spare, folder):
        self.bench, self.spare, self.folder = spare / "bench", spare, folder
        self.authority, self.replays, self.servers = Authority(folder), [], {}
        self.authority.issue(90)
        self.binary, self.gpu = binaries / "proof-server", None

    def open(self):
        self.start("secondary", "--role secondary --mock-delay 200ms")
        self.start("primary", f"--role primary --secondary {self.servers['secondary'].address} --mock-delay 400ms --workers 2")
        self.start("tls", "--mock-delay 250ms", *self.authority.flags(), keep="1s")
        self.start("gpu", "--mock-delay 500ms --workers 2")
        self.start("gone", "--mock-delay 400ms")
        self.start("slow", "--mock-delay 20s")
        self.start("crash", "--mock-fault panic")
        self.start("hoard", "--mock-fault hoard --worker-memory 2GiB")
        self.start("stall", "--mock-fault stall")
        self.start("late", "--mock-fault stall --job-timeout 1s --workers 6")
        self.gpu = WithGpu(self.servers["gpu"])

    def start(self, name, flags, *more, binary=None, **how):
        self.servers[name] = Server(str(binary or self.binary), name, self.folder, [*flags.split(), *more], **how)

    def hosts(self):
        return {name: server.metrics for name, server in self.servers.items()} | {"gpu": self.gpu.metrics}

    def replay(self, names, flags, *more):
        servers = [self.servers[name] for name in names]
        self.replays.append(Replay(str(self.bench), servers, self.folder, [*flags.split(), *more]))

    def ask_for_everything(self):
        for mode in ("stark", "compressed", "groth16", "plonk"):
            self.replay(["primary", "gpu", "gone"], f"--mode {mode} --clients 3 --rate 1 --duration 1h")
            self.replay(["tls"], f"--mode {mode} --clients 2 --rate 0.4 --duration 1h --tls-ca", str(self.authority.ca))

    def break_everything(self):
        # More work than the one worker ends.
        self.replay(["slow"], "--clients 6 --duration 1h")
        # Provers that die, hoard, hang, and are too slow for the server's limit.
        self.replay(["crash"], "--clients 6 --duration 1h")
        self.replay(["hoard"], "--clients 1 --duration 1h")
        self.replay(["stall"], "--clients 1 --requests 1")
        for mode in ("stark", "compressed"):
            self.replay(["late"], f"--mode {mode} --clients 6 --duration 1h --retries 0")
        self.gpu.fail()
        # Nobody renewed the certificate, and a stranger speaks something else.
        self.authority.issue(1)
        self.servers["tls"].kill_worker()
        send(self.servers["tls"].address, b"GET / HTTP/1.1\r\n\r\n")
        send(self.servers["tls"].address, b"\xff" * 64, encrypted=True)
        self.servers["gone"].signal(signal.SIGKILL)
        # A host of another release: here SP1's prover among mock ones.
        self.start("odd", "", engine="cpu", binary=self.spare / "proof-server")

    def drain(self):
        for replay in self.replays:
            replay.stop()
        for server in self.servers.values():
            server.signal(signal.SIGTERM)

    def stop(self):
        for replay in self.replays:
            replay.stop()
        for server in self.servers.values():
            server.stop()
        if self.gpu:
            self.gpu.stop()


def queries():
    """Every query of every dashboard, with an hour shortened to a minute as in the rules."""
    for file in board.files():
        found = board.load(file.stem)
        for target in board.targets(file.stem, found):
            yield found, target, shorten_query(target.expr)


def fillings(found, expr, hosts):
    """Every way in which a query's variables are tried: all of everything, and each value alone."""
    constants = board.constants(found)
    whole = {name: board.ALL for name in board.variables(found)} | constants
    values = {"host": hosts, "program": ["committee-change", "inclusion"], "mode": ["core", "compressed", "groth16", "plonk"]}
    if not any(multi is False for multi in board.variables(found).values()):
        yield "everything", whole
    for name in board.variables(found):
        if f"${name}" in expr:
            for value in values[name]:
                yield value, whole | {name: value}


def run(watch, target, expr, start, end, points=120):
    """A query's answer, as its panel asks for it."""
    if target.instant:
        return watch.at(expr, end)
    return watch.between(expr, start, end, max(1, round((end - start) / points)))


def panels_have_data(watch, start, end):
    faults, count = [], 0
    for found, target, expr in queries():
        for what, values in fillings(found, expr, HEALTHY):
            filled = board.fill(expr, values, RATE_INTERVAL)
            got = has_data(run(watch, target, filled, start, end))
            title = target.title
            only = ONLY_ON.get(f"{title}, query {target.ref}", ONLY_ON.get(title))
            wanted = not (what in HEALTHY and only is not None) or what in only
            count += 1
            if got != wanted:
                faults.append(f"{target.where()} with {what}: {'no data' if wanted else 'data, and should have none'}\n    {filled}")
    print(f"{count} queries of panels, variables filled in every way: {len(faults)} wrong", flush=True)
    return faults


def alerts_arrive(watch, started):
    """Waits for every expected alert. Gives what is missing and what is too much."""
    # Of those about all hosts the instance is not looked at: which one stands for them is chance.
    missing = dict(EXPECTED)
    end = time.monotonic() + PATIENCE
    while missing and time.monotonic() < end:
        for labels in watch.alerts():
            name = labels["alertname"]
            if name in missing and missing[name] in (None, labels.get("instance")):
                del missing[name]
                print(f"  {time.monotonic() - started:3.0f} s: {name} {labels.get('instance', '')}", flush=True)
        time.sleep(0.5)
    faults = [f"{name} did not reach Alertmanager for {host or 'the fleet'}" for name, host in missing.items()]
    return faults + strangers(watch)


def strangers(watch):
    """Alerts that have come and are for no fault."""
    faults = []
    for labels in watch.alerts():
        name, host = labels["alertname"], labels.get("instance")
        known = name in EXPECTED and EXPECTED[name] in (None, host) or (name, host) in ALSO
        if not known:
            faults.append(f"{name} fired for {host}, to which nothing was done")
    return faults


def receivers_told(watch):
    """Whether each alert went where its severity says."""
    faults = []
    for name in [*EXPECTED, "ProofFleetDrained"]:
        told = {(receiver, labels["severity"]) for receiver, labels in watch.told if labels["alertname"] == name}
        if not told and name not in HELD_BACK:
            faults.append(f"no receiver was told of {name}")
        faults += [f"{name} is a {severity} and was told to {receiver}" for receiver, severity in told if receiver != severity]
    return faults


def keep(watch, path, start, end):
    """What the panels are drawn from."""
    kept = {"start": start, "end": end, "boards": {}}
    for found, target, expr in queries():
        values = dict.fromkeys(board.variables(found), board.ALL) | board.constants(found)
        if "host" in board.variables(found) and not board.variables(found)["host"]:
            values["host"] = "tls"
        result = run(watch, target, board.fill(expr, values, RATE_INTERVAL), start, end)
        panels = kept["boards"].setdefault(target.board, {"values": values, "panels": {}})["panels"]
        panels.setdefault(str(target.panel), {})[target.ref] = result
    path.write_text(json.dumps(kept))


def check(fleet, watch, kept):
    hosts = len(fleet.servers)
    wait_for("the first scrape of every host", 30, lambda: len(watch.at("proof_server_ready == 1", time.time())) == hosts)
    # Only now: to rules that look before the first scrape, the fleet is drained.
    watch.load_rules()
    began = time.time()
    fleet.ask_for_everything()
    time.sleep(CALM)
    fired = watch.between('ALERTS{alertstate="firing"}', began, time.time(), 1)
    faults = [f"{alert['metric']['alertname']} fires for {alert['metric'].get('instance', 'the fleet')} while all is well" for alert in fired]
    if has_data(watch.at("proof_server_no_such_metric", time.time())) or has_data(watch.at("0 * proof_server_ready / 0", time.time())):
        faults.append("a query that gives nothing is taken for one that gives data")
    print(f"{CALM} s under a replay: {len(fired)} alerts", flush=True)
    broken = time.monotonic()
    fleet.break_everything()
    watch.write_targets(fleet.hosts())
    faults += alerts_arrive(watch, broken)
    if kept:
        # So that the pictures show how it goes on.
        time.sleep(max(0, CALM * 2 - (time.monotonic() - broken)))
    end = time.time()
    faults += panels_have_data(watch, began, end)
    if kept:
        keep(watch, kept, began, end)
    fleet.drain()
    wait_for("ProofFleetDrained", 30, lambda: any(labels["alertname"] == "ProofFleetDrained" for labels in watch.alerts()))
    print("  ProofFleetDrained", flush=True)
    try:
        wait_for("every receiver's message", 20, lambda: not receivers_told(watch))
    except RuntimeError:
        faults += receivers_told(watch)
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--spare", type=Path)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    spare = arguments.spare or arguments.binaries
    for binary in (arguments.binaries / "proof-server", spare / "proof-server", spare / "bench"):
        if not binary.exists():
            parser.error(f"there is no {binary}: run `make build`")
    folder = Path(tempfile.mkdtemp(prefix="dashboards-"))
    fleet = watch = None
    try:
        fleet = Fleet(arguments.binaries, spare, folder)
        fleet.open()
        for server in fleet.servers.values():
            wait_for(f"{server.name}'s readiness", 20, lambda: ready(server))
        watch = Watch(folder, fleet.hosts())
        watch.open()
        faults = check(fleet, watch, arguments.keep)
    except BaseException:
        print(f"broken off; logs are in {folder}", file=sys.stderr)
        raise
    finally:
        for part in (fleet, watch):
            if part:
                part.stop()
    if faults:
        print("\n".join(faults) + f"\nlogs are in {folder}")
        return 1
    shutil.rmtree(folder)
    print("every panel has data; every alert fired for its fault and was delivered, and none without one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
