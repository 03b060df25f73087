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
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * Maps the adapters in a file to a base: every tensor is assigned to a parameter or rejected by
 * name. Follows PEFT 0.21.2, except that PEFT silently ignores tensors it cannot assign.
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
   * Adapted layers that are also fully trained, so the adapter owns their weights: PEFT 0.10 adapts
   * such layers of a classifier. Their updates are added to the weights.
   */
  private final Map<String, String> merged = new TreeMap<>();

  /** Names in the file by parameter. */
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
    checkMagnitudes();
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

  /** The weight that a tied vocabulary head would have if it were untied; null for other models. */
  static String ownHead(TransformerModel base) {
    Objective task = base.head().task();
    boolean tied = base.headTable().equals(base.wordTable());
    return tied && (task.isCausal() || task == Objectives.MASKED_LM)
        ? base.config().untied().model(base.head()).headTable()
        : null;
  }

  private void putLayer(String module) {
    String weight = parameterOf(module + WEIGHT);
    if (weight == null) {
      throw otherBase("it adapts " + module + ", which this base does not have");
    }
    String layer = weight.substring(0, weight.length() - WEIGHT.length());
    boolean vocabulary = weight.equals(ownHead) || weight.equals(base.headTable());
    if (base.isEmbedding(weight) || vocabulary) {
      throw new BadFileException(
          "%s adapts %s, which is not supported: embedding tables and heads over the vocabulary"
              + " cannot be adapted, only linear layers.",
          folder, module);
    }
    long[] shape = shapes.get(weight);
    if (shape.length != 2) {
      throw otherBase("it adapts " + module + ", which is not a linear layer of this base");
    }
    long in = shape[base.inputFirst() ? 0 : 1];
    long out = shape[base.inputFirst() ? 1 : 0];
    long[] a = tensors.source().shape(tensors.a(module));
    long[] b = tensors.source().shape(tensors.b(module));
    boolean pair = a.length == 2 && b.length == 2 && a[0] == b[1] && a[0] > 0;
    if (pair) { // so only its widths can differ
      check(tensors.a(module), new long[] {a[0], in}, true);
      check(tensors.b(module), new long[] {out, a[0]}, true);
    }
    int rank = config.size(module).rank();
    check(tensors.a(module), new long[] {rank, in}, false);
    check(tensors.b(module), new long[] {out, rank}, false);
    String magnitude = tensors.magnitude(module);
    if (config.dora() != (magnitude != null)) {
      throw new BadFileException(
          config.dora()
              ? "%s: use_dora is true, but %s holds no lora_magnitude_vector of %s; save the"
                  + " adapters again."
              : "%s: use_dora is not true, but %s holds a lora_magnitude_vector of %s; correct"
                  + " use_dora.",
          config.origin(),
          AdapterFolder.WEIGHTS,
          module);
    }
    if (magnitude != null) {
      check(magnitude, new long[] {out}, false);
    }
    if (layers.containsValue(layer)) {
      throw new BadFileException(
          "%s adapts %s twice, under two names; remove the tensors of one of them.", folder, layer);
    }
    layers.put(module, layer);
  }

  private void checkMagnitudes() {
    for (String module : tensors.magnitudes()) {
      if (!tensors.layers().contains(module)) {
        throw new BadFileException(
            "%s holds %s without the layer's lora_A and lora_B; save the adapters again.",
            folder, tensors.magnitude(module));
      }
    }
  }

  private void putWhole(String name, String stored) {
    String parameter = parameterOf(name);
    if (parameter == null) {
      throw new BadFileException(
          "%s holds %s, which does not exist in the base; use a base that has it, or remove the"
              + " tensor.",
          folder, stored);
    }
    check(stored, shapes.get(parameter), false);
    put(parameter, stored);
  }

  /**
   * In transformers, the bias of a masked language modelling head has two names; both may be
   * present.
   */
  private void put(String parameter, String stored) {
    String other = values.put(parameter, stored);
    boolean decoder =
        stored.endsWith(DECODER_BIAS) || (other != null && other.endsWith(DECODER_BIAS));
    if (other != null && !(decoder && tensors.same(other, stored))) {
      throw tensors.twice(parameter, other, stored);
    }
  }

  /** The base's parameter for a name; null if there is none. */
  private String parameterOf(String name) {
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
            "%s has shape %s and should have %s",
            stored,
            Arrays.toString(shape),
            Arrays.toString(wanted));
    if (byBase) {
      throw otherBase(difference);
    }
    throw new BadFileException("%s: %s; %s.", folder, difference, remedy(stored, shape, wanted));
  }

  private String remedy(String stored, long[] shape, long[] wanted) {
    if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
      return "it is empty because it was saved without gathering it from all devices; save it"
          + " again";
    }
    if (shape.length != 2 || wanted.length != 2) {
      return "download the adapters again";
    }
    if (stored.contains(".lora_")) {
      return "correct r or rank_pattern";
    }
    return shape[1] == wanted[1] && wanted[0] == base.config().vocabulary()
        ? "a vocabulary of another size than the base's is not supported: use a base with as many"
            + " words"
        : "download the adapters again";
  }

  private BadInputException otherBase(String difference) {
    return new BadFileException(
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

  /** PEFT rejects adapters that lack a tensor of a fully trained module. */
  private void checkAllThere() {
    for (String name : shapes.keySet()) {
      boolean tiedHead = name.equals(ownHead) && config.keepsTied();
      if (!values.containsKey(name) && !tiedHead) {
        whole(name)
            .ifPresent(
                module -> {
                  throw new BadFileException(
                      "%s: %s is fully trained (according to modules_to_save or task_type), but"
                          + " %s holds no %s; save the adapters again.",
                      config.origin(), module, AdapterFolder.WEIGHTS, name);
                });
      }
    }
  }

  /** The fully trained module that contains a parameter. */
  private Optional<String> whole(String parameter) {
    return PeftConfig.moduleOf(parameter, config.whole());
  }

  /**
   * Layers that the configuration names but the file has no adapters for stay unchanged, as in
   * PEFT. If they are blocks after the file's last one, the base is the wrong one.
   */
  private void compareTargets() {
    if (!config.targets().known()) {
      return;
    }
    Set<String> there = new TreeSet<>(layers.values());
    there.addAll(merged.values());
    boolean bare = layers.keySet().stream().noneMatch(there::contains); // PEFT's model has no head
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
        "target_modules names %s, but there are no adapters for it in %s; it stays unchanged");
    Set<String> unnamed = new TreeSet<>(layers.keySet());
    unnamed.removeIf(config.targets().module());
    warn(
        unnamed,
        "target_modules does not name %s, but there are adapters for it in %s; they are used");
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

  /** The number of the transformer block a module belongs to; -1 for none. */
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
   * Whether a tied head stays tied: PEFT trains a separate copy of each fully trained module, and
   * assigns the file's values to the others where they exist.
   */
  private boolean tied() {
    boolean apart = whole(base.wordTable()).isPresent() || whole(ownHead).isPresent();
    return config.keepsTied() || !apart;
  }

  /** Keeps a single value for both. */
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
        exceptions,
        config.dora());
  }

  /**
   * Creates the adapter over the base's parameters.
   *
   * @param parameters the base's; shared, not copied
   */
  Adapter read(Parameters parameters) {
    Map<String, INDArray> read = new LinkedHashMap<>();
    layers.forEach(
        (module, layer) -> {
          read.put(layer + LoraModel.A, floats(tensors.a(module)));
          read.put(layer + LoraModel.B, floats(tensors.b(module)));
          if (config.dora()) {
            read.put(layer + LoraModel.MAGNITUDE, floats(tensors.magnitude(module)));
          }
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
    INDArray magnitude = config.dora() ? floats(tensors.magnitude(module)) : null;
    try (INDArray a = floats(tensors.a(module));
        INDArray b = floats(tensors.b(module))) {
      Adapter.merge(weight, a, b, scale, magnitude, base.inputFirst());
    }
  }

  private INDArray floats(String stored) {
    INDArray array = tensors.source().read(stored);
    if (!array.dataType().isFPType()) {
      throw new BadFileException(
          "%s: %s holds integers (%s) instead of floats; save the adapters as 16-bit or 32-bit floats.",
          folder, stored, array.dataType());
    }
    return array;
  }
}
