"""What a change of the spec means for programs that use the generated client."""
