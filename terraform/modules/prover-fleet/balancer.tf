# TCP to the hosts. A network load balancer spreads connections by a hash and not by load: a host may be busy while
# another is free. Clients are told BUSY and try again; pools that must use every worker put HAProxy in between.

resource "aws_lb" "pool" {
  #checkov:skip=CKV_AWS_150:On unless deletion_protection says otherwise, as the example that is to be destroyed again does
  name               = var.name
  load_balancer_type = "network"
  internal           = var.internal
  subnets            = var.balancer_subnet_ids
  security_groups    = [aws_security_group.balancer.id]
  # Zones need not have hosts in proportion to their clients.
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
  tags                             = local.tags

  dynamic "access_logs" {
    for_each = var.access_log_bucket == null ? [] : [var.access_log_bucket]

    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "hosts" {
  # With a prefix, so that one that must be replaced can be while the other is still in use.
  name_prefix = "proof-"
  vpc_id      = var.vpc_id
  port        = var.port
  # To the hosts always encrypted: TLS from end to end, or anew by the balancer.
  protocol    = var.tls.mode == "terminate" ? "TLS" : "TCP"
  target_type = "instance"
  # The server takes turns by client and bounds connections by address, so it must see whose they are.
  preserve_client_ip = true
  # Connections of a host that leaves end by themselves: the server drains for so long. 3600 is the balancer's most.
  deregistration_delay = min(var.drain_seconds, 3600)
  tags                 = local.tags

  # Busy is no reason to be unready: a full queue answers BUSY, and /readyz stays 200.
  health_check {
    protocol            = "HTTP"
    port                = tostring(var.metrics_port)
    path                = "/readyz"
    interval            = 10
    healthy_threshold   = 3
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Idle time: the balancer's is 350 s for TCP and TLS, the server's is idle_timeout_seconds and shorter.
resource "aws_lb_listener" "clients" {
  load_balancer_arn = aws_lb.pool.arn
  port              = var.port
  protocol          = var.tls.mode == "terminate" ? "TLS" : "TCP"
  certificate_arn   = var.tls.mode == "terminate" ? var.tls.certificate_arn : null
  # TLS 1.2 and 1.3, as the server itself.
  ssl_policy = var.tls.mode == "terminate" ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.hosts.arn
  }
}
