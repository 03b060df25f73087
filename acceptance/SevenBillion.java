import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.bench.StepBenchmark;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.select.RandomTokens;
import org.tokentune.train.Hyperparameters;
import org.tokentune.train.LocalStep;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.Schedule;
import org.tokentune.train.TrainingStep;

/**
 * What seven-billion.sh runs: {@code TEXT LAYERS STEPS TOKENS LENGTH...}. Training steps of a model
 * with Llama-2-7B's shapes, whose random weights are made and quantised one at a time. Fails where
 * used and planned bytes differ by more than a thousandth, or where the loss does not fall.
 */
class SevenBillion {

  private static final double RATE = 1e-3;
  /** Share of the bytes that no plan counts: the last batch's ids, constants, what loading left. */
  private static final double BESIDE = 1e-3;

  private static final int FIRST_BYTE = 3; // Llama's vocabulary has a word for every byte

  private SevenBillion() {}

  /** Weights of N(0, 0.02), and norms of 1; each is made when it is read. */
  private record RandomWeights(Map<String, long[]> shapes) implements WeightSource {

    @Override
    public Set<String> names() {
      return shapes.keySet();
    }

    @Override
    public long[] shape(String name) {
      return shapes.get(name);
    }

    @Override
    public INDArray read(String name) {
      long[] shape = shapes.get(name);
      return shape.length == 1
          ? Nd4j.ones(DataType.FLOAT, shape)
          : Nd4j.randn(DataType.FLOAT, shape).muli(0.02);
    }

    @Override
    public String origin() {
      return "random weights";
    }

    @Override
    public void close() {}
  }

  public static void main(String[] arguments) throws Exception {
    byte[] text = Files.readString(Path.of(arguments[0])).getBytes(StandardCharsets.UTF_8);
    int steps = Integer.parseInt(arguments[2]);
    TransformerModel model = model(Integer.parseInt(arguments[1]));
    Nd4j.getRandom().setSeed(1);
    Parameters base =
        ParameterLoader.load(model, new RandomWeights(model.parameters()), WeightStorage.NF4);
    System.out.printf("%.1f MB of weights in NF4%n", base.bytes() / 1e6);
    boolean right = true;
    for (int i = 4; i < arguments.length; i++) {
      right &= train(model, base, batch(text, Integer.parseInt(arguments[i])), arguments[3], steps);
    }
    System.exit(right ? 0 : 1);
  }

  private static TransformerModel model(int layers) {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", "llama").put("vocab_size", 32_000).put("num_hidden_layers", layers);
    config.put("hidden_size", 4096).put("intermediate_size", 11_008);
    config.put("num_attention_heads", 32).put("max_position_embeddings", 4096);
    ModelConfig sizes = ModelConfig.read(config, "Llama-2-7B's shapes");
    return sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
  }

  private static MultiDataSet batch(byte[] text, int length) {
    int[][] ids = new int[1][length];
    for (int i = 0; i < length; i++) {
      ids[0][i] = FIRST_BYTE + (text[i] & 0xff);
    }
    INDArray tokens = Nd4j.createFromArray(ids);
    INDArray[] features = {
      tokens, Nd4j.ones(DataType.INT32, 1, length), Nd4j.zeros(DataType.INT32, 1, length)
    };
    return new MultiDataSet(features, new INDArray[] {tokens});
  }

  private static boolean train(
      TransformerModel model, Parameters base, MultiDataSet batch, String tokens, int steps)
      throws Exception {
    long before = StepBenchmark.settledBytes();
    LoraConfig lora = LoraConfig.on(LoraConfig.ALL_LINEAR).withDropout(0);
    Adapter adapter = Adapter.fresh(model, base, lora, 1);
    Hyperparameters settings =
        new Hyperparameters(
            1,
            steps,
            1,
            RATE,
            OptimizerSettings.adamW(0).withKind(OptimizerSettings.Kind.ADAMW8BIT),
            new Schedule(Schedule.Decay.CONSTANT, 0),
            Double.POSITIVE_INFINITY,
            Hyperparameters.ClipBy.ALL,
            new MemorySettings(ActivationCheckpointing.BLOCKS, ActivationPrecision.FLOAT32, 0),
            1,
            LossSettings.plain());
    List<Double> losses = new ArrayList<>();
    List<String> minutes = new ArrayList<>();
    try (TrainingStep training =
        new LocalStep(
            adapter.model(),
            adapter.parameters(),
            adapter.model()::trains,
            RandomTokens.parse(tokens, 1, false),
            settings)) {
      training.check(batch, new TrainingStep.Position(0, 0, 0, 1));
      for (int step = 0; step < steps; step++) {
        long start = System.nanoTime();
        TrainingStep.Position position = new TrainingStep.Position(step, 0, step, 1);
        losses.add(training.run(List.of(batch), position, RATE).loss());
        minutes.add(String.format("%.2f", (System.nanoTime() - start) / 60e9));
      }
      long planned = training.memory().total();
      long used = StepBenchmark.settledBytes() - before + base.bytes();
      System.out.printf(
          "length %d, %s of the tokens: planned %d bytes, used %d; minutes a step %s; losses %s; most resident %s%n",
          batch.getFeatures(0).size(1),
          tokens,
          planned,
          used,
          minutes,
          losses,
          mostResident());
      return Math.abs(used - planned) < planned * BESIDE && losses.get(steps - 1) < losses.get(0);
    }
  }

  /** Of this process so far, e.g. {@code 5123456 kB}; Linux only. */
  private static String mostResident() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .map(line -> line.substring("VmHWM:".length()).strip())
        .findFirst()
        .orElse("unknown");
  }
}
