package org.tokentune.cli;

import java.util.Locale;
import org.tokentune.datasets.RowSampling;
import org.tokentune.datasets.Split;
import org.tokentune.datasets.StreamedRows;

/**
 * Rows to train, to validate and to test on.
 *
 * @param sampling of the training rows; null: each of them once in an epoch
 */
record TrainingRows<R>(Split<R> split, RowSampling sampling) {

  /** Rows of which each is trained on once in an epoch. */
  static <R> TrainingRows<R> plain(Split<R> split) {
    return new TrainingRows<>(split, null);
  }

  /** What is said of them if the training rows are streamed. */
  String counts(StreamedRows stream) {
    return counts(stream, false);
  }

  /**
   * The same.
   *
   * @param validatesStream whether the end of the stream is validated on
   */
  String counts(StreamedRows stream, boolean validatesStream) {
    return counts(stream, validatesStream ? null : split.validation().size(), split.test().size());
  }

  /**
   * The same.
   *
   * @param validated rows; null: the end of the stream
   */
  static String counts(StreamedRows stream, Integer validated, int tested) {
    return String.format(
        Locale.ROOT,
        "%,d bytes to stream, %s to validate, %,d to test",
        stream.size(),
        validated == null ? "their end" : String.format(Locale.ROOT, "%,d rows", validated),
        tested);
  }
}
