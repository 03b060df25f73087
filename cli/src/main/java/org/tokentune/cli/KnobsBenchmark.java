package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.bench.MethodBenchmark;
import org.tokentune.bench.MethodBenchmark.Setting;
import org.tokentune.bench.StepBenchmark;
import org.tokentune.bench.TuningMethod;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.train.OptimizerSettings;
import org.tokentune.train.OptimizerSettings.Kind;
import org.tokentune.train.StepMemoryReport;

/**
 * Every memory knob, alone and with others, on a Llama of 135 million random parameters: bytes
 * planned and used, and a step's time beside one of full fine-tuning, in turn.
 */
final class KnobsBenchmark {

  private static final int BATCH = 1;
  private static final int LENGTH = 512;
  private static final String TOKENS = "30%";
  private static final String LORA = "r=8";

  private record Row(String name, Setting setting) {}

  private final TransformerModel model;
  private final int steps;

  /**
   * For so many measured steps of each.
   *
   * @param steps 0: nothing runs, bytes are only planned
   */
  KnobsBenchmark(int steps) {
    this.steps = steps;
    ObjectNode config = BenchCommand.Shape.llama(30, 576, 9, 1536);
    config.put("num_key_value_heads", 3).put("vocab_size", 49_152).put("tie_word_embeddings", true);
    model = BenchCommand.Shape.model(config);
  }

  private static Setting setting(TuningMethod method) {
    return Setting.of(method, LoraConfig.parse(LORA));
  }

  private static OptimizerSettings optimizer(Kind kind, double momentum) {
    return new OptimizerSettings(kind, momentum, 0.01, 1, Map.of());
  }

  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (TuningMethod method : TuningMethod.all(WeightStorage.FLOAT32)) {
      rows.add(new Row(method.toString(), setting(method)));
    }
    Setting full = setting(TuningMethod.FULL);
    TuningMethod attention = TuningMethod.FULL.with(false, ActivationCheckpointing.ATTENTION);
    TuningMethod lora =
        new TuningMethod(true, WeightStorage.FLOAT32, false, ActivationCheckpointing.ELEMENTWISE);
    TuningMethod half =
        new TuningMethod(true, WeightStorage.BF16, false, ActivationCheckpointing.ELEMENTWISE);
    TuningMethod qlora =
        new TuningMethod(true, WeightStorage.NF4, true, ActivationCheckpointing.ELEMENTWISE);
    TuningMethod qloraRecomputed = qlora.with(true, ActivationCheckpointing.ATTENTION);
    rows.addAll(
        List.of(
            new Row("full, attention recomputed", setting(attention)),
            new Row("full, activations in bf16", full.withPrecision(ActivationPrecision.BF16)),
            new Row("full, activations in f16", full.withPrecision(ActivationPrecision.F16)),
            new Row("full, not clipped", full.unclipped()),
            new Row("full, 2 batches a step", full.withAccumulation(2)),
            new Row("full, adamw8bit", full.withOptimizer(optimizer(Kind.ADAMW8BIT, 0))),
            new Row("full, lion", full.withOptimizer(optimizer(Kind.LION, 0))),
            new Row("full, adafactor", full.withOptimizer(optimizer(Kind.ADAFACTOR, 0))),
            new Row("full, sgd with momentum", full.withOptimizer(optimizer(Kind.SGD, 0.9))),
            new Row(
                "full, sgd, not clipped", full.withOptimizer(optimizer(Kind.SGD, 0)).unclipped()),
            new Row("LoRA, A frozen", Setting.of(lora, LoraConfig.parse(LORA + ",freeze-a"))),
            new Row("LoRA, weights in bf16", setting(half)),
            new Row("TokenTune + QLoRA, attention recomputed", setting(qloraRecomputed)),
            new Row(
                "TokenTune + QLoRA, activations in bf16",
                setting(qlora).withPrecision(ActivationPrecision.BF16)),
            new Row(
                "TokenTune + QLoRA, attention recomputed, activations in bf16",
                setting(qloraRecomputed).withPrecision(ActivationPrecision.BF16))));
    return rows;
  }

  /**
   * Measures the rows in whose names {@code only} stands.
   *
   * @throws BadInputException if there are none
   */
  void run(String only, PrintWriter out, ArrayNode result) {
    List<Row> rows = rows().stream().filter(row -> row.name().contains(only)).toList();
    if (rows.isEmpty()) {
      throw new BadSettingsException(
          "No row is called %s; there are %s.",
          only, rows().stream().map(Row::name).collect(Collectors.joining("; ")));
    }
    out.printf(
        Locale.ROOT,
        "Llama 30 x 576, 49,152 words, batch %d, length %d, TokenTune %s, LoRA %s%n%-56s %10s %10s"
            + " %9s %10s %8s%n",
        BATCH,
        LENGTH,
        TOKENS,
        LORA,
        "MB",
        "weights",
        "planned",
        "of full",
        "used",
        "time");
    if (steps == 0) {
      long full = plan(setting(TuningMethod.FULL)).total();
      for (Row row : rows) {
        print(out, row.name(), plan(row.setting()), full, result);
        out.println();
      }
    } else {
      run(rows, out, result);
    }
    out.flush();
  }

  private void run(List<Row> rows, PrintWriter out, ArrayNode result) {
    Parameters weights = StepBenchmark.weights(model);
    try (MethodBenchmark full = benchmark(weights, setting(TuningMethod.FULL))) {
      full.step();
      for (Row row : rows) {
        try (MethodBenchmark method = benchmark(weights, row.setting())) {
          List<Long> times = new ArrayList<>();
          List<Long> fullTimes = new ArrayList<>();
          for (int i = -1; i < steps; i++) {
            long ofFull = full.step();
            long time = method.step();
            if (i >= 0) {
              times.add(time);
              fullTimes.add(ofFull);
            }
          }
          double ratio = BenchCommand.median(times) / BenchCommand.median(fullTimes);
          ObjectNode node =
              print(out, row.name(), method.planned(), full.planned().total(), result);
          out.printf(Locale.ROOT, " %10.1f %8.2f%n", method.used() / 1e6, ratio);
          out.flush();
          node.put("used_bytes", method.used());
          node.put("milliseconds", BenchCommand.median(times) / 1e6).put("time_of_full", ratio);
        }
      }
    }
    weights.asMap().values().forEach(array -> array.close());
  }

  private StepMemoryReport plan(Setting setting) {
    return MethodBenchmark.plan(model, setting, BATCH, LENGTH, TOKENS);
  }

  private MethodBenchmark benchmark(Parameters weights, Setting setting) {
    return new MethodBenchmark(model, weights, setting, BATCH, LENGTH, TOKENS);
  }

  private static ObjectNode print(
      PrintWriter out, String name, StepMemoryReport planned, long full, ArrayNode result) {
    out.printf(
        Locale.ROOT,
        "%-56s %10.1f %10.1f %8.1f%%",
        name,
        planned.parameters() / 1e6,
        planned.total() / 1e6,
        100.0 * planned.total() / full);
    ObjectNode node = result.addObject().put("variant", name);
    return node.put("weight_bytes", planned.parameters()).put("predicted_bytes", planned.total());
  }
}
