/** Helpers that tests of several modules share. */
package org.tokentune.testing;
