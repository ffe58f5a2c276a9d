output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Public subnets, one a zone, in the order of zones: for balancers that the internet reaches."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Private subnets, one a zone, in the order of zones: for hosts and internal balancers."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]

  # Hosts that start before there is a way out cannot fetch their release.
  depends_on = [aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.s3]
}
