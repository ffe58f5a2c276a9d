"""A real Prometheus and a real Alertmanager with this project's configuration, shortened, and what they say."""

import json
import math
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

import board
from durations import shorten_rules, shorter
from fleet import read_json, serve

# A scrape and an evaluation a second: with an hour shortened to a minute, that is one a minute.
SCRAPE = "1s"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what, seconds, attempt):
    """Tries until `attempt` gives something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = attempt()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.25)
    raise RuntimeError(f"{what} did not come within {seconds} s")


class Watch:
    """The two processes, and a receiver of Alertmanager's webhooks."""

    def __init__(self, folder, hosts):
        self.folder, self.processes, self.told = folder, [], []
        self.http = serve(self.take)
        self.prometheus = f"http://127.0.0.1:{free_port()}"
        self.alertmanager = f"http://127.0.0.1:{free_port()}"
        self.write_targets(hosts)
        self.write_config()

    def open(self):
        """Starts both and waits for them."""
        folder, tools = self.folder, Path(shutil.which("promtool")).parent
        self.start("prometheus", str(tools / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={self.prometheus[7:]}")
        self.start("alertmanager", str(board.ROOT / "scripts" / "unpacked-alertmanager"), str(tools.parent.parent), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts", f"--web.listen-address={self.alertmanager[7:]}", "--cluster.listen-address=")
        for url in (self.prometheus, self.alertmanager):
            wait_for(url, 20, lambda: urlopen(f"{url}/-/ready", timeout=2).status == 200)

    def start(self, name, *command):
        log = (self.folder / f"{name}.log").open("w")
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def write_targets(self, hosts):
        """Names hosts instead of their ports, as a discovery would."""
        groups = [{"targets": [address], "labels": {"instance": name}} for name, address in hosts.items()]
        whole = self.folder / "targets.yml.new"
        whole.write_text(yaml.safe_dump(groups))
        whole.replace(self.folder / "targets.yml")

    def write_config(self):
        config = yaml.safe_load((board.RULES / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE}
        scrape = config["scrape_configs"][0]
        scrape["scrape_timeout"] = SCRAPE
        scrape["file_sd_configs"] = [{"files": [str(self.folder / "targets.yml")], "refresh_interval": "1s"}]
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [self.alertmanager[7:]]
        self.rules, config["rule_files"] = config["rule_files"], [str(self.folder / "*.rules.yml")]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        routes = (board.RULES / "alertmanager.yml").read_text()
        port = self.http.server_address[1]
        routes, receivers = re.subn(r"http://127\.0\.0\.1:9094/", f"http://127.0.0.1:{port}/", routes)
        if receivers != 2:
            raise RuntimeError(f"alertmanager.yml has {receivers} webhooks at port 9094, not two: the check cannot listen for them")
        routes = re.sub(r"(_wait|_interval): (\w+)", lambda match: f"{match.group(1)}: {shorter(match.group(2))}", routes)
        (self.folder / "alertmanager.yml").write_text(routes)

    def load_rules(self):
        for file in self.rules:
            rules = shorten_rules(yaml.safe_load((board.RULES / file).read_text()))
            (self.folder / f"{file}.rules.yml").write_text(yaml.safe_dump(rules))
        self.processes[0].send_signal(signal.SIGHUP)
        wait_for("the rules", 10, lambda: self.get(f"{self.prometheus}/api/v1/rules")["data"]["groups"])

    def take(self, path, body):
        """What Alertmanager sends to a receiver."""
        for alert in read_json(body).get("alerts", []):
            self.told.append((path.strip("/"), alert["labels"]))
        return "", "text/plain"

    def get(self, url, **parameters):
        with urlopen(f"{url}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)

    def at(self, expr, when):
        return self.get(f"{self.prometheus}/api/v1/query", query=expr, time=when)["data"]["result"]

    def between(self, expr, start, end, step):
        return self.get(f"{self.prometheus}/api/v1/query_range", query=expr, start=start, end=end, step=step)["data"]["result"]

    def alerts(self):
        """What has reached Alertmanager, also what another alert holds back."""
        return [alert["labels"] for alert in self.get(f"{self.alertmanager}/api/v2/alerts")]

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.http.shutdown()


def has_data(result):
    """Whether there is a number in it: a series of NaN draws nothing."""
    samples = (sample for series in result for sample in series.get("values", [series.get("value")]))
    return any(math.isfinite(float(value)) for _, value in samples)
