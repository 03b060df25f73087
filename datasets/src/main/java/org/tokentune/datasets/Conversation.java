package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A conversation, as chat templates read it.
 *
 * @param origin names the file and the row, for messages; asked only then, because the lines before
 *     a row of a large file are not counted beforehand
 * @param messages each with {@code role}, {@code content} and more
 * @param variables what else the template is given, such as {@code tools}
 */
public record Conversation(
    Supplier<String> origin, List<Map<String, Object>> messages, Map<String, Object> variables) {

  public Conversation {
    required(origin, "origin");
    required(messages, "messages");
    required(variables, "variables");
  }

  /**
   * A conversation that is known where it is.
   *
   * @param position names the file and the row, for messages
   */
  public Conversation(
      String position, List<Map<String, Object>> messages, Map<String, Object> variables) {
    this(always(position), messages, variables);
  }

  private static Supplier<String> always(String position) {
    required(position, "position");
    return () -> position;
  }

  /** Names the file and the row, for messages. */
  public String position() {
    return origin.get();
  }

  /** The role of a message. */
  String role(int message) {
    return String.valueOf(messages.get(message).get("role"));
  }

  boolean isAssistant(int message) {
    return role(message).equals("assistant");
  }

  /** The same with the first messages only. */
  Conversation first(int count) {
    return new Conversation(origin, messages.subList(0, count), variables);
  }
}
