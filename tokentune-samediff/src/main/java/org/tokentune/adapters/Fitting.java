package org.tokentune.adapters;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * Adapters of a file being put on a base: each tensor gets its place, or is refused by name. Does
 * what PEFT 0.21.2 does when it loads them, which passes over tensors without a place in silence.
 */
final class Fitting {

  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final String DECODER_BIAS = ".decoder.bias";
  private static final Pattern BLOCK = Pattern.compile("\\.(\\d{1,6})\\.");

  private final String folder;
  private final PeftConfig config;
  private final AdapterTensors tensors;
  private final TransformerModel base;
  private final Map<String, long[]> shapes;
  private final String ownHead;

  /** Adapted layers by their names in PEFT's model. */
  private final Map<String, String> layers = new TreeMap<>();

  /**
   * Those that train as a whole too, so that their weights are their own: PEFT 0.10 adapts such
   * layers of a classifier. Their updates are added to the weights.
   */
  private final Map<String, String> merged = new TreeMap<>();

  /** Names in the file, by parameters. */
  private final Map<String, String> values = new LinkedHashMap<>();

  private final LoraModel model;

  /**
   * @throws BadInputException as {@link AdapterFolder#read}
   */
  Fitting(String folder, PeftConfig config, AdapterTensors tensors, TransformerModel base) {
    this.folder = folder;
    this.config = config;
    this.tensors = tensors;
    this.base = base;
    ownHead = ownHead(base);
    shapes = new LinkedHashMap<>(base.parameters());
    if (ownHead != null) {
      shapes.put(ownHead, shapes.get(base.wordTable()));
    }
    tensors.layers().forEach(this::putLayer);
    tensors.whole().forEach(this::putWhole);
    checkAllThere();
    partMerged();
    compareTargets();
    config.warnOfUnused(tensors.layers());
    warnOfMissingBiases();
    boolean tied = ownHead != null && tied();
    TransformerModel fitted =
        tied || ownHead == null ? base : base.config().untied().model(base.head());
    if (tied) {
      tie();
    }
    model = new LoraModel(fitted, lora());
  }

  /**
   * Of a model whose head over the vocabulary is tied, the weight that it would have if it were
   * not; null for others.
   */
  static String ownHead(TransformerModel base) {
    Objective task = base.head().task();
    boolean tied = base.headTable().equals(base.wordTable());
    return tied && (task == Objectives.CAUSAL_LM || task == Objectives.MASKED_LM)
        ? base.config().untied().model(base.head()).headTable()
        : null;
  }

  private void putLayer(String module) {
    String weight = place(module + WEIGHT);
    if (weight == null) {
      throw otherBase("it adapts " + module + ", which this base does not have");
    }
    String layer = weight.substring(0, weight.length() - WEIGHT.length());
    boolean vocabulary = weight.equals(ownHead) || weight.equals(base.headTable());
    if (base.isEmbedding(weight) || vocabulary) {
      throw new BadInputException(
          "%s adapts %s, which is not supported: no table of embeddings and no head over the"
              + " vocabulary can be adapted; linear layers can.",
          folder, module);
    }
    long[] shape = shapes.get(weight);
    if (shape.length != 2) {
      throw otherBase("it adapts " + module + ", which is no linear layer of this base");
    }
    long in = shape[base.inputFirst() ? 0 : 1];
    long out = shape[base.inputFirst() ? 1 : 0];
    long[] a = tensors.source().shape(tensors.a(module));
    long[] b = tensors.source().shape(tensors.b(module));
    boolean pair = a.length == 2 && b.length == 2 && a[0] == b[1] && a[0] > 0;
    if (pair) { // so that only its widths can be wrong
      check(tensors.a(module), new long[] {a[0], in}, true);
      check(tensors.b(module), new long[] {out, a[0]}, true);
    }
    int rank = config.size(module).rank();
    check(tensors.a(module), new long[] {rank, in}, false);
    check(tensors.b(module), new long[] {out, rank}, false);
    if (layers.containsValue(layer)) {
      throw new BadInputException(
          "%s adapts %s twice, under two names; take the tensors of one of them out.",
          folder, layer);
    }
    layers.put(module, layer);
  }

  private void putWhole(String name, String stored) {
    String parameter = place(name);
    if (parameter == null) {
      throw new BadInputException(
          "%s holds %s, for which the base has no place; take a base that has one, or take the"
              + " tensor out.",
          folder, stored);
    }
    check(stored, shapes.get(parameter), false);
    put(parameter, stored);
  }

