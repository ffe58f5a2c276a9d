# In four parts: what is proven and by what, where it runs, how many hosts there are, who watches.

# ---- What is proven, by what, and from where it is installed

variable "name" {
  description = "Name of this pool, unique in the account and region; every resource has it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 24 lower-case letters, digits and hyphens and begin with a letter: a load balancer's may have 32."
  }
}

variable "tags" {
  description = "Tags for every resource, besides those of the provider's default_tags."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.tags), ["Name", "ProofServerPool", "PrometheusScrape", "PrometheusPort"])) == 0
    error_message = "The tags Name, ProofServerPool, PrometheusScrape and PrometheusPort are the module's own: choose other names."
  }
}

variable "engine" {
  description = "What proves: cuda (one worker a GPU), cpu, or mock, which proves nothing and is for rehearsals."
  type        = string
  default     = "cuda"

  validation {
    condition     = contains(["cuda", "cpu", "mock"], var.engine)
    error_message = "The engine must be cuda, cpu or mock."
  }
}

variable "devices" {
  description = "With the engine cuda: which GPUs prove, all or a list such as 0,1."
  type        = string
  default     = "all"

  validation {
    condition     = can(regex("^(all|[0-9]+(,[0-9]+)*)$", var.devices))
    error_message = "The devices must be all, or numbers with commas between them: 0,1."
  }
}

variable "workers" {
  description = "With the engines cpu and mock: proofs that a host makes at once. With cuda it is one a GPU."
  type        = number
  default     = 1

  validation {
    condition     = var.workers >= 1 && var.workers <= 64 && floor(var.workers) == var.workers
    error_message = "The workers must be a whole number from 1 to 64."
  }
}

variable "release" {
  description = "The proof-server binary: where it is (https:// or s3://bucket/key) and its SHA-256. Either this or image."
  type        = object({ source = string, sha256 = string })
  default     = null

  validation {
    condition     = var.release == null || can(regex("^(https://[^/\\s'\\\\]+|s3://[a-z0-9.-]+)/[^\\s'\\\\]+$", var.release.source))
    error_message = "The release's source must be an https:// address or s3://bucket/key, without spaces, quotes or backslashes: nothing else is fetched safely."
  }

  validation {
    condition     = var.release == null || can(regex("^[0-9a-f]{64}$", var.release.sha256))
    error_message = "The release's sha256 must be 64 lower-case hexadecimal digits, as sha256sum prints them."
  }

  validation {
    condition     = (var.release == null) != (var.image == null)
    error_message = "Give either a release or an image: one of them is what the hosts install."
  }
}

variable "image" {
  description = "The proof-server image by digest: repository@sha256:... Hosts run it with Docker. Either this or release."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image must end in @sha256: and 64 hexadecimal digits: a tag can be moved to another image."
  }
}

variable "image_repository_arn" {
  description = "If the image is in ECR: the repository's ARN, which the hosts may then read."
  type        = string
  default     = null

  validation {
    condition     = var.image_repository_arn == null || can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/", var.image_repository_arn))
    error_message = "The image_repository_arn must be an ECR repository's ARN: arn:aws:ecr:REGION:ACCOUNT:repository/NAME."
  }
}

variable "gpu_server" {
  description = "SP1's sp1-gpu-server: where it is and its SHA-256. Needed with the engine cuda, with an image too: it gets the host's."
  type        = object({ source = string, sha256 = string })
  default     = null

  validation {
    condition     = var.gpu_server == null || can(regex("^(https://[^/\\s'\\\\]+|s3://[a-z0-9.-]+)/[^\\s'\\\\]+$", var.gpu_server.source))
    error_message = "The gpu_server's source must be an https:// address or s3://bucket/key, without spaces, quotes or backslashes: nothing else is fetched safely."
  }

  validation {
    condition     = var.gpu_server == null || can(regex("^[0-9a-f]{64}$", var.gpu_server.sha256))
    error_message = "The gpu_server's sha256 must be 64 lower-case hexadecimal digits, as sha256sum prints them."
  }

  validation {
    condition     = var.engine != "cuda" || var.gpu_server != null
    error_message = "The engine cuda needs SP1's GPU server beside the release or image: give gpu_server."
  }
}

