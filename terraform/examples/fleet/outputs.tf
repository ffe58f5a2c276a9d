output "address" {
  description = "Where clients connect: HOST:PORT."
  value       = "${local.primary_host}:7600"
}

output "primary" {
  description = "What one asks next about the primaries: hosts, shell, log, history."
  value       = module.primary.commands
}

output "secondary" {
  description = "What one asks next about the secondaries."
  value       = module.secondary.commands
}

output "autoscaling_groups" {
  description = "The two auto-scaling groups."
  value       = [module.primary.autoscaling_group_name, module.secondary.autoscaling_group_name]
}

output "prometheus_scrape_configs" {
  description = "For Prometheus: the entries of scrape_configs that find both pools."
  value       = join("", [module.primary.prometheus_scrape_config, module.secondary.prometheus_scrape_config])
}

output "prometheus_policy_json" {
  description = "IAM policy for Prometheus' role."
  value       = module.primary.prometheus_policy_json
}

output "cloud_configs" {
  description = "What the hosts' cloud-init gets."
  value       = { primary = module.primary.cloud_config, secondary = module.secondary.cloud_config }
}
