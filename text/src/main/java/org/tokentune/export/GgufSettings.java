package org.tokentune.export;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.tokentune.BadSettingsException;
import org.tokentune.Warnings;
import org.tokentune.formats.GgufLayout;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.DecoderConfig;
import org.tokentune.models.DecoderConfig.Attention;
import org.tokentune.models.DecoderConfig.LayerType;
import org.tokentune.models.DecoderConfig.Multipliers;
import org.tokentune.models.DecoderConfig.QueryKeyNorm;
import org.tokentune.models.RopeParameters;

/**
 * The metadata of a decoder.
 *
 * @param config what the file says: the model's own configuration, without what llama.cpp does not
 *     do and what then makes no difference
 * @param positions the longest text for which that is so
 * @param queryFactor what queries are multiplied by, as no key says what scores are divided by
 */
record GgufSettings(GgufLayout layout, DecoderConfig config, int positions, double queryFactor) {

  /** Architectures with windows. */
  private static final List<String> WINDOWS = List.of("gemma2", "gemma3", "phi3");

  /** Architectures whose rotary frequencies may have divisors in a tensor. */
  private static final List<String> LLAMA3_SCALING = List.of("llama", "granite");

  private static final List<String> LONGROPE_SCALING = List.of("phi3");

  private static final String GRANITE = "granite";
  private static final String STABLELM = "stablelm";
  private static final double SAME = 1e-6;

  static GgufSettings of(ModelFiles files, DecoderConfig config) {
    GgufLayout layout = GgufLayout.of(config.family().modelType());
    int positions = files.config().path("max_position_embeddings").asInt(config.maxPositions());
    int window =
        config.layerTypes().stream().mapToInt(LayerType::window).filter(w -> w > 0).min().orElse(0);
    boolean windows = WINDOWS.contains(layout.architecture());
    if (window > 0 && window < positions && !windows) {
      Warnings.warn(
          "%s: llama.cpp has no windows in this architecture, so the file is for texts of up to the %d"
              + " tokens of a window, in place of %d.",
          files.name(), window, positions);
      positions = window;
    }
    if (window > 0 && window < positions && layout.architecture().equals("phi3")) {
      Warnings.warn(
          "%s: llama.cpp does not compute the windows of Phi-3; texts of more than %d tokens differ.",
          files.name(), window);
    }
    List<LayerType> layers =
        config.layerTypes().stream()
            .map(layer -> new LayerType(windows ? layer.window() : 0, stored(layer.rope())))
            .toList();
    Attention attention = config.attention();
    double scale = attention.scale();
    if (!layout.architecture().equals(GRANITE)) {
      scale =
          layout.scoreScale(
              config.layers(), config.hidden(), attention.heads(), attention.headSize());
    }
    double factor = attention.scale() / scale;
    if (Math.abs(factor - 1) < 1e-12) {
      factor = 1;
    }
    // llama.cpp loads no stablelm whose table of words is its head
    DecoderConfig named = layout.architecture().equals(STABLELM) ? config.untied() : config;
    return new GgufSettings(
        layout, with(named, scale, layers, multipliers(files, config, layout)), positions, factor);
  }

  /** Scaling by the length of a text has no effect on texts within the model's positions. */
  private static RopeParameters stored(RopeParameters rope) {
    return rope != null && rope.type() == RopeParameters.Type.DYNAMIC
        ? RopeParameters.of(rope.theta())
        : rope;
  }

  /** Gemma's factor of the embeddings is rounded as its weights are, except in llama.cpp. */
  private static Multipliers multipliers(
      ModelFiles files, DecoderConfig config, GgufLayout layout) {
    Multipliers own = config.multipliers();
    float exact = (float) Math.sqrt(config.hidden());
    if (!layout.architecture().startsWith("gemma") || own.embeddings() == exact) {
      return own;
    }
    Warnings.warn(
        "%s: llama.cpp multiplies embeddings by %s; this model, whose weights are in 16 bits, by %s.",
        files.name(), exact, own.embeddings());
    return new Multipliers(exact, own.residual(), own.logits(), own.logitCap());
  }

  private static DecoderConfig with(
      DecoderConfig config, double scale, List<LayerType> layers, Multipliers multipliers) {
    Attention own = config.attention();
    return new DecoderConfig(
        config.family(),
        config.vocabulary(),
        config.hidden(),
        config.maxPositions(),
        config.positionTable(),
        config.tied(),
        new Attention(
            own.heads(),
            own.keyValueHeads(),
            own.headSize(),
            own.bias(),
            own.outputBias(),
            own.packed(),
            own.queryKeyNorm(),
            scale,
            own.softCap(),
            own.rotarySize()),
        config.mlp(),
        config.norms(),
        layers,
        multipliers,
        config.dropout(),
        config.initializerRange());
  }

