# Who reaches whom. Nothing is let in but what is named here; there is no port for SSH.

resource "aws_security_group" "balancer" {
  name        = "${var.name}-balancer"
  description = "Load balancer of the proof server pool ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-balancer" })
}

resource "aws_security_group" "host" {
  name        = "${var.name}-host"
  description = "Hosts of the proof server pool ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-host" })
}

resource "aws_security_group_rule" "balancer_from_cidrs" {
  count             = length(var.client_cidrs) > 0 ? 1 : 0
  description       = "Clients by address"
  security_group_id = aws_security_group.balancer.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = var.port
  to_port           = var.port
  cidr_blocks       = var.client_cidrs
}

resource "aws_security_group_rule" "balancer_from_groups" {
  count                    = length(var.client_security_group_ids)
  description              = "Clients by security group"
  security_group_id        = aws_security_group.balancer.id
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = var.port
  to_port                  = var.port
  source_security_group_id = var.client_security_group_ids[count.index]
}

resource "aws_security_group_rule" "balancer_to_hosts" {
  for_each                 = { clients = var.port, health = var.metrics_port }
  description              = "To the hosts: ${each.key}"
  security_group_id        = aws_security_group.balancer.id
  type                     = "egress"
  protocol                 = "tcp"
  from_port                = each.value
  to_port                  = each.value
  source_security_group_id = aws_security_group.host.id
}

resource "aws_security_group_rule" "host_from_balancer" {
  for_each                 = { clients = var.port, health = var.metrics_port }
  description              = "From the balancer: ${each.key}"
  security_group_id        = aws_security_group.host.id
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = each.value
  to_port                  = each.value
  source_security_group_id = aws_security_group.balancer.id
}

resource "aws_security_group_rule" "host_from_prometheus_cidrs" {
  count             = length(var.prometheus_cidrs) > 0 ? 1 : 0
  description       = "Prometheus by address"
  security_group_id = aws_security_group.host.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = var.metrics_port
  to_port           = var.metrics_port
  cidr_blocks       = var.prometheus_cidrs
}

resource "aws_security_group_rule" "host_from_prometheus_groups" {
  count                    = length(var.prometheus_security_group_ids)
  description              = "Prometheus by security group"
  security_group_id        = aws_security_group.host.id
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = var.metrics_port
  to_port                  = var.metrics_port
  source_security_group_id = var.prometheus_security_group_ids[count.index]
}

# Releases, circuits and AWS's services have no fixed addresses. Names, time and metadata are the VPC's own and pass anyway.
resource "aws_security_group_rule" "host_to_https" {
  description       = "Releases, circuits and AWS services"
  security_group_id = aws_security_group.host.id
  type              = "egress"
  protocol          = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group_rule" "host_to_secondary" {
  count                    = var.secondary == null ? 0 : 1
  description              = "Inclusion, to the secondary pool"
  security_group_id        = aws_security_group.host.id
  type                     = "egress"
  protocol                 = "tcp"
  from_port                = var.secondary.port
  to_port                  = var.secondary.port
  source_security_group_id = var.secondary.security_group_id
}
