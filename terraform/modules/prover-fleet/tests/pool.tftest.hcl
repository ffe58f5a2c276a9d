# What is planned, against a provider that only pretends: no account, no network.

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

run "a_gpu_host_is_closed_and_encrypted" {
  command = plan

  assert {
    condition     = aws_launch_template.host.metadata_options[0].http_tokens == "required" && aws_launch_template.host.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Metadata must be had by version 2 alone, from the host alone."
  }
  assert {
    condition     = tobool(aws_launch_template.host.block_device_mappings[0].ebs[0].encrypted)
    error_message = "The disk must be encrypted."
  }
  assert {
    condition     = aws_launch_template.host.key_name == null && !tobool(aws_launch_template.host.network_interfaces[0].associate_public_ip_address)
    error_message = "No key for SSH, and no public address."
  }
  assert {
    condition     = aws_launch_template.host.image_id == "ami-0fedcba9876543210"
    error_message = "Without ami_id the image must be the SSM parameter's."
  }
  assert {
    condition     = alltrue([for rule in concat(aws_security_group_rule.balancer_from_cidrs, values(aws_security_group_rule.host_from_balancer)) : rule.from_port != 22 && rule.from_port == rule.to_port && rule.type == "ingress"])
    error_message = "One port a rule, and never SSH's."
  }
  assert {
    condition     = tolist(aws_security_group_rule.balancer_from_cidrs[0].cidr_blocks) == tolist(["203.0.113.0/24"])
    error_message = "Only who is named may connect."
  }
}

run "the_server_is_configured_as_asked" {
  command = plan

  variables {
    devices       = "0,1"
    drain_seconds = 1200
    circuits      = [{ mode = "groth16", sha256 = "3333333333333333333333333333333333333333333333333333333333333333" }]
    client_ca_pem = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
  }

  assert {
    condition     = alltrue([for line in ["engine = \"cuda\"", "devices = \"0,1\"", "gpu-server = \"/usr/local/bin/sp1-gpu-server\"", "listen = \"0.0.0.0:7600\"", "metrics = \"0.0.0.0:9600\"", "drain-timeout = \"1200s\"", "tls-client-ca = \"/etc/proof-server/client-ca.pem\""] : strcontains(local.config_toml, "${line}\n")])
    error_message = "config.toml is not what the variables say: ${local.config_toml}"
  }
  assert {
    condition     = !strcontains(local.config_toml, "workers")
    error_message = "With cuda the workers are one a GPU."
  }
  assert {
    condition     = local.files["/etc/proof-server/circuits"].content == "groth16 3333333333333333333333333333333333333333333333333333333333333333\n"
    error_message = "The circuit's line is wrong."
  }
  assert {
    condition     = strcontains(local.host_env, "RELEASE_SHA256='1111111111111111111111111111111111111111111111111111111111111111'\n")
    error_message = "The host does not know the release's hash."
  }
  assert {
    condition     = local.files["/etc/systemd/system/proof-server.service.d/pool.conf"].content == "[Service]\nTimeoutStopSec=1260\n" && aws_autoscaling_lifecycle_hook.drained.heartbeat_timeout == 1320 && tonumber(aws_lb_target_group.hosts.deregistration_delay) == 1200
    error_message = "Server, systemd, group and balancer must wait for a drain, each longer than the one before."
  }
  assert {
    condition     = contains(keys(local.files), "/etc/systemd/system/proof-server.service.d/gpu.conf")
    error_message = "A GPU host needs the devices in its sandbox."
  }
  assert {
    condition     = length(local.s3_objects) == 1 && local.s3_objects[0] == "arn:aws:s3:::releases/sp1-gpu-server"
    error_message = "The host may read what it installs from S3, and only that: ${jsonencode(local.s3_objects)}"
  }
}

run "the_host_gets_what_was_rendered" {
  command = plan

  assert {
    condition     = aws_launch_template.host.user_data == base64gzip(output.cloud_config)
    error_message = "The user data is another configuration than the output shows."
  }
}

run "the_pool_scales_by_what_hosts_publish" {
  command = plan

  assert {
    condition     = toset([for policy in [aws_autoscaling_policy.queue, aws_autoscaling_policy.busy] : policy.target_tracking_configuration[0].customized_metric_specification[0].metric_name]) == toset(["QueueJobsPerWorker", "BusyWorkersPercent"])
    error_message = "Both target-tracking policies must follow the hosts' own metrics."
  }
  assert {
    condition     = alltrue([for name in ["QueueJobsPerWorker", "BusyWorkersPercent", "QueueOldestSeconds"] : strcontains(local.files["/usr/local/bin/proof-host-metrics"].content, "add ${name} ")])
    error_message = "A metric is scaled on that no host publishes."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.queue_age.metric_name == "QueueOldestSeconds" && aws_cloudwatch_metric_alarm.queue_age.threshold == 300 && aws_cloudwatch_metric_alarm.queue_age.statistic == "Maximum"
    error_message = "The queue's age must be looked at on the worst host."
  }
  assert {
    condition     = length(aws_autoscaling_group.pool.launch_template) == 1 && length(aws_autoscaling_group.pool.mixed_instances_policy) == 0 && length(aws_autoscaling_group.pool.warm_pool) == 0
    error_message = "Without spot and warm_pool there is neither."
  }
  assert {
    condition     = aws_autoscaling_group.pool.health_check_type == "ELB" && one(aws_autoscaling_group.pool.initial_lifecycle_hook).default_result == "ABANDON"
    error_message = "Hosts are judged by /readyz, and one that never says that it is ready is replaced."
  }
}