  /** In transformers, a head for masked words has its bias under two names: both may be there. */
  private void put(String parameter, String stored) {
    String other = values.put(parameter, stored);
    boolean decoder =
        stored.endsWith(DECODER_BIAS) || (other != null && other.endsWith(DECODER_BIAS));
    if (other != null && !(decoder && tensors.same(other, stored))) {
      throw tensors.twice(parameter, other, stored);
    }
  }

  /** A name's parameter of the base; null if it has none. */
  private String place(String name) {
    String decoder =
        name.endsWith(DECODER_BIAS)
            ? name.substring(0, name.length() - DECODER_BIAS.length()) + BIAS
            : name;
    return Stream.of(name, base.prefix() + name, decoder)
        .filter(shapes::containsKey)
        .findFirst()
        .orElse(null);
  }

  private void check(String stored, long[] wanted, boolean byBase) {
    long[] shape = tensors.source().shape(stored);
    if (Arrays.equals(shape, wanted)) {
      return;
    }
    String difference =
        String.format(
            Locale.ROOT,
            "%s has the shape %s and should have %s",
            stored,
            Arrays.toString(shape),
            Arrays.toString(wanted));
    if (byBase) {
      throw otherBase(difference);
    }
    throw new BadInputException("%s: %s; %s.", folder, difference, remedy(stored, shape, wanted));
  }

