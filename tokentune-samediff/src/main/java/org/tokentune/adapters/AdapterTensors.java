package org.tokentune.adapters;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.ParameterLoader;

/**
 * The tensors of an {@code adapter_model.safetensors} by kind: the layers' matrices A and B, DoRA's
 * lengths, and fully trained parameters. A name may lack PEFT's prefix, and may contain an
 * adapter's name ({@code lora_A.default.weight}) or the wrappers of a live model.
 */
final class AdapterTensors {

  static final String PREFIX = "base_model.model.";

  private static final Pattern MATRIX =
      Pattern.compile("(.+)\\.lora_([AB])(?:\\.([^.]+))?\\.weight");

  /** PEFT 0.21 writes it without {@code .weight}, a live model has both. */
  private static final Pattern MAGNITUDE =
      Pattern.compile("(.+)\\.lora_magnitude_vector(?:\\.([^.]+?))??(?:\\.weight)?");

  private static final Pattern BASE_LAYER = Pattern.compile("\\.base_layer(?=\\.(?:weight|bias)$)");
  private static final String COPY = ".modules_to_save.";
  private static final String UNTRAINED_COPY = ".original_module.";

  /** PyTorch's wrappers around compiled or distributed modules. */
  private static final Pattern WRAPPER =
      Pattern.compile(
          "^module\\.|(?<=^|\\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\\.");

  /** Tensors that do not belong to plain LoRA, and the option that produces them. */
  private static final Map<Pattern, String> UNSUPPORTED =
      Map.of(
          Pattern.compile(".*\\.lora_B(\\.[^.]+)?\\.bias"), "lora_bias",
          Pattern.compile(".*\\.lora_embedding_[AB]\\b.*"), "LoRA on an embedding table",
          Pattern.compile(".*\\b(token_adapter|trainable_tokens_.*)"), "trainable_token_indices",
          Pattern.compile(".*\\.base_layer\\.lora_.*"), "LoRA on top of other adapters");

  private final WeightSource source;
  private final Map<String, String> a = new TreeMap<>();
  private final Map<String, String> b = new TreeMap<>();
  private final Map<String, String> magnitudes = new TreeMap<>();
  private final Map<String, String> whole = new TreeMap<>();

  /**
   * @throws BadInputException for a tensor that does not belong to plain LoRA, a duplicate, a
   *     matrix without its counterpart, or a file without adapters
   */
  AdapterTensors(WeightSource source) {
    this.source = source;
    Set<String> adapters = new TreeSet<>(Set.of("default"));
    for (String name : source.names()) {
      Matcher matrix = MATRIX.matcher(name);
      if (matrix.matches() && matrix.group(3) != null) {
        adapters.add(matrix.group(3));
      }
    }
    Map<String, String> copies = new LinkedHashMap<>();
    for (String name : source.names()) {
      if (name.contains(UNTRAINED_COPY) || ParameterLoader.isConstant(bare(name))) {
        continue;
      }
      rejectUnsupported(name);
      String parameter = parameter(name, adapters);
      if (name.contains(COPY)) {
        put(copies, parameter, name);
      } else {
        add(parameter, name);
      }
    }
    addCopies(copies);
    check();
  }

  private void rejectUnsupported(String name) {
    UNSUPPORTED.forEach(
        (pattern, what) -> {
          if (pattern.matcher(name).matches()) {
            throw new BadFileException(
                "%s holds %s, which belongs to %s and is not supported; LoRA on linear layers is.",
                source.origin(), name, what);
          }
        });
  }

  private void add(String parameter, String stored) {
    Matcher matrix = MATRIX.matcher(parameter);
    if (matrix.matches()) {
      put(matrix.group(2).equals("A") ? a : b, matrix.group(1), stored);
    } else if (parameter.endsWith(LoraModel.MAGNITUDE)) {
      int end = parameter.length() - LoraModel.MAGNITUDE.length();
      put(magnitudes, parameter.substring(0, end), stored);
    } else {
      put(whole, parameter, stored);
    }
  }

  private void put(Map<String, String> tensors, String name, String stored) {
    String other = tensors.put(name, stored);
    if (other != null) {
      throw twice(name, other, stored);
    }
  }

