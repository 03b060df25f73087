package org.tokentune.models;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;

/**
 * The {@code architectures} in a {@code config.json}: transformers' classes of models with a head.
 * Their names are those of the family and of the head: {@code Bert} and {@code
 * ForSequenceClassification}.
 *
 * <p>Source of the names: transformers 5.24's {@code AutoModelFor...} classes.
 */
public final class Architectures {

  /** The tasks of their heads; one class may have several. */
  private static final List<Objective> NAMED =
      Objectives.TASKS.stream()
          // which config.json does not name
          .filter(task -> task != Objectives.EMBED && task != Objectives.RERANK)
          .toList();

  private Architectures() {}

  /**
   * The class of a model with the head of a task; empty if there is none.
   *
   * @param modelType the configuration's {@code model_type}
   */
  public static Optional<String> of(Objective task, String modelType) {
    required(task, "task");
    required(modelType, "modelType");

    return ModelFamilies.all().stream()
        .filter(family -> family.modelType().equals(modelType))
        .findFirst()
        .flatMap(family -> family.architecture(task));
  }

  /**
   * The task that a Hugging Face {@code config.json} names by {@code architectures} and, for whole
   * texts, {@code problem_type}; without the latter, one output is a number and several are
   * classes, as in transformers. Empty if the architecture has none of these heads.
   *
   * @param outputs of the classifier in the weights
   */
  public static Optional<Objective> task(JsonNode config, int outputs) {
    required(config, "config");

    String architecture = config.path("architectures").path(0).asText();
    String problem = config.path("problem_type").asText();
    List<Objective> found = NAMED.stream().filter(task -> has(task, architecture)).toList();
    if (found.size() < 2) {
      return found.stream().findFirst();
    }
    Objective usual = outputs == 1 ? Objectives.REGRESS : Objectives.CLASSIFY;
    return Optional.of(
        found.stream()
            .filter(task -> problem.equals(task.problemType()))
            .findFirst()
            .orElse(usual));
  }

  private static boolean has(Objective task, String architecture) {
    return ModelFamilies.all().stream()
        .anyMatch(family -> family.architecture(task).filter(architecture::equals).isPresent());
  }
}