variable "circuits" {
  description = "SP1's circuits to install for SNARKs: mode, the archive's SHA-256, and an https:// address if not SP1's own."
  type = list(object({
    mode   = string
    sha256 = string
    source = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for circuit in var.circuits : contains(["groth16", "plonk"], circuit.mode)])
    error_message = "A circuit's mode must be groth16 or plonk."
  }

  validation {
    condition     = alltrue([for circuit in var.circuits : can(regex("^[0-9a-f]{64}$", circuit.sha256))])
    error_message = "A circuit's sha256 must be 64 lower-case hexadecimal digits: that of the archive."
  }

  validation {
    condition     = alltrue([for circuit in var.circuits : circuit.source == null || can(regex("^https://[^/\\s'\\\\]+/[^\\s'\\\\]+$", circuit.source))])
    error_message = "A circuit's source must be an https:// address."
  }

  validation {
    condition     = length(distinct(var.circuits[*].mode)) == length(var.circuits)
    error_message = "Give at most one circuit a mode."
  }
}

variable "role" {
  description = "standalone: both programs; primary: committee changes, with inclusion passed on to a secondary pool; secondary: inclusion."
  type        = string
  default     = "standalone"

  validation {
    condition     = contains(["standalone", "primary", "secondary"], var.role)
    error_message = "The role must be standalone, primary or secondary."
  }
}

variable "secondary" {
  description = "With the role primary: HOST and port of the secondary pool, its balancer's security group, and the PEM file on the hosts with the CA of its certificate."
  type = object({
    host              = string
    port              = optional(number, 7600)
    security_group_id = string
    tls_ca            = optional(string, "/etc/ssl/certs/ca-certificates.crt")
  })
  default = null

  validation {
    condition     = (var.role == "primary") == (var.secondary != null)
    error_message = "A pool with the role primary needs a secondary, and no other role has one."
  }
}

variable "tls" {
  description = <<-EOT
    Who ends TLS. passthrough: the hosts, with the PEM chain and key in the Secrets Manager secret secret_arn (kms_key_arn if it
    has a key of its own); terminate: the balancer, with the ACM certificate certificate_arn, and anew to the hosts.
  EOT
  type = object({
    mode            = string
    secret_arn      = optional(string)
    kms_key_arn     = optional(string)
    certificate_arn = optional(string)
  })

  validation {
    condition     = contains(["passthrough", "terminate"], var.tls.mode)
    error_message = "The tls mode must be passthrough or terminate."
  }

  validation {
    condition     = var.tls.mode != "passthrough" || can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:", var.tls.secret_arn))
    error_message = "With the tls mode passthrough, secret_arn must be the ARN of a Secrets Manager secret with the hosts' chain and key."
  }

  validation {
    condition     = var.tls.mode != "terminate" || can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.tls.certificate_arn))
    error_message = "With the tls mode terminate, certificate_arn must be the ARN of an ACM certificate."
  }
}

variable "client_ca_pem" {
  description = "With the tls mode passthrough: only clients with a certificate of one of these CAs (PEM) are let in. Empty: everyone."
  type        = string
  default     = ""

  validation {
    condition     = var.client_ca_pem == "" || (strcontains(var.client_ca_pem, "-----BEGIN CERTIFICATE-----") && var.tls.mode == "passthrough")
    error_message = "The client_ca_pem must have PEM certificates, and the tls mode must be passthrough: a balancer that ends TLS does not pass certificates on."
  }
}

variable "queue_jobs" {
  description = "Jobs that may wait on one host; further ones are told BUSY. The server's --queue."
  type        = number
  default     = 16

  validation {
    condition     = var.queue_jobs >= 1 && var.queue_jobs <= 10000
    error_message = "The queue_jobs must be from 1 to 10000."
  }
}

