variable "name" {
  description = "Name of the network; the pools add -primary and -secondary."
  type        = string
  default     = "provers"

  validation {
    condition     = length(var.name) <= 14
    error_message = "The name may have 14 characters: with -secondary it must fit a load balancer's."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"
}

variable "zones" {
  description = "Availability zones of the region that have the instance types."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

variable "domain" {
  description = "Your domain: clients connect to prover.DOMAIN, primaries to inclusion.DOMAIN."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "The domain must look like example.org."
  }
}

variable "hosted_zone_id" {
  description = "Route 53's zone of the domain."
  type        = string
}

variable "certificate_arn" {
  description = "ACM certificate for prover.DOMAIN and inclusion.DOMAIN, or *.DOMAIN, of a public CA: primaries check it."
  type        = string
}

variable "engine" {
  description = "What proves: cuda, cpu, or mock, which proves nothing."
  type        = string
  default     = "cuda"
}

variable "instance_types" {
  description = "Types of the hosts: primaries are of the first, secondaries of what the spot market has."
  type        = list(string)
  default     = ["g6e.2xlarge", "g6e.4xlarge", "g6.4xlarge"]
}

variable "ami_id" {
  description = "The hosts' image. Null: AWS's newest deep-learning base image."
  type        = string
  default     = null
}

variable "release" {
  description = "The proof-server binary: https:// or s3:// address, and SHA-256."
  type        = object({ source = string, sha256 = string })
}

variable "gpu_server" {
  description = "SP1's sp1-gpu-server: https:// or s3:// address, and SHA-256. Needed with the engine cuda."
  type        = object({ source = string, sha256 = string })
  default     = null
}

variable "circuits" {
  description = "SP1's circuits for SNARKs: mode and the archive's SHA-256. Empty: STARKs only."
  type        = list(object({ mode = string, sha256 = string, source = optional(string) }))
  default     = []
}

variable "primary_hosts" {
  description = "Fewest and most primaries."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
}

variable "secondary_hosts" {
  description = "Fewest and most secondaries."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
}

variable "client_cidrs" {
  description = "Who may connect to the primaries."
  type        = list(string)
}

variable "prometheus_security_group_ids" {
  description = "Security groups of your Prometheus, which must be in this network or a peer of it."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Who is told by mail of alarms; each must confirm once."
  type        = list(string)
  default     = []
}

variable "monthly_budget" {
  description = "US dollars a month for each pool, and who is told when they are spent. Null: nobody."
  type        = object({ usd = number, emails = list(string) })
  default     = null
}

variable "deletion_protection" {
  description = "Balancers cannot be deleted until this is false."
  type        = bool
  default     = true
}
