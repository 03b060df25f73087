package org.tokentune.adapters;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.KnownFields;
import org.tokentune.formats.RegexGuard;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * PEFT's {@code adapter_config.json}. Its list of adapted layers is only compared with the tensors,
 * which take precedence.
 *
 * <p>Source: PEFT's {@code PeftConfig} and {@code LoraConfig}, versions 0.5.0 and 0.21.2.
 *
 * @param origin the file, for messages
 * @param base name or path of the base model; empty if the file does not say
 * @param revision the base's revision on the hub; null if the file does not say
 * @param taskType PEFT's name of the task; null if the file does not say
 * @param modelClass transformers' class of the model, which PEFT stores if there is no task type;
 *     null otherwise
 * @param targets adapted layers
 * @param whole fully trained modules: the file's, and those that PEFT adds for the task
 * @param keepsTied whether a head tied to the token embeddings stays tied when they are fully
 *     trained
 * @param ranks ranks of layers that match a pattern
 * @param alphas alphas of layers that match a pattern
 * @param dora whether the file has DoRA's lengths of rows
 */
record PeftConfig(
    String origin,
    String base,
    String revision,
    String taskType,
    String modelClass,
    int rank,
    double alpha,
    double dropout,
    boolean rankStabilised,
    LoraConfig.Bias bias,
    PeftTargets targets,
    List<String> whole,
    boolean keepsTied,
    List<Rule<Integer>> ranks,
    List<Rule<Double>> alphas,
    boolean dora) {

  private static final String SEQUENCE_CLASSES = "SEQ_CLS";
  private static final String TOKEN_CLASSES = "TOKEN_CLS";
  private static final String ANSWERS = "QUESTION_ANS";
  private static final String LANGUAGE = "CAUSAL_LM";
  private static final String FEATURES = "FEATURE_EXTRACTION";

  /** Initialisations, besides true and false, that leave the base's weights unchanged. */
  private static final Set<String> INITIALISATIONS =
      Set.of("gaussian", "orthogonal", "eva", "mica");

  /**
   * Initialisations that subtract a part from the base's weights, which PEFT can undo when saving.
   */
  /** Fields that hold names or patterns of modules. */
  private static final List<String> PATTERNS =
      List.of(
          "alpha_pattern",
          "exclude_modules",
          "layers_pattern",
          "modules_to_save",
          "rank_pattern",
          "target_modules");

  private static final int MAX_PATTERN_LENGTH = 10_000;

  private static final Pattern UNDONE_BY_PEFT = Pattern.compile("pissa.*|olora|corda|lora_ga");

  /** Module names by which PEFT recognises trained token embeddings. */
  private static final Set<String> TABLES = Set.of("embed_tokens", "lm_head");

  private static final KnownFields LORA =
      KnownFields.NONE
          .harmless("exclude_modules", "layers_pattern", "layers_to_transform") // targets
          .harmless(
              "corda_config", "eva_config", "loftq_config", "lora_ga_config") // initialisation
          .harmless("megatron_core", "qalora_group_size") // for rejected fields
          .harmless("fan_in_fan_out", "inference_mode", "merge_weights", "peft_version")
          .harmless("runtime_config", "velora_config") // training
          .mustBe("alora_invocation_tokens", List.of())
          .mustBe("arrow_config")
          .mustBe("enable_lora")
          .mustBe("kasa_config")
          .mustBe("layer_replication", List.of())
          .mustBe("lora_bias", false)
          .mustBe("megatron_config")
          .mustBe("monteclora_config")
          .mustBe("target_parameters", List.of())
          .mustBe("trainable_token_indices")
          .mustBe("use_bdlora", false)
          .mustBe("use_qalora", false);

  /**
   * A value for layers whose names match a pattern.
   *
   * @param name the pattern as written in the file
   */
  record Rule<T>(String name, Pattern pattern, T value) {

    /** As in PEFT: matches a full name or its last parts. */
    boolean matches(String module) {
      return pattern.matcher(module).matches();
    }
  }

  /**
   * Reads a configuration.
   *
   * @throws BadInputException for adapters other than LoRA, a field of the wrong type or out of
   *     range, or an unsupported field that would change results
   */
  static PeftConfig read(JsonNode json, String origin) {
    ConfigReader fields = ConfigReader.of(json, origin);
    checkType(fields);
    checkPatterns(fields);
    checkInitialisation(fields);
    String task = task(fields);
    Set<String> whole = new LinkedHashSet<>(fields.texts("modules_to_save"));
    boolean keepsTied =
        fields.flag("ensure_weight_tying", false)
            && whole.stream()
                .anyMatch(name -> TABLES.contains(name.substring(name.lastIndexOf('.') + 1)));
    whole.addAll(wholeFor(task));
    PeftConfig config =
        new PeftConfig(
            origin,
            fields.text("base_model_name_or_path", ""),
            fields.text("revision", null),
            task,
            fields.object("auto_mapping").text("base_model_class", null),
            fields.count("r", 8),
            fields.number("lora_alpha", 8),
            fields.rate("lora_dropout", 0),
            fields.flag("use_rslora", false),
            bias(fields),
            PeftTargets.read(fields, List.copyOf(whole)),
            List.copyOf(whole),
            keepsTied,
            rules(fields.object("rank_pattern"), ConfigReader::count),
            rules(fields.object("alpha_pattern"), ConfigReader::number),
            fields.flag("use_dora", false));
    fields.finish(LORA);
    return config;
  }

  private static void checkType(ConfigReader fields) {
    String type = fields.text("peft_type", null);
    if (type == null) {
      throw new BadFileException(
          "%s has no peft_type, so it is not in PEFT's format; convert the adapters.",
          fields.origin());
    }
    if (!type.equals("LORA")) {
      throw new BadFileException(
          "%s: peft_type is \"%s\", which is not supported; \"LORA\" is.", fields.origin(), type);
    }
  }

  /** Limits the patterns: Java takes quadratic time in a pattern's length. */
  private static void checkPatterns(ConfigReader fields) {
    for (String field : PATTERNS) {
      JsonNode value = fields.value(field);
      boolean fits = value.asText().length() <= MAX_PATTERN_LENGTH;
      for (JsonNode one : value) {
        fits &= one.asText().length() <= MAX_PATTERN_LENGTH;
      }
      for (Map.Entry<String, JsonNode> one : value.properties()) {
        fits &= one.getKey().length() <= MAX_PATTERN_LENGTH;
      }
      if (!fits) {
        throw fields.bad(
            field, "names or patterns of at most " + MAX_PATTERN_LENGTH + " characters");
      }
    }
  }

  private static void checkInitialisation(ConfigReader fields) {
    String field = "init_lora_weights";
    if (!fields.has(field) || fields.value(field).isBoolean()) {
      return;
    }
    if (!fields.value(field).isTextual()) {
      throw fields.bad(field, "true, false or a text");
    }
    String name = fields.text(field, "").toLowerCase(Locale.ROOT);
    if (!INITIALISATIONS.contains(name)) {
      throw new BadFileException(
          "%s: %s is \"%s\", which is not supported, as this initialisation may have changed the"
              + " base's weights; in Python, %s.",
          fields.origin(),
          field,
          name,
          UNDONE_BY_PEFT.matcher(name).matches()
              ? "save the adapters with path_initial_model_for_weight_conversion, as plain LoRA"
              : "merge the adapters and save the whole model");
    }
  }

  private static String task(ConfigReader fields) {
    String task = fields.text("task_type", null);
    Set<String> known = Set.of(SEQUENCE_CLASSES, TOKEN_CLASSES, ANSWERS, LANGUAGE, FEATURES);
    if (task != null && !known.contains(task)) {
      throw new BadFileException(
          "%s: task_type is \"%s\", which is not supported; %s are.",
          fields.origin(), task, String.join(", ", known.stream().sorted().toList()));
    }
    return task;
  }

  private static LoraConfig.Bias bias(ConfigReader fields) {
    return LoraConfig.Bias.named(fields.text("bias", "none"))
        .orElseThrow(() -> fields.bad("bias", "\"none\", \"all\" or \"lora_only\""));
  }

  /** Rules from an object whose field names are Python regular expressions. */
  private static <T> List<Rule<T>> rules(
      ConfigReader object, BiFunction<ConfigReader, String, T> value) {
    List<Rule<T>> rules = new ArrayList<>();
    for (String name : object.names()) {
      if (RegexGuard.repeatsRepetition(name)) {
        throw new BadFileException(
            "%s: %s has nested repetitions, which may take unbounded time; rewrite it without"
                + " them.",
            object.origin(), object.name(name));
      }
      try {
        Pattern pattern = Pattern.compile("(?:.*\\.)?(?:" + name.replace("(?P<", "(?<") + ")");
        rules.add(new Rule<>(name, pattern, value.apply(object, name)));
      } catch (PatternSyntaxException e) {
        throw new BadFileException(
            e,
            "%s: %s is not a regular expression; correct it.",
            object.origin(),
            object.name(name));
      }
    }
    return rules;
  }

  /**
   * A layer's rank and alpha, from the first pattern that matches.
   *
   * @param module the layer's name in PEFT's model
   */
  LoraConfig.Size size(String module) {
    return new LoraConfig.Size(
        first(ranks, module).map(Rule::value).orElse(rank),
        first(alphas, module).map(Rule::value).orElse(alpha));
  }

  private static <T> Optional<Rule<T>> first(List<Rule<T>> rules, String module) {
    return rules.stream().filter(rule -> rule.matches(module)).findFirst();
  }

  /** Warns of patterns that match none of the adapted layers. */
  void warnOfUnused(Set<String> modules) {
    warnOfUnused("rank_pattern", ranks, modules);
    warnOfUnused("alpha_pattern", alphas, modules);
  }

  private <T> void warnOfUnused(String field, List<Rule<T>> rules, Set<String> modules) {
    List<String> unused =
        rules.stream()
            .filter(rule -> modules.stream().noneMatch(rule::matches))
            .map(Rule::name)
            .toList();
    if (!unused.isEmpty()) {
      Warnings.warn(
          "%s: in %s, no adapted layer matches %s; check the names.",
          origin, field, String.join(", ", unused));
    }
  }

  /**
   * The outermost fully trained module that contains a parameter; like PEFT, compares name
   * suffixes.
   *
   * @param whole names of fully trained modules
   */
  static Optional<String> moduleOf(String parameter, List<String> whole) {
    return LoraConfig.modules(parameter).stream()
        .filter(module -> whole.stream().anyMatch(module::endsWith))
        .findFirst();
  }

  /**
   * The task according to {@code task_type}; of the several tasks for whole texts, the most common.
   */
  Optional<Objective> task() {
    return Optional.ofNullable(taskType).map(Objectives::ofPeft);
  }

  /** Modules that PEFT adds to {@code modules_to_save} for a task. */
  static List<String> wholeFor(String taskType) {
    if (SEQUENCE_CLASSES.equals(taskType) || TOKEN_CLASSES.equals(taskType)) {
      return List.of("classifier", "score");
    }
    return ANSWERS.equals(taskType) ? List.of("qa_outputs") : List.of();
  }
}
