package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;
import org.tokentune.train.StepInputs;

/** How many plans 20,000 texts of mixed lengths need. */
class PlansTest {

  private static final int TEXTS = 20_000;
  private static final String CONFIG =
      """
      {"model_type": "bert", "vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1,
       "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 512,
       "type_vocab_size": 2}""";

  private static PlanEngine engine() throws IOException {
    ObjectNode config = (ObjectNode) new ObjectMapper().readTree(CONFIG);
    TransformerModel model =
        ModelConfig.read(config, "test").model(new Head(Objectives.CLASSIFY, 2, Pooling.FIRST));
    return new PlanEngine(
        model.build(Parameters.shapeOnly(model.parameters()), GraphOptions.inference()).sd(),
        PlanOptions.forward(List.of(ModelGraph.LOGITS)));
  }

  /** Of 2 to 512 tokens, half of them of fewer than 22, as sentences and their paragraphs are. */
  private static List<TokenBatches.Row> rows() {
    SplittableRandom random = new SplittableRandom(8);
    return IntStream.range(0, TEXTS)
        .map(i -> (int) Math.min(512, 2 + Math.round(Math.exp(3 + 1.2 * random.nextGaussian()))))
        .mapToObj(length -> new TokenBatches.Row(new int[length], new int[length], null))
        .toList();
  }

  /** The plans made after these batches. */
  private static int plans(PlanEngine engine, MultiDataSetIterator batches, String what) {
    int count = 0;
    long padded = 0;
    for (; batches.hasNext(); count++) {
      MultiDataSet batch = batches.next();
      engine.plan(StepInputs.features(batch));
      padded += batch.getFeatures(0).length();
    }
    System.out.printf(
        "%s: %d batches, %d tokens with padding, %d plans so far%n",
        what, count, padded, engine.plansMade());
    return engine.plansMade();
  }

  @Test
  void predictionPlansOnceForALength() throws IOException {
    List<TokenBatches.Row> rows = rows();
    try (PlanEngine engine = engine()) {
      int first = plans(engine, TokenBatches.byTokens(rows, Objectives.CLASSIFY), "prediction");
      assertTrue(first <= 64, "16 lengths, 8 for each of 5 octaves, and a few smaller batches");
      int second =
          plans(engine, TokenBatches.byTokens(rows, Objectives.CLASSIFY), "the same again");
      assertEquals(first, second);
    }
  }

  @Test
  void trainingPlansInTheFirstEpochOnly() throws IOException {
    List<TokenBatches.Row> rows = rows();
    try (PlanEngine engine = engine()) {
      int first =
          plans(engine, TokenBatches.shuffled(rows, Objectives.CLASSIFY, 32, 1, 0), "epoch 1");
      assertTrue(first <= 57);
      int second =
          plans(engine, TokenBatches.shuffled(rows, Objectives.CLASSIFY, 32, 1, 1), "epoch 2");
      assertTrue(second <= first + 2, "at most lengths that the other order has not met");
    }
  }
}
