package org.tokentune.adapters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.GoldenModel.GOLDEN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.GoldenModel;
import org.tokentune.adapters.Adapter.Combination;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.WeightStorage;

/** Compared with PEFT 0.21.2; {@code acceptance/combined_adapters.py} records it. */
class AdapterCombinationTest {

  private static final Path FOLDER = GOLDEN.resolve("llama-combined");

  private final GoldenModel llama = GoldenModel.of("llama");

  private List<Adapter> adapters(String... names) {
    return Arrays.stream(names).map(this::adapter).toList();
  }

  private Adapter adapter(String name) {
    try (AdapterFolder folder = AdapterFolder.open(FOLDER.resolve(name))) {
      return folder.read(llama.model(), llama.parameters());
    }
  }

  private static double error(Adapter adapter, String name) {
    try (SafeTensors golden = SafeTensors.open(FOLDER.resolve("logits.safetensors"))) {
      INDArray ids = golden.read(ModelGraph.INPUT_IDS).castTo(DataType.INT32);
      Map<String, INDArray> inputs = new HashMap<>();
      inputs.put(ModelGraph.INPUT_IDS, ids);
      inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.onesLike(ids));
      inputs.put(
          ModelGraph.POSITION_IDS,
          Nd4j.arange(6.0).castTo(DataType.INT32).reshape(1, 6).repeat(0, 2));
      INDArray logits =
          adapter
              .model()
              .build(adapter.parameters(), GraphOptions.inference())
              .sd()
              .outputSingle(inputs, ModelGraph.LOGITS);
      INDArray expected = golden.read(name);
      return logits.sub(expected).amaxNumber().doubleValue() / expected.amaxNumber().doubleValue();
    }
  }

  @Test
  void equalsPeft(@TempDir Path temp) {
    Map<String, Adapter> combined =
        Map.of(
            "stacked", Adapter.combined(adapters("a", "b"), List.of(1.0, 1.0), Combination.CAT),
            "cat",
                Adapter.combined(adapters("a", "b", "c"), List.of(0.7, -0.4, 1.5), Combination.CAT),
            "linear", Adapter.combined(adapters("a", "c"), List.of(0.7, -0.4), Combination.LINEAR));
    combined.forEach(
        (name, adapter) -> {
          AdapterFolder.write(
              temp.resolve(name),
              adapter,
              "../llama",
              ModelFolder.config(GOLDEN.resolve("llama")),
              List.of());
          try (AdapterFolder written = AdapterFolder.open(temp.resolve(name))) {
            double error = error(adapter, name);
            double again = error(written.read(llama.model(), llama.parameters()), name);
            System.out.printf("%s: error %.1e, read again %.1e%n", name, error, again);
            assertTrue(error < 1e-5 && again < 1e-5, name);
          }
        });
  }

  /** PEFT 0.21.2 makes it sqrt(r) times too large. */
  @Test
  void oneRankStabilisedAdapterStaysItself() {
    Adapter adapter = llama.adapter(LoraConfig.parse("r=4,alpha=4,rslora,targets=q_proj"), 1);
    String layer = adapter.model().layers().get(0);
    for (Combination combination : Combination.values()) {
      Adapter same = Adapter.combined(List.of(adapter), List.of(1.0), combination);
      INDArray gap = update(same, layer).sub(update(adapter, layer));
      assertEquals(0, gap.amaxNumber().doubleValue(), 1e-6);
    }
  }

  private static INDArray update(Adapter adapter, String layer) {
    return Adapter.update(
        adapter.parameters().get(layer + LoraModel.A),
        adapter.parameters().get(layer + LoraModel.B),
        adapter.model().lora().scale(layer),
        false);
  }

  @Test
  void worksOnQuantisedWeights() {
    GoldenModel stored =
        new GoldenModel(
            llama.model(),
            ParameterLoader.stored(llama.model(), llama.parameters(), WeightStorage.INT8));
    Adapter a;
    try (AdapterFolder folder = AdapterFolder.open(FOLDER.resolve("a"))) {
      a = folder.read(stored.model(), stored.parameters());
    }
    double gap =
        error(Adapter.combined(List.of(a, a), List.of(0.5, 0.5), Combination.CAT), "stacked");
    assertTrue(Double.isFinite(gap));
    assertEquals(error(a, "stacked"), gap, 1e-5);
  }

  @Test
  void refusesWhatDoesNotAddUp() {
    refuses("different ranks", adapters("a", "b"), List.of(1.0, 1.0), Combination.LINEAR);
    refuses("2 adapters and 1 weights", adapters("a", "b"), List.of(1.0), Combination.CAT);
    refuses("must be a number, got NaN", adapters("a"), List.of(Double.NaN), Combination.CAT);
    List<Adapter> dora = List.of(llama.adapter(LoraConfig.parse("dora"), 1));
    refuses("DoRA", dora, List.of(1.0), Combination.CAT);
    LoraConfig norms = LoraConfig.on("q_proj").withTrained(List.of("model.norm"));
    List<Adapter> twice = List.of(llama.adapter(norms, 1), llama.adapter(norms, 2));
    refuses("fully train model.norm.weight", twice, List.of(1.0, 1.0), Combination.CAT);
  }

  private static void refuses(
      String why, List<Adapter> adapters, List<Double> weights, Combination combination) {
    String message =
        assertThrows(
                BadInputException.class, () -> Adapter.combined(adapters, weights, combination))
            .getMessage();
    System.out.println(message);
    assertTrue(message.contains(why), message);
  }

  @Test
  void readsWeightsAfterFolders(@TempDir Path temp) throws IOException {
    assertEquals(new WeightedAdapter(Path.of("a"), 0.5), WeightedAdapter.parse("a:0.5"));
    assertEquals(new WeightedAdapter(Path.of("a"), -2), WeightedAdapter.parse("a:-2"));
    assertEquals(WeightedAdapter.of(Path.of("a:b")), WeightedAdapter.parse("a:b"));
    Path odd = Files.createDirectory(temp.resolve("run:2"));
    assertEquals(WeightedAdapter.of(odd), WeightedAdapter.parse(odd.toString()));
  }
}