  /** What a parameter is multiplied by before it is stored. */
  double factor(String parameter) {
    boolean norms = config.attention().queryKeyNorm() != QueryKeyNorm.NONE;
    return parameter.contains(norms ? ".q_norm." : ".q_proj.") ? queryFactor : 1;
  }

  /**
   * A parameter's values as they are stored.
   *
   * @param values in place; of a matrix [rows, width]
   * @param rows rows of a matrix; of a vector, its length
   */
  float[] stored(String parameter, float[] values, long rows, double factor) {
    float[] stored = layout.stored(parameter, values, rows, config.attention().headSize());
    for (int i = 0; factor != 1 && i < stored.length; i++) {
      stored[i] = (float) (stored[i] * factor);
    }
    return stored;
  }

  void write(GgufContent out) {
    Attention attention = config.attention();
    out.put("context_length", positions);
    out.put("embedding_length", config.hidden());
    out.put("block_count", config.layers());
    out.put("feed_forward_length", config.mlp().intermediate());
    out.put("vocab_size", config.vocabulary());
    out.put("attention.head_count", attention.heads());
    out.put("attention.head_count_kv", attention.keyValueHeads());
    out.put("attention.key_length", attention.headSize());
    out.put("attention.value_length", attention.headSize());
    out.put(
        config.norms().rms() ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
        config.norms().epsilon());
    if (layout.architecture().equals(STABLELM)) {
      out.out.put(STABLELM + ".use_parallel_residual", false);
    }
    if (attention.softCap() != 0) {
      out.put("attn_logit_softcapping", attention.softCap());
    }
    Multipliers multipliers = config.multipliers();
    if (multipliers.logitCap() != 0) {
      out.put("final_logit_softcapping", multipliers.logitCap());
    }
    if (layout.architecture().equals(GRANITE)) {
      out.put("attention.scale", attention.scale());
      out.put("embedding_scale", multipliers.embeddings());
      out.put("residual_scale", multipliers.residual());
      out.put("logit_scale", multipliers.logits());
    }
    windows(out);
    if (!config.positionTable()) {
      rope(out);
    }
  }

  private void windows(GgufContent out) {
    if (!WINDOWS.contains(layout.architecture())) {
      return;
    }
    out.put(
        "attention.sliding_window",
        config.layerTypes().stream().mapToInt(LayerType::window).max().orElse(0));
    if (!layout.architecture().equals("phi3")) {
      int usual = layout.architecture().equals("gemma2") ? 2 : 6;
      if (!isPeriod(usual)) {
        out.put("attention.sliding_window_pattern", period());
      }
    }
  }

  /** Whether all layers have windows but every so many-th. */
  private boolean isPeriod(int every) {
    List<LayerType> layers = config.layerTypes();
    return IntStream.range(0, layers.size())
        .allMatch(i -> layers.get(i).window() > 0 == (every == 0 || i % every < every - 1));
  }

  /** The number of layers after which windows repeat; 0: all layers have some. */
  private int period() {
    return IntStream.rangeClosed(0, config.layers())
        .filter(this::isPeriod)
        .findFirst()
        .orElseThrow(
            () ->
                new BadSettingsException(
                    "llama.cpp's %s has windows in all layers but every n-th, and this model in"
                        + " others (layer_types); a GGUF file cannot say so.",
                    layout.architecture()));
  }

