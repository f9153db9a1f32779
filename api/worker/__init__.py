"""The worker: hands over the mail that is due, and does what time brings."""

from api.worker.worker import Worker

__all__ = ["Worker"]
