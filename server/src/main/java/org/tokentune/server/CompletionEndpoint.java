package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Continues prompts. */
final class CompletionEndpoint extends GenerationEndpoint {

  /** OpenAI's. */
  private static final int DEFAULT_TOKENS = 16;

  private static final int MOST_PROMPTS = 64;
  private static final String PROMPT = "prompt";

  private final int mostTokens;

  CompletionEndpoint(ServedModels models, Metrics metrics, int mostTokens) {
    super(models, metrics);
    this.mostTokens = mostTokens;
  }

  @Override
  TextGeneration read(RequestFields fields, ServedGenerator model) {
    fields.mustBe("echo", "false");
    fields.mustBe("suffix", "\"\"");
    Sampling sampling =
        Sampling.read(fields, model, Math.min(DEFAULT_TOKENS, mostTokens), mostTokens);
    return TextGeneration.of(model, prompts(fields, model), sampling);
  }

  private static List<int[]> prompts(RequestFields fields, ServedGenerator model) {
    JsonNode value = fields.value(PROMPT);
    if (value == null) {
      throw fields.missing(PROMPT);
    }
    if (value.isArray() && value.path(0).isNumber()) {
      return List.of(Sampling.ids(value, PROMPT));
    }
    List<JsonNode> elements = fields.elements(PROMPT);
    if (elements.isEmpty() || elements.size() > MOST_PROMPTS) {
      throw ApiException.bad(
          PROMPT, "prompt has %d texts; give 1 to %d.", elements.size(), MOST_PROMPTS);
    }
    List<int[]> prompts = new ArrayList<>();
    for (JsonNode element : elements) {
      prompts.add(
          element.isArray()
              ? Sampling.ids(element, PROMPT)
              : model.model().promptIds(RequestFields.text(element, PROMPT)));
    }
    return prompts;
  }

  @Override
  String path() {
    return Paths.COMPLETIONS;
  }

  @Override
  String idPrefix() {
    return "cmpl-";
  }

  @Override
  String object(boolean stream) {
    return "text_completion";
  }

  @Override
  void put(ObjectNode choice, String text) {
    choice.put("text", text);
  }

  @Override
  void putPiece(ObjectNode choice, String piece) {
    choice.put("text", piece == null ? "" : piece);
  }

  @Override
  boolean hasOpening() {
    return false;
  }

  @Override
  void putOpening(ObjectNode choice) {
    choice.put("text", "");
  }
}
