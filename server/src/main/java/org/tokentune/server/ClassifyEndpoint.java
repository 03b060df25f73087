package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tokentune.datasets.Example;
import org.tokentune.text.Prediction;

/** Classifies texts and pairs of texts. */
final class ClassifyEndpoint implements Call.Endpoint {

  private static final String INPUT = "input";

  private final ServedModels models;

  ClassifyEndpoint(ServedModels models) {
    this.models = models;
  }

  @Override
  public void answer(Call call) throws IOException, InterruptedException {
    RequestFields fields = call.fields();
    ServedClassifier classifier =
        models.find(fields.text("model"), ServedClassifier.class, Paths.CLASSIFY);
    List<JsonNode> elements = Inputs.checked(fields, INPUT, fields.elements(INPUT));
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < elements.size(); i++) {
      examples.add(example(elements.get(i), INPUT + "[" + i + "]"));
    }
    fields.ignore(Set.of("user"));
    fields.finish();
    List<Prediction> predictions = call.await(classifier.queue().submit(examples));
    List<Integer> cut = classifier.cut(examples, predictions);
    ObjectNode answer = Answers.object().put("object", "list").put("model", classifier.name());
    ArrayNode data = answer.putArray("data");
    for (int i = 0; i < predictions.size(); i++) {
      ObjectNode one = data.addObject().put("index", i);
      predictions.get(i).labels().forEach(one.putArray("labels")::add);
      predictions.get(i).scores().forEach(one.putObject("scores")::put);
      if (cut.get(i) > 0) {
        one.put("cut", cut.get(i));
      }
    }
    call.json(answer);
  }

  /** A text, or an object with a text and another. */
  private static Example example(JsonNode element, String name) {
    if (!element.isObject()) {
      return new Example(RequestFields.text(element, name), null);
    }
    RequestFields fields = RequestFields.of(element, name);
    Example example = new Example(fields.requiredText("text"), fields.text("pair"), null);
    fields.finish();
    return example;
  }
}
