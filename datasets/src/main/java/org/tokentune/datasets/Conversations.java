package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * Conversations, in any format of {@link RowSource}. A row has one of: {@code messages}, a list of
 * objects with {@code role} and {@code content}; {@code conversations}, the same or ShareGPT's
 * objects with {@code from} and {@code value}; {@code prompt} and {@code completion}, texts or
 * lists of messages; {@code instruction}, {@code input} and {@code output}, as Alpaca has them. It
 * may have {@code system}, a text; {@code tools}, a list or a text in JSON; {@code documents}; and
 * {@code chat_template_kwargs}, an object of other variables of the template.
 */
public final class Conversations {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String WANTED =
      "a conversation has messages, conversations, prompt and completion, or instruction and output";

  private static final List<String> ROLES =
      List.of("assistant", "developer", "function", "system", "tool", "user");

  /** ShareGPT's names for roles. */
  private static final Map<String, String> SHARE_GPT =
      Map.ofEntries(
          Map.entry("human", "user"),
          Map.entry("user", "user"),
          Map.entry("gpt", "assistant"),
          Map.entry("chatgpt", "assistant"),
          Map.entry("bot", "assistant"),
          Map.entry("model", "assistant"),
          Map.entry("assistant", "assistant"),
          Map.entry("system", "system"),
          Map.entry("tool", "tool"),
          Map.entry("observation", "tool"));

  private Conversations() {}

  /**
   * Reads a whole file.
   *
   * @throws BadInputException if it is missing or empty, or a row is not a conversation
   */
  public static List<Conversation> read(Path file) {
    required(file, "file");

    return RowSource.read(file, "conversations", new Reader());
  }

  /**
   * Reads rows that are not in a file, each an object in JSON.
   *
   * @param columns that rows may have
   * @param name of where the rows are, for messages
   * @throws BadInputException if there is none, or one is not a conversation
   */
  public static List<Conversation> parse(List<String> rows, List<String> columns, String name) {
    required(rows, "rows");
    required(columns, "columns");
    required(name, "name");

    Reader reader = new Reader();
    reader.header(columns, name);
    List<Conversation> conversations = new ArrayList<>();
    for (String row : rows) {
      int number = conversations.size() + 1; // each row makes one
      reader.row(JsonRows.row(row, () -> name + ", row " + number), conversations);
    }
    if (conversations.isEmpty()) {
      throw new BadDataException("%s has no conversations; give it some.", name);
    }
    return conversations;
  }

  /**
   * Reads the first of a file.
   *
   * @throws BadInputException if it is missing or empty, or its first row is not a conversation
   */
  public static Conversation first(Path file) {
    required(file, "file");

    return RowSource.first(file, "conversations", new Reader());
  }

  /** Makes conversations of rows. */
  static final class Reader implements RowReader<Conversation> {

    @Override
    public void header(List<String> columns, String file) {
      if (!columns.containsAll(List.of("prompt", "completion"))
          && !columns.containsAll(List.of("instruction", "output"))
          && !columns.contains("messages")
          && !columns.contains("conversations")) {
        throw new BadDataException(
            "%s has no conversations; %s. Its columns are %s.",
            file, WANTED, Labels.shown(columns));
      }
    }

    @Override
    public void row(Row row, List<Conversation> conversations) {
      List<Map<String, Object>> messages = new ArrayList<>();
      if (row.value("system") instanceof String system && !system.isBlank()) {
        messages.add(message("system", system));
      }
      if (row.value("messages") != null) {
        addAll(row, "messages", messages);
      } else if (row.value("conversations") != null) {
        addAll(row, "conversations", messages);
      } else if (row.value("completion") != null) {
        addSide(row, "prompt", "user", messages);
        addSide(row, "completion", "assistant", messages);
      } else if (row.value("output") instanceof String output
          && row.value("instruction") instanceof String instruction) {
        Object input = row.value("input");
        boolean more = input instanceof String text && !text.isBlank();
        messages.add(message("user", more ? instruction + "\n\n" + input : instruction));
        messages.add(message("assistant", output));
      } else {
        throw new BadDataException(
            "%s is not a conversation; %s. Its fields are %s.",
            row.position(), WANTED, Labels.shown(row.columns()));
      }
      if (messages.isEmpty()) {
        throw new BadDataException("%s has no messages; leave it out.", row.position());
      }
      conversations.add(new Conversation(row.where(), messages, variables(row)));
    }

