"""The Light Engine: logs as Parquet files that Athena queries."""
