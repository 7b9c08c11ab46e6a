"""What a change of the spec means to those who use the generated client."""