variable "idle_timeout_seconds" {
  description = "After so long without a request the server ends a connection. The server's --idle-timeout."
  type        = number
  default     = 300

  # 350 s: a network load balancer forgets a silent connection then, without a word to either end, and for TLS listeners
  # that cannot be changed. With a request open something is sent every 15 s (MAX_KEEPALIVE, proof-server/src/config/mod.rs).
  validation {
    condition     = var.idle_timeout_seconds >= 30 && var.idle_timeout_seconds <= 340
    error_message = "The idle_timeout_seconds must be from 30 to 340: the balancer forgets a connection that is silent for 350 s, so the server must end it before."
  }
}

variable "drain_seconds" {
  description = "How long the proofs that run may take before a host ends. The server's --drain-timeout, and what the group waits for."
  type        = number
  default     = 900

  # 7200 s: the longest that an auto-scaling group waits for one hook without a heartbeat.
  validation {
    condition     = var.drain_seconds >= 60 && var.drain_seconds <= 6900
    error_message = "The drain_seconds must be from 60 to 6900: an auto-scaling group waits for at most 7200 s, the shutdown itself included."
  }
}

variable "job_timeout_seconds" {
  description = "How long one proof may take before it ends with TIMEOUT. The server's --job-timeout."
  type        = number
  default     = 3600

  validation {
    condition     = var.job_timeout_seconds >= 60 && var.job_timeout_seconds <= 86400
    error_message = "The job_timeout_seconds must be from 60 to 86400."
  }
}

# ---- Where it runs, and who reaches it

variable "vpc_id" {
  description = "The VPC of balancer and hosts."
  type        = string

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "The vpc_id must look like vpc-0123456789abcdef0."
  }
}

variable "host_subnet_ids" {
  description = "Private subnets of the hosts, one a zone, with a way out to the internet (NAT) for releases and AWS's services."
  type        = list(string)

  validation {
    condition     = length(var.host_subnet_ids) >= 1 && length(distinct(var.host_subnet_ids)) == length(var.host_subnet_ids)
    error_message = "Give at least one host subnet, and none twice."
  }
}

variable "balancer_subnet_ids" {
  description = "Subnets of the load balancer, one a zone: public ones, or private ones if internal."
  type        = list(string)

  validation {
    condition     = length(var.balancer_subnet_ids) >= 1 && length(distinct(var.balancer_subnet_ids)) == length(var.balancer_subnet_ids)
    error_message = "Give at least one balancer subnet, and none twice."
  }
}

variable "internal" {
  description = "The balancer has private addresses only."
  type        = bool
  default     = true
}

variable "port" {
  description = "Where the balancer and the hosts listen for clients."
  type        = number
  default     = 7600

  validation {
    condition     = var.port >= 1024 && var.port <= 65535 && var.port != var.metrics_port
    error_message = "The port must be from 1024 to 65535 and another than metrics_port: the server has no right to lower ones."
  }
}

variable "metrics_port" {
  description = "Where hosts answer /metrics, /healthz and /readyz, over plain HTTP."
  type        = number
  default     = 9600

  validation {
    condition     = var.metrics_port >= 1024 && var.metrics_port <= 65535
    error_message = "The metrics_port must be from 1024 to 65535."
  }
}

variable "client_cidrs" {
  description = "Who may connect to the balancer, by address. Nobody unless named."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr))])
    error_message = "Each of client_cidrs must be an IPv4 range such as 203.0.113.0/24."
  }

  validation {
    condition     = length(var.client_cidrs) + length(var.client_security_group_ids) > 0
    error_message = "Nobody could connect: name who may in client_cidrs or client_security_group_ids."
  }

  validation {
    condition     = !contains(var.client_cidrs, "0.0.0.0/0") || var.client_ca_pem != "" || var.open_to_everyone
    error_message = "0.0.0.0/0 lets everyone ask for proofs that you pay for: name ranges, ask for client certificates (client_ca_pem), or set open_to_everyone."
  }
}

variable "open_to_everyone" {
  description = "Says that client_cidrs has 0.0.0.0/0 on purpose."
  type        = bool
  default     = false
}

variable "client_security_group_ids" {
  description = "Who may connect to the balancer, by security group."
  type        = list(string)
  default     = []
}

variable "prometheus_cidrs" {
  description = "Who may read the hosts' /metrics, by address."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.prometheus_cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Each of prometheus_cidrs must be an IPv4 range, and not the whole internet: /metrics is plain HTTP for whoever may read it."
  }
}

