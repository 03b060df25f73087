/**
 * Models of text, whole: tokenizer, encoder and head together, to tune, score, predict, embed, save
 * and load. Imports the core and {@code datasets}; the command line imports it.
 */
package org.tokentune.text;
