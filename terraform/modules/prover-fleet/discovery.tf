# How Prometheus finds the hosts: by the tags that the auto-scaling group gives them.
locals {
  prometheus_scrape_config = yamlencode([{
    job_name     = "proof-server-${var.name}"
    metrics_path = "/metrics"
    ec2_sd_configs = [{
      region = local.region
      port   = var.metrics_port
      filters = [
        { name = "tag:PrometheusScrape", values = ["proof-server"] },
        { name = "tag:ProofServerPool", values = [var.name] },
        { name = "instance-state-name", values = ["running"] },
      ]
    }]
    relabel_configs = [
      { source_labels = ["__meta_ec2_instance_id"], target_label = "instance" },
      { source_labels = ["__meta_ec2_availability_zone"], target_label = "zone" },
      { source_labels = ["__meta_ec2_instance_type"], target_label = "instance_type" },
      { source_labels = ["__meta_ec2_tag_ProofServerPool"], target_label = "pool" },
    ]
  }])
}
