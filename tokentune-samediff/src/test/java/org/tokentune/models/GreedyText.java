package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.checkpoint.WeightSource;

/** Most probable continuations, a whole forward pass a token: slow, and without any cache. */
public final class GreedyText {

  private final SameDiff graph;

  public GreedyText(JsonNode config, WeightSource weights) {
    ModelConfig sizes = ModelConfig.read(config, weights.origin());
    Model model = sizes.model(new Head(Task.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
    graph = model.build(ParameterLoader.load(model, weights), GraphOptions.inference()).sd();
  }

  /** The tokens after {@code prompt}. */
  public List<Integer> continued(List<Integer> prompt, int tokens) {
    List<Integer> ids = new ArrayList<>(prompt);
    for (int i = 0; i < tokens; i++) {
      int length = ids.size();
      INDArray logits =
          graph.outputSingle(
              Map.of(
                  ModelGraph.INPUT_IDS, row(ids.stream().mapToInt(id -> id)),
                  ModelGraph.ATTENTION_MASK, row(IntStream.generate(() -> 1).limit(length)),
                  ModelGraph.POSITION_IDS, row(IntStream.range(0, length))),
              ModelGraph.LOGITS);
      ids.add(logits.reshape(length, -1).getRow(length - 1).argMax(0).getInt(0));
    }
    return ids.subList(prompt.size(), ids.size());
  }

  private static INDArray row(IntStream values) {
    return Nd4j.createFromArray(new int[][] {values.toArray()});
  }
}
