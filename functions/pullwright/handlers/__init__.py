"""One thin module per Lambda function: parse, one call into the core, return."""
