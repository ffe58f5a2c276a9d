# The rules that come with tflint, all of them.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
