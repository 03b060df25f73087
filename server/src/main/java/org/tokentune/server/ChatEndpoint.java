package org.tokentune.server;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.datasets.Conversation;

/** Answers conversations. */
final class ChatEndpoint extends GenerationEndpoint {

  private static final String MESSAGES = "messages";
  private static final String ROLE = "role";
  private static final String CONTENT = "content";

  /** OpenAI's later name of the system's role, which templates do not know. */
  private static final String DEVELOPER = "developer";

  private static final Set<String> ROLES = Set.of("system", "user", "assistant");

  /** Variables of templates that are not a request's to give; in vLLM they come from elsewhere. */
  private static final List<String> OWN_VARIABLES =
      List.of(MESSAGES, "tools", "documents", "add_generation_prompt");

  private final int mostTokens;

  ChatEndpoint(ServedModels models, Metrics metrics, int mostTokens) {
    super(models, metrics);
    this.mostTokens = mostTokens;
  }

  @Override
  TextGeneration read(RequestFields fields, ServedGenerator model) {
    fields.mustBe("tools", "[]");
    fields.mustBe("tool_choice", "\"none\"", "\"auto\"");
    fields.mustBe("functions", "[]");
    fields.mustBe("function_call", "\"none\"", "\"auto\"");
    fields.mustBe("response_format", "{\"type\":\"text\"}");
    fields.mustBe("modalities", "[\"text\"]");
    Sampling sampling = Sampling.read(fields, model, mostTokens, mostTokens);
    Conversation conversation = new Conversation(MESSAGES, messages(fields), variables(fields));
    return TextGeneration.of(model, List.of(model.chats().prompt(conversation)), sampling);
  }

  private static Map<String, Object> variables(RequestFields fields) {
    JsonNode value = fields.value("chat_template_kwargs");
    if (value == null) {
      return Map.of();
    }
    if (!value.isObject()) {
      throw ApiException.bad(
          "chat_template_kwargs",
          "chat_template_kwargs must be an object of the template's variables.");
    }
    Map<String, Object> variables =
        RequestFields.JSON.convertValue(value, new TypeReference<Map<String, Object>>() {});
    for (String own : OWN_VARIABLES) {
      if (variables.containsKey(own)) {
        throw ApiException.unsupported(
            "chat_template_kwargs",
            "chat_template_kwargs must not have %s, which the server gives the template; leave it out.",
            own);
      }
    }
    variables.values().removeIf(each -> each == null);
    return variables;
  }

  private static List<Map<String, Object>> messages(RequestFields fields) {
    JsonNode list = fields.value(MESSAGES);
    if (list == null) {
      throw fields.missing(MESSAGES);
    }
    if (!list.isArray() || list.isEmpty()) {
      throw ApiException.bad(MESSAGES, "messages must be a list of at least one message.");
    }
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      messages.add(message(list.get(i), MESSAGES + "[" + i + "]"));
    }
    return messages;
  }

  private static Map<String, Object> message(JsonNode json, String name) {
    RequestFields fields = RequestFields.of(json, name);
    String role = fields.requiredText(ROLE);
    String known = role.equals(DEVELOPER) ? "system" : role;
    if (!ROLES.contains(known)) {
      throw ApiException.bad(
          name + ".role",
          "%s.role must be system, developer, user or assistant, got %.60s.",
          name,
          role);
    }
    Map<String, Object> message = new LinkedHashMap<>();
    message.put(ROLE, known);
    message.put(CONTENT, content(fields, name + ".content"));
    String author = fields.text("name");
    if (author != null) {
      message.put("name", author);
    }
    fields.mustBe("tool_calls", "[]");
    fields.ignore(Set.of("refusal", "annotations"));
    fields.finish();
    return message;
  }

  /** A text, or the texts of a list of parts. */
  private static String content(RequestFields fields, String name) {
    JsonNode content = fields.value(CONTENT);
    if (content == null) {
      throw fields.missing(CONTENT);
    }
    if (!content.isArray()) {
      return RequestFields.text(content, name);
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < content.size(); i++) {
      RequestFields part = RequestFields.of(content.get(i), name + "[" + i + "]");
      String type = part.requiredText("type");
      if (!type.equals("text")) {
        throw ApiException.unsupported(
            name, "%s has a part of type %.60s; only text is supported.", name, type);
      }
      texts.add(part.requiredText("text"));
      part.finish();
    }
    return String.join("\n", texts);
  }

  @Override
  String path() {
    return Paths.CHAT_COMPLETIONS;
  }

  @Override
  String idPrefix() {
    return "chatcmpl-";
  }

  @Override
  String object(boolean stream) {
    return stream ? "chat.completion.chunk" : "chat.completion";
  }

  @Override
  void put(ObjectNode choice, String text) {
    choice.putObject("message").put(ROLE, "assistant").put(CONTENT, text).putNull("refusal");
  }

  @Override
  void putPiece(ObjectNode choice, String piece) {
    ObjectNode delta = choice.putObject("delta");
    if (piece != null) {
      delta.put(CONTENT, piece);
    }
  }

  @Override
  boolean hasOpening() {
    return true;
  }

  @Override
  void putOpening(ObjectNode choice) {
    choice.putObject("delta").put(ROLE, "assistant").put(CONTENT, "").putNull("refusal");
  }
}
