variable "name" {
  description = "Name of the network; every resource has it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 24 lower-case letters, digits and hyphens and begin with a letter."
  }
}

variable "cidr" {
  description = "The network's IPv4 range."
  type        = string
  default     = "10.76.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "The cidr must be an IPv4 range of /20 or larger, such as 10.76.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones, such as us-east-1a. GPU hosts are not to be had in every zone: more zones, more hosts."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 6 && length(distinct(var.zones)) == length(var.zones)
    error_message = "Give one to six zones, and none twice."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone. False: one for all; without its zone no host can start, but those that run go on."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for every resource, besides those of the provider's default_tags."
  type        = map(string)
  default     = {}
}
