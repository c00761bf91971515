"""Jobs: what users asked for and what became of it, one at a time in a supervised child process."""
