package org.tokentune.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.datasets.Labels;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.models.Task;

/**
 * What a {@code config.json} says of the head: transformers' {@code architectures}, {@code
 * problem_type}, {@code id2label} and {@code label2id}, and, in an object {@code tokentune}, what
 * transformers has no name for: {@code pooling} and {@code max_length}.
 *
 * @param maxLength tokens to which texts are cut; null where longer texts are refused
 */
record HeadConfig(Labels labels, Pooling pooling, Integer maxLength) {

  private static final String SINGLE_LABEL = "single_label_classification";
  private static final String MULTILABEL = "multi_label_classification";
  private static final String REGRESSION = "regression";

  /**
   * Reads it.
   *
   * @throws BadInputException if the model has no classifier
   */
  static HeadConfig read(ModelFiles files) {
    return read(files.config(), Head.outputs(files.weights()).orElse(0), files.name());
  }

  /**
   * Reads it.
   *
   * @param outputs of the classifier
   * @param origin for messages
   * @throws BadInputException if the configuration names no classifier
   */
  static HeadConfig read(JsonNode config, int outputs, String origin) {
    Task task =
        Task.read(config, outputs)
            .filter(known -> known != Task.MASKED_LM && outputs > 0)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "%s has no classifier to predict with; train one on it first.", origin));
    JsonNode names = config.path("id2label");
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      labels.add(names.path(Integer.toString(i)).asText("LABEL_" + i));
    }
    JsonNode own = config.path("tokentune");
    String pooling = own.path("pooling").asText("first");
    if (!pooling.equals("first") && !pooling.equals("mean")) {
      throw new BadInputException(
          "%s: pooling %s is not known; first and mean are.", origin, pooling);
    }
    JsonNode maxLength = own.path("max_length");
    return new HeadConfig(
        new Labels(task, labels),
        pooling.equals("mean") ? Pooling.MEAN : Pooling.FIRST,
        maxLength.isInt() ? maxLength.intValue() : null);
  }

  /** The encoder's configuration with this head in it. */
  ObjectNode write(JsonNode encoder, ModelConfig sizes) {
    ObjectNode config = encoder.deepCopy();
    String type = encoder.path("model_type").asText("bert");
    config.put("model_type", type);
    config.putArray("architectures").add(labels.task().architecture(type).orElseThrow());
    switch (labels.task()) {
      case CLASSIFY -> config.put("problem_type", SINGLE_LABEL);
      case MULTILABEL -> config.put("problem_type", MULTILABEL);
      case REGRESS -> config.put("problem_type", REGRESSION);
      default -> config.remove("problem_type");
    }
    ObjectNode names = config.putObject("id2label");
    ObjectNode numbers = config.putObject("label2id");
    for (int i = 0; i < labels.outputs(); i++) {
      names.put(Integer.toString(i), labels.names().get(i));
      numbers.put(labels.names().get(i), i);
    }
    sizes.write(config);
    config.put("torch_dtype", "float32");
    ObjectNode own = config.putObject("tokentune");
    own.put("pooling", pooling.name().toLowerCase(Locale.ROOT));
    if (maxLength != null) {
      own.put("max_length", maxLength);
    }
    return config;
  }
}
