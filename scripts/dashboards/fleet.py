"""Real servers with the mock engine, certificates for one of them, and what is done to them."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

RECORDING = Path(__file__).resolve().parents[2] / "bench" / "recordings" / "simulated"


class Server:
    """A proof-server process. The first lines that it prints say where it listens."""

    def __init__(self, binary, name, folder, flags, engine="mock", keep="0s"):
        self.name, self.log = name, folder / f"{name}.log"
        # Without kept results every answer is a proof of its own.
        own = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--engine", engine, "--keep-time", keep]
        command = [binary, "serve", *own, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True)
        self.address = self.said("listening")
        self.metrics = self.said("metrics")

    def said(self, what):
        line = self.process.stdout.readline().split()
        if len(line) != 2 or line[0] != what:
            tail = "\n".join(self.log.read_text().splitlines()[-5:])
            raise RuntimeError(f"the server {self.name} did not start:\n{tail}")
        return line[1]

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def worker(self):
        """The process of its first proving worker."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
                    command = entry.joinpath("cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if int(parent) == self.process.pid and b"prove" in command:
                    return int(entry.name)
        raise RuntimeError(f"the server {self.name} has no worker")

    def kill_worker(self):
        os.kill(self.worker(), signal.SIGKILL)

    def stop(self):
        self.signal(signal.SIGKILL)
        self.process.wait()


class Replay:
    """`bench replay` against some servers, in the background."""

    def __init__(self, binary, servers, folder, flags):
        self.log = (folder / f"replay-{time.monotonic_ns()}.log").open("w")
        addresses = [part for server in servers for part in ("--server", server.address)]
        command = [binary, "replay", *addresses, "--recordings", str(RECORDING), "--sample-verify", "1", *flags]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Authority:
    """A CA and the certificates that it signs, made with openssl."""

    def __init__(self, folder):
        self.folder, self.ca = folder, folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365", "-subj", "/CN=check", "-keyout", "ca.key", "-out", "ca.pem")
        (folder / "leaf.ext").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")

    def issue(self, days):
        """Puts a certificate that ends in so many days, and its key, where the server reads them."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=server", "-keyout", "new.key", "-out", "new.csr")
        self.openssl("x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile", "leaf.ext", "-out", "new.pem")
        for kind in ("key", "pem"):
            (self.folder / f"new.{kind}").replace(self.folder / f"server.{kind}")

    def flags(self):
        return ["--tls-cert", str(self.folder / "server.pem"), "--tls-key", str(self.folder / "server.key")]

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")


class WithGpu:
    """The page of a real server with the GPU series of gpu.prom behind it: no GPU is at hand where this check runs.

    Energy grows with the power, and `fail` counts an error, so that rates and alerts have something to see."""

    def __init__(self, server):
        self.recorded = (Path(__file__).parent / "gpu.prom").read_text().splitlines()
        self.server, self.since, self.errors = server, time.monotonic(), 0
        self.http = serve(lambda path, body: (self.page(), "text/plain; version=0.0.4"))
        self.metrics = "127.0.0.1:%d" % self.http.server_address[1]

    def fail(self):
        self.errors += 1

    def page(self):
        own = urlopen(f"http://{self.server.metrics}/metrics", timeout=4).read().decode()
        power = dict(line.replace("_power_watts", "_energy_joules_total").rsplit(" ", 1) for line in self.recorded if "_power_watts{" in line)
        lines = []
        for line in self.recorded:
            series, _, value = line.rpartition(" ")
            if series in power:
                value = float(power[series]) * (time.monotonic() - self.since)
            elif series == 'proof_server_gpu_errors_total{gpu="1",reason="memory"}':
                value = self.errors
            lines.append(f"{series} {value}")
        return own + "\n".join(lines) + "\n"

    def stop(self):
        self.http.shutdown()


def serve(answer):
    """An HTTP server on a free port, in the background. `answer` gives text and type for a path and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                text, kind = answer(self.path, body)
            except OSError as error:
                self.send_error(502, str(error))
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=http.serve_forever, daemon=True).start()
    return http


def send(address, data, encrypted=False):
    """Sends bytes that are no protocol, and waits for the server to close."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        stream = plain
        if encrypted:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            stream = context.wrap_socket(plain)
        stream.sendall(data)
        try:
            while stream.recv(4096):
                pass
        except OSError:
            pass


def ready(server):
    try:
        return urlopen(f"http://{server.metrics}/readyz", timeout=2).status == 200
    except OSError:
        return False


def read_json(body):
    return json.loads(body) if body else {}
