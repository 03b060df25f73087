package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.bench.GenerationBenchmark;
import org.tokentune.bench.StepBenchmark;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures training steps, or generation. */
@Command(
    name = "bench",
    sortOptions = false,
    description =
        "Measures training steps: live bytes above the weights, predicted and used, and"
            + " milliseconds, against all tokens and against the floor: the step's own matrix"
            + " products run back to back. Random weights, float32, no dropout, SGD (BERT without"
            + " its embeddings, all of Llama); medians, after warm-up, all variants of a shape in"
            + " turn.",
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {

  private static final int WARM_UP = 3;

  /** No further round warms up after a minute: steps of many seconds are compiled within one. */
  private static final long WARM_UP_NANOS = 60_000_000_000L;

  /** Tokens of a generated text. */
  private static final int TEXT = 256;

  @Option(
      names = "--shape",
      paramLabel = "NAME",
      split = ",",
      description =
          "BERT small: 6 layers x 384, batch 8, length 128; long: the same, batch 4, length 256;"
              + " base: 12 layers x 768, batch 8, length 128. Llama of 8 layers x 512, 32,000 words,"
              + " batch 1: llama: length 512; llama-long: 1024. Default: these. Also bert-512: as small,"
              + " batch 2, length 512; llama-2048 and llama-4096.")
  private List<Shape> shapes =
      List.of(Shape.small, Shape.long_, Shape.base, Shape.llama, Shape.llama_long);

  @Option(
      names = "--peer",
      paramLabel = "PYTHON",
      description = {
        "Beside all tokens: the same step in PyTorch, in turn with the others, where this Python has torch",
        "and transformers; the scaled-dot-product attention, no recomputation."
      })
  private String peer;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "9",
      description =
          "Measured steps of each variant, after some to warm up; 0: nothing runs, bytes are only planned."
              + " Default ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--generate",
      description = {
        "Instead: a token of generated text against summing up an array of as many bytes as the",
        "weights that it reads. Llama of 12 layers x 768, 109 million parameters; 256 tokens."
      })
  private boolean generate;

  @Option(
      names = "--knobs",
      description = {
        "Instead: full fine-tuning, LoRA, QLoRA, TokenTune and every other memory knob, with AdamW, on",
        "a Llama of 135 million parameters: bytes planned and used, parameters and optimizer state",
        "included, and time beside full fine-tuning's step."
      })
  private boolean knobs;

  @Option(
      names = "--only",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Of --knobs: only the rows in whose names this stands.")
  private String only;

  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  /** What is measured, as the command line names it. */
  enum Shape {
    small(false, 6, 384, 8, 128, 32),
    long_(false, 6, 384, 4, 256, 16),
    base(false, 12, 768, 8, 128, 32),
    llama(true, 8, 512, 1, 512, 154),
    llama_long(true, 8, 512, 1, 1024, 307),
    bert_512(false, 6, 384, 2, 512, 128),
    llama_2048(true, 8, 512, 1, 2048, 614),
    llama_4096(true, 8, 512, 1, 4096, 1229);

    private static final int BERT_WORDS = 30_522;
    private static final int LLAMA_WORDS = 32_000;
    private static final int BERT_HEADS = 12;
    private static final int LLAMA_HEADS = 8;
    private static final int LLAMA_INNER = 1376;

    final boolean decoder;
    final int layers;
    final int hidden;
    final int batch;
    final int length;
    final int tokens;

    Shape(boolean decoder, int layers, int hidden, int batch, int length, int tokens) {
      this.decoder = decoder;
      this.layers = layers;
      this.hidden = hidden;
      this.batch = batch;
      this.length = length;
      this.tokens = tokens;
    }

    TransformerModel model() {
      return decoder
          ? model(llama(layers, hidden, LLAMA_HEADS, LLAMA_INNER))
          : bert(layers, hidden);
    }

    /** The sizes, for another implementation. */
    ObjectNode sizes() {
      ObjectNode sizes = JsonOption.object().put("decoder", decoder).put("layers", layers);
      sizes.put("hidden", hidden).put("batch", batch).put("length", length);
      sizes.put("words", decoder ? LLAMA_WORDS : BERT_WORDS);
      sizes.put("heads", decoder ? LLAMA_HEADS : BERT_HEADS);
      return sizes.put("inner", decoder ? LLAMA_INNER : 4 * hidden);
    }

    /** Bytes by level of recomputation. */
    Map<ActivationCheckpointing, Long> plan(String tokens) {
      return StepBenchmark.plan(model(), batch, length, tokens);
    }

    List<Way> ways() {
      List<Way> ways = new ArrayList<>();
      for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
        if (checkpointing != ActivationCheckpointing.NOTHING) {
          ways.add(new Way("all", checkpointing));
          ways.add(new Way(Integer.toString(tokens), checkpointing));
        }
      }
      return ways;
    }

    private static TransformerModel bert(int layers, int hidden) {
      ObjectNode config = sizes("bert", BERT_WORDS, layers, hidden);
      config.put("num_attention_heads", BERT_HEADS);
      config.put("intermediate_size", 4 * hidden).put("max_position_embeddings", 512);
      config.put("type_vocab_size", 2);
      ModelConfig sizes = ModelConfig.read(config, "bench").withDropout(0);
      return sizes.model(new Head(Objectives.CLASSIFY, 2, Pooling.FIRST));
    }

    static ObjectNode llama(int layers, int hidden, int heads, int inner) {
      ObjectNode config = sizes("llama", LLAMA_WORDS, layers, hidden);
      config.put("num_attention_heads", heads).put("intermediate_size", inner);
      return config.put("max_position_embeddings", 4096);
    }

    static TransformerModel model(ObjectNode config) {
      ModelConfig sizes = ModelConfig.read(config, "bench");
      return sizes.model(new Head(Objectives.CAUSAL_LM, sizes.vocabulary(), Pooling.FIRST));
    }

    private static ObjectNode sizes(String type, int words, int layers, int hidden) {
      ObjectNode config = JsonOption.object().put("model_type", type).put("vocab_size", words);
      return config.put("num_hidden_layers", layers).put("hidden_size", hidden);
    }

    @Override
    public String toString() {
      return name().endsWith("_") ? name().replace("_", "") : name().replace("_", "-");
    }
  }

  /** A way to train. */
  private record Way(String tokens, ActivationCheckpointing checkpointing) {

    StepBenchmark benchmark(Shape shape, Parameters weights) {
      return new StepBenchmark(
          shape.model(), weights, shape.batch, shape.length, tokens, checkpointing);
    }

    @Override
    public String toString() {
      return tokens
          + " tokens"
          + switch (checkpointing) {
            case ATTENTION -> ", attention recomputed";
            case BLOCKS -> ", blocks recomputed";
            default -> "";
          };
    }
  }

  /** A way to train, and what it took. */
  private record Variant(Way way, StepBenchmark benchmark, List<Long> steps, List<Long> products) {

    double milliseconds() {
      return median(steps) / 1e6;
    }

    double floor() {
      return median(products) / 1e6;
    }

    /** GFLOP/s of the products alone. */
    double speed() {
      return benchmark.matmulFlops() / (floor() * 1e6);
    }
  }

  static double median(List<Long> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(0L);
  }

  @Override
  public Integer call() {
    json.check();
    if (steps < 0) {
      throw new BadSettingsException("%d steps cannot be; give 0 or more.", steps);
    }
    if (peer != null && (steps == 0 || generate || knobs)) {
      throw new BadSettingsException(
          "--peer is measured beside the steps of --shape; leave --generate, --knobs and --steps 0 out.");
    }
    if (!only.isEmpty() && !knobs) {
      throw new BadSettingsException("--only chooses rows of --knobs; give that too.");
    }
    PrintWriter out = spec.commandLine().getOut();
    ObjectNode result = JsonOption.object();
    if (generate) {
      generation(out, result);
      json.write(result);
      return 0;
    }
    ArrayNode rows = result.putArray("rows");
    if (knobs) {
      new KnobsBenchmark(steps).run(only, out, rows);
      json.write(result);
      return 0;
    }
    for (Shape shape : shapes) {
      measure(shape, out, rows);
    }
    json.write(result);
    return 0;
  }

  private static void generation(PrintWriter out, ObjectNode result) {
    ObjectNode config = Shape.llama(12, 768, 12, 2048);
    config.put("tie_word_embeddings", true);
    TransformerModel model = Shape.model(config);
    Parameters weights = StepBenchmark.weights(model);
    List<Long> tokens = new ArrayList<>();
    List<Long> sums = new ArrayList<>();
    try (GenerationBenchmark benchmark = new GenerationBenchmark(model, weights, TEXT)) {
      for (int i = -TEXT; i < TEXT; i++) { // the first text makes the plans and warms up
        long token = benchmark.token();
        long sum = benchmark.sum();
        if (i >= 0) {
          tokens.add(token);
          sums.add(sum);
        }
      }
      double milliseconds = median(tokens) / 1e6;
      double floor = median(sums) / 1e6;
      out.printf(
          Locale.ROOT,
          "Llama 12 x 768, %d tokens: %.1f ms a token, %.0f MB of weights summed up in %.1f ms"
              + " (%.1f GB/s): %.2f times as fast as reading allows%n",
          TEXT,
          milliseconds,
          benchmark.bytes() / 1e6,
          floor,
          benchmark.bytes() / (floor * 1e6),
          floor / milliseconds);
      out.flush();
      result.put("token_milliseconds", milliseconds).put("weight_bytes", benchmark.bytes());
      result.put("sum_milliseconds", floor).put("ratio_to_reading", floor / milliseconds);
    }
  }

  private void measure(Shape shape, PrintWriter out, ArrayNode rows) {
    out.printf(
        Locale.ROOT,
        "%s %d x %d, batch %d, length %d%n%-34s %12s %9s %9s %8s %9s %9s %9s%n",
        shape.decoder ? "Llama" : "BERT",
        shape.layers,
        shape.hidden,
        shape.batch,
        shape.length,
        "",
        "predicted MB",
        "used MB",
        "ms",
        "to all",
        "floor ms",
        "to floor",
        "GFLOP/s");
    if (steps == 0) {
      plan(shape, out, rows);
    } else {
      run(shape, out, rows);
    }
    out.println();
    out.flush();
  }

  private static void plan(Shape shape, PrintWriter out, ArrayNode rows) {
    Map<String, Map<ActivationCheckpointing, Long>> plans = new HashMap<>();
    for (Way way : shape.ways()) {
      Map<ActivationCheckpointing, Long> planned = plans.computeIfAbsent(way.tokens(), shape::plan);
      print(shape, way, planned.get(way.checkpointing()), out, rows);
      out.println();
    }
  }

  private static ObjectNode print(
      Shape shape, Way way, long planned, PrintWriter out, ArrayNode rows) {
    out.printf(Locale.ROOT, "%-34s %12.1f", way, planned / 1e6);
    ObjectNode row = rows.addObject().put("shape", shape.toString());
    return row.put("variant", way.toString()).put("predicted_bytes", planned);
  }

  private void run(Shape shape, PrintWriter out, ArrayNode rows) {
    if (peer == null) {
      run(shape, null, out, rows);
    } else {
      try (PeerProcess started = new PeerProcess(peer, shape.sizes())) {
        run(shape, started, out, rows);
      }
    }
  }

  private void run(Shape shape, PeerProcess other, PrintWriter out, ArrayNode rows) {
    Parameters weights = StepBenchmark.weights(shape.model());
    List<Variant> variants = new ArrayList<>();
    for (Way way : shape.ways()) {
      variants.add(
          new Variant(way, way.benchmark(shape, weights), new ArrayList<>(), new ArrayList<>()));
    }
    List<Long> plain = new ArrayList<>();
    List<Long> peers = new ArrayList<>();
    long begun = System.nanoTime();
    for (int i = -WARM_UP; i < steps; i++) {
      if (i < 0 && System.nanoTime() - begun > WARM_UP_NANOS) {
        i = 0;
      }
      if (other != null) {
        long step = other.step();
        if (i >= 0) {
          peers.add(step);
        }
      }
      for (Variant variant : variants) {
        long step = variant.benchmark().step();
        long products = variant.benchmark().matmuls();
        if (i >= 0) {
          variant.steps().add(step);
          variant.products().add(products);
        }
      }
      plain.add(StepBenchmark.plainMatmul());
    }
    double all = variants.get(0).milliseconds();
    for (Variant variant : variants) {
      StepBenchmark benchmark = variant.benchmark();
      double milliseconds = variant.milliseconds();
      ObjectNode row = print(shape, variant.way(), benchmark.planned(), out, rows);
      out.printf(
          Locale.ROOT,
          " %9.1f %9.1f %8.2f %9.1f %9.2f %9.0f%n",
          benchmark.used() / 1e6,
          milliseconds,
          milliseconds / all,
          variant.floor(),
          milliseconds / variant.floor(),
          variant.speed());
      row.put("used_bytes", benchmark.used()).put("milliseconds", milliseconds);
      row.put("ratio_to_all_tokens", milliseconds / all);
      row.put("floor_milliseconds", variant.floor());
      row.put("ratio_to_floor", milliseconds / variant.floor());
      row.put("floor_gflops", variant.speed());
      benchmark.close();
    }
    weights.asMap().values().forEach(array -> array.close());
    if (other != null) {
      double milliseconds = median(peers) / 1e6;
      long peak = other.peak();
      out.printf(
          Locale.ROOT,
          "%-34s %12s %9.1f %9.1f %8.2f%n",
          "PyTorch, all tokens",
          "",
          peak / 1e6,
          milliseconds,
          milliseconds / all);
      out.println(other.versions());
      ObjectNode row = rows.addObject().put("shape", shape.toString());
      row.put("variant", "PyTorch, all tokens").put("versions", other.versions());
      row.put("used_bytes", peak).put("milliseconds", milliseconds);
      row.put("ratio_to_all_tokens", milliseconds / all);
    }
    double best = StepBenchmark.PLAIN_FLOPS / median(plain);
    out.printf(Locale.ROOT, "A plain product [1024,384] x [384,1536]: %.0f GFLOP/s%n", best);
  }
}
