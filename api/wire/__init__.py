"""The wire: bodies of requests and answers as the API describes them (OpenAPI 3.1)."""
