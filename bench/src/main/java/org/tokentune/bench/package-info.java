/**
 * Measures and compares: parity with the numbers of other implementations, the time and memory of
 * training steps and of generation, and the memory of fine-tuning methods. Nothing else depends on
 * it except the command line.
 */
package org.tokentune.bench;
