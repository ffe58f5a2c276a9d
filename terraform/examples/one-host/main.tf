# One host behind a balancer: the smallest thing that serves proofs, replaces itself when it breaks, and costs by the hour.
# docs/terraform.md goes through it step by step.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "proof-server" }
  }
}

module "network" {
  source = "../../modules/network"

  name  = var.name
  zones = var.zones
}

module "prover" {
  source = "../../modules/prover-fleet"

  name           = var.name
  engine         = var.engine
  release        = var.release
  gpu_server     = var.gpu_server
  circuits       = var.circuits
  instance_types = [var.instance_type]
  ami_id         = var.ami_id
  min_hosts      = 1
  # Two for as long as one is replaced by the other.
  max_hosts = 2

  tls = { mode = "passthrough", secret_arn = var.tls_secret_arn }

  vpc_id              = module.network.vpc_id
  host_subnet_ids     = module.network.private_subnet_ids
  balancer_subnet_ids = module.network.public_subnet_ids
  internal            = false
  client_cidrs        = var.client_cidrs
  # An example is there to be destroyed again.
  deletion_protection = false

  # A second host is not wanted for load, so what would ask for it is out of reach.
  queue_jobs_per_worker = 100
  busy_percent          = 95
  queue_age_seconds     = 21600

  monthly_budget = var.monthly_budget
}
