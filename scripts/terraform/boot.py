#!/usr/bin/env python3
"""Boots a host: systemd and cloud-init in a container (systemd-nspawn), with the user data as Terraform rendered it.

    boot.py CLOUD_CONFIG BIN [--engine ENGINE]

The container's root is this machine's, with all changes in memory. It has no network but its own loopback, where a metadata
service, a web server with the release and stand-ins for AWS's commands answer. There the host must install the release,
start the server in its sandbox, say that it is ready, make a proof through TLS, publish its load, and drain when told.
"""
import argparse
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
BOOT_SECONDS = 240

WEB = r'''
import http.server, pathlib, ssl, threading

class Metadata(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.reply(200, b"token")
    def do_GET(self):
        path = pathlib.Path("/check/metadata") / self.path.removeprefix("/latest/meta-data/")
        if self.headers["X-aws-ec2-metadata-token"] != "token":
            self.reply(401, b"")
        elif path.is_file():
            self.reply(200, path.read_bytes())
        else:
            self.reply(404, b"")
    def reply(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Release(Metadata):
    def do_GET(self):
        self.reply(200, pathlib.Path("/check/proof-server").read_bytes()) if self.path == "/proof-server" else self.reply(404, b"")

release = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Release)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/check/web.pem", "/check/web.key")
release.socket = context.wrap_socket(release.socket, server_side=True)
threading.Thread(target=release.serve_forever).start()
http.server.ThreadingHTTPServer(("169.254.169.254", 80), Metadata).serve_forever()
'''

# Who calls it may write nothing: the journal takes it.
AWS = r'''#!/bin/bash
logger --tag check-aws -- "$*"
[ "$1" != secretsmanager ] || cat /check/tls.pem
'''

# Runs in the container, after cloud-init. The last line that it writes is "passed", or there was a fault.
CHECK = r'''#!/bin/bash
exec > /check/report 2>&1
trap 'systemctl poweroff --force --no-block' EXIT
within() { local seconds=$1; shift; for ((i = 0; i < seconds * 5; i++)); do "$@" && return; sleep 0.2; done; echo "not within $seconds s: $*"; return 1; }
called() { journalctl --no-pager --output=cat --identifier=check-aws | grep -q -- "$1"; }
fault() {
    cat /var/log/cloud-init-output.log
    systemctl --no-pager --full status 'proof-*'
    journalctl --no-pager | tail -n 200
    echo "FAULT: $*"
    exit 1
}
cloud-init status --wait > /dev/null
cloud-init status | grep -q 'status: done' || fault "cloud-init: $(cloud-init status --long)"
within 30 systemctl --quiet is-active proof-server.service || fault "the server does not run"
within 60 called 'complete-lifecycle-action .* --lifecycle-hook-name ready .* CONTINUE' || fault "the host did not say that it is ready"
for unit in proof-host-tls.timer proof-host-metrics.timer proof-host-drain.service; do
    systemctl --quiet is-active "$unit" || fault "$unit does not run"
    systemctl --quiet is-enabled "$unit" || fault "$unit will not run after the next start"
done
[ "$(ps -o user= -p "$(systemctl show -P MainPID proof-server)")" = proof-server ] || fault "the server runs as another user"

# The sandbox, as the running service has it.
systemd-analyze security --threshold=30 proof-server.service > /check/security || fault "$(tail -n 1 /check/security)"
pid=$(systemctl show -P MainPID proof-server)
[ "$(grep -c '^CapEff:\s0*$\|^NoNewPrivs:\s1$\|^Seccomp:\s2$' "/proc/$pid/status")" -eq 3 ] || fault "$(cat "/proc/$pid/status")"
nsenter --mount --target "$pid" touch /usr/local/bin/written 2>/dev/null && fault "the server's file system can be written"
[ "$(stat -c '%U %a' /var/lib/proof-server/tls/server.key)" = "proof-server 600" ] || fault "$(ls -l /var/lib/proof-server/tls)"
journalctl --no-pager | grep 'Unknown key\|Failed to parse\|ignoring:' | grep proof- && fault "systemd does not know all of the units' settings"

R=/check/recordings
/check/light-client bootstrap --network $R/config.yaml --genesis-validators-root 0xded5158233feb9d276562af27c2452392c04e3a7f203d3ed843046e2ddc75a0c \
    --checkpoint 0x7d504df54edb701113cd0d2af9ff45596390d63e3b2634c4d486329ed7400c7a --bootstrap $R/bootstrap.ssz --store /check/store > /dev/null || fault "no store"
began=$SECONDS
/check/light-client prove committee-change --allow-mock --server 127.0.0.1:7600 --tls-ca /check/tls-cert.pem --store /check/store --updates $R/update-first.ssz --out /check/proof || fault "no proof"
echo "a proof through TLS in $((SECONDS - began)) s, $(stat -c %s /check/proof) bytes"
within 10 grep -q '"answered"' /var/log/proof-server.log || fault "no line about it in the log file: $(tail -n 3 /var/log/proof-server.log)"
python3 -c 'import json, sys; [json.loads(line) for line in open("/var/log/proof-server.log")]' || fault "the log file is not JSON lines"

systemctl start proof-host-metrics.service || fault "no metrics"
within 10 called 'put-metric-data --namespace ProofServer .*QueueJobsPerWorker.*Value=one-prover' || fault "not published"
echo Terminated > /check/metadata/autoscaling/target-lifecycle-state
within 30 called 'complete-lifecycle-action .* --lifecycle-hook-name drained .* CONTINUE' || fault "the host did not say that it is drained"
systemctl --quiet is-active proof-server.service && fault "the server still runs"
[ "$(systemctl show -P Result proof-server.service)" = success ] || fault "the server did not end well: $(systemctl show -P Result proof-server.service)"
journalctl --no-pager --output=cat --identifier=check-aws | sed 's/ --metric-data.*/ .../; s/^/aws /'
echo passed
'''

