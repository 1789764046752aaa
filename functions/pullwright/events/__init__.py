"""The queue behind the webhook: starts, stops, releases and answers, as its messages ask."""
