package org.tokentune.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.datasets.Labels;
import org.tokentune.datasets.OnLong;
import org.tokentune.formats.ConfigReader;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Architectures;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * What a {@code config.json} says of the head: transformers' {@code architectures}, {@code
 * problem_type}, {@code id2label} and {@code label2id}, and, in an object {@code tokentune}, what
 * transformers has no name for: {@code task} (of rerankers), {@code pooling}, {@code max_length},
 * {@code on_long}, {@code window_scores} and {@code no_answer_threshold}.
 *
 * @param noAnswerThreshold the probability past which a question counts as without an answer; null:
 *     every question has one
 */
record HeadConfig(Labels labels, Pooling pooling, LongTexts longTexts, Double noAnswerThreshold) {

  private static final String FORMAT = "format";

  /** Rises whenever a folder of before would be read as something else. */
  private static final int VERSION = 1;

  private static final String ID2LABEL = "id2label";
  private static final String LABEL2ID = "label2id";
  private static final String TASK = "task";
  private static final String RERANK = "rerank";
  private static final String ON_LONG = "on_long";
  private static final String WINDOW_SCORES = "window_scores";
  private static final String NO_ANSWER_THRESHOLD = "no_answer_threshold";

  /** Transformers' name of an output without a name, before its number. */
  static final String PLACEHOLDER = "LABEL_";

  /**
   * Reads it.
   *
   * @throws BadInputException if the model has no classifier
   */
  static HeadConfig read(ModelFiles files) {
    int outputs = Head.outputs(files.weights()).orElse(0);
    HeadConfig config = read(files.config(), outputs, files.name());
    return CrossEncoderFiles.areIn(files) && config.labels().task() == Objectives.REGRESS
        ? config.with(new Labels(Objectives.RERANK, config.labels().names()))
        : config;
  }

  private HeadConfig with(Labels other) {
    return new HeadConfig(other, pooling, longTexts, noAnswerThreshold);
  }

  /**
   * Reads it.
   *
   * @param outputs of the classifier
   * @param origin for messages
   * @throws BadInputException if the configuration names no classifier
   */
  static HeadConfig read(JsonNode config, int outputs, String origin) {
    Objective task =
        Architectures.task(config, outputs)
            .filter(known -> known != Objectives.MASKED_LM && outputs > 0)
            .orElseThrow(() -> noClassifier(config, outputs, origin));
    if (task == Objectives.CLASSIFY && outputs == 1) {
      throw new BadFileException(
          "%s: problem_type is single_label_classification, but the classifier has one output, which"
              + " would always be certain; write regression or multi_label_classification.",
          origin);
    }
    JsonNode own = config.path("tokentune");
    if (own.has(FORMAT) && !own.get(FORMAT).equals(IntNode.valueOf(VERSION))) {
      throw new BadFileException(
          "%s was saved in version %s of this project's format, and only %d is read; use the release"
              + " that saved it.",
          origin, own.path(FORMAT).asText(), VERSION);
    }
    String pooling = own.path("pooling").asText("first");
    if (!pooling.equals("first") && !pooling.equals("mean")) {
      throw new BadFileException(
          "%s: pooling %s is not known; first and mean are.", origin, pooling);
    }
    boolean ranks = task == Objectives.REGRESS && own.path(TASK).asText().equals(RERANK);
    return new HeadConfig(
        new Labels(ranks ? Objectives.RERANK : task, names(config, outputs, origin)),
        pooling.equals("mean") ? Pooling.MEAN : Pooling.FIRST,
        longTexts(own, origin),
        noAnswerThreshold(own, origin));
  }

  private static Double noAnswerThreshold(JsonNode own, String origin) {
    JsonNode threshold = own.path(NO_ANSWER_THRESHOLD);
    if (threshold.isMissingNode() || threshold.isNull()) {
      return null;
    }
    if (!threshold.isNumber() || !(threshold.doubleValue() >= 0 && threshold.doubleValue() <= 1)) {
      throw new BadFileException(
          "%s: %s must be a number from 0 to 1, got %s; train the model again, or remove it.",
          origin, NO_ANSWER_THRESHOLD, threshold);
    }
    return threshold.doubleValue();
  }

  private static LongTexts longTexts(JsonNode own, String origin) {
    JsonNode maxLength = own.path("max_length");
    return new LongTexts(
        maxLength.isInt() ? maxLength.intValue() : null,
        constant(OnLong.class, own, ON_LONG, OnLong.CUT, origin),
        constant(
            LongTexts.WindowScores.class, own, WINDOW_SCORES, LongTexts.WindowScores.MEAN, origin));
  }