UNITS = {
    "check-web.service": "[Unit]\nDefaultDependencies=no\nBefore=cloud-init-local.service\nAfter=systemd-remount-fs.service\n[Service]\nExecStartPre=/sbin/ip link set lo up\nExecStartPre=/sbin/ip address add 169.254.169.254/32 dev lo\n"
                         "ExecStart=/usr/bin/python3 /check/web.py\n",
    "check.service": "[Unit]\nAfter=cloud-final.service\n[Service]\nType=simple\nExecStart=/bin/bash /check/check\n",
    # Only what a host needs: not the services of the machine whose file system this is.
    "check.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=check-web.service dbus.service rsyslog.service cloud-init-local.service "
                    "cloud-init.service cloud-config.service cloud-final.service check.service\n",
}


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def certificate(folder, name, subject):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={subject}", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, stderr=subprocess.DEVNULL)


def prepare(root, cloud_config, binaries):
    check = root / "check"
    (check / "metadata/autoscaling").mkdir(parents=True)
    (check / "metadata/autoscaling/target-lifecycle-state").write_text("InService")
    (check / "metadata/instance-id").write_text("i-0123456789abcdef0")
    certificate(check, "web", "DNS:releases.example.org")
    certificate(check, "host", "IP:127.0.0.1")
    shutil.copy(check / "host.pem", check / "tls-cert.pem")
    (check / "tls.pem").write_text((check / "host.pem").read_text() + (check / "host.key").read_text())
    (check / "tls.pem").chmod(0o644)
    for binary in ("proof-server", "light-client"):
        shutil.copy(binaries / binary, check / binary)
    shutil.copytree(REPO / "bench/recordings/simulated", check / "recordings")
    write(check / "web.py", WEB)
    write(check / "check", CHECK)
    with open(root / "etc/ssl/certs/ca-certificates.crt", "a") as authorities:
        authorities.write((check / "web.pem").read_text())
    write(root / "etc/hosts", "127.0.0.1 localhost releases.example.org\n")
    write(root / "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(root / "usr/local/bin/aws", AWS, 0o755)
    write(root / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl",
          '#!/bin/bash\npython3 -m json.tool "${@: -1}" > /dev/null 2>&1 || python3 -m json.tool "$(sed s/^file:// <<< "${@: -1}")" > /dev/null\n', 0o755)
    for name, text in UNITS.items():
        write(root / "etc/systemd/system" / name, text)
    shutil.rmtree(root / "var/lib/cloud", ignore_errors=True)
    write(root / "var/lib/cloud/seed/nocloud/user-data", cloud_config)
    write(root / "var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-0123456789abcdef0\n")
    write(root / "etc/cloud/cloud.cfg.d/99-check.cfg", "datasource_list: [NoCloud]\nnetwork: {config: disabled}\nlocale: false\n")


def boot(root, console):
    """systemd says nothing without a terminal, and some of its units wait for one."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(["systemd-nspawn", "--directory", root, "--boot", "--register=no", "--keep-unit", "--private-network", "--machine=prover",
                                "systemd.unit=check.target"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)

    def copy():
        with open(console, "wb") as out:
            try:
                while chunk := os.read(ours, 65536):
                    out.write(chunk)
            except OSError:
                pass  # the terminal's other side is closed

    reader = threading.Thread(target=copy)
    reader.start()
    try:
        process.wait(timeout=BOOT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        reader.join(timeout=10)
        os.close(ours)


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("cloud_config", type=pathlib.Path)
    arguments.add_argument("bin", type=pathlib.Path)
    arguments.add_argument("--engine", default="mock")
    arguments = arguments.parse_args()
    text = arguments.cloud_config.read_text()
    if 'engine = \\"mock\\"' not in text:
        sys.exit(f"{arguments.cloud_config} is not of a host with the mock engine, so nothing could be started here")
    text = text.replace('engine = \\"mock\\"', f'engine = \\"{arguments.engine}\\"')
    with tempfile.TemporaryDirectory() as scratch:
        memory, root = pathlib.Path(scratch) / "memory", pathlib.Path(scratch) / "root"
        memory.mkdir()
        root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
        try:
            (memory / "upper").mkdir()
            (memory / "work").mkdir()
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work", root], check=True)
            try:
                prepare(root, text, arguments.bin)
                began = time.monotonic()
                boot(root, memory / "console")
                report = root / "check/report"
                said = report.read_text() if report.exists() else ""
                if not said.endswith("passed\n"):
                    console = (memory / "console").read_text(errors="replace")
                    sys.exit(f"{console[-6000:]}\n{said}\nthe host did not do as it should: see above")
                print(said, end="")
                print(f"booted, proved, drained and off in {time.monotonic() - began:.0f} s")
            finally:
                subprocess.run(["umount", root], check=True)
        finally:
            subprocess.run(["umount", memory], check=True)


if __name__ == "__main__":
    main()
