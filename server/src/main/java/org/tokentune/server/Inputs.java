package org.tokentune.server;

import java.util.List;

/** Texts that a request gives. */
final class Inputs {

  /** OpenAI's limit. */
  private static final int MOST = 2048;

  private Inputs() {}

  /** The same texts, if there are any, and not too many. */
  static <T> List<T> checked(RequestFields fields, String name, List<T> texts) {
    if (texts == null || fields.value(name) == null) {
      throw fields.missing(name);
    }
    if (texts.isEmpty() || texts.size() > MOST) {
      throw ApiException.bad(name, "%s has %d texts; give 1 to %d.", name, texts.size(), MOST);
    }
    return texts;
  }
}
