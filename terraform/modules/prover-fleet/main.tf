# A pool of hosts with proof servers behind a network load balancer. host.tf: what a host is; group.tf: how many there are;
# balancer.tf and security.tf: who reaches them; iam.tf: what they may; watch.tf and budget.tf: who is told.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_ssm_parameter" "ami" {
  count = var.ami_id == null ? 1 : 0
  name  = var.ami_parameter
}

locals {
  region    = data.aws_region.current.id
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  ami_id    = var.ami_id != null ? var.ami_id : nonsensitive(data.aws_ssm_parameter.ami[0].value)

  # The label by which budgets, Prometheus and people find what belongs to this pool.
  tags = merge(var.tags, { ProofServerPool = var.name })

  # CloudWatch's namespace for what hosts publish; their role may publish in no other.
  metric_namespace = "ProofServer"

  # Ids that the auto-scaling group and the hosts' scripts must both know.
  launch_hook = "ready"
  drain_hook  = "drained"

  # The server's own time to stop is its drain and half a minute to say goodbye; systemd kills it a minute after that
  # drain, and the group goes on another minute later, whether the host answered or not.
  systemd_stop_seconds = var.drain_seconds + 60
  drain_hook_seconds   = var.drain_seconds + 120
}