    private static Map<String, Object> message(String role, String content) {
      Map<String, Object> message = new LinkedHashMap<>();
      message.put("role", role);
      message.put("content", content);
      return message;
    }

    /** Adds messages, or a text as one message. */
    static void addSide(Row row, String column, String role, List<Map<String, Object>> messages) {
      if (row.value(column) instanceof String text) {
        messages.add(message(role, text));
      } else {
        addAll(row, column, messages);
      }
    }

    private static void addAll(Row row, String column, List<Map<String, Object>> messages) {
      Object value = json(row, column);
      if (!(value instanceof List<?> list)) {
        throw new BadDataException(
            "%s: %s is %s, not a list of messages; %s.",
            row.position(), column, Row.type(value), WANTED);
      }
      for (Object element : list) {
        messages.add(message(row, column, messages.size() + 1, element));
      }
    }

    private static Map<String, Object> message(Row row, String column, int number, Object element) {
      if (!(element instanceof Map<?, ?> map)) {
        throw new BadDataException(
            "%s: message %d of %s is %s, not an object with role and content.",
            row.position(), number, column, Row.type(element));
      }
      Map<String, Object> message = new LinkedHashMap<>();
      map.forEach((key, value) -> message.put(String.valueOf(key), value));
      if (!message.containsKey("role") && message.get("from") instanceof String from) {
        message.remove("from");
        Map<String, Object> renamed = new LinkedHashMap<>();
        renamed.put("role", SHARE_GPT.getOrDefault(from, from));
        renamed.put("content", message.remove("value"));
        renamed.putAll(message);
        return checked(row, number, renamed);
      }
      return checked(row, number, message);
    }

    private static Map<String, Object> checked(Row row, int number, Map<String, Object> message) {
      if (!ROLES.contains(String.valueOf(message.get("role")))) {
        throw new BadDataException(
            "%s: message %d has the role %s, which is not known; roles are %s.",
            row.position(), number, message.get("role"), Labels.shown(ROLES));
      }
      return message;
    }

    /** What else the template is given. */
    static Map<String, Object> variables(Row row) {
      Map<String, Object> variables = new LinkedHashMap<>();
      for (String column : List.of("tools", "documents")) {
        Object value = json(row, column);
        if (value instanceof List<?> list) {
          variables.put(column, list);
        } else if (value != null) {
          throw new BadDataException(
              "%s: %s is %s, not a list.", row.position(), column, Row.type(value));
        }
      }
      Object more = json(row, "chat_template_kwargs");
      if (more instanceof Map<?, ?> map) {
        map.forEach(
            (key, value) -> {
              if (value != null) {
                variables.put(String.valueOf(key), value);
              }
            });
      } else if (more != null) {
        throw new BadDataException(
            "%s: chat_template_kwargs is %s, not an object.", row.position(), Row.type(more));
      }
      return variables;
    }

    /** A value that may be a text in JSON, as tables have it. */
    private static Object json(Row row, String column) {
      Object value = row.value(column);
      if (!(value instanceof String text)) {
        return value;
      }
      if (text.isBlank()) {
        return null;
      }
      try {
        return JSON.readValue(text, Object.class);
      } catch (JsonProcessingException e) {
        throw new BadDataException(
            e, "%s: %s is a text, but not JSON; write a list.", row.position(), column);
      }
    }
  }
}
