package org.tokentune.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;

/** Generation compared with transformers 5.24.0; {@code acceptance/generation.py} records it. */
class GoldenGenerationTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  @ParameterizedTest
  @CsvSource({"llama, FUSED", "gpt2, FUSED", "mistral, FUSED", "llama, NATIVE"})
  void sameTokensAsTransformers(String name, KernelMode kernelMode) throws IOException {
    int compared = 0;
    ModelConfig config = ModelConfig.read(ModelFolder.config(GOLDEN.resolve(name)), name);
    TransformerModel model =
        config.model(new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST));
    try (SafeTensors weights =
        SafeTensors.open(GOLDEN.resolve(name).resolve("model.safetensors"))) {
      Parameters parameters = ParameterLoader.load(model, weights);
      JsonNode cases = new ObjectMapper().readTree(GOLDEN.resolve("generation.json").toFile());
      try (Generator generator = new Generator(model, parameters, kernelMode)) {
        for (JsonNode one : cases) {
          if (one.get("model").asText().equals(name)) {
            compare(generator, one);
            compared++;
          }
        }
      }
    }
    System.out.printf("%s, %s: %d cases with the same tokens%n", name, kernelMode, compared);
    assertEquals(18, compared);
  }

  private static void compare(Generator generator, JsonNode one) {
    GenerationSettings settings = settings(one);
    List<int[]> prompts = new ArrayList<>();
    one.get("prompts").forEach(prompt -> prompts.add(ints(prompt)));
    List<Generation> batch = generator.generate(prompts, settings, StopCondition.NONE);
    for (int i = 0; i < prompts.size(); i++) {
      int[] expected = ints(one.get("generated").get(i));
      assertArrayEquals(expected, batch.get(i).ids(), one.toString());
      assertEquals(batch.get(i), generator.generate(prompts.get(i), settings, id -> {}));
    }
  }

  private static GenerationSettings settings(JsonNode one) {
    Set<Integer> ends = new HashSet<>();
    one.path("eos_token_id").forEach(end -> ends.add(end.asInt()));
    return GenerationSettings.greedy(one.get("max_new_tokens").asInt(), ends)
        .withRepetitionPenalty(one.path("repetition_penalty").asDouble(1))
        .withSearch(
            BeamSearch.of(one.path("num_beams").asInt(1))
                .withLengthPenalty(one.path("length_penalty").asDouble(1))
                .withEarlyStopping(
                    BeamSearch.EarlyStopping.valueOf(
                        one.path("early_stopping").asText("false").toUpperCase(Locale.ROOT))));
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
  }

  /** Windows, grouped keys, quantised weights and adapters; more than one plan's length. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gpt2    | ''",
        "llama   | \"num_key_value_heads\": 2",
        "mistral | \"num_key_value_heads\": 2, \"sliding_window\": 5"
      })
  void batchesGiveTheTextsOfEachAlone(String type, String changes) {
    TransformerModel base = SmallDecoder.model(type, changes);
    Parameters floats = SmallDecoder.weights(base, 3);
    Parameters nf4 = ParameterLoader.stored(base, floats, WeightStorage.NF4);
    Adapter adapter = Adapter.fresh(base, nf4, LoraConfig.on("all-linear"), 1);
    new SplittableRandom(4)
        .doubles(100)
        .forEach(
            value ->
                adapter
                    .parameters()
                    .asMap()
                    .forEach(
                        (name, array) -> {
                          if (name.contains("lora_B")) {
                            array.addi(value * 0.001);
                          }
                        }));
    check(base, floats);
    check(adapter.model(), adapter.parameters());
  }

  private static void check(TransformerModel model, Parameters parameters) {
    SplittableRandom random = new SplittableRandom(7);
    List<int[]> prompts = new ArrayList<>();
    for (int length : new int[] {3, 80, 1, 127, 20}) {
      prompts.add(random.ints(length, 0, SmallDecoder.VOCABULARY).toArray());
    }
    GenerationSettings settings =
        new GenerationSettings(1.3, 20, 0.9, 5, 60, Set.of(4, 9))
            .withMinP(0.01)
            .withRepetitionPenalty(1.2);
    Set<Generation.End> reasons = new HashSet<>();
    try (Generator generator = new Generator(model, parameters)) {
      for (GenerationSettings one : List.of(settings, settings.withSearch(BeamSearch.of(2)))) {
        List<Generation> batch = generator.generate(prompts, one, StopCondition.NONE);
        for (int i = 0; i < prompts.size(); i++) {
          reasons.add(batch.get(i).end());
          assertEquals(generator.generate(prompts.get(i), one, id -> {}), batch.get(i));
        }
        System.out.println(batch.get(0));
      }
    }
    assertTrue(reasons.contains(Generation.End.CONTEXT), reasons.toString());
  }

  @Test
  void theStopConditionEndsEveryKindOfText() {
    TransformerModel model = SmallDecoder.model("llama", "");
    int[] prompt = {3, 1, 4};
    StopCondition third = (before, ids) -> before == prompt && ids.length == 3;
    try (Generator generator = new Generator(model, SmallDecoder.weights(model, 3))) {
      GenerationSettings settings = GenerationSettings.greedy(9, Set.of()).withStops(List.of("x"));
      int[] all = generator.generate(prompt, settings.withStops(List.of()), id -> {}).ids();
      Generation stopped = generator.generate(prompt, settings, third, id -> {});
      assertEquals(new Generation(Arrays.copyOf(all, 3), Generation.End.STOP), stopped);
      assertEquals(
          List.of(stopped, stopped), generator.generate(List.of(prompt, prompt), settings, third));
      Generation beams =
          generator.generate(prompt, settings.withSearch(BeamSearch.of(3)), third, id -> {});
      assertEquals(Generation.End.STOP, beams.end());
      assertEquals(3, beams.ids().length);
      System.out.println(
          assertThrows(
                  BadSettingsException.class, () -> generator.generate(prompt, settings, id -> {}))
              .getMessage());
    }
  }
}
