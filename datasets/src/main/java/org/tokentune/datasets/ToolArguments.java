package org.tokentune.datasets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.tokentune.Warnings;

/**
 * Arguments of tool calls that are rendered without an error, but not as a model should see them.
 */
final class ToolArguments {

  private static final ObjectMapper JSON = new ObjectMapper();

  private ToolArguments() {}

  /**
   * Warns of arguments in JSON, as OpenAI's API has them, that a template for objects wrote once
   * more in quotes, and of nulls, as columns of Parquet have them for keys of other rows.
   *
   * @param text that the template made
   */
  static void check(Conversation conversation, String text) {
    for (Object arguments : of(conversation).toList()) {
      if (arguments instanceof String json
          && json.stripLeading().startsWith("{")
          && text.contains(quoted(json))) {
        Warnings.warn(
            "Some arguments of tool calls are texts, which the template writes in quotes, such as %s:"
                + " write them as objects.",
            quoted(json));
      } else if (hasNull(arguments)) {
        Warnings.warn(
            "Some arguments of tool calls are null, such as those of %s. Tables have that for keys of"
                + " other rows: if a call should not have them, leave them out, or write the list as"
                + " JSON.",
            conversation.position());
      }
    }
  }

  private static Stream<Object> of(Conversation conversation) {
    return conversation.messages().stream()
        .map(message -> message.get("tool_calls"))
        .filter(List.class::isInstance)
        .flatMap(calls -> ((List<?>) calls).stream())
        .filter(Map.class::isInstance)
        .map(call -> ((Map<?, ?>) call).get("function") instanceof Map<?, ?> own ? own : call)
        .map(function -> (Object) ((Map<?, ?>) function).get("arguments"))
        .filter(Objects::nonNull);
  }

  private static boolean hasNull(Object value) {
    Collection<?> parts =
        value instanceof Map<?, ?> map
            ? map.values()
            : value instanceof List<?> list ? list : List.of();
    return parts.stream().anyMatch(part -> part == null || hasNull(part));
  }

  private static String quoted(String text) {
    try {
      return JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // any text can be written
    }
  }
}
