#!/usr/bin/env python3
"""Drives the host's scripts against a real proof server with the mock engine, a metadata service and a web server on
loopback, and stand-ins for the commands that would reach AWS, systemd or Docker, which write down what they were asked.

    deploy/host/tests.py BIN      BIN: folder with proof-server and light-client
"""
import contextlib
import hashlib
import http.server
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
BIN = pathlib.Path(sys.argv.pop(1)).resolve()
RECORDINGS = REPO / "bench/recordings/simulated"
TRUST = ["--network", RECORDINGS / "config.yaml",
         "--genesis-validators-root", "0xded5158233feb9d276562af27c2452392c04e3a7f203d3ed843046e2ddc75a0c",
         "--checkpoint", "0x7d504df54edb701113cd0d2af9ff45596390d63e3b2634c4d486329ed7400c7a"]

# A command's stand-in: writes down its arguments and does what the file beside it says.
STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$(basename "$0") $*" >> "$CALLS"
[ ! -e "$SCRIPTED/$(basename "$0")" ] || . "$SCRIPTED/$(basename "$0")"
"""


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Web(http.server.ThreadingHTTPServer):
    """Answers from a dictionary. As the metadata service it wants a token first, as version 2 does."""

    def __init__(self, pages, imds=False, tls=None):
        pages_of_server, wants_token = pages, imds

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                self.reply(200, "a-token") if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else self.reply(400, "")

            def do_GET(self):
                if wants_token and self.headers["X-aws-ec2-metadata-token"] != "a-token":
                    return self.reply(401, "")
                page = pages_of_server.get(self.path)
                if page is None:
                    return self.reply(404, "not here")
                if isinstance(page, str) and page.startswith("-> "):
                    self.send_response(302)
                    self.send_header("Location", page[3:])
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                self.reply(200, page)

            def reply(self, code, body):
                body = body if isinstance(body, bytes) else body.encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def authority(self):
        return f"127.0.0.1:{self.server_port}"


class Host(unittest.TestCase):
    """A host in a scratch folder."""

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.root = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("stand-ins", "scripted", "bin", "etc", "state"):
            (self.root / name).mkdir()
        self.calls = self.root / "calls"
        self.calls.touch()
        for command in ("aws", "systemctl", "docker", "runuser", "install"):
            path = self.root / "stand-ins" / command
            path.write_text(STAND_IN)
            path.chmod(0o755)
        # As another user, and owned by one: not here.
        self.script("runuser", 'shift 3; exec "$@"')
        self.script("install", 'arguments=(); while [ $# -gt 0 ]; do case $1 in -o | -g) shift ;; *) arguments+=("$1") ;; esac; shift; done; exec /usr/bin/install "${arguments[@]}"')
        self.metadata = {"/latest/meta-data/autoscaling/target-lifecycle-state": "InService", "/latest/meta-data/instance-id": "i-0123456789abcdef0"}
        self.imds = self.serve(Web(self.metadata, imds=True))
        self.env = dict(
            os.environ, PATH=f"{self.root}/stand-ins:{HERE}:{os.environ['PATH']}", CALLS=str(self.calls), SCRIPTED=str(self.root / "scripted"),
            IMDS_URL=f"http://{self.imds.authority}", ASG_NAME="pool", LAUNCH_HOOK="ready", DRAIN_HOOK="drained", POLL_SECONDS="0.1",
            ETC=str(self.root / "etc"), STATE=str(self.root / "state"), BIN=str(self.root / "bin"))

    def serve(self, server):
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        return server

    def script(self, command, text):
        (self.root / "scripted" / command).write_text(text + "\n")

    def run_script(self, *arguments, wanted=0, **env):
        result = subprocess.run([str(a) for a in arguments], env=dict(self.env, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual(result.returncode, wanted, result.stdout)
        return result.stdout

    def called(self, command):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(f"{command} ")]

    def start_server(self, *flags):
        process = subprocess.Popen([BIN / "proof-server", "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--engine", "mock", *flags],
                                   stdout=subprocess.PIPE, stderr=self.stack.enter_context(open(self.root / "server.log", "w")), text=True)
        self.stack.callback(self.end, process)
        process.address = process.stdout.readline().split()[1]
        self.env["METRICS_URL"] = "http://" + process.stdout.readline().split()[1]
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    def ask_for_proof(self, server, updates):
        store = self.root / f"store-{updates}"
        subprocess.run([BIN / "light-client", "bootstrap", *TRUST, "--bootstrap", RECORDINGS / "bootstrap.ssz", "--store", store], check=True, stdout=subprocess.DEVNULL)
        client = subprocess.Popen([BIN / "light-client", "prove", "committee-change", "--allow-mock", "--server", server.address, "--store", store,
                                   "--updates", RECORDINGS / updates, "--out", self.root / f"{updates}.proof"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(self.end, client)
        return client

    def metric(self, name):
        import urllib.request
        text = urllib.request.urlopen(self.env["METRICS_URL"] + "/metrics", timeout=10).read().decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found[1]) if found else None


class Metadata(Host):
    def test_a_value_is_read_with_a_token(self):
        self.assertEqual(self.run_script("proof-host-imds", "instance-id"), "i-0123456789abcdef0\n")

    def test_a_value_that_is_not_there_is_told_from_a_service_that_is_not(self):
        self.run_script("proof-host-imds", "spot/instance-action", wanted=1)
        self.assertIn("is this an EC2 host", self.run_script("proof-host-imds", "instance-id", wanted=2, IMDS_URL="http://127.0.0.1:1"))


class Metrics(Host):
    def published(self):
        call, = self.called("aws")
        self.assertTrue(call.startswith("aws cloudwatch put-metric-data --namespace ProofServer --metric-data "), call)
        return {name: float(value) for name, value in re.findall(r"MetricName=(\w+),Unit=\w+,Value=([\d.]+),Dimensions=\[\{Name=AutoScalingGroupName,Value=pool\}\]", call)}

    def canned(self, text):
        self.env["METRICS_URL"] = "http://" + self.serve(Web({"/metrics": text})).authority

    def test_a_real_servers_load_is_published(self):
        server = self.start_server("--mock-delay", "20s")
        self.ask_for_proof(server, "update-first.ssz")
        self.ask_for_proof(server, "updates.ssz")
        wait_for("one job runs and one waits", lambda: self.metric('proof_server_queue_jobs{task="prove"}') == 1)
        self.run_script("proof-host-metrics")
        values = self.published()
        self.assertEqual((values["QueueJobsPerWorker"], values["BusyWorkersPercent"]), (1.0, 100.0))
        # A server from before this gauge has none, and says so.
        if self.metric('proof_server_queue_oldest_seconds{task="prove"}') is not None:
            self.assertGreater(values["QueueOldestSeconds"], 0)

    def test_an_idle_server_publishes_zeros(self):
        self.start_server("--workers", "2")
        self.run_script("proof-host-metrics")
        values = self.published()
        self.assertEqual((values["QueueJobsPerWorker"], values["BusyWorkersPercent"]), (0.0, 0.0))

    def test_the_numbers_are_those_of_proofs_a_worker(self):
        self.canned('# TYPE proof_server_queue_jobs gauge\nproof_server_queue_jobs{task="prove"} 6\nproof_server_queue_jobs{task="verify"} 50\n'
                    'proof_server_queue_oldest_seconds{task="prove"} 93.25\nproof_server_queue_oldest_seconds{task="verify"} 4000\n'
                    'proof_server_workers{task="prove",state="busy"} 3\nproof_server_workers{task="prove",state="idle"} 0\n'
                    'proof_server_workers{task="prove",state="starting"} 1\nproof_server_workers{task="prove",state="stopped"} 0\n'
                    'proof_server_workers{task="verify",state="busy"} 9\n')
        self.run_script("proof-host-metrics")
        self.assertEqual(self.published(), {"QueueJobsPerWorker": 1.5, "BusyWorkersPercent": 75.0, "QueueOldestSeconds": 93.25})

    def test_a_server_without_the_age_is_published_without_it(self):
        self.canned('proof_server_queue_jobs{task="prove"} 0\nproof_server_workers{task="prove",state="busy"} 0\nproof_server_workers{task="prove",state="idle"} 1\n')
        self.assertIn("no proof_server_queue_oldest_seconds", self.run_script("proof-host-metrics"))
        self.assertEqual(self.published(), {"QueueJobsPerWorker": 0.0, "BusyWorkersPercent": 0.0})

    def test_what_is_no_proof_server_is_not_published(self):
        self.canned("up 1\n")
        self.assertIn("is it a proof server's?", self.run_script("proof-host-metrics", wanted=1))
        self.canned('proof_server_queue_jobs{task="prove"} 0\n')
        self.assertIn("no proof_server_workers", self.run_script("proof-host-metrics", wanted=1))
        self.assertEqual(self.called("aws"), [])

    def test_a_host_that_is_not_in_service_publishes_nothing(self):
        self.start_server()
        for state in ("Warmed:Stopped", "Terminated"):
            self.metadata["/latest/meta-data/autoscaling/target-lifecycle-state"] = state
            self.assertIn(state, self.run_script("proof-host-metrics"))
        self.assertEqual(self.called("aws"), [])

    def test_a_refusal_of_cloudwatch_is_a_failure(self):
        self.start_server()
        self.script("aws", "echo AccessDenied >&2; exit 254")
        self.assertIn("may the host's role publish", self.run_script("proof-host-metrics", wanted=1))


class Launch(Host):
    def completed(self, hook, result):
        return f"aws autoscaling complete-lifecycle-action --auto-scaling-group-name pool --lifecycle-hook-name {hook} --instance-id i-0123456789abcdef0 --lifecycle-action-result {result}"

    def test_a_ready_server_puts_its_host_into_service(self):
        self.start_server()
        self.run_script("proof-host-lifecycle", "launch")
        self.assertEqual(self.called("aws"), [self.completed("ready", "CONTINUE")])

    def test_a_server_that_gets_ready_is_waited_for(self):
        ready = {}
        self.env["METRICS_URL"] = "http://" + self.serve(Web(ready)).authority
        process = subprocess.Popen([HERE / "proof-host-lifecycle", "launch"], env=self.env, stdout=subprocess.PIPE)
        self.stack.callback(self.end, process)
        time.sleep(0.5)
        self.assertEqual(self.called("aws"), [])
        ready["/readyz"] = "ok"
        self.assertEqual(process.wait(timeout=10), 0)
        self.assertEqual(self.called("aws"), [self.completed("ready", "CONTINUE")])

    def test_a_server_that_never_is_gives_its_host_up(self):
        self.env["METRICS_URL"] = "http://" + self.serve(Web({})).authority
        self.assertIn("not ready after 1 s", self.run_script("proof-host-lifecycle", "launch", wanted=1, BOOT_SECONDS="1"))
        self.assertEqual(self.called("aws"), [self.completed("ready", "ABANDON")])

    def test_that_nothing_waits_is_no_fault(self):
        self.start_server()
        self.script("aws", "echo 'An error occurred (ValidationError): No active Lifecycle Action found with instance ID' >&2; exit 254")
        self.assertIn("does not wait", self.run_script("proof-host-lifecycle", "launch"))
        self.assertEqual(len(self.called("aws")), 1)

    def test_a_refusal_is_tried_again_and_then_a_failure(self):
        self.start_server()
        self.script("aws", "echo Throttling >&2; exit 254")
        self.assertIn("attempt 3 of 3: Throttling", self.run_script("proof-host-lifecycle", "launch", wanted=1, ATTEMPTS="3"))

    def test_a_failed_installation_gives_the_host_up(self):
        self.run_script("proof-host-lifecycle", "abandon")
        self.assertEqual(self.called("aws"), [self.completed("ready", "ABANDON")])

    def test_an_unknown_command_is_answered_with_the_known_ones(self):
        self.assertIn("proof-host-lifecycle watch", self.run_script("proof-host-lifecycle", "drain", wanted=64))


class Drain(Host):
    def watch(self):
        process = subprocess.Popen([HERE / "proof-host-lifecycle", "watch"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.stack.callback(self.end, process)
        return process

    def server_with_a_running_proof(self):
        server = self.start_server("--mock-delay", "3s")
        client = self.ask_for_proof(server, "update-first.ssz")
        wait_for("a worker is busy", lambda: self.metric('proof_server_workers{state="busy",task="prove"}') == 1)
        # What systemd does: SIGTERM to the server alone, and then it waits.
        self.script("systemctl", f'[ "$*" = "stop proof-server.service" ] && kill -TERM {server.pid} && while kill -0 {server.pid} 2>/dev/null; do sleep 0.05; done; echo "stopped" >> "$CALLS"')
        threading.Thread(target=server.wait, daemon=True).start()  # else it stays a zombie, which kill -0 finds
        return server, client

    def test_a_host_that_the_pool_ends_delivers_its_proof_first(self):
        server, client = self.server_with_a_running_proof()
        watch = self.watch()
        time.sleep(0.5)
        self.assertEqual(self.called("systemctl"), [], "drained without a reason")
        self.metadata["/latest/meta-data/autoscaling/target-lifecycle-state"] = "Terminated"
        self.assertEqual(watch.wait(timeout=30), 0)
        self.assertEqual(client.wait(timeout=10), 0, "the client did not get its proof")
        self.assertEqual(server.wait(timeout=10), 0)
        lines = self.calls.read_text().splitlines()
        self.assertEqual(lines, ["systemctl stop proof-server.service", "stopped",
                                 "aws autoscaling complete-lifecycle-action --auto-scaling-group-name pool --lifecycle-hook-name drained --instance-id i-0123456789abcdef0 --lifecycle-action-result CONTINUE"])

    def test_a_host_that_the_spot_market_takes_drains_at_once_and_once(self):
        _, client = self.server_with_a_running_proof()
        watch = self.watch()
        self.metadata["/latest/meta-data/spot/instance-action"] = '{"action": "terminate", "time": "2030-01-01T00:00:00Z"}'
        self.assertEqual(client.wait(timeout=30), 0, "the client did not get its proof")
        wait_for("the server was stopped", lambda: "stopped" in self.calls.read_text())
        self.assertEqual(self.called("aws"), [], "the pool was told before it asked")
        self.metadata["/latest/meta-data/autoscaling/target-lifecycle-state"] = "Terminated"
        self.assertEqual(watch.wait(timeout=30), 0)
        self.assertEqual((len(self.called("systemctl")), len(self.called("aws"))), (1, 1))

    def test_a_metadata_service_that_is_away_drains_nothing(self):
        self.env["IMDS_URL"] = "http://127.0.0.1:1"
        watch = self.watch()
        time.sleep(1)
        self.assertIsNone(watch.poll())
        self.assertEqual(self.calls.read_text(), "")


class Certificates(Host):
    def pair(self, name, ended=False):
        key, cert = self.root / f"{name}.key", self.root / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
        if ended:
            # `req` makes none that has ended; `ca` does.
            request, index = self.root / f"{name}.csr", self.root / "index"
            index.touch()
            (self.root / "ca.cnf").write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\nnew_certs_dir={self.root}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
            subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request], check=True)
            subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", self.root / "ca.cnf", "-keyfile", key, "-in", request, "-notext",
                            "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", cert], check=True, stderr=subprocess.DEVNULL)
        return cert, key

    def secret(self, *parts):
        (self.root / "secret").write_text("".join(part.read_text() for part in parts))
        self.script("aws", f'cat {self.root}/secret')
        self.env["TLS_SECRET"] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tls"

    def test_a_secret_becomes_certificate_and_key(self):
        cert, key = self.pair("one")
        self.secret(cert, key)
        self.run_script("proof-host-tls")
        tls = self.root / "state/tls"
        self.assertEqual((tls / "server.pem").read_text(), cert.read_text())
        self.assertEqual((tls / "server.key").read_text(), key.read_text())
        self.assertEqual((tls / "server.key").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.called("aws"), ["aws secretsmanager get-secret-value --secret-id arn:aws:secretsmanager:eu-central-1:123456789012:secret:tls --query SecretString --output text"])

    def test_a_running_server_takes_the_renewed_one(self):
        self.secret(*self.pair("one"))
        self.run_script("proof-host-tls")
        tls = self.root / "state/tls"
        self.start_server("--tls-cert", tls / "server.pem", "--tls-key", tls / "server.key")
        self.secret(*self.pair("two"))
        self.run_script("proof-host-tls")
        wait_for("the server reads the new pair", lambda: self.metric('proof_server_tls_reloads_total{outcome="ok"}') >= 1)

    def test_what_does_not_fit_changes_nothing(self):
        (cert, key), (other, _) = self.pair("one"), self.pair("two")
        self.secret(cert, key)
        self.run_script("proof-host-tls")
        for parts, text in (((other, key), "the key is not the certificate's"), ((cert,), "has no private key"), ((key,), "has no certificate")):
            self.secret(*parts)
            self.assertIn(text, self.run_script("proof-host-tls", wanted=1))
        self.script("aws", "exit 254")
        self.assertIn("may the host's role read it", self.run_script("proof-host-tls", wanted=1))
        self.assertEqual((self.root / "state/tls/server.pem").read_text(), cert.read_text())

    def test_an_ended_certificate_is_refused(self):
        self.secret(*self.pair("old", ended=True))
        self.assertIn("the certificate has ended", self.run_script("proof-host-tls", wanted=1))

    def test_without_a_secret_a_host_signs_one_and_keeps_it(self):
        self.assertIn("certificate for", self.run_script("proof-host-tls", TLS_SECRET=""))
        first = (self.root / "state/tls/server.pem").read_text()
        self.assertEqual(self.run_script("proof-host-tls", TLS_SECRET=""), "")
        self.assertEqual((self.root / "state/tls/server.pem").read_text(), first)
        self.assertEqual(self.called("aws"), [])


class Install(Host):
    def setUp(self):
        super().setUp()
        cert, key = Certificates.pair(self, "web")
        self.release = (BIN / "proof-server").read_bytes()
        self.pages = {"/proof-server": self.release, "/sp1-gpu-server": b"#!/bin/sh\n"}
        self.web = self.serve(Web(self.pages, tls=(cert, key)))
        (self.root / "etc/circuits").write_text("")
        self.env.update(CURL_CA_BUNDLE=str(cert), RELEASE_SOURCE=f"https://{self.web.authority}/proof-server", RELEASE_SHA256=hashlib.sha256(self.release).hexdigest())

    def installed(self):
        return sorted(path.name for path in (self.root / "bin").iterdir())

    def test_a_release_is_installed_if_it_is_the_one(self):
        self.env.update(GPU_SERVER_SOURCE=f"https://{self.web.authority}/sp1-gpu-server", GPU_SERVER_SHA256=hashlib.sha256(b"#!/bin/sh\n").hexdigest())
        self.assertIn("proof-server", self.run_script("proof-host-install"))
        self.assertEqual(self.installed(), ["proof-server", "sp1-gpu-server"])
        self.assertEqual((self.root / "bin/proof-server").read_bytes(), self.release)
        # Again does no harm.
        self.run_script("proof-host-install")

    def test_a_release_with_another_hash_is_not_installed(self):
        self.pages["/proof-server"] = self.release[:-1] + b"\xff"
        self.assertIn("another file lies there", self.run_script("proof-host-install", wanted=1))
        self.assertEqual(self.installed(), [])

    def test_a_release_that_is_not_there_or_comes_in_the_clear_is_not_installed(self):
        self.assertIn("cannot fetch", self.run_script("proof-host-install", wanted=1, RELEASE_SOURCE=f"https://{self.web.authority}/other"))
        plain = self.serve(Web({"/proof-server": self.release}))
        self.assertIn("must begin with https://", self.run_script("proof-host-install", wanted=1, RELEASE_SOURCE=f"http://{plain.authority}/proof-server"))
        self.pages["/moved"] = f"-> http://{plain.authority}/proof-server"
        self.assertIn("cannot fetch", self.run_script("proof-host-install", wanted=1, RELEASE_SOURCE=f"https://{self.web.authority}/moved"))
        self.assertEqual(self.installed(), [])

    def test_a_release_in_s3_is_fetched_by_the_hosts_role(self):
        self.script("aws", f'cp {BIN}/proof-server "$5"')
        self.run_script("proof-host-install", RELEASE_SOURCE="s3://releases/proof-server")
        self.assertTrue(self.called("aws")[0].startswith("aws s3 cp --only-show-errors s3://releases/proof-server "))
        self.script("aws", "exit 1")
        self.assertIn("may the host's role read it", self.run_script("proof-host-install", wanted=1, RELEASE_SOURCE="s3://releases/proof-server"))

    def test_circuits_are_installed_with_their_hash(self):
        fake = b'#!/bin/sh\necho "$@" >> "$CALLS"\n'
        self.pages["/proof-server"] = fake
        self.env["RELEASE_SHA256"] = hashlib.sha256(fake).hexdigest()
        (self.root / "etc/circuits").write_text(f"groth16 {'3' * 64}\nplonk {'4' * 64} https://mirror.example.org/plonk.tar.gz\n")
        self.run_script("proof-host-install")
        calls = [line for line in self.calls.read_text().splitlines() if line.startswith("circuits")]
        folder = self.root / "state/circuits"
        self.assertEqual(calls, [f"circuits install --circuits {folder} --mode groth16 --sha256 {'3' * 64}",
                                 f"circuits install --circuits {folder} --mode plonk --sha256 {'4' * 64} --from https://mirror.example.org/plonk.tar.gz"])

    def test_a_circuit_with_another_hash_fails_the_installation(self):
        archive = self.root / "groth16.tar.gz"
        archive.write_bytes(b"something else")
        (self.root / "etc/circuits").write_text(f"groth16 {'3' * 64} {archive}\n")
        self.assertIn("the circuit for groth16 is not installed", self.run_script("proof-host-install", wanted=1))

    def test_an_image_is_pulled_by_digest_and_no_other_way(self):
        image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/proof-server@sha256:" + "5" * 64
        self.run_script("proof-host-install", IMAGE=image, SERVER_IDS="7600:7600")
        calls = self.called("docker")
        self.assertEqual(calls[:2], ["docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-central-1.amazonaws.com", f"docker pull --quiet {image}"])
        self.assertTrue(calls[2].endswith(f"{image} --version"))
        self.assertIn("must end in @sha256:", self.run_script("proof-host-install", wanted=1, IMAGE="example.org/proof-server:latest"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
