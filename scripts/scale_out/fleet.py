"""Hosts in network namespaces, HAProxy before them, and what both say of themselves. Linux, root."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
BALANCER = "10.77.0.1"


def poll(what, seconds, probe):
    """Waits until `probe` gives something true, and gives it back."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def metrics(url):
    """The samples of a Prometheus page by name and labels; empty where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as page:
            text = page.read().decode()
    except (urllib.error.URLError, OSError):
        return {}
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*(?: [^\s\d][^\n]*?)?) (\S+)$", text, re.M)}


def total(samples, name, **labels):
    """The sum of the samples of one metric that have these labels."""
    has = [f'{label}="{value}"' for label, value in labels.items()]
    found = [value for key, value in samples.items() if key.split("{")[0] == name and all(it in key for it in has)]
    return sum(found)


class Network:
    """A bridge in this namespace, and a namespace for each host behind it."""

    def __init__(self, count):
        self.names = [f"scale-out-{os.getpid()}-{number}" for number in range(1, count + 1)]
        try:
            self.build()
        except subprocess.CalledProcessError as error:
            self.close()
            raise SystemExit(f"cannot make network namespaces: {error}. In a container it takes --privileged") from None

    def build(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "addr", "add", f"{BALANCER}/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")
        for number, name in enumerate(self.names, 1):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"host-{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"host-{number}", "master", "bridge", "up")
            run("ip", "-n", name, "addr", "add", f"{address(number)}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")

    def cable(self, number, up):
        run("ip", "link", "set", f"host-{number}", "up" if up else "down")

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def run(*command):
    subprocess.run(command, check=True)


def address(number):
    return f"10.77.0.{10 + number}"


class Host:
    """A server process in the namespace of host `number`."""

    def __init__(self, network, binaries, work, number, delay, *flags, workers=2):
        self.number, self.workers = number, workers
        self.log = work / f"host-{number}.log"
        command = ["ip", "netns", "exec", network.names[number - 1], str(binaries / "proof-server"), "serve"]
        command += ["--engine", "mock", "--mock-delay", delay, "--workers", str(workers), "--allow-plaintext"]
        command += ["--listen", f"{address(number)}:7600", "--metrics", f"{address(number)}:9600", "--log-format", "json"]
        # What docs/scale-out.md says of servers behind a balancer, but for kept results: recorded requests repeat.
        command += ["--keep-time", "0s", "--grace", "2m", *flags]
        command += [] if "--idle-timeout" in flags else ["--idle-timeout", "5s"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL)
        poll(f"host {number} is ready, see {self.log}", 30, lambda: self.ready() == 200)

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{address(self.number)}:9600/readyz", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError):
            return None

    def metrics(self):
        return metrics(f"http://{address(self.number)}:9600/metrics")

    def busy(self):
        return total(self.metrics(), "proof_server_workers", task="prove", state="busy")

    def proven(self):
        return total(self.metrics(), "proof_server_jobs_total", task="prove", code="OK")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)

    def ended(self):
        return self.process.wait(timeout=60)


class Balancer:
    """HAProxy on the shipped configuration: only the servers' lines are put in, and what `changes` replaces."""

    def __init__(self, haproxy, work, hosts, workers=2, changes=(), replaces=None):
        self.work, self.socket = work, work / "haproxy.sock"
        text = (REPO / "deploy/haproxy.cfg").read_text()
        lines = "".join(f"    server host-{number} {address(number)}:7600\n" for number in hosts)
        changes = [(r"(?m)^(    server .*\n)+", lines), (r"maxconn 1$", f"maxconn {workers}"), *changes]
        for old, new in changes:
            text, count = re.subn(old, new, text, flags=re.M)
            assert count, f"deploy/haproxy.cfg has no {old!r} any more: mend this check"
        config = work / "haproxy.cfg"
        config.write_text(text)
        env = dict(os.environ, HAPROXY_SOCKET=str(self.socket), HAPROXY_LISTEN=f"{BALANCER}:7600")
        env.update(HAPROXY_MAXCONN="400", HAPROXY_USER="root")
        self.log = work / "haproxy.log"
        with self.log.open("a") as log:
            command = [haproxy, "-db", "-f", str(config)]
            # As a reload does: the old process is told to take no more, and to end with its last connection.
            command += ["-sf", str(replaces.process.pid)] if replaces else []
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        poll(f"HAProxy has all hosts up, see {self.log}", 20, lambda: all(self.is_up(number) for number in hosts))

    address = f"{BALANCER}:7600"

    def metrics(self):
        return metrics("http://127.0.0.1:8405/metrics")

    def of(self, number, name):
        return total(self.metrics(), f"haproxy_server_{name}", proxy="provers", server=f"host-{number}")

    def is_up(self, number):
        return total(self.metrics(), "haproxy_server_status", proxy="provers", server=f"host-{number}", state="UP") == 1

    def is_down(self, number):
        return total(self.metrics(), "haproxy_server_status", proxy="provers", server=f"host-{number}", state="DOWN") == 1

    def slots(self):
        return total(self.metrics(), "haproxy_server_current_sessions", proxy="provers")

    def command(self, line):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.socket))
            admin.sendall(line.encode() + b"\n")
            admin.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: admin.recv(4096), b"")).decode()

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)


class Replay:
    """`bench replay` through the balancer."""

    def __init__(self, binaries, work, *flags):
        command = [str(binaries / "bench"), "replay", "--balanced", "--server", Balancer.address, "--recordings"]
        command += [str(REPO / "bench/recordings/simulated"), "--sample-verify", "5", *flags]
        self.log = (work / "replay.log").open("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait(self, seconds):
        self.process.wait(timeout=seconds)
        self.log.seek(0)
        self.text = self.log.read()
        found = re.search(r"(\d+) requests in ([\d.]+) s: (\d+) proofs \(([\d.]+) a second\), (\d+) failed", self.text)
        assert found, self.text
        self.requests, self.proofs, self.failed = int(found[1]), int(found[3]), int(found[5])
        self.rate = int(found[3]) / float(found[2])
        self.tried_again = sum(int(count) for count in re.findall(r"(\d+) tried again", self.text))
        return self