variable "prometheus_security_group_ids" {
  description = "Who may read the hosts' /metrics, by security group."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "The balancer cannot be deleted, and so the pool not destroyed, until this is false."
  type        = bool
  default     = true
}

variable "access_log_bucket" {
  description = "S3 bucket for the balancer's access logs, which it writes with the tls mode terminate only. Null: none."
  type        = string
  default     = null
}

# ---- How many hosts there are, and of what kind

variable "ami_id" {
  description = "Image of the hosts: Ubuntu with systemd, cloud-init, AWS's CLI, rsyslog and the CloudWatch agent, NVIDIA's driver for cuda, Docker for an image. Null: AWS's newest deep-learning base image."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]+$", var.ami_id))
    error_message = "The ami_id must look like ami-0123456789abcdef0."
  }
}

variable "ami_parameter" {
  description = "If ami_id is null: the public SSM parameter that names the image. A new image then comes with the next apply."
  type        = string
  default     = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"

  validation {
    condition     = startswith(var.ami_parameter, "/")
    error_message = "The ami_parameter must be a parameter's path, which begins with /."
  }
}

variable "instance_types" {
  description = "Types of the hosts, the preferred first; more than one only with spot. The default has one NVIDIA L40S, 8 vCPUs and 64 GiB."
  type        = list(string)
  default     = ["g6e.2xlarge"]

  validation {
    condition     = length(var.instance_types) >= 1 && alltrue([for type in var.instance_types : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", type))])
    error_message = "Give at least one instance type, such as g6e.2xlarge."
  }

  validation {
    condition     = length(var.instance_types) == 1 || var.spot != null
    error_message = "Several instance types need the mixed policy: set spot, if only with on_demand_percentage = 100."
  }
}

variable "root_volume_gib" {
  description = "Size of a host's encrypted disk. Circuits take three times their archive while they are installed."
  type        = number
  default     = 150

  validation {
    condition     = var.root_volume_gib >= 20 && var.root_volume_gib <= 16384
    error_message = "The root_volume_gib must be from 20 to 16384."
  }
}

variable "root_device_name" {
  description = "Name of the image's root disk."
  type        = string
  default     = "/dev/sda1"

  validation {
    condition     = startswith(var.root_device_name, "/dev/")
    error_message = "The root_device_name must begin with /dev/."
  }
}

variable "ebs_kms_key_arn" {
  description = "KMS key of the disks. Null: the account's own for EBS. The auto-scaling service's role must be allowed to use it."
  type        = string
  default     = null

  validation {
    condition     = var.ebs_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.ebs_kms_key_arn))
    error_message = "The ebs_kms_key_arn must be a KMS key's ARN."
  }
}

variable "min_hosts" {
  description = "Fewest hosts. At least one: a pool without hosts publishes no load, and would not grow again."
  type        = number
  default     = 1

  validation {
    condition     = var.min_hosts >= 1 && floor(var.min_hosts) == var.min_hosts
    error_message = "The min_hosts must be a whole number of at least 1: with no host there is no metric to grow by."
  }
}

variable "max_hosts" {
  description = "Most hosts, which bounds what the pool can cost."
  type        = number
  default     = 4

  validation {
    condition     = var.max_hosts >= var.min_hosts && floor(var.max_hosts) == var.max_hosts
    error_message = "The max_hosts must be a whole number of at least min_hosts."
  }
}

variable "spot" {
  description = "Mix of spot and on-demand hosts: the first on_demand_base are on demand, and on_demand_percentage of those above. Null: all on demand."
  type = object({
    on_demand_base       = optional(number, 1)
    on_demand_percentage = optional(number, 0)
  })
  default = null

  validation {
    condition     = var.spot == null || try(var.spot.on_demand_base >= 0 && var.spot.on_demand_percentage >= 0 && var.spot.on_demand_percentage <= 100, false)
    error_message = "The spot mix needs an on_demand_base of at least 0 and an on_demand_percentage from 0 to 100."
  }
}

