# Logs, and the two alarms that must not depend on anybody's Prometheus.

resource "aws_cloudwatch_log_group" "hosts" {
  name              = "/proof-server/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = local.tags
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name          = "${var.name}-queue-age"
  alarm_description   = "A job of ${var.name} has waited for longer than ${var.queue_age_seconds} s: hosts are added. If it stays, the pool is at max_hosts or its hosts do not prove."
  namespace           = local.metric_namespace
  metric_name         = "QueueOldestSeconds"
  dimensions          = { AutoScalingGroupName = aws_autoscaling_group.pool.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.queue_age_seconds
  period              = 60
  evaluation_periods  = 2
  # Hosts that drain publish nothing, and nothing waits on them.
  treat_missing_data = "notBreaching"
  alarm_actions      = concat([aws_autoscaling_policy.age.arn], var.alarm_topic_arns)
  ok_actions         = var.alarm_topic_arns
  tags               = local.tags
}

resource "aws_cloudwatch_metric_alarm" "no_hosts" {
  alarm_name          = "${var.name}-no-healthy-host"
  alarm_description   = "No host of ${var.name} is healthy: clients cannot connect. Look at the group's activity history and at the log group ${aws_cloudwatch_log_group.hosts.name}."
  namespace           = "AWS/NetworkELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.pool.arn_suffix, TargetGroup = aws_lb_target_group.hosts.arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}
