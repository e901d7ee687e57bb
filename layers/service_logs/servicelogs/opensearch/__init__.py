"""Writes documents to OpenSearch: client, bulk writer, error table, index names and mappings."""
