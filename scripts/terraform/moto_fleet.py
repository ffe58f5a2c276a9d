#!/usr/bin/env python3
"""Applies both examples to moto, a server that answers as AWS does, looks at what came to be, and destroys it.

    moto_fleet.py TERRAFORM [PROOF_SERVER]

TERRAFORM is a copy of terraform/ for the provider at hand, beside a copy of deploy/ (scripts/check-terraform makes both).
With PROOF_SERVER, the configuration that hosts would get is put to the real server.
"""
import base64
import gzip
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import yaml

ACCOUNT, REGION = "123456789012", "us-east-1"
AMI = "ami-0123456789abcdef0"
SERVICES = "acm autoscaling budgets cloudwatch cloudwatchlogs ec2 elb iam route53 s3 secretsmanager sns ssm sts".split()
# Every action that a host may take, by example.
HOST_ACTIONS = {
    "autoscaling:CompleteLifecycleAction", "cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:DescribeLogStreams",
    "logs:PutLogEvents", "s3:GetObject", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
}


def expect(truth, text):
    if not truth:
        sys.exit(f"on moto: {text}")


class Aws:
    """moto, and clients for it."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        amis = folder / "amis.json"
        amis.write_text(json.dumps([{
            "ami_id": AMI, "name": "host", "description": "host", "owner_id": ACCOUNT, "public": True, "platform": None,
            "virtualization_type": "hvm", "architecture": "x86_64", "state": "available", "image_type": "machine",
            "hypervisor": "xen", "root_device_name": "/dev/sda1", "root_device_type": "ebs", "sriov": "simple",
            "creation_date": "2024-01-01T00:00:00.000Z",
        }]))
        program = pathlib.Path(__file__).with_name("moto_server.py")
        self.log = open(folder / "moto.log", "w")
        self.process = subprocess.Popen([sys.executable, program, str(port)], env=dict(os.environ, MOTO_AMIS_PATH=str(amis)),
                                        stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            expect(self.process.poll() is None and time.monotonic() < deadline, "the server does not start")
            time.sleep(0.2)

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


class Example:
    """One of terraform/examples, its provider pointed at moto."""

    def __init__(self, folder, aws, variables):
        self.folder = folder
        endpoints = "\n".join(f'    {service} = "{aws.url}"' for service in SERVICES)
        (folder / "moto_override.tf").write_text(f"""provider "aws" {{
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {{
{endpoints}
  }}
}}
""")
        (folder / "terraform.tfvars.json").write_text(json.dumps(variables))

    def terraform(self, *arguments, accept=(0,)):
        result = subprocess.run(["terraform", arguments[0], "-no-color", *arguments[1:]], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=240, stdin=subprocess.DEVNULL)
        expect(result.returncode in accept, f"{self.folder.name}: terraform {' '.join(arguments)} ends with {result.returncode}:\n{result.stdout[-4000:]}")
        return result

    def changes(self, *arguments):
        """Whether a plan wants to change anything."""
        return self.terraform("plan", "-detailed-exitcode", "-input=false", *arguments, accept=(0, 2))

    def apply(self):
        self.terraform("init", "-input=false")
        self.terraform("plan", "-input=false", "-out=plan")
        self.terraform("apply", "plan")
        again = self.changes()
        expect(again.returncode == 0, f"{self.folder.name}: a second plan is not empty:\n{again.stdout[-4000:]}")
        return {name: output["value"] for name, output in json.loads(self.terraform("output", "-json").stdout).items()}


def check_host(aws, pool, cloud_config, server):
    """The user data is the configuration that the output shows; cloud-init and the real server take it."""
    ec2 = aws.client("ec2")
    template = ec2.describe_launch_template_versions(LaunchTemplateName=pool, Versions=["$Latest"])["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    raw = base64.b64decode(template["UserData"])
    expect(len(raw) <= 16384, f"{pool}: user data has {len(raw)} bytes, EC2 takes 16384")
    text = gzip.decompress(raw).decode()
    expect(text == cloud_config, f"{pool}: the user data is not the output's configuration")
    expect("KeyName" not in template, f"{pool}: hosts have a key for SSH")
    expect(template["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], f"{pool}: the disk is not encrypted")
    check_cloud_config(pool, text)
    files = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    if server:
        check_server_takes(pool, files, server)
    print(f"{pool}: user data of {len(raw)} bytes, {len(files)} files")


def check_cloud_config(pool, text):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "cloud-config.yaml"
        path.write_text(text)
        result = subprocess.run(["cloud-init", "schema", "--config-file", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        expect(result.returncode == 0, f"{pool}: cloud-init does not take its configuration:\n{result.stdout}")
        script = pathlib.Path(scratch) / "runcmd"
        script.write_text("#!/usr/bin/env bash\n" + yaml.safe_load(text)["runcmd"][0][2])
        subprocess.run(["shellcheck", "--exclude=SC1091", str(script)], check=True)


def check_server_takes(pool, files, server):
    """Starts the real server with the host's config.toml: other folders and ports, and the mock engine. A setting that it
    does not know, or that does not go with another, ends it at once."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "tls").mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", folder / "tls/server.key", "-out", folder / "tls/server.pem"], check=True, stderr=subprocess.DEVNULL)
        config = files["/etc/proof-server/config.toml"]
        if pool.startswith("provers"):
            expect('engine = "cuda"' in config and 'gpu-server = "/usr/local/bin/sp1-gpu-server"' in config, f"{pool}: the engine is another one")
        known = [line for line in config.splitlines() if line.split(" = ")[0] not in ("engine", "devices", "gpu-server")]
        text = "\n".join(known + ['engine = "mock"']).replace("/var/lib/proof-server", scratch).replace("0.0.0.0:7600", "127.0.0.1:0").replace("0.0.0.0:9600", "127.0.0.1:0")
        path = folder / "config.toml"

        def start(text):
            path.write_text(text + "\n")
            return subprocess.Popen([server, "serve", "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        process = start(text)
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=60)[1]
        expect(line.startswith("listening "), f"{pool}: the server does not take its configuration:\n{log}")
        # That it would have said so.
        wrong = start(text.replace("idle-timeout", "idle-timeoutt"))
        log = wrong.communicate(timeout=60)[1]
        expect(wrong.returncode == 64, f"{pool}: the server took an unknown setting, so this test shows nothing")


def open_ports(aws, group):
    """What a security group lets in: (port, from whom)."""
    seen = set()
    for rule in aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]:
        expect(rule["IpProtocol"] == "tcp" and rule["FromPort"] == rule["ToPort"], f"{group} lets in {rule}")
        seen |= {(rule["FromPort"], entry["CidrIp"]) for entry in rule["IpRanges"]} | {(rule["FromPort"], entry["GroupId"]) for entry in rule["UserIdGroupPairs"]}
    return seen


