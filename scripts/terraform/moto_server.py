#!/usr/bin/env python3
"""moto's server, with what moto 5.2.5 forgets or makes up: else a second plan would want to mend it.

    moto_server.py PORT
"""
import sys

from moto.autoscaling import models, responses
from moto.ec2.models import launch_templates
from moto.server import main

# Made up: a hook's queue and role.
init_hook = models.LifecycleHook.__init__


def hook_without_queue(self, *arguments, **named):
    init_hook(self, *arguments, **named)
    self.role_arn = self.notification_target_arn = None


models.LifecycleHook.__init__ = hook_without_queue

# Forgotten: the mixed instances policy when something else of a group is updated, and a group's longest lifetime.
update_group = models.FakeAutoScalingGroup.update


def update_that_keeps_the_mix(self, *arguments, **named):
    mix = self.mixed_instances_policy
    update_group(self, *arguments, **named)
    self.mixed_instances_policy = self.mixed_instances_policy or mix


models.FakeAutoScalingGroup.update = update_that_keeps_the_mix


def keeping_lifetime(action):
    def kept(self):
        result = action(self)
        lifetime = self._get_param("MaxInstanceLifetime")
        if lifetime is not None:
            group, = self.autoscaling_backend.describe_auto_scaling_groups([self._get_param("AutoScalingGroupName")])
            group.max_instance_lifetime = int(lifetime)
        return result
    return kept


for name in ("create_auto_scaling_group", "update_auto_scaling_group"):
    setattr(responses.AutoScalingResponse, name, keeping_lifetime(getattr(responses.AutoScalingResponse, name)))

# Made up: a launch template's own tags among those of the hosts that it launches.
init_version = launch_templates.LaunchTemplateVersion.__init__


def version_without_template_tags(self, template, number, data, description):
    data["TagSpecifications"] = [tags for tags in data.get("TagSpecifications", []) if tags.get("ResourceType") != "launch-template"]
    init_version(self, template, number, data, description)


launch_templates.LaunchTemplateVersion.__init__ = version_without_template_tags

# Forgotten: a policy's steps. The one whose bounds, counted from the threshold, hold the metric's value is carried out.
execute_policy = responses.AutoScalingResponse.execute_policy


def execute_step(self):
    policy = self.autoscaling_backend.policies[self._get_param("PolicyName")]
    if policy.policy_type == "StepScaling":
        over = float(self._get_param("MetricValue")) - float(self._get_param("BreachThreshold"))
        policy.scaling_adjustment = sum(
            int(step["ScalingAdjustment"]) for step in policy.step_adjustments
            if float(step.get("MetricIntervalLowerBound", "-inf")) <= over < float(step.get("MetricIntervalUpperBound", "inf")))
    result = execute_policy(self)
    if policy.policy_type == "StepScaling":
        policy.scaling_adjustment = None
    return result


responses.AutoScalingResponse.execute_policy = execute_step

main(["-H", "127.0.0.1", "-p", sys.argv[1]])
