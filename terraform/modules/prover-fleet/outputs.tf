output "address" {
  description = "Where clients connect: HOST:PORT of the balancer. With your own name in front of it, that name."
  value       = "${aws_lb.pool.dns_name}:${var.port}"
}

output "balancer_dns_name" {
  description = "The balancer's own name, for an alias record."
  value       = aws_lb.pool.dns_name
}

output "balancer_zone_id" {
  description = "The balancer's hosted zone, for an alias record."
  value       = aws_lb.pool.zone_id
}

output "balancer_security_group_id" {
  description = "Security group of the balancer: what a primary pool's `secondary` asks for."
  value       = aws_security_group.balancer.id
}

output "host_security_group_id" {
  description = "Security group of the hosts: what a secondary pool lets in."
  value       = aws_security_group.host.id
}

output "autoscaling_group_name" {
  description = "The auto-scaling group."
  value       = aws_autoscaling_group.pool.name
}

output "launch_template_id" {
  description = "The hosts' launch template."
  value       = aws_launch_template.host.id
}

output "host_role_name" {
  description = "The hosts' IAM role."
  value       = aws_iam_role.host.name
}

output "log_group_name" {
  description = "Where the hosts' logs are."
  value       = aws_cloudwatch_log_group.hosts.name
}

output "cloud_config" {
  description = "What cloud-init gets, readable: to look at, or to try on a machine of one's own. No secrets are in it."
  value       = local.cloud_config
}

output "prometheus_policy_json" {
  description = "IAM policy for Prometheus' role: finds the hosts."
  value       = data.aws_iam_policy_document.prometheus.json
}

output "prometheus_scrape_config" {
  description = "One entry for scrape_configs of Prometheus: finds this pool's hosts by tag."
  value       = local.prometheus_scrape_config
}

output "commands" {
  description = "What one asks next: the hosts and their state, a shell on one of them, the log, the scaling history."
  value = {
    hosts   = "aws autoscaling describe-auto-scaling-groups --region ${local.region} --auto-scaling-group-names ${var.name} --query 'AutoScalingGroups[0].Instances[].[InstanceId,LifecycleState,HealthStatus]' --output table"
    shell   = "aws ssm start-session --region ${local.region} --target INSTANCE_ID"
    log     = "aws logs tail --region ${local.region} --follow ${aws_cloudwatch_log_group.hosts.name}"
    history = "aws autoscaling describe-scaling-activities --region ${local.region} --auto-scaling-group-name ${var.name} --output table"
  }
}
