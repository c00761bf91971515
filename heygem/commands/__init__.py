"""Groups of commands, one file a group, each with ``register(commands)``; ``heygem.cli`` lists them."""