def group_id(aws, name):
    return aws.client("ec2").describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"][0]["GroupId"]


def check_security(aws):
    groups = {name: group_id(aws, f"provers-{name}") for name in ("primary-balancer", "primary-host", "secondary-balancer", "secondary-host")}
    wanted = {
        "primary-balancer": {(7600, "203.0.113.0/24")},
        "primary-host": {(7600, groups["primary-balancer"]), (9600, groups["primary-balancer"])},
        "secondary-balancer": {(7600, groups["primary-host"])},
        "secondary-host": {(7600, groups["secondary-balancer"]), (9600, groups["secondary-balancer"])},
    }

    def faults():
        return [name for name, ports in wanted.items() if open_ports(aws, groups[name]) != ports]

    expect(not faults(), f"security groups let in others than named: {faults()}")
    # A port opened by hand is seen, by this check and by a plan.
    ssh = dict(GroupId=groups["primary-host"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    aws.client("ec2").authorize_security_group_ingress(**ssh)
    expect(faults() == ["primary-host"], "an open port 22 is not seen")
    aws.client("ec2").revoke_security_group_ingress(**ssh)


def check_rights(aws, pool):
    iam = aws.client("iam")
    expect(iam.list_role_policies(RoleName=f"{pool}-host")["PolicyNames"] == ["host"], f"{pool}: hosts have other policies")
    expect(not iam.list_attached_role_policies(RoleName=f"{pool}-host")["AttachedPolicies"], f"{pool}: hosts have attached policies")
    document = iam.get_role_policy(RoleName=f"{pool}-host", PolicyName="host")["PolicyDocument"]
    actions = set()
    for statement in document["Statement"]:
        actions |= set([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if statement["Resource"] == "*":
            expect(statement["Sid"] in ("SessionManager", "Metrics"), f"{pool}: {statement['Sid']} is for all resources")
    expect(actions == HOST_ACTIONS, f"{pool}: hosts may {sorted(actions ^ HOST_ACTIONS)} against what is written here")


def check_group(aws, pool, topic):
    scaling, alarms = aws.client("autoscaling"), aws.client("cloudwatch")
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[pool])["AutoScalingGroups"][0]
    expect(len(group["AvailabilityZones"]) == 3 and group["HealthCheckType"] == "ELB", f"{pool}: zones or health are others")
    tags = {tag["Key"]: (tag["Value"], tag["PropagateAtLaunch"]) for tag in group["Tags"]}
    expect(tags.get("PrometheusScrape") == ("proof-server", True) and tags.get("ProofServerPool") == (pool, True), f"{pool}: Prometheus finds no host by {tags}")
    hooks = {hook["LifecycleHookName"]: hook for hook in scaling.describe_lifecycle_hooks(AutoScalingGroupName=pool)["LifecycleHooks"]}
    expect(set(hooks) == {"ready", "drained"} and hooks["ready"]["DefaultResult"] == "ABANDON", f"{pool}: hooks are {hooks}")
    policies = {policy["PolicyName"]: policy for policy in scaling.describe_policies(AutoScalingGroupName=pool)["ScalingPolicies"]}
    expect(set(policies) == {f"{pool}-queue-per-worker", f"{pool}-busy-workers", f"{pool}-queue-age"}, f"{pool}: policies are {set(policies)}")
    alarm = alarms.describe_alarms(AlarmNames=[f"{pool}-queue-age"])["MetricAlarms"][0]
    expect(set(alarm["AlarmActions"]) == {policies[f"{pool}-queue-age"]["PolicyARN"], topic}, f"{pool}: the queue's age tells {alarm['AlarmActions']}")
    return group


def check_scale_up(aws, example, pool):
    """A job that has waited for too long adds a host, one that has waited for far too long two; Terraform leaves them."""
    scaling = aws.client("autoscaling")

    def size():
        group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[pool])["AutoScalingGroups"][0]
        return len(group["Instances"])

    before = size()
    for age, wanted in ((310, before + 1), (1000, before + 3)):
        # What the alarm does; Terraform gave it this policy (check_group).
        scaling.execute_policy(AutoScalingGroupName=pool, PolicyName=f"{pool}-queue-age", MetricValue=age, BreachThreshold=300)
        expect(size() == wanted, f"{pool}: has {size()} hosts with a job of {age} s, wanted {wanted}")
    targets = aws.client("elbv2")
    group = [g for g in targets.describe_target_groups()["TargetGroups"] if g["Port"] == 7600 and g["LoadBalancerArns"] and pool in g["LoadBalancerArns"][0]][0]
    registered = targets.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    expect(len(registered) == size(), f"{pool}: {len(registered)} hosts of {size()} are behind the balancer")
    expect(group["HealthCheckPath"] == "/readyz" and group["HealthCheckPort"] == "9600", f"{pool}: health is asked for elsewhere")
    expect(example.changes().returncode == 0, f"{pool}: a plan would undo what scaling did")
    print(f"{pool}: grew from {before} to {size()} hosts, all behind the balancer")


def check_drift_is_seen(aws, example, pool):
    """Without this an empty second plan could mean that plans see nothing."""
    aws.client("autoscaling").delete_lifecycle_hook(AutoScalingGroupName=pool, LifecycleHookName="drained")
    expect(example.changes().returncode == 2, "a plan does not see that the drain hook is gone")
    example.terraform("apply", "-auto-approve", "-input=false")


def check_new_release(example):
    """Another release is another launch template, and the group goes to it: that is what refreshes instances."""
    plan = example.changes('-var=release={"source":"https://releases.example.org/proof-server","sha256":"' + "9" * 64 + '"}')
    expect(plan.returncode == 2 and "3 to change" not in plan.stdout, f"a new release changes\n{plan.stdout[-3000:]}")
    for change in ("module.primary.aws_launch_template.host will be updated in-place", "module.primary.aws_autoscaling_group.pool will be updated in-place"):
        expect(change in plan.stdout, f"a new release does not lead to: {change}")


def check_gone(aws):
    ec2 = aws.client("ec2")
    left = {
        "groups": aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "balancers": aws.client("elbv2").describe_load_balancers()["LoadBalancers"],
        "launch templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "networks": [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]],
        "addresses": ec2.describe_addresses()["Addresses"],
        "NAT gateways": [nat for nat in ec2.describe_nat_gateways()["NatGateways"] if nat["State"] != "deleted"],
        "hosts": [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"],
        "roles": [role for role in aws.client("iam").list_roles()["Roles"] if "prover" in role["RoleName"]],
        "logs": aws.client("logs").describe_log_groups()["logGroups"],
        "alarms": aws.client("cloudwatch").describe_alarms()["MetricAlarms"],
    }
    expect(not any(left.values()), f"after destroy there are still {[name for name, things in left.items() if things]}")


def certificate(aws, folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=*.example.org",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
    return aws.client("acm").import_certificate(Certificate=(folder / "cert.pem").read_bytes(), PrivateKey=(folder / "key.pem").read_bytes())["CertificateArn"]


def rehearsal(server):
    """A host with the mock engine, and the release at hand."""
    sha256 = hashlib.sha256(pathlib.Path(server).read_bytes()).hexdigest() if server else "1" * 64
    return {"engine": "mock", "gpu_server": None, "circuits": [], "release": {"source": "https://releases.example.org/proof-server", "sha256": sha256}}


def main():
    terraform = pathlib.Path(sys.argv[1]).resolve()
    server = sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        aws = Aws(folder)
        try:
            release = {
                "ami_id": AMI,
                "release": {"source": "https://releases.example.org/proof-server", "sha256": "1" * 64},
                "gpu_server": {"source": "s3://releases/sp1-gpu-server", "sha256": "2" * 64},
                "circuits": [{"mode": "groth16", "sha256": "3" * 64}],
                "client_cidrs": ["203.0.113.0/24"],
                # No budget: moto cannot say who is told of one. `terraform test` plans it.
            }
            zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="check")["HostedZone"]["Id"].split("/")[-1]
            fleet = Example(terraform / "examples/fleet", aws, dict(
                release, domain="example.org", hosted_zone_id=zone, certificate_arn=certificate(aws, folder),
                deletion_protection=False, alarm_emails=["ops@example.org"]))
            secret = aws.client("secretsmanager").create_secret(Name="proof-server", SecretString="see deploy/host/tests.py")["ARN"]
            # The one host is the one that boot.py starts: here, where no GPU is.
            one = Example(terraform / "examples/one-host", aws, dict(release, **rehearsal(server), tls_secret_arn=secret))
            # Each waits a minute for its balancers.
            with ThreadPoolExecutor() as both:
                outputs, one_outputs = both.map(Example.apply, [fleet, one])
            check_host(aws, "provers-primary", outputs["cloud_configs"]["primary"], server)
            check_host(aws, "provers-secondary", outputs["cloud_configs"]["secondary"], server)
            check_host(aws, "one-prover", one_outputs["cloud_config"], server)
            (terraform / "one-host.yaml").write_text(one_outputs["cloud_config"])
            check_security(aws)
            topic = aws.client("sns").list_topics()["Topics"][0]["TopicArn"]
            for pool in outputs["autoscaling_groups"]:
                check_rights(aws, pool)
                check_group(aws, pool, topic)
            check_scale_up(aws, fleet, "provers-primary")
            check_drift_is_seen(aws, fleet, "provers-primary")
            check_new_release(fleet)
            (terraform / "prometheus-scrape-configs.yml").write_text(outputs["prometheus_scrape_configs"])
            with ThreadPoolExecutor() as both:
                list(both.map(lambda example: example.terraform("destroy", "-auto-approve", "-input=false"), [fleet, one]))
            check_gone(aws)
            print("on moto: both examples applied, second plans empty, grown, destroyed, nothing left")
        finally:
            aws.stop()


main()
