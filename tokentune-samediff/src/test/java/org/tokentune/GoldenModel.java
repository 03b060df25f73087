package org.tokentune;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.select.AllTokens;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.TrainingEngine;

/** A model with golden weights, and training steps on it. */
public record GoldenModel(TransformerModel model, Parameters parameters) {

  public static final Path GOLDEN = Path.of("src/test/resources/golden");

  /** A golden folder of every family; of Phi-3, one with rotary positions in part of each head. */
  public static List<String> families() {
    return List.of(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "mpnet",
        "deberta-v3",
        "modernbert",
        "gpt2",
        "llama",
        "mistral",
        "qwen2",
        "qwen3",
        "smollm3",
        "olmo2",
        "phi3",
        "phi3-partial",
        "gemma2",
        "gemma3",
        "granite",
        "stablelm");
  }

  public static GoldenModel of(String folder) {
    Path path = GOLDEN.resolve(folder);
    ModelConfig config = ModelConfig.read(ModelFolder.config(path), folder).withDropout(0);
    TransformerModel model =
        config.model(
            config.causal()
                ? new Head(Objectives.CAUSAL_LM, config.vocabulary(), Pooling.FIRST)
                : new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    try (WeightSource weights = ModelFolder.weights(path)) {
      return new GoldenModel(model, ParameterLoader.load(model, weights));
    }
  }

  /** Random text lengths, ids and labels, with positions drawn by the selector. */
  public Map<String, INDArray> batch(TokenSelector selector) {
    SplittableRandom random = new SplittableRandom(5);
    int length = 13;
    int[] lengths = {length, 7, 9};
    int[][] ids = new int[3][length];
    int[][] mask = new int[3][length];
    int[][] positions = new int[3][length];
    for (int row = 0; row < 3; row++) {
      for (int i = 0; i < length; i++) {
        mask[row][i] = i < lengths[row] ? 1 : 0;
        ids[row][i] = mask[row][i] * (1 + random.nextInt(model.config().vocabulary() - 1));
        positions[row][i] = i;
      }
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(ids));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(mask));
    if (model.config().causal()) {
      inputs.put(ModelGraph.POSITION_IDS, Nd4j.createFromArray(positions));
      inputs.put(ModelGraph.LABELS, Nd4j.createFromArray(ids));
    } else {
      inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.zeros(DataType.INT32, 3, length));
      inputs.put(ModelGraph.LABELS, Nd4j.createFromArray(2, 0, 1));
    }
    TokenSelection selection = selector.select(lengths, length, null, 7, 0, 0);
    if (!selection.all()) {
      inputs.put(ModelGraph.SELECTED, Nd4j.createFromArray(selection.selected()));
      inputs.put(ModelGraph.FROZEN, Nd4j.createFromArray(selection.frozen()));
    }
    return inputs;
  }

  /** Adapters with nonzero B. */
  public Adapter adapter(LoraConfig config, long seed) {
    Adapter adapter = Adapter.fresh(model, parameters, config, seed);
    Nd4j.getRandom().setSeed(seed);
    adapter
        .parameters()
        .asMap()
        .forEach(
            (name, array) -> {
              if (name.endsWith(".lora_B.weight")) {
                array.assign(Nd4j.randn(array.shape()).muli(0.1));
              }
            });
    return adapter;
  }

  public static GraphOptions options(Map<String, INDArray> inputs, Predicate<String> trainable) {
    return GraphOptions.training(inputs.containsKey(ModelGraph.SELECTED), trainable);
  }

  /** One step of the plan; results are copies. */
  public static TrainingEngine.Result step(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      Map<String, INDArray> inputs,
      KernelMode kernelMode) {
    return step(
        model, parameters, trainable, inputs, kernelMode, ActivationCheckpointing.ELEMENTWISE);
  }

  public static TrainingEngine.Result step(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      Map<String, INDArray> inputs,
      KernelMode kernelMode,
      ActivationCheckpointing checkpointing) {
    return step(model, parameters, trainable, inputs, kernelMode, MemorySettings.of(checkpointing));
  }

  /** One step of the plan; results are copies. */
  public static TrainingEngine.Result step(
      TransformerModel model,
      Parameters parameters,
      Predicate<String> trainable,
      Map<String, INDArray> inputs,
      KernelMode kernelMode,
      MemorySettings memory) {
    ModelGraph graph =
        model.build(parameters, options(inputs, trainable).withKernelMode(kernelMode));
    try (TrainingEngine engine = new TrainingEngine(graph, List.of(), memory, null)) {
      TrainingEngine.Result result = engine.run(inputs);
      Map<String, INDArray> gradients = new HashMap<>();
      result.gradients().forEach((name, gradient) -> gradients.put(name, gradient.dup()));
      return new TrainingEngine.Result(result.loss(), gradients, Map.of());
    }
  }

  public static double error(INDArray expected, INDArray actual, double floor) {
    double scale = Math.max(floor, expected.amaxNumber().doubleValue());
    return expected.sub(actual).amaxNumber().doubleValue() / scale;
  }

  public static double largest(Map<String, INDArray> gradients) {
    return gradients.values().stream()
        .mapToDouble(gradient -> gradient.amaxNumber().doubleValue())
        .max()
        .orElseThrow();
  }

  public static TokenSelector selector(String tokens, GoldenModel base) {
    return tokens.equals("all")
        ? new AllTokens()
        : RandomTokens.parse(tokens, 1, !base.model().config().causal());
  }
}
