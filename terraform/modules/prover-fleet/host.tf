# What a host is: its launch template, and the cloud-init configuration that makes a proof server of it.

locals {
  deploy = "${path.module}/../../../deploy"
  state  = "/var/lib/proof-server"
  # Where proof-host-install puts it.
  gpu_server = "/usr/local/bin/sp1-gpu-server"

  # The server's configuration; names are those of `proof-server serve --help`.
  server_settings = merge(
    {
      listen          = "0.0.0.0:${var.port}"
      metrics         = "0.0.0.0:${var.metrics_port}"
      role            = var.role
      engine          = var.engine
      circuits        = "${local.state}/circuits"
      log-format      = "json"
      tls-cert        = "${local.state}/tls/server.pem"
      tls-key         = "${local.state}/tls/server.key"
      idle-timeout    = "${var.idle_timeout_seconds}s"
      drain-timeout   = "${var.drain_seconds}s"
      job-timeout     = "${var.job_timeout_seconds}s"
      request-timeout = "6h"
      queue           = var.queue_jobs
    },
    var.engine == "cuda" ? {
      devices    = var.devices
      gpu-server = local.gpu_server
    } : { workers = var.workers },
    var.client_ca_pem == "" ? {} : { tls-client-ca = "/etc/proof-server/client-ca.pem" },
    var.secondary == null ? {} : {
      secondary        = "${var.secondary.host}:${var.secondary.port}"
      secondary-tls-ca = var.secondary.tls_ca
    },
  )
  config_toml = join("", [for key, value in local.server_settings : "${key} = ${jsonencode(value)}\n"])

  # What the host's scripts read, and systemd for them: quoted as both understand.
  host_env = join("", [for key, value in {
    ASG_NAME           = var.name
    AWS_DEFAULT_REGION = local.region
    LAUNCH_HOOK        = local.launch_hook
    DRAIN_HOOK         = local.drain_hook
    BOOT_SECONDS       = var.boot_seconds - 120
    METRICS_URL        = "http://127.0.0.1:${var.metrics_port}"
    METRIC_NAMESPACE   = local.metric_namespace
    TLS_SECRET         = var.tls.mode == "passthrough" ? var.tls.secret_arn : ""
    IMAGE              = var.image == null ? "" : var.image
    SERVER_IDS         = "${local.server_uid}:${local.server_uid}"
    RELEASE_SOURCE     = try(var.release.source, "")
    RELEASE_SHA256     = try(var.release.sha256, "")
    GPU_SERVER_SOURCE  = try(var.gpu_server.source, "")
    GPU_SERVER_SHA256  = try(var.gpu_server.sha256, "")
  } : "${key}='${value}'\n"])

  # The same on host and in container, so that both may read /var/lib/proof-server.
  server_uid = 7600

  image_env = <<-EOT
    IMAGE='${var.image == null ? "" : var.image}'
    SERVER_IDS=${local.server_uid}:${local.server_uid}
    GPU_FLAGS='${var.engine == "cuda" ? "--gpus=all --volume=${local.gpu_server}:${local.gpu_server}:ro" : ""}'
    STOP_SECONDS=${local.systemd_stop_seconds}
  EOT

  cloudwatch_agent = jsonencode({
    logs = {
      logs_collected = {
        files = {
          collect_list = [for log in ["proof-server", "proof-host"] : {
            file_path       = "/var/log/${log}.log"
            log_group_name  = aws_cloudwatch_log_group.hosts.name
            log_stream_name = "{instance_id}/${log}"
          }]
        }
      }
    }
  })

  scripts = ["proof-host-imds", "proof-host-install", "proof-host-lifecycle", "proof-host-metrics", "proof-host-tls"]
  units = [
    "proof-host-drain.service", "proof-host-launch.service",
    "proof-host-metrics.service", "proof-host-metrics.timer",
    "proof-host-tls.service", "proof-host-tls.timer",
  ]

  files = merge(
    { for script in local.scripts : "/usr/local/bin/${script}" => { mode = "0755", content = file("${local.deploy}/host/${script}") } },
    { for unit in local.units : "/etc/systemd/system/${unit}" => { mode = "0644", content = file("${local.deploy}/systemd/${unit}") } },
    {
      "/etc/systemd/system/proof-server.service" = {
        mode    = "0644"
        content = file("${local.deploy}/systemd/${var.image == null ? "proof-server.service" : "proof-server-container.service"}")
      }
      "/etc/systemd/system/proof-server.service.d/pool.conf" = {
        mode    = "0644"
        content = "[Service]\nTimeoutStopSec=${local.systemd_stop_seconds}\n"
      }
      "/etc/proof-server/config.toml" = { mode = "0644", content = local.config_toml }
      "/etc/proof-server/host.env"    = { mode = "0644", content = local.host_env }
      "/etc/proof-server/circuits" = {
        mode    = "0644"
        content = join("", [for circuit in var.circuits : "${trimspace("${circuit.mode} ${circuit.sha256} ${circuit.source == null ? "" : circuit.source}")}\n"])
      }
      "/etc/rsyslog.d/30-proof-server.conf"     = { mode = "0644", content = file("${local.deploy}/host/rsyslog-proof-server.conf") }
      "/etc/logrotate.d/proof-server"           = { mode = "0644", content = file("${local.deploy}/host/logrotate-proof-server") }
      "/etc/proof-server/cloudwatch-agent.json" = { mode = "0644", content = local.cloudwatch_agent }
    },
    var.image == null ? {} : { "/etc/proof-server/image.env" = { mode = "0644", content = local.image_env } },
    var.client_ca_pem == "" ? {} : { "/etc/proof-server/client-ca.pem" = { mode = "0644", content = var.client_ca_pem } },
    var.engine != "cuda" || var.image != null ? {} : {
      "/etc/systemd/system/proof-server.service.d/gpu.conf" = { mode = "0644", content = file("${local.deploy}/systemd/proof-server-gpu.conf") }
    },
  )

  cloud_config = templatefile("${path.module}/templates/cloud-config.yaml.tftpl", {
    files      = local.files
    server_uid = local.server_uid
  })
  user_data = base64gzip(local.cloud_config)
}

resource "aws_launch_template" "host" {
  name                   = var.name
  description            = "Hosts of the proof server pool ${var.name}"
  image_id               = local.ami_id
  instance_type          = var.instance_types[0]
  user_data              = local.user_data
  update_default_version = true
  tags                   = local.tags

  # No key_name: nobody logs in but through the session manager, which asks IAM and keeps a record.

  iam_instance_profile {
    arn = aws_iam_instance_profile.host.arn
  }

  metadata_options {
    http_endpoint = "enabled"
    # Version 2 of the metadata protocol alone: a request that somebody talks a server into sending brings no token.
    http_tokens = "required"
    # A container on the host's own network is no further away than the host.
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = var.root_device_name

    ebs {
      encrypted             = true
      kms_key_id            = var.ebs_kms_key_arn
      volume_type           = "gp3"
      volume_size           = var.root_volume_gib
      delete_on_termination = true
    }
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [aws_security_group.host.id]
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume"]

    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = var.name })
    }
  }

  lifecycle {
    # 16 KiB is EC2's limit for user data before it is encoded.
    precondition {
      condition     = floor(length(local.user_data) * 3 / 4) <= 16384
      error_message = "The hosts' configuration is longer than the 16384 bytes that EC2 takes: shorten client_ca_pem."
    }
  }
}
