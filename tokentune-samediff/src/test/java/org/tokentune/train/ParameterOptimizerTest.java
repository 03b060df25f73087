package org.tokentune.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadInputException;
import org.tokentune.RandomWeights;
import org.tokentune.SmallBert;
import org.tokentune.formats.SafeTensors;
import org.tokentune.models.Encoder;
import org.tokentune.models.Head;
import org.tokentune.models.Pooling;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.OptimizerSettings.Kind;

/** Every optimizer against PyTorch's numbers, in slices, and resumed; what its state takes. */
class ParameterOptimizerTest {

  private static final Path GOLDEN =
      Path.of("src/test/resources/golden/optimizer/adamw.safetensors");

  private static UpdateRule rule(Kind kind) {
    return switch (kind) {
      case ADAMW -> AdamW.USUAL;
      case SGD -> new Sgd(0.9, false);
      case ADAFACTOR -> new Adafactor(Adafactor.DECAY_RATE);
      case LION -> new Lion(0.9, 0.99);
      case ADAMW8BIT -> new AdamW8bit(AdamW.USUAL);
    };
  }

  private static OptimizerSettings settings(String name) {
    OptimizerSettings adamW = OptimizerSettings.adamW(0.01);
    OptimizerSettings sgd = adamW.withKind(Kind.SGD);
    return switch (name) {
      case "sgd" -> sgd;
      case "sgd-momentum" -> sgd.withMomentum(0.9);
      case "sgd-nesterov" -> sgd.withMomentum(0.9).withNesterov(true);
      case "adafactor" -> adamW.withKind(Kind.ADAFACTOR);
      case "adafactor-decay-rate" -> adamW.withKind(Kind.ADAFACTOR).withDecayRate(-0.5);
      default -> adamW.withBetas(0.8, 0.95).withEpsilon(1e-4);
    };
  }

  /** optimizers.json is what acceptance/optimizers.py printed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd",
        "sgd-momentum",
        "sgd-nesterov",
        "adafactor",
        "adafactor-decay-rate",
        "adamw-betas-epsilon"
      })
  void equalsPyTorch(String name) throws IOException {
    JsonNode expected;
    try (InputStream file = ParameterOptimizerTest.class.getResourceAsStream("/optimizers.json")) {
      expected = new ObjectMapper().readTree(file).path(name);
    }
    try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
      Parameters parameters =
          new Parameters(Map.of("w", golden.read("w.0"), "b", golden.read("b.0")));
      UpdateRule rule = settings(name).rule();
      ParameterOptimizer optimizer =
          new ParameterOptimizer(rule, parameters, array -> 0.01, array -> 1);
      INDArray rates = golden.read("learning_rate");
      for (int step = 1; step <= 10; step++) {
        Map<String, INDArray> gradients = new TreeMap<>();
        gradients.put("w", golden.read("w.grad." + step));
        gradients.put("b", golden.read("b.grad." + step));
        optimizer.step(gradients, rates.getDouble(step - 1));
      }
      double worst = 0;
      for (String parameter : parameters.names()) {
        float[] values = parameters.get(parameter).reshape(-1).toFloatVector();
        for (int i = 0; i < values.length; i++) {
          worst =
              Math.max(
                  worst, Math.abs(expected.at("/" + parameter + "/" + i).asDouble() - values[i]));
        }
      }
      System.out.printf("%s, 10 steps: largest difference from PyTorch %.1e%n", name, worst);
      assertTrue(worst < 1e-5, "differs by " + worst);
    }
  }

  /** A matrix whose rows end within blocks of 256, one that is small, and a vector. */
  private static final Map<String, long[]> SHAPES = shapes();

