package org.tokentune.cli;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.chat.ChatTemplate;
import org.tokentune.chat.ChatTemplateException;
import org.tokentune.chat.ChatTemplateSettings;
import org.tokentune.chat.RenderedChat;

/** Templates with their variables, to be compared with another implementation. */
final class ChatCases {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);

  private ChatCases() {}

  /**
   * Renders the cases of a file.
   *
   * @param results gets an object with {@code out} and {@code spans}, or {@code err}, for each
   * @return how many were rendered
   */
  static int render(Path file, ChatTemplateSettings settings, ArrayNode results) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException("There is no file %s; check the path.", file);
    }
    JsonNode cases;
    try {
      cases = JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read as JSON; check the file.", file);
    }
    if (!cases.isArray()) {
      throw new BadDataException("%s is not a JSON list of cases with t and ctx.", file);
    }
    int rendered = 0;
    Map<String, ChatTemplate> templates = new HashMap<>();
    for (JsonNode each : cases) {
      if (!each.path("t").isTextual() || !each.path("ctx").isObject()) {
        throw new BadDataException(
            "%s: case %d has no text t and no object ctx.", file, results.size() + 1);
      }
      Map<String, Object> variables = new HashMap<>();
      each.get("ctx")
          .properties()
          .forEach(
              entry ->
                  variables.put(entry.getKey(), JSON.convertValue(entry.getValue(), Object.class)));
      try {
        ChatTemplate template =
            templates.computeIfAbsent(
                each.get("t").textValue(), text -> ChatTemplate.of(text, settings));
        RenderedChat chat = template.render(variables);
        put(results.addObject(), "out", chat);
        rendered++;
      } catch (ChatTemplateException e) {
        results.addObject().put("err", "line " + e.line() + ": " + e.getMessage());
      }
    }
    return rendered;
  }

  /** Adds a text, and what the template marks of it. */
  static void put(ObjectNode node, String name, RenderedChat chat) {
    node.put(name, chat.text());
    ArrayNode spans = node.putArray("spans");
    chat.generated().forEach(span -> spans.addArray().add(span.start()).add(span.end()));
  }
}
