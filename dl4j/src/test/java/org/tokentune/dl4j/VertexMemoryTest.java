package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Pooling;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.train.MemorySettings;

/**
 * Live bytes of a network in training: its parameters, gradients and updater state, and what its
 * encoder takes besides. The example GraphMemory prints the same for a real model.
 */
class VertexMemoryTest {

  private static final int LENGTH = 32;

  @Test
  void gradientsAreHeldOnce() {
    Map<String, UnaryOperator<EncoderVertex>> kinds = new LinkedHashMap<>();
    kinds.put("everything", vertex -> vertex);
    kinds.put("the last layer", vertex -> vertex.withTrainable("last:1"));
    kinds.put("adapters", vertex -> vertex.withLora(LoraConfig.on(LoraConfig.ALL_LINEAR)));
    kinds.put(
        "adapters and nothing recomputed",
        vertex ->
            vertex
                .withLora(LoraConfig.on(LoraConfig.ALL_LINEAR))
                .withMemory(MemorySettings.of(ActivationCheckpointing.NOTHING)));
    kinds.put("nothing", vertex -> vertex.withTrainable("none"));
    Map<String, Long> whole = new LinkedHashMap<>();
    kinds.forEach(
        (kind, change) -> {
          for (String tokens : new String[] {"25%", "all"}) {
            ComputationGraph net = trained(tokens, change);
            long parameters = bytes(net.params());
            long updater = bytes(net.updaterState());
            long own = EncoderVertex.bytes(net, "encoder");
            assertEquals(parameters, bytes(net.getFlattenedGradients()));
            assertEquals(net.numParams(), net.params().length());
            whole.put(kind + tokens, 2 * parameters + updater + own);
            System.out.printf(
                "%s, %s tokens: parameters and gradients %,d each, updater %,d, encoder %,d: %,d"
                    + " bytes%n",
                kind, tokens, parameters, updater, own, whole.get(kind + tokens));
            if (kind.equals("everything")) {
              // Gradients in the arena as well would be as large as the parameters.
              assertTrue(own < parameters, own + " bytes");
            }
          }
        });
    assertTrue(whole.get("everything25%") <= whole.get("everythingall"));
    assertTrue(whole.get("adaptersall") < whole.get("adapters and nothing recomputedall"));
    for (String kind : new String[] {"the last layer", "adapters", "nothing"}) {
      assertTrue(whole.get(kind + "25%") < whole.get("everything25%"), kind);
    }
  }

  @Test
  void namesTheVertexThatIsMissing() {
    ComputationGraph net = trained("all", vertex -> vertex);
    String message =
        assertThrows(BadSettingsException.class, () -> EncoderVertex.bytes(net, "output"))
            .getMessage();
    assertEquals("The network has no EncoderVertex output.", message);
  }

  private static long bytes(INDArray array) {
    return array.length() * array.dataType().width();
  }

  private static ComputationGraph trained(String tokens, UnaryOperator<EncoderVertex> change) {
    try (ModelFiles files = TestEncoder.random(4000)) {
      ComputationGraph net =
          TestEncoder.classifier(
              files, change.apply(EncoderVertex.of(files, Pooling.FIRST, tokens, 1, 7)));
      for (int step = 0; step < 2; step++) {
        net.fit(TestEncoder.batch(step, LENGTH));
      }
      return net;
    }
  }
}
