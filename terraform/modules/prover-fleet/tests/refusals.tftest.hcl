# What must not be planned: each run has one fault, and the variable that must name it.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { value = "ami-0fedcba9876543210" }
  }
}

variables {
  name                = "pool"
  release             = { source = "https://releases.example.org/proof-server", sha256 = "1111111111111111111111111111111111111111111111111111111111111111" }
  gpu_server          = { source = "s3://releases/sp1-gpu-server", sha256 = "2222222222222222222222222222222222222222222222222222222222222222" }
  tls                 = { mode = "passthrough", secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:proof-server-abc123" }
  vpc_id              = "vpc-0123456789abcdef0"
  host_subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  balancer_subnet_ids = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
  client_cidrs        = ["203.0.113.0/24"]
}

run "a_name_that_no_balancer_may_have" {
  command = plan

  variables {
    name = "Pool_1"
  }

  expect_failures = [var.name]
}

run "a_tag_that_is_the_modules_own" {
  command = plan

  variables {
    tags = { ProofServerPool = "other" }
  }

  expect_failures = [var.tags]
}

run "an_engine_that_is_none" {
  command = plan

  variables {
    engine = "gpu"
  }

  expect_failures = [var.engine]
}

run "devices_that_are_no_numbers" {
  command = plan

  variables {
    devices = "first"
  }

  expect_failures = [var.devices]
}

run "no_workers" {
  command = plan

  variables {
    workers = 0
  }

  expect_failures = [var.workers]
}

run "a_release_over_plain_http" {
  command = plan

  variables {
    release = { source = "http://releases.example.org/proof-server", sha256 = "1111111111111111111111111111111111111111111111111111111111111111" }
  }

  expect_failures = [var.release]
}

run "a_release_address_that_a_shell_would_run" {
  command = plan

  variables {
    release = { source = "https://releases.example.org/a'$(reboot)'", sha256 = "1111111111111111111111111111111111111111111111111111111111111111" }
  }

  expect_failures = [var.release]
}

run "a_release_with_half_a_hash" {
  command = plan

  variables {
    release = { source = "https://releases.example.org/proof-server", sha256 = "1111" }
  }

  expect_failures = [var.release]
}

run "neither_release_nor_image" {
  command = plan

  variables {
    release = null
  }

  expect_failures = [var.release]
}

run "both_release_and_image" {
  command = plan

  variables {
    image = "example.org/proof-server@sha256:4444444444444444444444444444444444444444444444444444444444444444"
  }

  expect_failures = [var.release]
}

run "an_image_by_tag" {
  command = plan

  variables {
    release = null
    image   = "example.org/proof-server:latest"
  }

  expect_failures = [var.image]
}

run "a_repository_that_is_none" {
  command = plan

  variables {
    image_repository_arn = "proof-server"
  }

  expect_failures = [var.image_repository_arn]
}

run "cuda_without_its_server" {
  command = plan

  variables {
    gpu_server = null
  }

  expect_failures = [var.gpu_server]
}

run "a_circuit_without_hash" {
  command = plan

  variables {
    circuits = [{ mode = "groth16", sha256 = "" }]
  }

  expect_failures = [var.circuits]
}

run "a_circuit_for_starks" {
  command = plan

  variables {
    circuits = [{ mode = "core", sha256 = "3333333333333333333333333333333333333333333333333333333333333333" }]
  }

  expect_failures = [var.circuits]
}

run "two_circuits_of_a_mode" {
  command = plan

  variables {
    circuits = [for mode in ["groth16", "groth16"] : { mode = mode, sha256 = "3333333333333333333333333333333333333333333333333333333333333333" }]
  }

  expect_failures = [var.circuits]
}

run "a_role_that_is_none" {
  command = plan

  variables {
    role = "master"
  }

  expect_failures = [var.role]
}

run "a_primary_alone" {
  command = plan

  variables {
    role = "primary"
  }

  expect_failures = [var.secondary]
}

run "a_standalone_with_a_secondary" {
  command = plan

  variables {
    secondary = { host = "inclusion.example.org", security_group_id = "sg-0123456789abcdef0" }
  }

  expect_failures = [var.secondary]
}

run "a_tls_mode_that_is_none" {
  command = plan

  variables {
    tls = { mode = "none" }
  }

  expect_failures = [var.tls]
}

run "passthrough_without_a_secret" {
  command = plan

  variables {
    tls = { mode = "passthrough" }
  }

  expect_failures = [var.tls]
}

run "termination_without_a_certificate" {
  command = plan

  variables {
    tls = { mode = "terminate" }
  }

  expect_failures = [var.tls]
}

run "client_certificates_that_a_balancer_would_drop" {
  command = plan

  variables {
    tls           = { mode = "terminate", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0123" }
    client_ca_pem = "-----BEGIN CERTIFICATE-----"
  }

  expect_failures = [var.client_ca_pem]
}

run "no_queue" {
  command = plan

  variables {
    queue_jobs = 0
  }

  expect_failures = [var.queue_jobs]
}

run "an_idle_timeout_longer_than_the_balancers" {
  command = plan

  variables {
    idle_timeout_seconds = 351
  }

  expect_failures = [var.idle_timeout_seconds]
}

run "a_drain_that_no_group_waits_for" {
  command = plan

  variables {
    drain_seconds = 7200
  }

  expect_failures = [var.drain_seconds]
}

run "a_job_timeout_of_a_second" {
  command = plan

  variables {
    job_timeout_seconds = 1
  }

  expect_failures = [var.job_timeout_seconds]
}

run "a_vpc_that_is_none" {
  command = plan

  variables {
    vpc_id = "default"
  }

  expect_failures = [var.vpc_id]
}

run "no_host_subnet" {
  command = plan

  variables {
    host_subnet_ids = []
  }

  expect_failures = [var.host_subnet_ids]
}

run "a_balancer_subnet_twice" {
  command = plan

  variables {
    balancer_subnet_ids = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef2"]
  }

  expect_failures = [var.balancer_subnet_ids]
}

run "a_port_for_root" {
  command = plan

  variables {
    port = 443
  }

  expect_failures = [var.port]
}

run "one_port_for_both" {
  command = plan

  variables {
    port = 9600
  }

  expect_failures = [var.port]
}

run "a_metrics_port_that_is_none" {
  command = plan

  variables {
    metrics_port = 70000
  }

  expect_failures = [var.metrics_port]
}

run "clients_from_nowhere" {
  command = plan

  variables {
    client_cidrs = []
  }

  expect_failures = [var.client_cidrs]
}

run "clients_from_everywhere_by_oversight" {
  command = plan

  variables {
    client_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.client_cidrs]
}

run "a_client_range_that_is_none" {
  command = plan

  variables {
    client_cidrs = ["office"]
  }

  expect_failures = [var.client_cidrs]
}

run "metrics_for_everyone" {
  command = plan

  variables {
    prometheus_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.prometheus_cidrs]
}

run "an_image_id_that_is_none" {
  command = plan

  variables {
    ami_id = "ubuntu"
  }

  expect_failures = [var.ami_id]
}

run "an_image_parameter_that_is_none" {
  command = plan

  variables {
    ami_parameter = "ami-id"
  }

  expect_failures = [var.ami_parameter]
}

run "an_instance_type_that_is_none" {
  command = plan

  variables {
    instance_types = ["large"]
  }

  expect_failures = [var.instance_types]
}

run "several_types_without_a_mix" {
  command = plan

  variables {
    instance_types = ["g6e.2xlarge", "g6e.4xlarge"]
  }

  expect_failures = [var.instance_types]
}

run "a_disk_too_small" {
  command = plan

  variables {
    root_volume_gib = 8
  }

  expect_failures = [var.root_volume_gib]
}

run "a_device_that_is_none" {
  command = plan

  variables {
    root_device_name = "sda1"
  }

  expect_failures = [var.root_device_name]
}

run "a_disk_key_that_is_none" {
  command = plan

  variables {
    ebs_kms_key_arn = "alias/disks"
  }

  expect_failures = [var.ebs_kms_key_arn]
}

run "a_pool_that_can_be_empty" {
  command = plan

  variables {
    min_hosts = 0
  }

  expect_failures = [var.min_hosts]
}

run "fewer_than_the_fewest" {
  command = plan

  variables {
    min_hosts = 3
    max_hosts = 2
  }

  expect_failures = [var.max_hosts]
}

run "a_mix_of_more_than_all" {
  command = plan

  variables {
    spot = { on_demand_percentage = 150 }
  }

  expect_failures = [var.spot]
}

run "a_warm_pool_of_spot_hosts" {
  command = plan

  variables {
    spot      = {}
    warm_pool = {}
  }

  expect_failures = [var.warm_pool]
}

run "a_warm_pool_larger_than_the_pool" {
  command = plan

  variables {
    warm_pool = { max_prepared = 9 }
  }

  expect_failures = [var.warm_pool]
}

run "a_boot_that_no_group_waits_for" {
  command = plan

  variables {
    boot_seconds = 7200
  }

  expect_failures = [var.boot_seconds]
}

run "a_target_of_no_queue" {
  command = plan

  variables {
    queue_jobs_per_worker = 0
  }

  expect_failures = [var.queue_jobs_per_worker]
}

run "a_target_that_is_never_passed" {
  command = plan

  variables {
    busy_percent = 100
  }

  expect_failures = [var.busy_percent]
}

run "an_age_past_the_servers_own_limit" {
  command = plan

  variables {
    queue_age_seconds = 30000
  }

  expect_failures = [var.queue_age_seconds]
}

run "a_step_of_none" {
  command = plan

  variables {
    queue_age_step = 0
  }

  expect_failures = [var.queue_age_step]
}

run "a_refresh_of_everything_at_once" {
  command = plan

  variables {
    refresh_min_healthy_percent = 0
  }

  expect_failures = [var.refresh_min_healthy_percent]
}

run "days_that_cloudwatch_does_not_know" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "a_log_key_that_is_none" {
  command = plan

  variables {
    log_kms_key_arn = "alias/logs"
  }

  expect_failures = [var.log_kms_key_arn]
}

run "a_topic_that_is_none" {
  command = plan

  variables {
    alarm_topic_arns = ["ops@example.org"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "a_budget_that_nobody_hears_of" {
  command = plan

  variables {
    monthly_budget = { usd = 100, emails = [] }
  }

  expect_failures = [var.monthly_budget]
}
