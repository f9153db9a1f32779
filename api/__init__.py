"""The service: JSON API, pages, services, worker, mail and command line."""