  /** The exception for a parameter under two names. */
  BadInputException twice(String parameter, String one, String other) {
    return new BadFileException(
        "%s holds %s twice: as %s and as %s; remove one of them.",
        source.origin(), parameter, one, other);
  }

  /**
   * With {@code bias="all"}, PEFT writes the biases of copied modules under their plain names too.
   */
  private void addCopies(Map<String, String> copies) {
    Map<String, String> plain = new LinkedHashMap<>(whole);
    a.forEach((layer, stored) -> plain.put(layer + LoraModel.A, stored));
    b.forEach((layer, stored) -> plain.put(layer + LoraModel.B, stored));
    copies.forEach(
        (parameter, stored) -> {
          if (!plain.containsKey(parameter) || !same(plain.get(parameter), stored)) {
            add(parameter, stored);
          }
        });
  }

  /**
   * Whether two tensors have the same values; compared in Java, because ND4J's own comparison has a
   * tolerance.
   */
  boolean same(String one, String other) {
    long[] shape = source.shape(one);
    return Arrays.equals(shape, source.shape(other))
        && (Arrays.stream(shape).anyMatch(size -> size == 0)
            || Arrays.equals(
                source.read(one).data().asFloat(), source.read(other).data().asFloat()));
  }

  private void check() {
    if (a.isEmpty() && b.isEmpty()) {
      throw new BadFileException(
          "%s holds no adapters (no lora_A and no lora_B); save them again, with all parameters"
              + " gathered if they trained on several devices.",
          source.origin());
    }
    Map<String, String> either = new TreeMap<>(a);
    either.putAll(b);
    either.forEach(
        (layer, stored) -> {
          if (!a.containsKey(layer) || !b.containsKey(layer)) {
            throw new BadFileException(
                "%s holds %s without its other matrix, %s; save the adapters again.",
                source.origin(), stored, a.containsKey(layer) ? "lora_B" : "lora_A");
          }
        });
  }

  /**
   * The parameter behind a tensor's name, without PEFT's and PyTorch's additions.
   *
   * @param adapters names of adapters
   */
  static String parameter(String name, Set<String> adapters) {
    String bare = BASE_LAYER.matcher(bare(name)).replaceFirst("");
    int copy = bare.indexOf(COPY);
    if (copy >= 0) {
      String within = bare.substring(copy + COPY.length());
      int dot = within.indexOf('.');
      boolean named = dot > 0 && adapters.contains(within.substring(0, dot));
      bare = bare.substring(0, copy + 1) + (named ? within.substring(dot + 1) : within);
    }
    Matcher magnitude = MAGNITUDE.matcher(bare);
    if (magnitude.matches()) {
      return magnitude.group(1) + LoraModel.MAGNITUDE;
    }
    Matcher matrix = MATRIX.matcher(bare);
    return matrix.matches() ? matrix.group(1) + ".lora_" + matrix.group(2) + ".weight" : bare;
  }

  private static String bare(String name) {
    String bare = name;
    String before;
    do {
      before = bare;
      bare = WRAPPER.matcher(bare).replaceAll("");
      bare = bare.startsWith(PREFIX) ? bare.substring(PREFIX.length()) : bare;
    } while (!bare.equals(before));
    return bare;
  }

  /** Names of adapted layers in PEFT's model. */
  Set<String> layers() {
    return Collections.unmodifiableSet(a.keySet());
  }

  /** Name in the file of a layer's A, [r, in]. */
  String a(String layer) {
    return a.get(layer);
  }

  /** Name in the file of a layer's B, [out, r]. */
  String b(String layer) {
    return b.get(layer);
  }

  /** Name in the file of a layer's DoRA lengths, [out]; null without DoRA. */
  String magnitude(String layer) {
    return magnitudes.get(layer);
  }

  /** Layers with DoRA's lengths. */
  Set<String> magnitudes() {
    return Collections.unmodifiableSet(magnitudes.keySet());
  }

  /** Names in the file of fully trained parameters, by their names in PEFT's model. */
  Map<String, String> whole() {
    return Collections.unmodifiableMap(whole);
  }

  WeightSource source() {
    return source;
  }
}
