package org.tokentune.models;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.WeightSource;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.ops.ShapeOnlyArray;

/** Loads a model's parameters from a checkpoint, and creates those of a new head. */
public final class ParameterLoader {

  private ParameterLoader() {}

  /**
   * Loads all parameters of {@code model} from the checkpoint.
   *
   * @throws BadInputException if one is missing, has another shape or does not hold floats, or the
   *     checkpoint has more parameters in a layer than the model
   */
  public static Parameters load(TransformerModel model, WeightSource source) {
    return load(model, source, WeightStorage.FLOAT32);
  }

  /** Like {@link #load(TransformerModel, WeightSource)}, with another storage. */
  public static Parameters load(
      TransformerModel model, WeightSource source, WeightStorage storage) {
    required(model, "model");
    required(source, "source");
    required(storage, "storage");

    Reading reading = new Reading(model, source, storage);
    model.parameters().forEach(reading::read);
    return reading.parameters();
  }

  /**
   * Checks that a checkpoint has all parameters of a model, without reading them.
   *
   * @throws BadInputException as {@link #load(TransformerModel, WeightSource)}
   */
  public static void check(TransformerModel model, WeightSource source) {
    required(model, "model");
    required(source, "source");

    Reading reading = new Reading(model, source, WeightStorage.FLOAT32);
    model.parameters().forEach(reading::find);
    reading.checkUnused();
  }

  /**
   * Reads one parameter as floats.
   *
   * @throws BadInputException as {@link #load(TransformerModel, WeightSource)}
   */
  public static INDArray read(TransformerModel model, WeightSource source, String parameter) {
    required(model, "model");
    required(source, "source");
    required(parameter, "parameter");

    return floats(source, checked(model, source, parameter, model.parameters().get(parameter)));
  }

  /**
   * Whether a tensor is a constant that follows from the configuration, so that it need not be
   * read.
   */
  public static boolean isConstant(String name) {
    required(name, "name");

    return UnusedTensors.CONSTANT.matcher(name).matches();
  }

  /** Whether a checkpoint has one of a model's parameters, under any supported name. */
  public static boolean has(TransformerModel model, WeightSource source, String parameter) {
    required(model, "model");
    required(source, "source");
    required(parameter, "parameter");

    return source.names().contains(stored(model, source, parameter));
  }

  /** Stores a model's float parameters in another way; those that stay floats are copied. */
  public static Parameters stored(
      TransformerModel model, Parameters floats, WeightStorage storage) {
    required(model, "model");
    required(floats, "floats");
    required(storage, "storage");

    Held held = new Held();
    floats
        .asMap()
        .forEach(
            (name, array) -> held.put(name, storage.of(model, name, array), () -> array.dup('c')));
    return held.parameters();
  }

  /**
   * Shape-only parameters, which take hardly any memory: to build and plan a model's graph, not to
   * run it.
   *
   * @param trainable names of those that are floats, whatever the storage
   */
  public static Parameters shapeOnly(
      TransformerModel model, Predicate<String> trainable, WeightStorage storage) {
    required(model, "model");
    required(trainable, "trainable");
    required(storage, "storage");

    Held held = new Held();
    model
        .parameters()
        .forEach(
            (name, shape) ->
                held.put(
                    name,
                    trainable.test(name) ? null : storage.shapeOnly(model, name, shape),
                    () -> ShapeOnlyArray.of(DataType.FLOAT, shape)));
    return held.parameters();
  }

  /** Collects parameters in order, some of them quantised. */
  private static final class Held {

    private final Map<String, INDArray> arrays = new LinkedHashMap<>();
    private final Map<String, QuantizedWeight> quantized = new LinkedHashMap<>();

    /**
     * @param weight null: stored as floats
     */
    void put(String name, QuantizedWeight weight, Supplier<INDArray> floats) {
      if (weight == null) {
        arrays.put(name, floats.get());
      } else {
        quantized.put(name, weight);
      }
    }

    Parameters parameters() {
      return new Parameters(arrays, quantized);
    }
  }

  /** Reads the parameters of a model from a checkpoint. */
  private static final class Reading {

    private final TransformerModel model;
    private final WeightSource source;
    private final WeightStorage storage;
    private final Held held = new Held();
    private final Set<String> read = new HashSet<>();

    Reading(TransformerModel model, WeightSource source, WeightStorage storage) {
      this.model = model;
      this.source = source;
      this.storage = storage;
    }

    void read(String name, long[] shape) {
      String stored = find(name, shape);
      held.put(name, storage.read(model, name, source, stored), () -> floats(source, stored));
    }

    /** Notes that a parameter is used, and returns its name in the checkpoint. */
    String find(String name, long[] shape) {
      String stored = checked(model, source, name, shape);
      read.add(stored);
      read.add(name); // another name of a head's bias
      return stored;
    }

    /** Reads a parameter if it fits; otherwise creates a new one. */
    void readHead(String name, long[] shape, Random random) {
      if (fits(source, stored(model, source, name), shape)) {
        read(name, shape);
      } else {
        double range = model.config().initializerRange();
        held.put(name, null, () -> fresh(name, shape, range, random));
      }
    }

    Parameters parameters() {
      checkUnused();
      return held.parameters();
    }

    void checkUnused() {
      Objective task = model.head().task();
      if (model.config().tied() && (task.isCausal() || task == Objectives.MASKED_LM)) {
        read.add(model.config().untied().model(model.head()).headTable()); // equal to the table
      }
      new UnusedTensors(model, source.origin()).check(source.names(), read);
    }
  }

