package org.tokentune.chat;

/** What one rendering may still use: steps, characters and depth. */
final class Budget {

  private final ChatTemplateSettings limits;
  private long steps;
  private long characters;
  private int depth;

  Budget(ChatTemplateSettings limits) {
    this.limits = limits;
  }

  void step() {
    steps(1);
  }

  void steps(long more) {
    steps += more;
    if (steps > limits.steps()) {
      throw new ChatTemplateException(
          "the template takes more than "
              + limits.steps()
              + " steps: it loops too long, or the conversation is too long for it");
    }
  }

  /** Counts characters before a text is made of them. */
  void characters(long more) {
    characters += more;
    if (more < 0 || characters > limits.characters()) {
      throw new ChatTemplateException(
          "the template makes texts of more than " + limits.characters() + " characters");
    }
  }

  /** Counts a text that is looked through, which is cheaper than making one. */
  void scan(String text) {
    characters(text.length() / 4);
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw new ChatTemplateException(
          "macros and loops call each other more than " + limits.depth() + " deep");
    }
  }

  void leave() {
    depth--;
  }

  int maximumDepth() {
    return limits.depth();
  }

  /** As many elements as steps are allowed: a list is made in as many. */
  void weight(long weight, int deep) {
    if (weight > limits.steps()) {
      throw new ChatTemplateException(
          "a value of the template has more than " + limits.steps() + " elements");
    }
    if (deep > limits.depth()) {
      throw new ChatTemplateException(
          "a value of the template is nested more than " + limits.depth() + " deep");
    }
  }
}
