package org.tokentune.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.files.ModelWriter;
import org.tokentune.files.WholeFile;
import org.tokentune.formats.GgufTokens;
import org.tokentune.formats.GgufWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.Vocabulary;
import org.tokentune.quantization.BlockFormat;

/** What goes into a GGUF file of a model, and how its matrices are stored. */
final class GgufContent {

  private static final int QUANTIZATION_VERSION = 2;

  final GgufWriter out = new GgufWriter();
  private final String architecture;
  private final GgufType type;
  private final Map<BlockFormat, Integer> formats = new EnumMap<>(BlockFormat.class);

  /** Tokens that llama.cpp expects of a model with {@link #PHI3} in its name. */
  private static final List<String> TOKENS_OF_PHI3 =
      List.of("<unk>", "<s>", "</s>", "<|endoftext|>");

  private static final Pattern PHI3 = Pattern.compile("(phi)-?(3)", Pattern.CASE_INSENSITIVE);

  GgufContent(ModelFiles files, Vocabulary vocabulary, String architecture, GgufType type) {
    this.architecture = architecture;
    this.type = type;
    out.put("general.architecture", architecture);
    out.put("general.type", "model");
    boolean loads = vocabulary.tokens().containsAll(TOKENS_OF_PHI3);
    String name = name(files);
    out.put("general.name", loads ? name : PHI3.matcher(name).replaceAll("$1 $2"));
    out.put("general.file_type", type.id);
    out.put("general.quantization_version", QUANTIZATION_VERSION);
  }

  /** The last part of a model's name. */
  static String name(ModelFiles files) {
    String name = files.name().replace('\\', '/').replaceFirst("/+$", "");
    return name.substring(name.lastIndexOf('/') + 1);
  }

  void put(String key, int value) {
    out.put(architecture + "." + key, value);
  }

  void put(String key, String value) {
    out.put(architecture + "." + key, value);
  }

  void put(String key, double value) {
    out.put(architecture + "." + key, value);
  }

  /**
   * Adds a parameter.
   *
   * @param logits whether it computes logits
   */
  void add(String name, long[] shape, boolean logits, Supplier<float[]> values) {
    add(name, type.format(shape, logits), shape, values);
  }

  /**
   * Adds a table whose rows llama.cpp adds to others as they are, which it can do in floats only.
   */
  void addFloats(String name, long[] shape, Supplier<float[]> values) {
    add(name, BlockFormat.F32, shape, values);
  }

  private void add(String name, BlockFormat format, long[] shape, Supplier<float[]> values) {
    formats.merge(format, 1, Integer::sum);
    out.tensor(name, format, shape, values);
  }

  /**
   * Adds the tokens.
   *
   * @param words rows of the model's table of them
   */
  void addTokens(ModelFiles files, Vocabulary vocabulary, int words) {
    int tokens = vocabulary.tokens().size();
    if (tokens > words) {
      throw new BadSettingsException(
          "%s has a tokenizer of %d tokens and a table of %d words, and llama.cpp loads no file with"
              + " more tokens than words; resize the model's embeddings (resize_token_embeddings), or"
              + " use the tokenizer without the tokens that were added.",
          files.name(), tokens, words);
    }
    GgufTokens.write(vocabulary, words, out);
  }

  /** An array's values in C's order. */
  static float[] floats(INDArray array) {
    try (INDArray dense = array.dup('c')) {
      return dense.data().asFloat();
    }
  }

  /** Writes the file, whole or not at all. */
  static void write(GgufWriter out, Path file, WholeFile.Check check) {
    ModelWriter.checkSpace(file, out.tensorBytes());
    try {
      WholeFile.write(file, out::writeTo, check);
    } catch (IOException e) {
      throw new BadFileException(
          e,
          "%s cannot be written (%s); check free space and permissions.",
          file,
          WholeFile.reason(e));
    }
  }

  /** Lines that say what is in the file. */
  List<String> lines(Path file) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %s, %s; %,d tensors (%s), %,.1f MB",
            file,
            architecture,
            type,
            formats.values().stream().mapToInt(Integer::intValue).sum(),
            formats.entrySet().stream()
                .map(entry -> entry.getValue() + " in " + name(entry.getKey()))
                .collect(Collectors.joining(", ")),
            out.tensorBytes() / 1e6));
    String others =
        formats.keySet().stream()
            .filter(type::isReplacement)
            .map(GgufContent::name)
            .collect(Collectors.joining(" and "));
    if (!others.isEmpty()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "Rows that are no multiple of %d numbers cannot be stored in %s, and are in %s.",
              type == GgufType.Q4_K ? BlockFormat.Q4_K.elements : BlockFormat.Q8_0.elements,
              type,
              others));
    }
    return lines;
  }

  private static String name(BlockFormat format) {
    return format.name().toLowerCase(Locale.ROOT);
  }
}