  private static INDArray floats(WeightSource source, String stored) {
    INDArray array = source.read(stored);
    if (!array.dataType().isFPType()) {
      throw new BadFileException(
          "%s: tensor %s holds whole numbers (%s) in place of floats: it is quantised or damaged;"
              + " save the model in 16 or 32 bits.",
          source.origin(), stored, array.dataType());
    }
    return array;
  }

  /**
   * Like {@link #load(TransformerModel, WeightSource, WeightStorage)}, but parameters of the head
   * that are missing or have another shape get normally distributed values with the configuration's
   * initializer range (biases 0, the gains of norms 1), drawn using the seed.
   */
  public static Parameters loadEncoder(
      TransformerModel model, WeightSource source, WeightStorage storage, long seed) {
    required(model, "model");
    required(source, "source");
    required(storage, "storage");

    Reading reading = new Reading(model, source, storage);
    Random random = new Random(seed);
    model
        .parameters()
        .forEach(
            (name, shape) -> {
              if (model.isHead(name)) {
                reading.readHead(name, shape, random);
              } else {
                reading.read(name, shape);
              }
            });
    return reading.parameters();
  }

  /**
   * Whether a checkpoint has a head over the vocabulary that differs from the word embeddings.
   *
   * @param untied configuration of the model with a separate head
   */
  static boolean hasOwnHead(ModelConfig untied, WeightSource source) {
    Objective task = untied.causal() ? Objectives.CAUSAL_LM : Objectives.MASKED_LM;
    TransformerModel model = untied.model(new Head(task, untied.vocabulary(), Pooling.FIRST));
    String head = stored(model, source, model.headTable());
    String table = stored(model, source, model.wordTable());
    if (!source.names().containsAll(Set.of(head, table))) {
      return false;
    }
    if (!Arrays.equals(source.shape(head), source.shape(table))) {
      return true;
    }
    try (INDArray one = source.read(head);
        INDArray other = source.read(table)) {
      return one.neq(other).any();
    }
  }

  private static boolean fits(WeightSource source, String name, long[] shape) {
    return source.names().contains(name) && Arrays.equals(source.shape(name), shape);
  }

  private static String stored(TransformerModel model, WeightSource source, String name) {
    String bare = bare(model, name);
    Stream<String> spellings =
        Stream.of(decoderBias(model, name), name, bare, oldNorm(name), oldNorm(bare));
    return Stream.concat(spellings, tiedHead(model, name))
        .filter(source.names()::contains)
        .findFirst()
        .orElse(name);
  }

  /**
   * Heads for masked words have their bias under two names. If they differ, which is possible if
   * the head is not tied, transformers uses this one.
   */
  private static String decoderBias(TransformerModel model, String name) {
    return model.isHead(name) ? name.replaceFirst("\\.bias$", ".decoder.bias") : name;
  }

  private static String bare(TransformerModel model, String name) {
    return name.startsWith(model.prefix()) ? name.substring(model.prefix().length()) : name;
  }

  /**
   * The head's name for a shared word table: safetensors' {@code save_model} keeps only that name.
   */
  private static Stream<String> tiedHead(TransformerModel model, String name) {
    return model.config().tied() && name.equals(model.wordTable())
        ? Stream.of(model.config().untied().model(model.head()).headTable())
        : Stream.empty();
  }

  /** The names of the parameters of norms in the first checkpoints of BERT on the hub. */
  private static String oldNorm(String name) {
    return name.replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
        .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
  }

  /** The name of a tensor in the checkpoint, after checking its shape. */
  private static String checked(
      TransformerModel model, WeightSource source, String name, long[] shape) {
    String stored = stored(model, source, name);
    if (!source.names().contains(stored)) {
      throw missing(model, source, name);
    }
    if (!fits(source, stored, shape)) {
      throw new BadFileException(
          "%s: tensor %s has shape %s, but the configuration says %s.",
          source.origin(), stored, Arrays.toString(source.shape(stored)), Arrays.toString(shape));
    }
    return stored;
  }

  private static BadInputException missing(
      TransformerModel model, WeightSource source, String name) {
    String within = "." + bare(model, name);
    for (String other : source.names()) {
      boolean adapted = other.contains(".base_layer.");
      if (("." + other.replace(".base_layer.", ".")).endsWith(within)) {
        return new BadFileException(
            "%s has %s in place of %s: %s.",
            source.origin(),
            other,
            name,
            adapted
                ? "it was saved with PEFT's adapters around its layers; in Python, call"
                    + " merge_and_unload() and save_pretrained()"
                : "it was saved with something around it, such as torch.compile or"
                    + " DataParallel; save the model itself");
      }
    }
    String quantised = UnusedTensors.quantised(source.names());
    if (quantised != null) {
      return UnusedTensors.isQuantised(source.origin(), quantised);
    }
    if (name.equals(model.headTable())) {
      return new BadFileException(
          "%s has no tensor %s; it has no head over the vocabulary, unless the table of words is the"
              + " head (tie_word_embeddings true).",
          source.origin(), name);
    }
    return new BadFileException(
        "%s has no tensor %s; it is not a complete %s checkpoint.",
        source.origin(),
        name,
        model.isHead(name) ? "fine-tuned" : model.getClass().getSimpleName());
  }

  private static INDArray fresh(String name, long[] shape, double range, Random random) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    if (shape.length == 1 && name.endsWith(".weight")) {
      Arrays.fill(values, 1);
    } else if (shape.length > 1) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextGaussian() * range);
      }
    }
    return Nd4j.create(values, shape, 'c');
  }
}
