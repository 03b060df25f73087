package org.tokentune.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.tokentune.formats.WeightSource;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.generate.Generator;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;

/** Most probable continuations of a checkpoint's model. */
public final class GreedyText {

  private final TransformerModel model;
  private final Parameters parameters;

  public GreedyText(JsonNode config, WeightSource weights) {
    ModelConfig sizes = ModelConfig.read(config, weights.origin());
    model = sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
    parameters = ParameterLoader.load(model, weights);
  }

  /** The tokens after {@code prompt}. */
  public List<Integer> continued(List<Integer> prompt, int tokens) {
    int[] ids = prompt.stream().mapToInt(Integer::intValue).toArray();
    try (Generator generator = new Generator(model, parameters)) {
      int[] more =
          generator.generate(ids, GenerationSettings.greedy(tokens, Set.of()), id -> {}).ids();
      return Arrays.stream(more).boxed().toList();
    }
  }

  /** The logits of the token after {@code prompt}. */
  float[] logits(List<Integer> prompt) {
    int[] ids = prompt.stream().mapToInt(Integer::intValue).toArray();
    try (var decoder =
        new org.tokentune.generate.CachedDecoder(model, parameters, KernelMode.preferred())) {
      decoder.begin(ids.length);
      return decoder.next(ids, 0);
    }
  }
}
