/**
 * Data-parallel fine-tuning and batch prediction on Apache Spark, which places tasks, moves data,
 * finds failures and retries. A module of its own, because Spark brings 334 megabytes, which are on
 * its users' class path anyway. Nothing imports it.
 */
package org.tokentune.spark;
