"""The server in front of the core: what every request passes (login, headers, origins), routes for programs."""
