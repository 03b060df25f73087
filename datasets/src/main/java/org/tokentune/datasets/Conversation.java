package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;

/**
 * A conversation, as chat templates read it.
 *
 * @param position names the file and the row, for messages
 * @param messages each with {@code role}, {@code content} and more
 * @param variables what else the template is given, such as {@code tools}
 */
public record Conversation(
    String position, List<Map<String, Object>> messages, Map<String, Object> variables) {

  public Conversation {
    required(position, "position");
    required(messages, "messages");
    required(variables, "variables");
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
    return new Conversation(position, messages.subList(0, count), variables);
  }
}
