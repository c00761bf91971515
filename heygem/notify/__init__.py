"""Messages to other services: webhooks, and the guard that every address passes which a user typed."""
