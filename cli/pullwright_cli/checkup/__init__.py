"""What `pullwright doctor` looks at: facts are collected, and judged by pure functions."""
