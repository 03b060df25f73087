package org.tokentune.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraModel;
import org.tokentune.formats.CompanionFiles;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensors;
import org.tokentune.formats.WeightSource;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.generate.Generator;
import org.tokentune.models.Architectures;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;
import org.tokentune.train.StepInputs;
import org.tokentune.train.TrainingEngine;
import org.tokentune.train.VectorLoss;

/**
 * Compares a model's hidden states, logits, loss and gradients with the recorded results of another
 * implementation on the same weights.
 *
 * <p>A folder holds {@code config.json}, {@code model.safetensors} and test cases; every other
 * {@code .safetensors} file is a case. A case holds the inputs under transformers' names ({@code
 * input_ids}, {@code attention_mask}, {@code token_type_ids}, {@code position_ids}, {@code labels},
 * and {@code selected} [batch, k] if only some positions have gradients), {@code hidden.0} to
 * {@code hidden.L}, {@code logits}, {@code loss} and {@code grad.<parameter>}. A case with "mean"
 * in its name uses mean pooling. Dropout is off. A case of generation holds {@code input_ids} [1,
 * n] and {@code generated} [1, m], the same ids followed by their greedy continuation.
 *
 * <p>A sentence encoder's folder also holds {@code modules.json}. Its cases have the inputs of
 * {@code anchor}, {@code positive} and {@code negative}, such as {@code anchor.input_ids}, and the
 * {@code embedding} of each, [rows, width]; {@code labels} are scores. The file's name is that of
 * the loss: {@code mnrl}, with {@code -negatives}, {@code -symmetric} or {@code -matryoshka}
 * (dimensions: the width, a half and a quarter), {@code triplet}, {@code cosine} or {@code cosent}.
 * sentence-transformers 6.2 runs all columns but the first as one batch, which a recorder of {@code
 * selected} tokens does not see: in cases of three columns only the gradients of anchors are taken
 * to be recorded through their selected tokens, unless {@code -columns} in the file's name says
 * that every column ran by itself.
 *
 * <p>A folder of adapters (PEFT's {@code adapter_config.json} and {@code
 * adapter_model.safetensors}) is compared together with its base; it holds the gradients of the
 * adapters, under PEFT's names. A case without inputs holds the base's weights with the adapters
 * merged in.
 *
 * <p>A case of preferences, in a folder of adapters, holds {@code input_ids}, {@code
 * attention_mask} and {@code completion_mask} of {@code chosen} and {@code rejected}, the sums
 * {@code logps} of the log-probabilities of the answers' tokens, those of the base without adapters
 * ({@code logps.ref_chosen}) and {@code rewards}, with a beta of 0.1; {@code chosen.selected} where
 * only some positions have gradients.
 *
 * <p>Gradients of cosines lose digits where all texts are nearly parallel, as rounding is relative
 * to 1 and what is differentiated to {@code 1 - cosine}: their errors in a sentence encoder's cases
 * are divided by {@code 1 / (1 - c)}, where c is the mean of the recorded vectors' cosines. (In
 * double precision PyTorch itself differs by as much from what it recorded.)
 *
 * <p>A tensor's error is its largest absolute difference, divided by its largest absolute value or
 * by 1e-4 of the case's largest gradient, whichever is greater. Padding is not compared in hidden
 * states and in logits per token, nor are unselected tokens in the last layer. The error of
 * generated ids is how many of them differ.
 */
public final class Parity {

  private static final Set<String> INPUTS =
      Set.of("input_ids", "attention_mask", "token_type_ids", "position_ids", "labels", "selected");
  private static final String WEIGHTS = "(adapter_)?model(-\\d+-of-\\d+)?\\.safetensors";
  private static final String GENERATED = "generated";
  private static final String GRADIENT = "grad.";
  private static final double NOT_COMPARED = Double.NaN;

  private final Path folder;
  private final ModelConfig config;
  private final Head head;
  private final Parameters parameters;
  private final Adapter adapter;

  /**
   * One tensor of a case.
   *
   * @param error relative error; NaN if the tensor was not compared
   */
  public record Row(String tensor, double error) {

    /** Whether it was compared and its error is at most {@code tolerance}. */
    public boolean within(double tolerance) {
      return error <= tolerance;
    }
  }

