"""Application load balancers: the API (Elastic Load Balancing v2), health checks, the router on 127.0.0.1."""
