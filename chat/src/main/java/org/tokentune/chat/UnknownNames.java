package org.tokentune.chat;

import java.util.ArrayList;
import java.util.List;

/**
 * Filters and tests that do not exist. As in Jinja2, they are an error when the template is read,
 * except within an {@code if}: there they are one when they are reached, so that a template may ask
 * first.
 */
final class UnknownNames {

  private record Unknown(ChatTemplateException error, boolean certain) {}

  private final List<Unknown> names = new ArrayList<>();

  void add(ChatTemplateException error) {
    names.add(new Unknown(error, false));
  }

  /** A place to come back to. */
  int mark() {
    return names.size();
  }

  /** What was found since then stands in an {@code if}. */
  void forgive(int mark) {
    for (int i = names.size() - 1; i >= mark; i--) {
      if (!names.get(i).certain) {
        names.remove(i);
      }
    }
  }

  /** What was found since then stands in a loop, macro or block of its own: no if excuses it. */
  void settle(int mark) {
    for (int i = mark; i < names.size(); i++) {
      names.set(i, new Unknown(names.get(i).error, true));
    }
  }

  void check() {
    if (!names.isEmpty()) {
      throw names.get(0).error;
    }
  }
}
