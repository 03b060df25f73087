package org.tokentune.server;

import java.util.List;

/** A model, or adapters on it, under the name by which requests ask for it. */
sealed interface ServedModel extends AutoCloseable
    permits ServedGenerator, ServedClassifier, ServedEncoder {

  /** The {@code model} of requests. */
  String name();

  /** What it is, for messages. */
  String kind();

  /** The paths that it answers. */
  List<String> paths();

  /** Whether it can answer; false after a failure that it does not recover from. */
  boolean works();

  @Override
  void close();
}
