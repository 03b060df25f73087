/**
 * Pretrained models by name. Imports the core's {@code checkpoint}; the command line imports it.
 */
package org.tokentune.zoo;
