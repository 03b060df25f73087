package org.tokentune.datasets;

import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.StreamSupport;

/** Turns chunks of a file into rows. */
interface ChunkRows {

  /** The maximal number of tokens in a row. */
  int length();

  /** A name that differs between kinds of rows of the same text, tokenizer and length. */
  String name();

  /** Turns a chunk into one array, which can be cached. Called on another thread. */
  int[] tokens(TextChunks.Chunk chunk);

  /** What is said of rows that are left out. */
  default String leftOut(long some, long all) {
    return Instructions.leftOut(some, all, length());
  }

  /** Turns these arrays into rows, one after the other. */
  Iterator<StreamedRow> rows(Iterator<int[]> chunks);

  /** Rows that lie in one chunk each. */
  static Iterator<StreamedRow> unpacked(
      Iterator<int[]> chunks, Function<int[], List<StreamedRow>> unpack) {
    Iterable<int[]> all = () -> chunks;
    return StreamSupport.stream(all.spliterator(), false)
        .flatMap(packed -> unpack.apply(packed).stream())
        .iterator();
  }
}
