output "address" {
  description = "The server: HOST:PORT. The certificate must have the name by which clients call it."
  value       = module.prover.address
}

output "commands" {
  description = "What one asks next: hosts, shell, log, history."
  value       = module.prover.commands
}

output "cloud_config" {
  description = "What the host's cloud-init gets."
  value       = module.prover.cloud_config
}
