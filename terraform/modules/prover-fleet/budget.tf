# The tag must be activated once for an account, in the billing console under cost allocation tags. Budgets look at costs
# a few times a day: they tell late, and stop nothing. max_hosts is the bound that holds.
resource "aws_budgets_budget" "pool" {
  count             = var.monthly_budget == null ? 0 : 1
  name              = var.name
  budget_type       = "COST"
  time_unit         = "MONTHLY"
  limit_amount      = tostring(var.monthly_budget.usd)
  limit_unit        = "USD"
  time_period_start = "2025-01-01_00:00"

  cost_filter {                                   # newer than 3.39
    name   = "TagKeyValue"                        # newer than 3.39
    values = ["user:ProofServerPool$${var.name}"] # newer than 3.39
  }                                               # newer than 3.39

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = var.monthly_budget.emails
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = var.monthly_budget.emails
  }
}
