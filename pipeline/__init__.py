"""The world outside: configuration, workspace, sources, stages and the command line."""