variable "warm_pool" {
  description = "Hosts that are installed and then stopped, to be started when the pool grows: at least min_size, at most max_prepared with those in service. Null: none."
  type = object({
    min_size     = optional(number, 1)
    max_prepared = optional(number)
  })
  default = null

  validation {
    condition     = var.warm_pool == null || var.spot == null
    error_message = "A warm pool cannot be had with spot: EC2's PutWarmPool refuses groups with a mixed instances policy. Use two pools."
  }

  validation {
    condition     = var.warm_pool == null || try(var.warm_pool.min_size >= 0 && coalesce(var.warm_pool.max_prepared, var.max_hosts) <= var.max_hosts, false)
    error_message = "The warm pool needs a min_size of at least 0 and a max_prepared of at most max_hosts."
  }
}

variable "boot_seconds" {
  description = "How long a host may take from its start until it is ready, downloads included, before another one takes its place."
  type        = number
  default     = 1800

  validation {
    condition     = var.boot_seconds >= 300 && var.boot_seconds <= 6900
    error_message = "The boot_seconds must be from 300 to 6900: an auto-scaling group waits for at most 7200 s."
  }
}

variable "queue_jobs_per_worker" {
  description = "The pool grows and shrinks towards so many waiting jobs a worker, on the mean over its hosts."
  type        = number
  default     = 0.5

  validation {
    condition     = var.queue_jobs_per_worker > 0 && var.queue_jobs_per_worker <= 100
    error_message = "The queue_jobs_per_worker must be above 0 and at most 100."
  }
}

variable "busy_percent" {
  description = "The pool shrinks only while its workers are busy for less than this, and grows above it."
  type        = number
  default     = 75

  validation {
    condition     = var.busy_percent >= 10 && var.busy_percent <= 95
    error_message = "The busy_percent must be from 10 to 95: at 100 a pool would never grow by it."
  }
}

variable "queue_age_seconds" {
  description = "If a job waits for longer than this, hosts are added and alarm_topic_arns are told."
  type        = number
  default     = 300

  validation {
    condition     = var.queue_age_seconds >= 10 && var.queue_age_seconds <= 21600
    error_message = "The queue_age_seconds must be from 10 to 21600: after six hours the server gives a request up (--request-timeout)."
  }
}

variable "queue_age_step" {
  description = "So many hosts are added when a job has waited for too long, and twice as many at three times that age."
  type        = number
  default     = 1

  validation {
    condition     = var.queue_age_step >= 1 && floor(var.queue_age_step) == var.queue_age_step
    error_message = "The queue_age_step must be a whole number of at least 1."
  }
}

variable "refresh_min_healthy_percent" {
  description = "While hosts are replaced by new ones, at least this part of the pool stays in service."
  type        = number
  default     = 100

  # 20: EC2 takes at most 100 between this and the most, which is 120.
  validation {
    condition     = var.refresh_min_healthy_percent >= 20 && var.refresh_min_healthy_percent <= 100
    error_message = "The refresh_min_healthy_percent must be from 20 to 100."
  }
}

# ---- Who watches

variable "log_retention_days" {
  description = "How long CloudWatch keeps the hosts' logs."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days)
    error_message = "The log_retention_days must be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653."
  }
}

variable "log_kms_key_arn" {
  description = "KMS key of the logs. Null: CloudWatch's own."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.log_kms_key_arn))
    error_message = "The log_kms_key_arn must be a KMS key's ARN."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear of a queue that is too old, and of a pool without healthy hosts."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:", arn))])
    error_message = "Each of alarm_topic_arns must be an SNS topic's ARN."
  }
}

variable "monthly_budget" {
  description = "Budget alarm: US dollars a month for what has this pool's tag, and who is told at 80 % spent and at 100 % forecast. Null: none."
  type        = object({ usd = number, emails = list(string) })
  default     = null

  validation {
    condition     = var.monthly_budget == null || try(var.monthly_budget.usd > 0 && length(var.monthly_budget.emails) > 0 && length(var.monthly_budget.emails) <= 10, false)
    error_message = "The monthly_budget needs usd above 0 and one to ten e-mail addresses."
  }
}
