"""The pages in a browser: `make page-test`."""
