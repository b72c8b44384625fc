"""Where rows come from: files and queries, read with DuckDB."""