  private static Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("table", new long[] {700, 8});
    shapes.put("small", new long[] {5, 3});
    shapes.put("bias", new long[] {5000});
    return shapes;
  }

  private static Parameters parameters() {
    return new Parameters(RandomWeights.of(SHAPES, 0, 1));
  }

  private static Map<String, INDArray> gradients(int step) {
    return RandomWeights.of(SHAPES, step, 1);
  }

  private static void equal(Parameters expected, Parameters actual) {
    expected.asMap().forEach((name, array) -> assertSameBits(array, actual.get(name), name));
  }

  /** Adafactor asks for whole gradients; LanguageModelTrainingTest shows that it gets them. */
  @ParameterizedTest
  @EnumSource(value = Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "ADAFACTOR")
  void slicesAreTheWhole(Kind kind) {
    Parameters whole = parameters();
    Parameters parts = parameters();
    ParameterOptimizer one = new ParameterOptimizer(rule(kind), whole, 0.1);
    ParameterOptimizer other = new ParameterOptimizer(rule(kind), parts, 0.1);
    for (int step = 1; step <= 5; step++) {
      one.step(gradients(step), 1e-2);
      other.begin(1e-2);
      Map<String, INDArray> gradients = gradients(step);
      int[] bounds = {0, 256, 640, 700};
      for (int i = 2; i >= 0; i--) {
        INDArray slice = Nd4j.create(DataType.FLOAT, bounds[i + 1] - bounds[i], 8);
        for (int row = bounds[i]; row < bounds[i + 1]; row++) {
          slice.putRow(row - bounds[i], gradients.get("table").getRow(row));
        }
        other.update("table", parts.get("table"), bounds[i], slice);
      }
      other.update("small", parts.get("small"), 0, gradients.get("small"));
      other.update("bias", parts.get("bias"), 0, gradients.get("bias"));
    }
    equal(whole, parts);
    assertEquals(one.state(), other.state());
    System.out.println(kind + ", 5 steps in slices: the same bits");
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void resumedGoesOnAsBefore(Kind kind) {
    Parameters whole = parameters();
    Parameters resumed = parameters();
    ParameterOptimizer one = new ParameterOptimizer(rule(kind), whole, 0.1);
    ParameterOptimizer first = new ParameterOptimizer(rule(kind), resumed, 0.1);
    for (int step = 1; step <= 3; step++) {
      one.step(gradients(step), 1e-2);
      first.step(gradients(step), 1e-2);
    }
    ParameterOptimizer second = new ParameterOptimizer(rule(kind), resumed, 0.1);
    second.restore(first.state());
    for (int step = 4; step <= 6; step++) {
      one.step(gradients(step), 1e-2);
      second.step(gradients(step), 1e-2);
    }
    equal(whole, resumed);
    assertEquals(one.state(), second.state());
    assertEquals(6, second.state().steps());
    System.out.println(
        kind + ", resumed after 3 of 6 steps: the same bits; " + one.state().arrays().keySet());
  }

  @Test
  void restoresNothingOfAnother() {
    Parameters parameters = parameters();
    ParameterOptimizer lion = new ParameterOptimizer(rule(Kind.LION), parameters, 0);
    lion.step(gradients(1), 1e-2);
    ParameterOptimizer.State state = lion.state();
    ParameterOptimizer adamW = new ParameterOptimizer(AdamW.USUAL, parameters, 0);
    refused("nothing for table.exp_avg_sq, not FLOAT [700, 8]", () -> adamW.restore(state));
    ParameterOptimizer sgd = new ParameterOptimizer(rule(Kind.SGD), parameters, 0);
    refused("has bias.exp_avg, which this optimizer does not", () -> sgd.restore(state));
    Map<String, INDArray> broken = new HashMap<>(state.arrays());
    broken.put("bias.exp_avg", Nd4j.zeros(DataType.FLOAT, 4999));
    refused(
        "FLOAT [4999] for bias.exp_avg",
        () -> lion.restore(new ParameterOptimizer.State(1, broken)));
  }

  private static void refused(String sentence, Runnable input) {
    String message = assertThrows(BadInputException.class, input::run).getMessage();
    System.out.println(message);
    assertTrue(message.contains(sentence), message);
  }

  /** As counted before training, and as the arrays have it after a step. */
  @ParameterizedTest
  @CsvSource({
    "ADAMW, 44800, 40000",
    "SGD, 22400, 20000",
    "ADAFACTOR, 2832, 20000",
    "LION, 22400, 20000",
    "ADAMW8BIT, 11376, 10160" // 22 and 20 blocks
  })
  void stateBytes(Kind kind, long table, long bias) {
    Parameters parameters = parameters();
    ParameterOptimizer optimizer = new ParameterOptimizer(rule(kind), parameters, 0);
    assertEquals(table, optimizer.stateBytes("table"));
    assertEquals(bias, optimizer.stateBytes("bias"));
    optimizer.step(gradients(1), 1e-2);
    for (String name : parameters.names()) {
      long bytes =
          optimizer.state().arrays().entrySet().stream()
              .filter(entry -> entry.getKey().startsWith(name + "."))
              .mapToLong(entry -> entry.getValue().length() * entry.getValue().dataType().width())
              .sum();
      assertEquals(optimizer.stateBytes(name), bytes, name);
    }
  }

  @Test
  void ratesByLayerAndName() {
    Encoder bert = SmallBert.bert(0, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    assertEquals(3, bert.config().layers());
    Map<String, Double> patterns = Map.of("head", 10.0, "bert.encoder.layer.*.bias", 0.5);
    Map<String, Double> factors = RateFactors.of(bert, 0.9, patterns);
    assertEquals(10, factors.get("classifier.weight"));
    assertEquals(0.9, factors.get("bert.encoder.layer.2.output.dense.weight"), 1e-12);
    assertEquals(0.45, factors.get("bert.encoder.layer.2.output.dense.bias"), 1e-12);
    assertEquals(0.729, factors.get("bert.encoder.layer.0.output.dense.weight"), 1e-12);
    assertEquals(0.6561, factors.get("bert.embeddings.LayerNorm.weight"), 1e-12);
  }

  @Test
  void aFactorScalesTheRate() {
    Parameters usual = parameters();
    Parameters slow = parameters();
    ParameterOptimizer one = new ParameterOptimizer(new Sgd(0, false), usual, name -> 0, name -> 1);
    ParameterOptimizer half =
        new ParameterOptimizer(new Sgd(0, false), slow, name -> 0, name -> 0.5);
    one.step(gradients(1), 1e-2);
    half.step(gradients(1), 2e-2);
    equal(usual, slow);
  }

  @Test
  void schedules() {
    Schedule linear = Schedule.linear(0.2);
    Schedule cosine = new Schedule(Schedule.Decay.COSINE, 2);
    Schedule constant = new Schedule(Schedule.Decay.CONSTANT, 2);
    for (Schedule schedule : List.of(linear, cosine, constant)) {
      assertEquals(0, schedule.rate(8, 0, 10));
      assertEquals(4, schedule.rate(8, 1, 10));
      assertEquals(8, schedule.rate(8, 2, 10));
    }
    assertEquals(4, linear.rate(8, 6, 10), 1e-12);
    assertEquals(4, cosine.rate(8, 6, 10), 1e-12);
    assertEquals(8 * 0.5 * (1 + Math.cos(Math.PI * 2 / 8)), cosine.rate(8, 4, 10), 1e-12);
    assertEquals(8, constant.rate(8, 9, 10));
    assertEquals(0, cosine.rate(8, 10, 10), 1e-12);
  }

  @Test
  void badSettingsGetASentence() {
    refused(
        "momentum must be at least 0 and below 1, got 1.0",
        () -> settings(Kind.SGD, 1, 0, 1, Map.of()));
    refused(
        "momentum is only for sgd, got 0.9 for lion",
        () -> settings(Kind.LION, 0.9, 0, 1, Map.of()));
    refused(
        "weightDecay must be at least 0 and finite, got -1.0",
        () -> settings(Kind.ADAMW, 0, -1, 1, Map.of()));
    refused(
        "layerDecay must be above 0 and at most 1, got 0.0",
        () -> settings(Kind.ADAMW, 0, 0, 0, Map.of()));
    refused(
        "rateFactors must be above 0 and finite, got 0.0 for head",
        () -> settings(Kind.ADAMW, 0, 0, 1, Map.of("head", 0.0)));
    OptimizerSettings adamW = OptimizerSettings.adamW(0);
    OptimizerSettings sgd = adamW.withKind(Kind.SGD);
    refused("betas must be two numbers", () -> adamW.withBetas(0.9, 1));
    refused("betas are only for adamw, adamw8bit and lion", () -> sgd.withBetas(0.9, 0.99));
    refused("epsilon must be above 0 and finite", () -> adamW.withEpsilon(-1));
    refused("got 0.1 for sgd", () -> sgd.withEpsilon(0.1));
    refused("nesterov is only for sgd with momentum", () -> sgd.withNesterov(true));
    refused("decayRate must be at least -1 and below 0", () -> adamW.withDecayRate(-0.5));
    refused("warmup must be at least 0 and finite, got -1.0", () -> Schedule.linear(-1));
    Encoder bert = SmallBert.bert(0, new Head(Objectives.CLASSIFY, 3, Pooling.FIRST));
    refused("No parameter is called x.*", () -> RateFactors.of(bert, 1, Map.of("x.*", 2.0)));
  }

  private static OptimizerSettings settings(
      Kind kind, double momentum, double decay, double layerDecay, Map<String, Double> factors) {
    return new OptimizerSettings(kind, momentum, decay, layerDecay, factors);
  }
}
