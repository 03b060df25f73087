package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.tokentune.datasets.Example;
import org.tokentune.text.Prediction;

/** Ranks texts by how well they answer a query, in the form of Jina's and Cohere's services. */
final class RerankEndpoint implements Call.Endpoint {

  private static final String DOCUMENTS = "documents";

  private final ServedModels models;

  RerankEndpoint(ServedModels models) {
    this.models = models;
  }

  @Override
  public void answer(Call call) throws IOException, InterruptedException {
    RequestFields fields = call.fields();
    ServedClassifier ranker =
        models.find(fields.text("model"), ServedClassifier.class, Paths.RERANK);
    String query = fields.requiredText("query");
    List<JsonNode> elements = Inputs.checked(fields, DOCUMENTS, fields.elements(DOCUMENTS));
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < elements.size(); i++) {
      texts.add(document(elements.get(i), DOCUMENTS + "[" + i + "]"));
    }
    Integer top = fields.count("top_n", 1, Integer.MAX_VALUE);
    boolean withTexts = fields.flag("return_documents");
    fields.finish();
    List<Example> pairs = texts.stream().map(text -> new Example(query, text, null)).toList();
    List<Prediction> predictions = call.await(ranker.queue().submit(pairs));
    List<Integer> cut = ranker.cut(pairs, predictions);
    double[] scores =
        predictions.stream()
            .mapToDouble(prediction -> prediction.scores().values().iterator().next())
            .toArray();
    ObjectNode answer =
        Answers.object().put("id", "rerank-" + UUID.randomUUID()).put("model", ranker.name());
    ArrayNode results = answer.putArray("results");
    IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -scores[i]))
        .limit(top == null ? scores.length : top)
        .forEach(
            i -> {
              ObjectNode one = results.addObject().put("index", i);
              one.put("relevance_score", scores[i]);
              if (cut.get(i) > 0) {
                one.put("cut", cut.get(i));
              }
              if (withTexts) {
                one.putObject("document").put("text", texts.get(i));
              }
            });
    call.json(answer);
  }

  /** A text, or an object with one. */
  private static String document(JsonNode element, String name) {
    if (!element.isObject()) {
      return RequestFields.text(element, name);
    }
    RequestFields fields = RequestFields.of(element, name);
    String text = fields.requiredText("text");
    fields.finish();
    return text;
  }
}