  private void rope(GgufContent out) {
    int rotated = config.attention().rotarySize();
    out.put("rope.dimension_count", rotated);
    Optional<RopeParameters> full =
        config.layerTypes().stream()
            .filter(layer -> layer.rope() != null)
            .filter(layer -> layer.window() == 0 || !layout.architecture().equals("gemma3"))
            .map(LayerType::rope)
            .findFirst();
    RopeParameters rope = full.orElse(config.layerTypes().get(0).rope());
    out.put("rope.freq_base", rope.theta());
    if (layout.architecture().equals("gemma3")) {
      config.layerTypes().stream()
          .filter(layer -> layer.window() > 0)
          .findFirst()
          .ifPresent(layer -> out.put("rope.freq_base_swa", layer.rope().theta()));
    }
    switch (rope.type()) {
      case DEFAULT, DYNAMIC -> {}
      case LINEAR -> scaling(out, "linear", rope);
      case YARN -> {
        scaling(out, "yarn", rope);
        out.put("rope.scaling.original_context_length", rope.originalPositions());
        out.put("rope.scaling.yarn_beta_fast", rope.highFrequencyFactor());
        out.put("rope.scaling.yarn_beta_slow", rope.lowFrequencyFactor());
      }
      case LLAMA3 -> {
        requireFactors(LLAMA3_SCALING, rope);
        factors(out, "rope_freqs", llama3(rope, rotated));
      }
      case LONGROPE -> {
        requireFactors(LONGROPE_SCALING, rope);
        out.put("rope.scaling.original_context_length", rope.originalPositions());
        out.put("rope.scaling.attn_factor", rope.attentionFactor());
        factors(out, "rope_factors_long", rope.longFactors());
        factors(out, "rope_factors_short", rope.shortFactors());
      }
    }
  }

  /** A file with tensors that an architecture does not have is one that llama.cpp does not load. */
  private void requireFactors(List<String> architectures, RopeParameters rope) {
    if (!architectures.contains(layout.architecture())) {
      throw new BadSettingsException(
          "llama.cpp's %s has no rotary positions of the type %s (rope_type), so the model cannot be"
              + " a GGUF file.",
          layout.architecture(), rope.type().name().toLowerCase(Locale.ROOT));
    }
  }

  private static void scaling(GgufContent out, String type, RopeParameters rope) {
    out.put("rope.scaling.type", type);
    out.put("rope.scaling.factor", rope.factor());
  }

  /** What each frequency is divided by. */
  private static List<Double> llama3(RopeParameters rope, int rotated) {
    float[] unscaled = RopeParameters.of(rope.theta()).frequencies(rotated);
    float[] scaled = rope.frequencies(rotated);
    return IntStream.range(0, scaled.length)
        .mapToObj(i -> (double) unscaled[i] / scaled[i])
        .toList();
  }

  private static void factors(GgufContent out, String name, List<Double> factors) {
    float[] values = new float[factors.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = factors.get(i).floatValue();
    }
    out.add(name + ".weight", new long[] {values.length}, false, values::clone);
  }

  /**
   * Refuses a model that is another one when the file is read.
   *
   * @param read the configuration in the file
   */
  void requireSame(DecoderConfig read, String origin) {
    requireSame("vocab_size", config.vocabulary(), read.vocabulary(), origin);
    requireSame("hidden_size", config.hidden(), read.hidden(), origin);
    requireSame("tie_word_embeddings", config.tied(), read.tied(), origin);
    requireSame("attention", config.attention(), read.attention(), origin);
    requireSame("mlp", config.mlp(), read.mlp(), origin);
    requireSame("norms", config.norms(), read.norms(), origin);
    requireSame("layers", config.layerTypes(), read.layerTypes(), origin);
    requireSame("factors", config.multipliers(), read.multipliers(), origin);
  }

  private void requireSame(String what, Object wanted, Object read, String origin) {
    String difference = difference(what, wanted, read);
    if (difference != null) {
      throw new BadSettingsException(
          "%s cannot be a GGUF file, as llama.cpp's %s has no other %s.",
          origin, layout.architecture(), difference);
    }
  }

  /** Names the first part that differs by more than the rounding of numbers to floats. */
  private static String difference(String what, Object wanted, Object read) {
    if (wanted instanceof Double a && read instanceof Double b) {
      boolean same = Math.abs(a - b) <= SAME * Math.max(Math.abs(a), Math.abs(b));
      return same ? null : shown(what, a, b);
    }
    if (wanted instanceof List<?> a && read instanceof List<?> b && a.size() == b.size()) {
      return IntStream.range(0, a.size())
          .mapToObj(i -> difference(what + "[" + i + "]", a.get(i), b.get(i)))
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }
    if (wanted instanceof Record && read != null && wanted.getClass().equals(read.getClass())) {
      return Arrays.stream(wanted.getClass().getRecordComponents())
          .map(part -> difference(what + "." + part.getName(), of(part, wanted), of(part, read)))
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }
    return Objects.equals(wanted, read) ? null : shown(what, wanted, read);
  }

  private static Object of(RecordComponent part, Object record) {
    try {
      return part.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String shown(String what, Object wanted, Object read) {
    return what + " than " + shown(read) + ", and the model has " + shown(wanted);
  }

  private static String shown(Object value) {
    return value == null ? "none" : value instanceof Record ? "some" : value.toString();
  }
}