  private static <E extends Enum<E>> E constant(
      Class<E> type, JsonNode own, String field, E otherwise, String origin) {
    String name = own.path(field).asText(otherwise.name());
    for (E constant : type.getEnumConstants()) {
      if (constant.name().equalsIgnoreCase(name)) {
        return constant;
      }
    }
    throw new BadFileException(
        "%s: %s %s is not known; %s are.",
        origin, field, name, Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT));
  }

  private static BadInputException noClassifier(JsonNode config, int outputs, String origin) {
    String architecture = config.path("architectures").path(0).asText();
    return outputs > 0 && !architecture.endsWith("ForMaskedLM")
        ? new BadFileException(
            "%s has a classifier, but architectures in its config.json says '%s', which is not a supported class"
                + " with one; write the class there, such as"
                + " BertForSequenceClassification.",
            origin, architecture)
        : new BadFileException(
            "%s has no classifier to predict with; train one on it first.", origin);
  }

  /** The classes of the model's trained classifier; empty if it has none. */
  static Optional<TrainedClasses> classes(ModelFiles files) {
    int outputs = Head.outputs(files.weights()).orElse(0);
    return Architectures.task(files.config(), outputs)
        .filter(task -> outputs > 0 && task.areClasses())
        .map(
            task ->
                new TrainedClasses(
                    new Labels(task, names(files.config(), outputs, files.name())), files.name()));
  }

  /**
   * Names of the classifier's outputs: those in {@code id2label}, or as transformers calls them.
   */
  private static List<String> names(JsonNode json, int outputs, String origin) {
    ConfigReader config = ConfigReader.of(json, origin);
    ConfigReader names = config.object(ID2LABEL);
    List<String> labels = new ArrayList<>();
    if (names.names().isEmpty()) {
      IntStream.range(0, outputs).forEach(i -> labels.add(PLACEHOLDER + i));
      if (!config.object(LABEL2ID).names().isEmpty()) {
        Warnings.warn(
            "%s has label2id but no id2label, which counts; its outputs are called %s to %s.",
            origin, labels.get(0), labels.get(outputs - 1));
      }
      return labels;
    }
    List<String> numbers = IntStream.range(0, outputs).mapToObj(Integer::toString).toList();
    if (!new HashSet<>(names.names()).equals(new HashSet<>(numbers))) {
      throw new BadFileException(
          "%s: id2label has names for %s, but the classifier has the outputs 0 to %d; give each one"
              + " name.",
          origin, Labels.shown(names.names()), outputs - 1);
    }
    for (String number : numbers) {
      JsonNode name = names.value(number);
      if (!name.isValueNode() || name.isNull()) {
        throw names.bad(number, "a text");
      }
      if (labels.contains(name.asText())) {
        throw new BadFileException(
            "%s: id2label has the name '%s' for both %d and %s; give each its own.",
            origin, name.asText(), labels.indexOf(name.asText()), number);
      }
      labels.add(name.asText());
    }
    checkReverse(config.object(LABEL2ID), labels);
    return labels;
  }

  /** Warns of a {@code label2id} that says otherwise; transformers' predictions go by the other. */
  private static void checkReverse(ConfigReader numbers, List<String> labels) {
    for (String name : numbers.names()) {
      int number = labels.indexOf(name);
      if (numbers.value(name).asInt(-1) != number) {
        Warnings.warn(
            "%s: label2id and id2label disagree about '%s'; id2label counts.",
            numbers.origin(), name);
        return;
      }
    }
  }

  HeadConfig with(LongTexts other) {
    return new HeadConfig(labels, pooling, other, noAnswerThreshold);
  }

  HeadConfig withNoAnswerThreshold(Double threshold) {
    return new HeadConfig(labels, pooling, longTexts, threshold);
  }

  /** The encoder's configuration with this head in it. */
  ObjectNode write(JsonNode encoder, ModelConfig sizes) {
    ObjectNode config = encoder.deepCopy();
    String type = encoder.path("model_type").asText("bert");
    config.put("model_type", type);
    config.putArray("architectures").add(Architectures.of(labels.task(), type).orElseThrow());
    if (labels.task().problemType() == null) {
      config.remove("problem_type");
    } else {
      config.put("problem_type", labels.task().problemType());
    }
    ObjectNode names = config.putObject(ID2LABEL);
    ObjectNode numbers = config.putObject(LABEL2ID);
    for (int i = 0; i < labels.outputs(); i++) {
      names.put(Integer.toString(i), labels.names().get(i));
      numbers.put(labels.names().get(i), i);
    }
    sizes.write(config);
    config.put("torch_dtype", "float32");
    ObjectNode own = config.putObject("tokentune").put(FORMAT, VERSION);
    if (labels.task() == Objectives.RERANK) {
      own.put(TASK, RERANK);
    }
    own.put("pooling", pooling.name().toLowerCase(Locale.ROOT));
    if (longTexts.maxLength() != null) {
      own.put("max_length", longTexts.maxLength());
    }
    if (longTexts.onLong() != OnLong.CUT) {
      own.put(ON_LONG, longTexts.onLong().name().toLowerCase(Locale.ROOT));
    }
    if (longTexts.windowScores() != LongTexts.WindowScores.MEAN) {
      own.put(WINDOW_SCORES, longTexts.windowScores().toString());
    }
    if (noAnswerThreshold != null) {
      own.put(NO_ANSWER_THRESHOLD, noAnswerThreshold);
    }
    return config;
  }
}
