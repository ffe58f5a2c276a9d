variable "name" {
  description = "Name of the network and the pool."
  type        = string
  default     = "one-prover"
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"
}

variable "zones" {
  description = "Availability zones of the region that have the instance type: aws ec2 describe-instance-type-offerings says which."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b"]
}

variable "engine" {
  description = "What proves: cuda, cpu, or mock, which proves nothing."
  type        = string
  default     = "cuda"
}

variable "instance_type" {
  description = "The host's type. For the engine cpu take one with at least 24 GiB, such as r7i.2xlarge."
  type        = string
  default     = "g6e.2xlarge"
}

variable "ami_id" {
  description = "The host's image. Null: AWS's newest deep-learning base image."
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

variable "tls_secret_arn" {
  description = "Secrets Manager secret with the server's PEM chain and then its PEM key."
  type        = string
}

variable "client_cidrs" {
  description = "Who may connect, such as [\"203.0.113.7/32\"]."
  type        = list(string)
}

variable "monthly_budget" {
  description = "US dollars a month, and who is told when they are spent. Null: nobody."
  type        = object({ usd = number, emails = list(string) })
  default     = null
}
