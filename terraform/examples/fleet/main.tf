# Two pools: primaries prove committee changes and pass inclusion on to secondaries, so that both proofs run at once.
# Primaries are on demand with a warm pool, since every client depends on them; secondaries are mostly spot hosts.
# docs/terraform.md says what it costs and how it is brought up.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "proof-server" }
  }
}

locals {
  primary_host   = "prover.${var.domain}"
  secondary_host = "inclusion.${var.domain}"
}

module "network" {
  source = "../../modules/network"

  name         = var.name
  zones        = var.zones
  nat_per_zone = true
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish to a topic under SNS's own key, and the messages hold no secrets: which alarm, which numbers
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  count     = length(var.alarm_emails)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_emails[count.index]
}

module "primary" {
  source = "../../modules/prover-fleet"

  name           = "${var.name}-primary"
  role           = "primary"
  engine         = var.engine
  release        = var.release
  gpu_server     = var.gpu_server
  circuits       = var.circuits
  instance_types = [var.instance_types[0]]
  ami_id         = var.ami_id
  min_hosts      = var.primary_hosts.min
  max_hosts      = var.primary_hosts.max
  warm_pool      = { min_size = 1 }

  tls = { mode = "terminate", certificate_arn = var.certificate_arn }
  secondary = {
    host              = local.secondary_host
    security_group_id = module.secondary.balancer_security_group_id
  }

  vpc_id                        = module.network.vpc_id
  host_subnet_ids               = module.network.private_subnet_ids
  balancer_subnet_ids           = module.network.public_subnet_ids
  internal                      = false
  client_cidrs                  = var.client_cidrs
  prometheus_security_group_ids = var.prometheus_security_group_ids
  deletion_protection           = var.deletion_protection

  alarm_topic_arns = [aws_sns_topic.alarms.arn]
  monthly_budget   = var.monthly_budget
}

module "secondary" {
  source = "../../modules/prover-fleet"

  name           = "${var.name}-secondary"
  role           = "secondary"
  engine         = var.engine
  release        = var.release
  gpu_server     = var.gpu_server
  circuits       = var.circuits
  instance_types = var.instance_types
  ami_id         = var.ami_id
  min_hosts      = var.secondary_hosts.min
  max_hosts      = var.secondary_hosts.max
  spot           = { on_demand_base = 1, on_demand_percentage = 0 }
  # A spot host has two minutes: longer drains are for those that the pool itself ends.
  drain_seconds = 600

  tls = { mode = "terminate", certificate_arn = var.certificate_arn }

  vpc_id              = module.network.vpc_id
  host_subnet_ids     = module.network.private_subnet_ids
  balancer_subnet_ids = module.network.private_subnet_ids
  internal            = true
  # Only primaries connect here.
  client_security_group_ids     = [module.primary.host_security_group_id]
  prometheus_security_group_ids = var.prometheus_security_group_ids
  deletion_protection           = var.deletion_protection

  alarm_topic_arns = [aws_sns_topic.alarms.arn]
  monthly_budget   = var.monthly_budget
}

# The names on the certificate. The secondary's resolves to private addresses.
resource "aws_route53_record" "pools" {
  #checkov:skip=CKV2_AWS_23:Each is an alias of a pool's balancer, a module's output that the check does not follow
  for_each = {
    (local.primary_host)   = module.primary
    (local.secondary_host) = module.secondary
  }
  zone_id = var.hosted_zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = each.value.balancer_dns_name
    zone_id                = each.value.balancer_zone_id
    evaluate_target_health = false
  }
}