  /**
   * Opens a folder. The base of adapters is found by their configuration.
   *
   * @throws BadInputException if it is not such a folder, or the base is not a path
   */
  public Parity(Path folder) {
    this(folder, Weights.of(folder, null));
  }

  /**
   * Opens a folder.
   *
   * @param base the model's folder or file, if {@code folder} holds adapters; null: the path in
   *     their configuration, relative to their folder or to the current one
   */
  public Parity(Path folder, Path base) {
    this(folder, Weights.of(folder, base));
  }

  /** Opens a folder of adapters on a base, which stays open. */
  public static Parity on(Path folder, ModelFiles base) {
    return new Parity(folder, new Weights(base.config(), base.name(), base.weights(), () -> {}));
  }

  private Parity(Path folder, Weights base) {
    this.folder = folder;
    try (base;
        AdapterFolder adapters = AdapterFolder.isOne(folder) ? AdapterFolder.open(folder) : null) {
      ModelConfig plain =
          ModelConfig.read(base.config(), base.origin()).withDropout(0).withHeadOf(base.weights());
      JsonNode json = adapters == null ? base.config() : adapters.modelConfig(base.config());
      OptionalInt trained = adapters == null ? OptionalInt.empty() : adapters.outputs();
      head =
          head(
              json,
              trained.orElseGet(() -> Head.outputs(base.weights()).orElse(plain.vocabulary())),
              plain.vocabulary());
      TransformerModel model = plain.model(head);
      if (adapters == null) {
        adapter = null;
        config = plain;
        parameters = ParameterLoader.load(model, base.weights());
      } else {
        adapters.check(model);
        adapter =
            adapters.read(model, ParameterLoader.load(model, adapters.over(base.weights(), model)));
        config = adapter.model().config();
        parameters = adapter.parameters();
      }
    }
  }

  /** The source of a model. */
  private record Weights(JsonNode config, String origin, WeightSource weights, Runnable closing)
      implements AutoCloseable {

    static Weights of(Path folder, Path base) {
      if (!AdapterFolder.isOne(folder)) {
        return of(folder);
      }
      return of(base == null ? base(folder) : base);
    }

    /** The path in the adapters' configuration. */
    private static Path base(Path folder) {
      try (AdapterFolder adapters = AdapterFolder.open(folder)) {
        return adapters
            .basePath()
            .orElseThrow(
                () ->
                    new BadFileException(
                        "%s names the base '%s', which does not exist; name the base it was trained on.",
                        folder, adapters.base()));
      }
    }

    /** Opens a model without its tokenizer, which may be missing. */
    private static Weights of(Path model) {
      if (Files.isRegularFile(model.resolve(ModelFolder.CONFIG))) {
        WeightSource weights = ModelFolder.weights(model);
        return new Weights(
            ModelFolder.config(model),
            model.resolve(ModelFolder.CONFIG).toString(),
            weights,
            weights::close);
      }
      ModelFiles files = ModelFiles.open(model);
      return new Weights(files.config(), files.name(), files.weights(), files::close);
    }

    @Override
    public void close() {
      closing.run();
    }
  }

