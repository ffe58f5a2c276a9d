# How many hosts there are: the auto-scaling group, its hooks, and what it grows and shrinks by.

resource "aws_autoscaling_group" "pool" {
  name                = var.name
  min_size            = var.min_hosts
  max_size            = var.max_hosts
  vpc_zone_identifier = var.host_subnet_ids
  target_group_arns   = [aws_lb_target_group.hosts.arn]
  # With spot: a new host before an old one is likely to be taken.
  capacity_rebalance    = var.spot != null
  max_instance_lifetime = local.max_instance_lifetime_seconds
  # /readyz, through the balancer. Hosts come into service when they are ready, so that no time is needed besides.
  health_check_type         = "ELB"
  health_check_grace_period = 60
  default_cooldown          = 60
  termination_policies      = ["OldestLaunchTemplate", "OldestInstance"]
  # An apply ends when its hosts serve, or says that they do not.
  wait_for_capacity_timeout = "${var.boot_seconds}s"
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances", "WarmPoolWarmedCapacity"]

  # The first hosts need it, before there can be a resource of its own; aws_autoscaling_lifecycle_hook.ready is the same
  # hook, for changes.
  initial_lifecycle_hook {
    name                 = local.launch_hook
    lifecycle_transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    heartbeat_timeout    = var.boot_seconds
    default_result       = "ABANDON"
  }

  dynamic "launch_template" {
    for_each = var.spot == null ? [1] : []

    content {
      id      = aws_launch_template.host.id
      version = aws_launch_template.host.latest_version
    }
  }

  dynamic "mixed_instances_policy" {
    for_each = var.spot == null ? [] : [var.spot]

    content {
      instances_distribution {
        on_demand_base_capacity                  = mixed_instances_policy.value.on_demand_base
        on_demand_percentage_above_base_capacity = mixed_instances_policy.value.on_demand_percentage
        # The spot pools from which hosts are least likely to be taken: a host lost is a proof begun again.
        spot_allocation_strategy = "capacity-optimized"
      }

      launch_template {
        launch_template_specification {
          launch_template_id = aws_launch_template.host.id
          version            = aws_launch_template.host.latest_version
        }

        dynamic "override" {
          for_each = var.instance_types

          content {
            instance_type = override.value
          }
        }
      }
    }
  }

  dynamic "warm_pool" {
    for_each = var.warm_pool == null ? [] : [var.warm_pool]

    content {
      pool_state                  = "Stopped"
      min_size                    = warm_pool.value.min_size
      max_group_prepared_capacity = coalesce(warm_pool.value.max_prepared, var.max_hosts)
    }
  }

  # A new launch template replaces the hosts, each drained before it ends.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = var.refresh_min_healthy_percent
      # Above 100: where nothing may be missing, a new host comes before an old one goes.
      max_healthy_percentage = 120 # newer than 3.39
      # None: a host that comes into service is ready.
      instance_warmup = 0
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, {
      Name             = var.name
      PrometheusScrape = "proof-server"
      PrometheusPort   = tostring(var.metrics_port)
    })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    # How many there are now is what the policies below decide.
    ignore_changes = [desired_capacity]
  }

  # Hosts need their rights, their log group and their balancer from the start.
  depends_on = [aws_iam_role_policy.host, aws_lb_listener.clients]
}

locals {
  # 30 days. Hosts do not update themselves: a new one starts from the newest image that was applied.
  max_instance_lifetime_seconds = 2592000
}

# A host comes into service when it says that its server is ready. One that says nothing is not, and is replaced.
resource "aws_autoscaling_lifecycle_hook" "ready" {
  name                   = local.launch_hook
  autoscaling_group_name = aws_autoscaling_group.pool.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_LAUNCHING"
  heartbeat_timeout      = var.boot_seconds
  default_result         = "ABANDON"
}

# A host ends when its proofs are delivered, or its time is over.
resource "aws_autoscaling_lifecycle_hook" "drained" {
  name                   = local.drain_hook
  autoscaling_group_name = aws_autoscaling_group.pool.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = local.drain_hook_seconds
  default_result         = "CONTINUE"
}

resource "aws_autoscaling_policy" "queue" {
  name                      = "${var.name}-queue-per-worker"
  autoscaling_group_name    = aws_autoscaling_group.pool.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 60

  target_tracking_configuration {
    target_value = var.queue_jobs_per_worker

    customized_metric_specification {
      namespace   = local.metric_namespace
      metric_name = "QueueJobsPerWorker"
      statistic   = "Average"
      unit        = "Count"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.pool.name
      }
    }
  }
}

# A group shrinks only if all of its policies agree. This one keeps hosts whose workers are busy with an empty queue.
resource "aws_autoscaling_policy" "busy" {
  name                      = "${var.name}-busy-workers"
  autoscaling_group_name    = aws_autoscaling_group.pool.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 60

  target_tracking_configuration {
    target_value = var.busy_percent

    customized_metric_specification {
      namespace   = local.metric_namespace
      metric_name = "BusyWorkersPercent"
      statistic   = "Average"
      unit        = "Percent"

      metric_dimension {
        name  = "AutoScalingGroupName"
        value = aws_autoscaling_group.pool.name
      }
    }
  }
}

# The mean may be low while one job waits: the balancer does not know which host is free. Age counts the worst.
resource "aws_autoscaling_policy" "age" {
  name                      = "${var.name}-queue-age"
  autoscaling_group_name    = aws_autoscaling_group.pool.name
  policy_type               = "StepScaling"
  adjustment_type           = "ChangeInCapacity"
  metric_aggregation_type   = "Maximum"
  estimated_instance_warmup = 60

  step_adjustment {
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = 2 * var.queue_age_seconds
    scaling_adjustment          = var.queue_age_step
  }

  step_adjustment {
    metric_interval_lower_bound = 2 * var.queue_age_seconds
    scaling_adjustment          = 2 * var.queue_age_step
  }
}
