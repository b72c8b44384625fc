"""Point-in-time features: this project's sweep against hand-written polars and DuckDB."""