  /** The case files, by name: all {@code .safetensors} that are not the weights or their shards. */
  public List<Path> cases() {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".safetensors"))
          .filter(file -> !file.getFileName().toString().matches(WEIGHTS))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be listed.", folder);
    }
  }

  /** Runs one case as training would. Returns a row for each tensor except the inputs. */
  public List<Row> compare(Path file) {
    return compare(file, KernelMode.preferred(), ActivationCheckpointing.ELEMENTWISE);
  }

  /** Runs one case with a kernel mode and a level of activation checkpointing. */
  public List<Row> compare(
      Path file, KernelMode kernelMode, ActivationCheckpointing checkpointing) {
    Map<String, INDArray> expected;
    try (SafeTensors source = SafeTensors.open(file)) {
      expected = tensors(source);
    }
    String title = file.getFileName().toString();
    if (expected.containsKey(EmbeddingCase.COLUMNS.get(0) + ModelGraph.INPUT_IDS)) {
      return embeddings(title, expected, kernelMode, checkpointing);
    }
    if (expected.containsKey(PreferenceCase.SIDES.get(0) + ModelGraph.INPUT_IDS)) {
      return preferences(title, expected, kernelMode, checkpointing);
    }
    if (!expected.containsKey(ModelGraph.INPUT_IDS)) {
      return compareMerged(file, expected);
    }
    TransformerModel model = model(title);
    if (expected.containsKey(GENERATED)) {
      return List.of(generated(expected, model, kernelMode));
    }
    Map<String, INDArray> inputs = inputs(expected, head);
    boolean split = StepInputs.areSplit(inputs);
    GraphOptions options =
        GraphOptions.training(split, adapter == null ? name -> true : adapter.model()::trains);
    // Hidden states come from a separate graph: training computes fewer rows of the last layer.
    List<String> names = hidden(options.split());
    ModelGraph allRows = model.build(parameters, options.withKernelMode(kernelMode).withAllRows());
    allRows.check(inputs);
    try (PlanEngine forward = new PlanEngine(allRows.sd(), PlanOptions.forward(names));
        TrainingEngine engine =
            new TrainingEngine(
                model.build(parameters, options.withKernelMode(kernelMode)),
                List.of(ModelGraph.LOGITS),
                checkpointing)) {
      Map<String, INDArray> hidden = forward.run(inputs).outputs();
      return compare(expected, model, inputs, engine.run(inputs), hidden);
    }
  }

  /** Compares a step of a sentence encoder. */
  private List<Row> embeddings(
      String name,
      Map<String, INDArray> expected,
      KernelMode kernelMode,
      ActivationCheckpointing checkpointing) {
    EmbeddingCase one = EmbeddingCase.of(name, expected);
    TransformerModel model =
        config.model(
            Head.ofSentences(Objectives.embed(one.loss()), head.sentence(), config.hidden()));
    TrainingEngine.Result step =
        one.apart()
            ? apart(one, model, kernelMode, checkpointing)
            : run(one.inputs(), model, kernelMode, checkpointing);
    Map<String, INDArray> joined = one.joined(expected);
    double condition = EmbeddingCase.condition(joined.get(ModelGraph.LOGITS));
    return compare(joined, model, one.inputs(), step, Map.of()).stream()
        .map(
            row ->
                row.tensor().startsWith(GRADIENT)
                    ? new Row(row.tensor(), row.error() / condition)
                    : row)
        .toList();
  }

  /** Compares a step on preferences, whose reference is the base without its adapters. */
  private List<Row> preferences(
      String name,
      Map<String, INDArray> expected,
      KernelMode kernelMode,
      ActivationCheckpointing checkpointing) {
    if (adapter == null) {
      throw new BadFileException(
          "%s is a case of preferences, which belongs beside the adapters that it was recorded with.",
          name);
    }
    Head answers = new Head(Objectives.DPO, head.outputs(), Pooling.FIRST);
    TransformerModel base = config.model(answers);
    TransformerModel model = new LoraModel(base, adapter.model().lora());
    PreferenceCase one = PreferenceCase.of(expected, answers.task());
    String scored = answers.task().scored();
    GraphOptions forward = GraphOptions.training(false, any -> false).withKernelMode(kernelMode);
    Map<String, INDArray> whole = new HashMap<>(one.inputs());
    whole.remove(ModelGraph.SELECTED);
    whole.remove(ModelGraph.FROZEN);
    INDArray reference;
    try (PlanEngine engine =
        new PlanEngine(
            base.build(adapter.baseParameters(), forward).sd(),
            PlanOptions.forward(List.of(scored)))) {
      reference = engine.run(whole).outputs().get(scored).dup();
    }
    one.put(reference);
    GraphOptions options =
        GraphOptions.training(StepInputs.areSplit(one.inputs()), adapter.model()::trains)
            .withKernelMode(kernelMode);
    ModelGraph graph = model.build(parameters, options);
    graph.check(one.inputs());
    try (TrainingEngine engine = new TrainingEngine(graph, List.of(scored), checkpointing)) {
      TrainingEngine.Result step = engine.run(one.inputs());
      Map<String, INDArray> results = PreferenceCase.results(step.outputs().get(scored), reference);
      Map<String, INDArray> recorded = new LinkedHashMap<>(expected);
      recorded.keySet().removeIf(PreferenceCase::isInput);
      List<Row> rows = new ArrayList<>();
      results.forEach(
          (tensor, actual) -> {
            INDArray of = recorded.remove(tensor);
            rows.add(new Row(tensor, of == null ? NOT_COMPARED : error(of, actual, 0)));
          });
      rows.addAll(compare(recorded, model, one.inputs(), step, Map.of()));
      return rows;
    }
  }

  private TrainingEngine.Result run(
      Map<String, INDArray> inputs,
      TransformerModel model,
      KernelMode kernelMode,
      ActivationCheckpointing checkpointing) {
    GraphOptions options = GraphOptions.training(StepInputs.areSplit(inputs), any -> true);
    boolean upstream = inputs.containsKey(ModelGraph.LOGITS_GRADIENT);
    options = options.withKernelMode(kernelMode);
    try (TrainingEngine engine =
        new TrainingEngine(
            model.build(parameters, upstream ? options.withUpstream() : options),
            List.of(ModelGraph.LOGITS),
            checkpointing)) {
      TrainingEngine.Result result = engine.run(inputs);
      return new TrainingEngine.Result(
          result.loss(), copies(result.gradients()), copies(result.outputs()));
    }
  }

  private static Map<String, INDArray> copies(Map<String, INDArray> arrays) {
    Map<String, INDArray> copies = new HashMap<>();
    arrays.forEach((name, array) -> copies.put(name, array.dup()));
    return copies;
  }

  /** Anchors with their selection, and all other texts with gradients through all tokens. */
  private TrainingEngine.Result apart(
      EmbeddingCase one,
      TransformerModel model,
      KernelMode kernelMode,
      ActivationCheckpointing checkpointing) {
    List<Map<String, INDArray>> parts = one.parts();
    List<INDArray> vectors = new ArrayList<>();
    for (Map<String, INDArray> part : parts) {
      part.put(
          ModelGraph.LOGITS_GRADIENT,
          Nd4j.zeros(part.get(ModelGraph.INPUT_IDS).size(0), model.head().outputs()));
      vectors.add(run(part, model, kernelMode, checkpointing).outputs().get(ModelGraph.LOGITS));
    }
    INDArray all = Nd4j.vstack(vectors);
    try (VectorLoss loss = new VectorLoss(one.loss(), model.head().outputs())) {
      VectorLoss.Result of = loss.run(all, one.inputs().get(ModelGraph.LABELS));
      Map<String, INDArray> sums = new HashMap<>();
      long first = 0;
      for (Map<String, INDArray> part : parts) {
        long end = first + part.get(ModelGraph.INPUT_IDS).size(0);
        part.put(
            ModelGraph.LOGITS_GRADIENT,
            of.gradient().get(NDArrayIndex.interval(first, end), NDArrayIndex.all()).dup());
        run(part, model, kernelMode, checkpointing)
            .gradients()
            .forEach((name, array) -> sums.merge(name, array, INDArray::add));
        first = end;
      }
      return new TrainingEngine.Result(of.loss(), sums, Map.of(ModelGraph.LOGITS, all));
    }
  }

  private List<Row> compareMerged(Path file, Map<String, INDArray> expected) {
    if (adapter == null) {
      throw new BadFileException(
          "%s has no input_ids, so it is not a test case; move it out of the folder.", file);
    }
    adapter.merge();
    Map<String, INDArray> merged = adapter.baseParameters().asMap();
    List<Row> rows = new ArrayList<>();
    expected.forEach((name, tensor) -> rows.add(new Row(name, error(tensor, merged.get(name), 0))));
    adapter.unmerge();
    return rows;
  }

  private Row generated(
      Map<String, INDArray> expected, TransformerModel model, KernelMode kernelMode) {
    int[] prompt = expected.get(ModelGraph.INPUT_IDS).reshape(-1).toIntVector();
    int[] all = expected.get(GENERATED).reshape(-1).toIntVector();
    GenerationSettings settings = GenerationSettings.greedy(all.length - prompt.length, Set.of());
    int[] ids;
    try (Generator generator = new Generator(model, parameters, kernelMode)) {
      ids = generator.generate(prompt, settings, id -> {}).ids();
    }
    IntPredicate differs = i -> i - prompt.length >= ids.length || all[i] != ids[i - prompt.length];
    return new Row(GENERATED, IntStream.range(prompt.length, all.length).filter(differs).count());
  }

  private static List<Row> compare(
      Map<String, INDArray> expected,
      TransformerModel model,
      Map<String, INDArray> inputs,
      TrainingEngine.Result step,
      Map<String, INDArray> hidden) {
    double floor =
        1e-4
            * expected.entrySet().stream()
                .filter(tensor -> tensor.getKey().startsWith(GRADIENT))
                .mapToDouble(tensor -> tensor.getValue().amaxNumber().doubleValue())
                .max()
                .orElse(0);
    List<Row> rows = new ArrayList<>();
    expected.forEach(
        (name, tensor) -> {
          if (name.startsWith(GRADIENT)) {
            INDArray actual = gradient(name.substring(GRADIENT.length()), model, step);
            rows.add(new Row(name, error(tensor, actual, floor)));
          } else if (name.equals(ModelGraph.LOSS)) {
            rows.add(new Row(name, error(tensor, Nd4j.scalar(step.loss()), floor)));
          } else if (name.equals(ModelGraph.LOGITS) && !model.head().perToken()) {
            rows.add(new Row(name, error(tensor, step.outputs().get(name), floor)));
          } else if (name.equals(ModelGraph.LOGITS)) {
            rows.add(new Row(name, byToken(tensor, step.outputs().get(name), null, inputs)));
          } else if (hidden.containsKey(name)) {
            rows.add(
                new Row(
                    name, byToken(tensor, hidden.get(name), hidden.get(name + ".frozen"), inputs)));
          } else if (!INPUTS.contains(name)) {
            rows.add(new Row(name, NOT_COMPARED));
          }
        });
    return rows;
  }

  /**
   * A gradient by its name here, by PEFT's, or by that of the head that shares the word embeddings:
   * where a model declares the head first, PyTorch reports the sum of both under its name.
   */
  private static INDArray gradient(
      String name, TransformerModel model, TrainingEngine.Result step) {
    boolean shared =
        model.config().tied()
            && model.head().task().headShape() == Objective.HeadShape.VOCABULARY
            && name.equals(model.config().untied().model(model.head()).headTable());
    String own = shared ? model.wordTable() : name;
    INDArray prefixed = step.gradients().get(model.prefix() + own); // as without a head
    return step.gradients()
        .getOrDefault(own, step.gradients().getOrDefault(AdapterFolder.parameter(name), prefixed));
  }

  /** The head that a configuration names, with first-token pooling if it pools. */
  private Head head(JsonNode json, int outputs, int vocabulary) {
    CompanionFiles beside = CompanionFiles.in(folder);
    if (beside.names().contains(CompanionFiles.MODULES)) {
      return Head.ofSentences(
          Objectives.EMBED,
          SentenceModules.read(beside, json, folder.toString()),
          json.path("hidden_size").asInt());
    }
    Objective task =
        Architectures.task(json, outputs)
            .orElseThrow(
                () ->
                    new BadFileException(
                        "%s: no head for architecture %s.",
                        folder, json.path("architectures").path(0).asText()));
    boolean words = task.headShape() == Objective.HeadShape.VOCABULARY;
    return new Head(task, words ? vocabulary : outputs, Pooling.FIRST);
  }

  private TransformerModel model(String name) {
    Pooling pooling = name.contains("mean") ? Pooling.MEAN : Pooling.FIRST;
    TransformerModel model = config.model(new Head(head.task(), head.outputs(), pooling));
    return adapter == null ? model : new LoraModel(model, adapter.model().lora());
  }

  private List<String> hidden(boolean split) {
    List<String> names = new ArrayList<>();
    for (int layer = 0; layer <= config.layers(); layer++) {
      names.add(ModelGraph.hidden(layer));
      if (split && layer < config.layers()) {
        names.add(ModelGraph.frozenHidden(layer));
      }
    }
    return names;
  }

  private static Map<String, INDArray> inputs(Map<String, INDArray> golden, Head head) {
    Map<String, INDArray> inputs = new HashMap<>();
    INDArray ids = golden.get("input_ids").castTo(DataType.INT32);
    inputs.put(ModelGraph.INPUT_IDS, ids);
    inputs.put(
        ModelGraph.ATTENTION_MASK,
        golden.getOrDefault("attention_mask", Nd4j.onesLike(ids)).castTo(DataType.INT32));
    inputs.put(
        ModelGraph.TOKEN_TYPE_IDS,
        golden.getOrDefault("token_type_ids", Nd4j.zerosLike(ids)).castTo(DataType.INT32));
    INDArray counted = Nd4j.arange((double) ids.size(1)).reshape(1, -1).repeat(0, ids.size(0));
    inputs.put(
        ModelGraph.POSITION_IDS,
        golden.getOrDefault("position_ids", counted).castTo(DataType.INT32));
    INDArray labels = golden.get("labels");
    inputs.put(
        ModelGraph.LABELS,
        head.task().labelType() == DataType.FLOAT
            ? labels.castTo(DataType.FLOAT).reshape(-1, head.outputs())
            : labels.castTo(DataType.INT32));
    INDArray selected = golden.get("selected");
    if (selected != null && selected.size(1) < ids.size(1)) { // otherwise all are selected
      inputs.put(ModelGraph.SELECTED, selected.castTo(DataType.INT32));
      inputs.put(ModelGraph.FROZEN, complement(selected, (int) ids.size(1)));
    }
    return inputs;
  }

  static INDArray complement(INDArray selected, int length) {
    int[][] frozen = new int[(int) selected.size(0)][];
    for (int row = 0; row < frozen.length; row++) {
      boolean[] taken = new boolean[length];
      for (int i = 0; i < selected.size(1); i++) {
        taken[selected.getInt(row, i)] = true;
      }
      frozen[row] = IntStream.range(0, length).filter(i -> !taken[i]).toArray();
    }
    return Nd4j.createFromArray(frozen);
  }

  /** Error over the unpadded tokens of the streams; {@code expected} is [batch, length, width]. */
  private static double byToken(
      INDArray expected, INDArray selected, INDArray frozen, Map<String, INDArray> inputs) {
    double difference = difference(expected, selected, inputs.get(ModelGraph.SELECTED), inputs);
    if (frozen != null) {
      difference =
          Math.max(difference, difference(expected, frozen, inputs.get(ModelGraph.FROZEN), inputs));
    }
    return difference / expected.amaxNumber().doubleValue();
  }

  /** {@code positions} [batch, count] are the rows' tokens; null: all. */
  private static double difference(
      INDArray expected, INDArray rows, INDArray positions, Map<String, INDArray> inputs) {
    INDArray mask = inputs.get(ModelGraph.ATTENTION_MASK);
    long batch = expected.size(0);
    long length = expected.size(1);
    long count = positions == null ? length : positions.size(1);
    INDArray all = expected.reshape(batch * length, expected.size(2));
    double worst = 0;
    for (long row = 0; row < batch; row++) {
      for (long i = 0; i < count; i++) {
        long position = positions == null ? i : positions.getLong(row, i);
        if (mask.getInt((int) row, (int) position) != 0) {
          INDArray gap = all.getRow(row * length + position).sub(rows.getRow(row * count + i));
          worst = worse(worst, gap.amaxNumber().doubleValue());
        }
      }
    }
    return worst;
  }

  private static double error(INDArray expected, INDArray actual, double floor) {
    if (actual == null || actual.length() != expected.length()) {
      return NOT_COMPARED;
    }
    INDArray gap = expected.reshape(-1).sub(actual.reshape(-1).castTo(expected.dataType()));
    double difference = worse(0, gap.amaxNumber().doubleValue());
    return difference == 0 ? 0 : difference / Math.max(floor, expected.amaxNumber().doubleValue());
  }

  /** The larger value; NaN counts as infinite. */
  private static double worse(double a, double b) {
    return Double.isNaN(b) ? Double.POSITIVE_INFINITY : Math.max(a, b);
  }

  private static Map<String, INDArray> tensors(WeightSource source) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    source.names().forEach(name -> tensors.put(name, source.read(name)));
    return tensors;
  }
}