  private String remedy(String stored, long[] shape, long[] wanted) {
    if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
      return "it is empty, as it was saved without gathering it from all devices; save it again";
    }
    if (shape.length != 2 || wanted.length != 2) {
      return "get the adapters again";
    }
    if (stored.contains(".lora_")) {
      return "correct r or rank_pattern";
    }
    return shape[1] == wanted[1] && wanted[0] == base.config().vocabulary()
        ? "a table of another size than the base's is not supported: take a base with as many words"
        : "get the adapters again";
  }

  private BadInputException otherBase(String difference) {
    return new BadInputException(
        "%s was made for another base: %s; name the base it was trained on%s.",
        folder, difference, config.base().isEmpty() ? "" : " (" + config.base() + ")");
  }

  private void partMerged() {
    layers.forEach(
        (module, layer) -> {
          if (whole(layer + WEIGHT).isPresent()) {
            merged.put(module, layer);
          }
        });
    layers.keySet().removeAll(merged.keySet());
  }

  /** PEFT loads no adapters that lack a tensor of a module that trains as a whole. */
  private void checkAllThere() {
    for (String name : shapes.keySet()) {
      boolean tiedHead = name.equals(ownHead) && config.keepsTied();
      if (!values.containsKey(name) && !tiedHead) {
        whole(name)
            .ifPresent(
                module -> {
                  throw new BadInputException(
                      "%s: %s trains as a whole (by modules_to_save, or as task_type has it), but"
                          + " %s holds no %s; save the adapters again.",
                      config.origin(), module, AdapterFolder.WEIGHTS, name);
                });
      }
    }
  }

  /** The module around a parameter that trains as a whole. */
  private Optional<String> whole(String parameter) {
    return PeftConfig.moduleOf(parameter, config.whole());
  }

  /**
   * Layers that the configuration names, but the file holds no adapters of, stay as they are: so
   * PEFT has it. Where they are blocks after the last one of the file, the base is another one.
   */
  private void compareTargets() {
    if (!config.targets().known()) {
      return;
    }
    Set<String> there = new TreeSet<>(layers.values());
    there.addAll(merged.values());
    boolean bare = layers.keySet().stream().noneMatch(there::contains); // of PEFT's model, no head
    int prefix = base.prefix().length();
    Set<String> missing = new TreeSet<>();
    for (String name : LoraModel.linear(base)) {
      String module = bare && name.startsWith(base.prefix()) ? name.substring(prefix) : name;
      if (!there.contains(name) && config.targets().module().test(module)) {
        missing.add(name);
      }
    }
    int last = layers.keySet().stream().mapToInt(Fitting::block).max().orElse(-1);
    if (!missing.isEmpty() && missing.stream().allMatch(name -> block(name) > last)) {
      throw otherBase(
          String.format(
              Locale.ROOT,
              "target_modules names %s, but its adapters end with block %d",
              missing.iterator().next(),
              last));
    }
    warn(
        missing,
        "target_modules names %s, but there are no adapters of it in %s; it stays as it is");
    Set<String> unnamed = new TreeSet<>(layers.keySet());
    unnamed.removeIf(config.targets().module());
    warn(
        unnamed,
        "target_modules does not name %s, but there are adapters of it in %s; they are used");
  }

  private void warn(Set<String> modules, String sentence) {
    if (!modules.isEmpty()) {
      String first = modules.iterator().next();
      String all = modules.size() == 1 ? first : first + " and " + (modules.size() - 1) + " more";
      Warnings.warn(
          "%s: %s.",
          config.origin(), String.format(Locale.ROOT, sentence, all, AdapterFolder.WEIGHTS));
    }
  }

  /** A layer's number in the model; -1 for none. */
  private static int block(String module) {
    Matcher number = BLOCK.matcher(module);
    return number.find() ? Integer.parseInt(number.group(1)) : -1;
  }

  private void warnOfMissingBiases() {
    Set<String> biases = new LinkedHashSet<>();
    for (String name : shapes.keySet()) {
      if (name.endsWith(BIAS)
          && switch (config.bias()) {
            case NONE -> false;
            case ALL -> true;
            case LORA_ONLY ->
                layers.containsValue(name.substring(0, name.length() - BIAS.length()));
          }) {
        biases.add(name);
      }
    }
    if (!biases.isEmpty() && biases.stream().noneMatch(values::containsKey)) {
      Warnings.warn(
          "%s: bias is \"%s\", but %s holds no biases (PEFT 0.6 to 0.20 did not save them); the"
              + " base's are used.",
          config.origin(), config.bias().peftName(), AdapterFolder.WEIGHTS);
    }
  }

  /**
   * Whether a tied head stays tied: PEFT trains each module that trains as a whole as a copy of its
   * own, and gives others the file's values where they are.
   */
  private boolean tied() {
    boolean apart = whole(base.wordTable()).isPresent() || whole(ownHead).isPresent();
    return config.keepsTied() || !apart;
  }

  /** Leaves one value for both. */
  private void tie() {
    String table = values.get(base.wordTable());
    String head = values.remove(ownHead);
    if (table == null && head != null) {
      values.put(base.wordTable(), head);
    } else if (table != null && head != null && !tensors.same(table, head)) {
      throw tensors.twice(base.wordTable(), table, head);
    }
  }

  private LoraConfig lora() {
    LoraConfig.Size usual = new LoraConfig.Size(config.rank(), config.alpha());
    Map<String, LoraConfig.Size> exceptions = new TreeMap<>();
    layers.forEach(
        (module, layer) -> {
          if (!config.size(module).equals(usual)) {
            exceptions.put(layer, config.size(module));
          }
        });
    Set<String> whole = new LinkedHashSet<>();
    for (String parameter : values.keySet()) {
      if (shapes.containsKey(parameter)) {
        whole(parameter).ifPresent(whole::add);
      }
    }
    return new LoraConfig(
        config.rank(),
        config.alpha(),
        config.dropout(),
        config.rankStabilised(),
        false,
        config.bias(),
        List.copyOf(layers.values()),
        List.copyOf(whole),
        exceptions);
  }

  /**
   * The adapters on the base's parameters.
   *
   * @param parameters are shared, not copied
   */
  Adapter read(Parameters parameters) {
    Map<String, INDArray> read = new LinkedHashMap<>();
    layers.forEach(
        (module, layer) -> {
          read.put(layer + LoraModel.A, floats(tensors.a(module)));
          read.put(layer + LoraModel.B, floats(tensors.b(module)));
        });
    values.forEach((parameter, stored) -> read.put(parameter, floats(stored)));
    merged.forEach((module, layer) -> addUpdate(read.get(layer + WEIGHT), module));
    Parameters all = parameters;
    if (!model.base().headTable().equals(base.headTable()) && !read.containsKey(ownHead)) {
      Map<String, INDArray> arrays = new LinkedHashMap<>(parameters.asMap());
      arrays.put(ownHead, parameters.get(base.wordTable()));
      all = parameters.withArrays(arrays);
    }
    return Adapter.of(model, all, read);
  }

  private void addUpdate(INDArray weight, String module) {
    double scale = config.size(module).scale(config.rankStabilised());
    try (INDArray a = floats(tensors.a(module));
        INDArray b = floats(tensors.b(module));
        INDArray update = Adapter.update(a, b, scale, base.inputFirst())) {
      weight.addi(update);
    }
  }

  private INDArray floats(String stored) {
    INDArray array = tensors.source().read(stored);
    if (!array.dataType().isFPType()) {
      throw new BadInputException(
          "%s: %s holds whole numbers (%s) in place of floats; save the adapters in 16 or 32 bits.",
          folder, stored, array.dataType());
    }
    return array;
  }
}
