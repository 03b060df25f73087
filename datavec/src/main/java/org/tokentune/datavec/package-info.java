/**
 * Labelled texts, and files of rows for every task, from DataVec's record readers. A module of its
 * own, because DataVec brings sixteen megabytes that only its users need. Imports {@code datasets};
 * nothing imports it.
 */
package org.tokentune.datavec;
