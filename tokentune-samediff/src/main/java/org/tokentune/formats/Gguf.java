package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.ops.BlockWeight;

/**
 * A decoder in a GGUF file (Mistral comes as Llama), presented in Hugging Face's layout: its
 * configuration, and its tensors as floats under Hugging Face's names.
 */
public final class Gguf implements WeightSource {

  private static final String SPLIT_COUNT = "split.count";
  private static final Pattern PART = Pattern.compile("(.+)-\\d{5}-of-\\d{5}\\.gguf");

  /** Modules of a layer whose projections either all have biases or none. */
  private static final Map<String, List<String>> BIASED =
      Map.of(
          GgufArchitecture.ATTENTION,
          List.of(
              GgufArchitecture.QUERY, GgufArchitecture.KEY, "self_attn.v_proj", "self_attn.o_proj"),
          GgufArchitecture.MLP,
          List.of("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"));

  private final List<GgufFile> parts;
  private final String origin;
  private final GgufArchitecture architecture;
  private final JsonNode config;
  private final RotaryRows rotary;
  private final Map<String, Place> tensors = new LinkedHashMap<>();

  /** Biases that Hugging Face's model has but the file lacks, with their lengths. */
  private final Map<String, Long> zeros = new LinkedHashMap<>();

  /** A tensor in one of the parts. */
  private record Place(GgufFile file, GgufFile.Tensor tensor) {}

  private Gguf(List<GgufFile> parts, String origin) {
    this.parts = parts;
    this.origin = origin;
    architecture = GgufConfig.architecture(metadata());
    for (GgufFile part : parts) {
      for (GgufFile.Tensor tensor : part.tensors().values()) {
        String name = architecture.named(tensor.name());
        if (tensors.put(name, new Place(part, tensor)) != null) {
          throw new BadFileException("%s has tensor %s twice; download it again.", origin, name);
        }
      }
    }
    config = new GgufConfig(metadata(), this).read();
    rotary = architecture.permuted() ? new RotaryRows(config.path("head_dim").intValue()) : null;
    addZeroBiases(config.path("num_hidden_layers").intValue());
  }

  GgufArchitecture architecture() {
    return architecture;
  }

  private GgufMetadata metadata() {
    return parts.get(0).metadata();
  }

  /** Whether some layer has a bias in a module. */
  boolean isBiased(String module) {
    return tensors.keySet().stream()
        .anyMatch(name -> name.endsWith(".bias") && name.contains("." + module + "."));
  }

  /** llama.cpp accepts any subset of biases; Hugging Face's model has all of a module's or none. */
  private void addZeroBiases(int layers) {
    for (Map.Entry<String, List<String>> module : BIASED.entrySet()) {
      boolean biased = architecture.biased().contains(module.getKey()) && isBiased(module.getKey());
      for (int layer = 0; biased && layer < layers; layer++) {
        for (String linear : module.getValue()) {
          String name = "model.layers." + layer + "." + linear;
          if (tensors.containsKey(name + ".weight") && !tensors.containsKey(name + ".bias")) {
            zeros.put(name + ".bias", shape(name + ".weight")[0]);
          }
        }
      }
    }
  }

  /** The {@code model_type} of every family whose models are read. */
  public static Set<String> families() {
    return GgufArchitecture.families();
  }

  /**
   * Opens a file and checks its header. If the model is split, opens all parts, which must be in
   * the same folder and named as llama.cpp's {@code gguf-split} names them.
   *
   * @throws BadInputException if it is missing, damaged or holds an unsupported kind of model
   */
  public static Gguf open(Path path) {
    required(path, "path");

    List<GgufFile> parts = new ArrayList<>();
    boolean complete = false;
    try {
      parts.add(GgufFile.open(path));
      int count = parts.get(0).metadata().count(SPLIT_COUNT, 1);
      if (count > 1) {
        parts.remove(0).close();
        for (Path part : parts(path, count)) {
          parts.add(GgufFile.open(part));
        }
      }
      Gguf opened = new Gguf(List.copyOf(parts), path.toString());
      complete = true;
      return opened;
    } finally {
      if (!complete) {
        parts.forEach(GgufFile::close);
      }
    }
  }

