/**
 * Parquet files, compressed files, folders of files and databases, as one file of rows each, which
 * every task reads. A module of its own, because the Parquet reader, DuckDB, has 85 megabytes.
 * Imports {@code datasets} and {@code files}; {@code cli} imports it.
 */
package org.tokentune.tables;
