# What a host may, and nothing else: be reached through the session manager, publish its metrics and logs, end its own
# group's hooks, and read what it installs.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

locals {
  s3_objects = [for source in compact([try(var.release.source, ""), try(var.gpu_server.source, "")]) :
  "arn:${local.partition}:s3:::${trimprefix(source, "s3://")}" if startswith(source, "s3://")]

  statements = concat(
    [
      {
        sid = "SessionManager"
        actions = [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
        ]
        # These actions know no resources.
        resources  = ["*"]
        conditions = {}
      },
      {
        sid        = "Metrics"
        actions    = ["cloudwatch:PutMetricData"]
        resources  = ["*"]
        conditions = { "cloudwatch:namespace" = local.metric_namespace }
      },
      {
        sid        = "Logs"
        actions    = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        resources  = ["${aws_cloudwatch_log_group.hosts.arn}:*"]
        conditions = {}
      },
      {
        sid        = "Hooks"
        actions    = ["autoscaling:CompleteLifecycleAction"]
        resources  = ["arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${var.name}"]
        conditions = {}
      },
    ],
    var.tls.mode == "passthrough" ? [{
      sid        = "Certificate"
      actions    = ["secretsmanager:GetSecretValue"]
      resources  = [var.tls.secret_arn]
      conditions = {}
    }] : [],
    var.tls.kms_key_arn != null ? [{
      sid        = "CertificateKey"
      actions    = ["kms:Decrypt"]
      resources  = [var.tls.kms_key_arn]
      conditions = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" }
    }] : [],
    length(local.s3_objects) > 0 ? [{
      sid        = "Release"
      actions    = ["s3:GetObject"]
      resources  = local.s3_objects
      conditions = {}
    }] : [],
    var.image_repository_arn != null ? [
      {
        sid        = "ImageLogin"
        actions    = ["ecr:GetAuthorizationToken"]
        resources  = ["*"]
        conditions = {}
      },
      {
        sid        = "Image"
        actions    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources  = [var.image_repository_arn]
        conditions = {}
      },
    ] : [],
  )
}

data "aws_iam_policy_document" "host" {
  dynamic "statement" {
    for_each = local.statements

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = "StringEquals"
          variable = condition.key
          values   = [condition.value]
        }
      }
    }
  }
}

resource "aws_iam_role" "host" {
  name               = "${var.name}-host"
  description        = "Hosts of the proof server pool ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "host" {
  name   = "host"
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.host.json
}

resource "aws_iam_instance_profile" "host" {
  name = "${var.name}-host"
  role = aws_iam_role.host.name
  tags = local.tags
}

# For whoever runs Prometheus: its role needs this to find the hosts by their tags.
data "aws_iam_policy_document" "prometheus" {
  statement {
    sid       = "FindHosts"
    actions   = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]
    resources = ["*"]
  }
}