run "spot_hosts_are_mixed_with_on_demand_ones" {
  command = plan

  variables {
    spot           = { on_demand_base = 2, on_demand_percentage = 25 }
    instance_types = ["g6e.2xlarge", "g6e.4xlarge"]
  }

  assert {
    condition     = aws_autoscaling_group.pool.mixed_instances_policy[0].instances_distribution[0].on_demand_base_capacity == 2 && aws_autoscaling_group.pool.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 25
    error_message = "The mix is another one."
  }
  assert {
    condition     = aws_autoscaling_group.pool.mixed_instances_policy[0].launch_template[0].override[*].instance_type == tolist(["g6e.2xlarge", "g6e.4xlarge"]) && aws_autoscaling_group.pool.capacity_rebalance
    error_message = "All types must be asked for, and hosts replaced before they are taken."
  }
}

run "a_warm_pool_holds_stopped_hosts" {
  command = plan

  variables {
    warm_pool = { min_size = 2 }
  }

  assert {
    condition     = aws_autoscaling_group.pool.warm_pool[0].pool_state == "Stopped" && aws_autoscaling_group.pool.warm_pool[0].min_size == 2 && aws_autoscaling_group.pool.warm_pool[0].max_group_prepared_capacity == 4
    error_message = "The warm pool is another one."
  }
}

run "an_image_is_run_by_digest" {
  command = plan

  variables {
    release              = null
    image                = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/proof-server@sha256:4444444444444444444444444444444444444444444444444444444444444444"
    image_repository_arn = "arn:aws:ecr:eu-central-1:123456789012:repository/proof-server"
  }

  assert {
    condition     = strcontains(local.files["/etc/systemd/system/proof-server.service"].content, "/usr/bin/docker run") && strcontains(local.files["/etc/proof-server/image.env"].content, "GPU_FLAGS='--gpus=all --volume=/usr/local/bin/sp1-gpu-server:/usr/local/bin/sp1-gpu-server:ro'\n")
    error_message = "The unit must run the image, with the GPUs and the host's GPU server."
  }
  assert {
    condition     = contains([for statement in local.statements : statement.resources[0] if statement.sid == "Image"], var.image_repository_arn)
    error_message = "The host may not read its image."
  }
}

run "the_balancer_ends_tls_and_encrypts_anew" {
  command = plan

  variables {
    tls = { mode = "terminate", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/0123" }
  }

  assert {
    condition     = aws_lb_listener.clients.protocol == "TLS" && aws_lb_target_group.hosts.protocol == "TLS"
    error_message = "TLS to the balancer and from it."
  }
  assert {
    condition     = length([for statement in local.statements : statement if statement.sid == "Certificate"]) == 0
    error_message = "A host without a secret may read none."
  }
  assert {
    condition     = strcontains(local.host_env, "TLS_SECRET=''\n")
    error_message = "The host must sign its certificate itself."
  }
}

run "tls_passes_through_to_the_hosts" {
  command = plan

  assert {
    condition     = aws_lb_listener.clients.protocol == "TCP" && aws_lb_target_group.hosts.protocol == "TCP" && aws_lb_target_group.hosts.health_check[0].path == "/readyz" && aws_lb_target_group.hosts.health_check[0].port == "9600"
    error_message = "TCP to the hosts, health by their /readyz."
  }
}

run "a_primary_knows_its_secondary" {
  command = plan

  variables {
    role      = "primary"
    secondary = { host = "inclusion.example.org", security_group_id = "sg-0123456789abcdef0" }
  }

  assert {
    condition     = strcontains(local.config_toml, "secondary = \"inclusion.example.org:7600\"\n") && length(aws_security_group_rule.host_to_secondary) == 1
    error_message = "The primary cannot reach its secondary."
  }
}

run "a_budget_tells_whom_it_should" {
  command = plan

  variables {
    monthly_budget = { usd = 2500, emails = ["ops@example.org"] }
  }

  assert {
    condition     = aws_budgets_budget.pool[0].limit_amount == "2500" && length(aws_budgets_budget.pool[0].notification) == 2
    error_message = "The budget is another one."
  }
}
