package org.tokentune.adapters;

import static org.tokentune.Arguments.required;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objective;

/**
 * Which layers to adapt and how (LoRA: Hu et al., 2021).
 *
 * @param rank r, inner size of the update
 * @param alpha the update is multiplied by {@code alpha / r}
 * @param dropout rate on the update's input, in training
 * @param rankStabilised multiply by {@code alpha / sqrt(r)} instead (rsLoRA: Kalajdzievski, 2023)
 * @param frozenA train only B and leave A at its initial values (LoRA-FA: Zhang et al., 2023), so
 *     that [n, r] instead of [n, in] is stored of a layer's input
 * @param bias which biases of the base are also trained
 * @param targets layers by name: see {@link #matches}; {@value #ALL_LINEAR} for all but the head
 * @param trained modules, named likewise, that are fully trained in addition to the adapters:
 *     PEFT's {@code modules_to_save}
 * @param exceptions layers, by full name, whose size differs from {@code rank} and {@code alpha}
 * @param dora weight-decomposed adaptation (DoRA: Liu et al., 2024): the rows of the adapted weight
 *     get trained lengths, which begin as those of the base's weight
 */
public record LoraConfig(
    int rank,
    double alpha,
    double dropout,
    boolean rankStabilised,
    boolean frozenA,
    Bias bias,
    List<String> targets,
    List<String> trained,
    Map<String, Size> exceptions,
    boolean dora)
    implements Serializable {

  /** LoRA without trained lengths. */
  public LoraConfig(
      int rank,
      double alpha,
      double dropout,
      boolean rankStabilised,
      boolean frozenA,
      Bias bias,
      List<String> targets,
      List<String> trained,
      Map<String, Size> exceptions) {
    this(rank, alpha, dropout, rankStabilised, frozenA, bias, targets, trained, exceptions, false);
  }

  /**
   * The size of one layer's update.
   *
   * @param rank r
   * @param alpha as in {@link LoraConfig}; from a file, any finite number
   */
  public record Size(int rank, double alpha) implements Serializable {

    /** The factor of B A. */
    double scale(boolean rankStabilised) {
      return alpha / (rankStabilised ? Math.sqrt(rank) : rank);
    }
  }

  public static final String ALL_LINEAR = "all-linear";

  private static final String KEYS =
      "r=8, alpha=16, dropout=0.05, targets=q_proj+v_proj, bias=none|all|lora_only, rslora,"
          + " dora and freeze-a";

  /** Which biases of the base are trained: none, all, or those of adapted layers. */
  public enum Bias {
    NONE,
    ALL,
    LORA_ONLY;

    /** By PEFT's name; empty for any other. */
    static Optional<Bias> named(String name) {
      return Arrays.stream(values()).filter(bias -> bias.peftName().equals(name)).findFirst();
    }

    /** PEFT's name. */
    String peftName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public LoraConfig {
    required(bias, "bias");
    required(targets, "targets");
    required(trained, "trained");
    required(exceptions, "exceptions");

    if (rank < 1) {
      throw new BadSettingsException("The adapters' rank r must be at least 1, got %d.", rank);
    }
    if (!Double.isFinite(alpha)) {
      throw new BadSettingsException("The adapters' alpha must be a number, got %s.", alpha);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new BadSettingsException(
          "The adapters' dropout must be at least 0 and below 1, got %s.", dropout);
    }
    if (targets.isEmpty()) {
      throw new BadSettingsException("The adapters have no targets; name at least one layer.");
    }
    targets = List.copyOf(targets);
    trained = List.copyOf(trained);
    exceptions = Map.copyOf(exceptions);
  }

  /** Rank 8, alpha 16, no dropout, no biases, on these layers. */
  public static LoraConfig on(String... targets) {
    required(targets, "targets");

    return new LoraConfig(8, 16, 0, false, false, Bias.NONE, List.of(targets), List.of(), Map.of());
  }

  /**
   * Parses the value of {@code --lora}: settings separated by commas, e.g. {@code
   * r=8,alpha=16,dropout=0.05,targets=q_proj+v_proj}. Defaults: r 8, alpha 2 r, dropout 0, targets
   * {@value #ALL_LINEAR}.
   *
   * @throws BadInputException for an unknown setting or an invalid value
   */
  public static LoraConfig parse(String text) {
    required(text, "text");

    int rank = 8;
    double alpha = Double.NaN;
    double dropout = 0;
    boolean rankStabilised = false;
    boolean frozenA = false;
    boolean dora = false;
    Bias bias = Bias.NONE;
    List<String> targets = List.of(ALL_LINEAR);
    for (String setting : text.split(",", -1)) {
      String[] parts = setting.strip().split("=", 2);
      String value = parts.length < 2 ? "" : parts[1].strip();
      try {
        switch (parts[0].strip()) {
          case "r" -> rank = Integer.parseInt(value);
          case "alpha" -> alpha = Double.parseDouble(value);
          case "dropout" -> dropout = Double.parseDouble(value);
          case "targets" -> targets = Arrays.asList(value.split("\\+", -1));
          case "bias" ->
              bias =
                  Bias.named(value)
                      .orElseThrow(
                          () ->
                              new BadSettingsException(
                                  "The adapters' bias must be none, all or lora_only, got %s.",
                                  value));
          case "rslora" -> rankStabilised = true;
          case "freeze-a" -> frozenA = true;
          case "dora" -> dora = true;
          default ->
              throw new BadSettingsException(
                  "Adapters have no setting '%s'; the settings are %s.", setting, KEYS);
        }
      } catch (NumberFormatException e) {
        throw new BadSettingsException(
            e, "In '%s', '%s' is not a number; correct it.", text, value);
      }
    }
    if (alpha <= 0) {
      throw new BadSettingsException("The adapters' alpha must be above 0, got %s.", alpha);
    }
    return new LoraConfig(
        rank,
        Double.isNaN(alpha) ? 2.0 * rank : alpha,
        dropout,
        rankStabilised,
        frozenA,
        bias,
        targets,
        List.of(),
        Map.of(),
        dora);
  }

  /** The same with another rank; alpha stays. */
  public LoraConfig withRank(int r) {
    return new LoraConfig(
        r, alpha, dropout, rankStabilised, frozenA, bias, targets, trained, exceptions, dora);
  }

  /** The same with another alpha. */
  public LoraConfig withAlpha(double value) {
    return new LoraConfig(
        rank, value, dropout, rankStabilised, frozenA, bias, targets, trained, exceptions, dora);
  }

  /** The same with dropout on the input of the updates. */
  public LoraConfig withDropout(double rate) {
    return new LoraConfig(
        rank, alpha, rate, rankStabilised, frozenA, bias, targets, trained, exceptions, dora);
  }

  /** The same, multiplied by {@code alpha / sqrt(r)} or not. */
  public LoraConfig withRankStabilised(boolean stabilised) {
    return new LoraConfig(
        rank, alpha, dropout, stabilised, frozenA, bias, targets, trained, exceptions, dora);
  }

  /** The same, with A kept at its initial values or trained. */
  public LoraConfig withFrozenA(boolean frozen) {
    return new LoraConfig(
        rank, alpha, dropout, rankStabilised, frozen, bias, targets, trained, exceptions, dora);
  }

  /** The same, with or without trained lengths of the adapted weight's rows. */
  public LoraConfig withDora(boolean decomposed) {
    return new LoraConfig(
        rank,
        alpha,
        dropout,
        rankStabilised,
        frozenA,
        bias,
        targets,
        trained,
        exceptions,
        decomposed);
  }

  /** The same with other biases of the base trained. */
  public LoraConfig withBias(Bias trainedBiases) {
    return new LoraConfig(
        rank,
        alpha,
        dropout,
        rankStabilised,
        frozenA,
        trainedBiases,
        targets,
        trained,
        exceptions,
        dora);
  }

  /** The same, with these modules fully trained. */
  public LoraConfig withTrained(List<String> modules) {
    required(modules, "modules");

    return with(targets, modules);
  }

  /**
   * The same, with the model's head fully trained, under PEFT's module names; a head over the
   * vocabulary stays frozen.
   */
  public LoraConfig withHead(TransformerModel model) {
    required(model, "model");

    if (model.head().task().headShape() == Objective.HeadShape.VOCABULARY) {
      return this;
    }
    return withTrained(
        model.parameters().keySet().stream()
            .filter(model::isHead)
            .map(
                name ->
                    name.startsWith(model.prefix())
                        ? name.substring(model.prefix().length())
                        : name)
            .map(name -> name.substring(0, name.indexOf('.')))
            .distinct()
            .toList());
  }

  /**
   * Training checkpoints are compared by it, so that new fields are named only where they are set.
   */
  @Override
  public String toString() {
    return "LoraConfig[rank="
        + rank
        + ", alpha="
        + alpha
        + ", dropout="
        + dropout
        + ", rankStabilised="
        + rankStabilised
        + ", frozenA="
        + frozenA
        + ", bias="
        + bias
        + ", targets="
        + targets
        + ", trained="
        + trained
        + ", exceptions="
        + exceptions
        + (dora ? ", dora=true]" : "]");
  }

  /** The same on other layers. */
  LoraConfig withTargets(List<String> others) {
    return with(others, trained);
  }

  private LoraConfig with(List<String> newTargets, List<String> newTrained) {
    return new LoraConfig(
        rank,
        alpha,
        dropout,
        rankStabilised,
        frozenA,
        bias,
        newTargets,
        newTrained,
        exceptions,
        dora);
  }

  /** Rank and alpha of a layer's update. */
  Size size(String layer) {
    return exceptions.getOrDefault(layer, new Size(rank, alpha));
  }

  /** The factor of a layer's update B A. */
  public double scale(String layer) {
    required(layer, "layer");

    return size(layer).scale(rankStabilised);
  }

  /**
   * Whether a name matches a module: its full name or its last parts, with {@code *} for anything;
   * so {@code q_proj}, {@code self_attn.q_proj} and {@code layers.0.*.q_proj} all match {@code
   * model.layers.0.self_attn.q_proj}.
   */
  static boolean matches(String name, String module) {
    if (name.indexOf('*') < 0) {
      return endsWith(module, name);
    }
    String regex =
        Arrays.stream(name.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
    return Pattern.matches("(.*\\.)?" + regex, module);
  }

  /** Whether a module's name equals these parts or ends with them. */
  static boolean endsWith(String module, String parts) {
    return module.equals(parts) || module.endsWith("." + parts);
  }

  /** Whether a parameter belongs to a fully trained module. */
  boolean trainsWhole(String parameter) {
    return modules(parameter).stream()
        .anyMatch(module -> trained.stream().anyMatch(name -> matches(name, module)));
  }

  /** All modules that contain a parameter, outermost first. */
  static List<String> modules(String parameter) {
    List<String> modules = new ArrayList<>();
    for (int dot = parameter.indexOf('.'); dot >= 0; dot = parameter.indexOf('.', dot + 1)) {
      modules.add(parameter.substring(0, dot));
    }
    return modules;
  }
}
