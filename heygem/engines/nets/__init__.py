"""Networks that others trained, one a file: `of(state)` finds variant and widths from the shapes of the weights."""