  /** The first part if these files are the parts of one model; null otherwise. */
  static Path firstPart(List<Path> files) {
    List<Path> sorted = files.stream().sorted().toList();
    Matcher name = PART.matcher(sorted.get(0).getFileName().toString());
    return name.matches() && named(sorted.get(0), name.group(1), files.size()).equals(sorted)
        ? sorted.get(0)
        : null;
  }

  private static List<Path> named(Path sibling, String model, int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(i -> String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", model, i, count))
        .map(sibling::resolveSibling)
        .toList();
  }

  /** All parts of the model that a file belongs to, in order. */
  private static List<Path> parts(Path path, int count) {
    Matcher name = PART.matcher(path.getFileName().toString());
    List<Path> parts = name.matches() ? named(path, name.group(1), count) : List.of();
    if (parts.isEmpty() || !parts.stream().allMatch(Files::isRegularFile)) {
      throw new BadFileException(
          "%s is one of the %d parts of a model; put all of them into one folder under their"
              + " original names, such as model-00001-of-%05d.gguf, and name the first.",
          path, count, count);
    }
    return parts;
  }

  /** The configuration as a {@code config.json}. */
  public JsonNode config() {
    return config;
  }

  /**
   * The tokenizer's vocabulary.
   *
   * @throws BadInputException if it is missing, of an unknown kind, or does not fit this model
   */
  public Vocabulary vocabulary() {
    int words = config.path("vocab_size").intValue();
    return Vocabulary.checked(new GgufVocabulary(metadata()).read(), words, origin);
  }

  /** The metadata that Hugging Face keeps in separate files. */
  public CompanionFiles companions() {
    return new GgufVocabulary(metadata()).companions(config);
  }

  @Override
  public Set<String> names() {
    Set<String> names = new LinkedHashSet<>(tensors.keySet());
    names.addAll(zeros.keySet());
    return Collections.unmodifiableSet(names);
  }

  @Override
  public long[] shape(String name) {
    if (zeros.containsKey(name)) {
      return new long[] {zeros.get(name)};
    }
    long[] shape = place(name).tensor().shape().clone();
    return isTransposed(name, shape) ? new long[] {shape[1], shape[0]} : shape;
  }

  private boolean isTransposed(String name, long[] stored) {
    return stored.length == 2 && architecture.transposes(name);
  }

  @Override
  public INDArray read(String name) {
    return zeros.containsKey(name)
        ? Nd4j.zeros(DataType.FLOAT, zeros.get(name))
        : Nd4j.create(values(name), shape(name), 'c');
  }

  /** A tensor's values, in the order of its shape. */
  float[] values(String name) {
    Place place = place(name);
    float[] values = place.file().read(place.tensor());
    if (architecture.addsOneTo(name)) {
      for (int i = 0; i < values.length; i++) {
        values[i] -= 1;
      }
    }
    long[] stored = place.tensor().shape();
    if (isTransposed(name, stored)) {
      return GgufLayout.transposed(values, stored);
    }
    if (!architecture.permutes(name)) {
      return values;
    }
    int width = Math.toIntExact(place.tensor().count() / place.tensor().shape()[0]);
    return rotary.unpermuted(values, width, name);
  }

  @Override
  public BlockWeight readBlocks(String name) {
    if (zeros.containsKey(name)) {
      return null;
    }
    GgufFile.Tensor tensor = place(name).tensor();
    if (tensor.shape().length != 2
        || isTransposed(name, tensor.shape())
        || tensor.format() == null
        || !BlockWeight.supports(tensor.format())) {
      return null;
    }
    int rows = Math.toIntExact(tensor.shape()[0]);
    int[] places =
        architecture.permutes(name)
            ? rotary.places(rows, name)
            : IntStream.range(0, rows).toArray();
    return place(name).file().readBlocks(tensor, places);
  }

  private Place place(String name) {
    return WeightFile.tensor(tensors, name, origin);
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public void close() {
    parts.forEach(GgufFile::close);
  }
}
