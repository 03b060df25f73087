package org.tokentune.server;

import java.util.List;
import java.util.function.IntConsumer;
import org.tokentune.datasets.Example;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.Prediction;
import org.tokentune.text.TextModel;

/** A model with a head: a classifier, or a cross-encoder that ranks. */
final class ServedClassifier implements ServedModel {

  private final String name;
  private final TextModel model;
  private final BatchQueue<Example, Prediction> queue;

  ServedClassifier(String name, TextModel model, ServerSettings settings, IntConsumer batches) {
    this.name = name;
    this.model = model;
    queue =
        new BatchQueue<>(
            name, model::predictRows, settings.batchSize(), settings.batchWait(), batches);
  }

  @Override
  public String name() {
    return name;
  }

  boolean ranks() {
    return model.labels().task() == Objectives.RERANK;
  }

  @Override
  public String kind() {
    return ranks() ? "a cross-encoder" : "a classifier";
  }

  @Override
  public List<String> paths() {
    return List.of(ranks() ? Paths.RERANK : Paths.CLASSIFY);
  }

  /**
   * For each row, what was not read as it was cut: words for a model of words, else tokens; 0 if it
   * was not.
   */
  List<Integer> cut(List<Example> rows, List<Prediction> predictions) {
    return model.labels().task() == Objectives.TOKEN
        ? predictions.stream().map(Prediction::cut).toList()
        : model.cut(rows);
  }

  BatchQueue<Example, Prediction> queue() {
    return queue;
  }

  @Override
  public boolean works() {
    return queue.works();
  }

  @Override
  public void close() {
    try {
      queue.close();
    } finally {
      model.close();
    }
  }
}
