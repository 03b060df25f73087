package org.tokentune.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.Checkpoints;
import org.tokentune.nn.Parameters;

/**
 * The arrays that training changes: the trained parameters, the best of their values so far, and
 * the optimizer's state. A checkpoint consists of them and the {@link Progress}: the order of rows,
 * selected tokens and dropout follow from the seed and the numbers in it.
 */
final class TrainedState {

  private static final String WEIGHTS = "weights";
  private static final String BEST = "best";
  private static final String OPTIMIZER = "optimizer";

  /** Strict: resuming from a changed checkpoint must not lead to other numbers. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  private final Map<String, INDArray> trained = new LinkedHashMap<>();
  private final ParameterOptimizer optimizer;

  /** Null if the present values are the best. */
  private Map<String, INDArray> best;

  TrainedState(Parameters parameters, Predicate<String> trainable, ParameterOptimizer optimizer) {
    this.optimizer = optimizer;
    parameters
        .asMap()
        .forEach(
            (name, array) -> {
              if (trainable.test(name)) {
                trained.put(name, array);
              }
            });
  }

  /** Keeps a copy of the present values. */
  void keep() {
    if (best == null) {
      best = new LinkedHashMap<>();
      trained.forEach((name, array) -> best.put(name, array.dup()));
    } else {
      trained.forEach((name, array) -> best.get(name).assign(array));
    }
  }

  /** Keeps the present values as they are: they will not change any more. */
  void keepLast() {
    best = null;
  }

  /** Restores the kept values. */
  void putBack() {
    if (best != null) {
      best.forEach((name, array) -> trained.get(name).assign(array));
    }
  }

  void write(Checkpoints checkpoints, Fingerprint fingerprint, Progress progress) {
    ParameterOptimizer.State state = optimizer.state();
    Map<String, Map<String, INDArray>> tensors = new LinkedHashMap<>();
    tensors.put(WEIGHTS, trained);
    tensors.put(OPTIMIZER, state.arrays());
    if (best != null) {
      tensors.put(BEST, best);
    }
    ObjectNode json = JSON.createObjectNode();
    json.set("training", fingerprint.toJson());
    json.put("optimizer_steps", state.steps());
    json.set("progress", JSON.valueToTree(progress));
    checkpoints.write(progress.step(), json, tensors);
  }

  /**
   * Restores a checkpoint.
   *
   * @throws BadInputException if it was made by another training, or is damaged
   */
  Progress read(Path checkpoint, Fingerprint fingerprint) {
    JsonNode json = Checkpoints.state(checkpoint);
    fingerprint.check(json.path("training"), checkpoint);
    Progress progress = progress(json.path("progress"), checkpoint);
    Map<String, INDArray> weights = tensors(checkpoint, WEIGHTS);
    check(weights, checkpoint);
    Map<String, INDArray> kept = Checkpoints.tensors(checkpoint, BEST).orElse(null);
    boolean presentIsBest = progress.best() == null || progress.best().step() == progress.step();
    if (kept == null ? !presentIsBest : progress.best() == null) {
      throw damaged(null, checkpoint);
    }
    if (kept != null) {
      check(kept, checkpoint);
    }
    JsonNode steps = json.path("optimizer_steps");
    if (!steps.isInt()
        || steps.intValue() < progress.step() - progress.skipped()
        || steps.intValue() > progress.step()) {
      throw damaged(null, checkpoint);
    }
    optimizer.restore(
        new ParameterOptimizer.State(steps.intValue(), tensors(checkpoint, OPTIMIZER)));
    weights.forEach((name, array) -> trained.get(name).assign(array));
    best = kept;
    return progress;
  }

  private static Progress progress(JsonNode json, Path checkpoint) {
    try {
      Progress progress = JSON.treeToValue(json, Progress.class);
      OptionalInt step = Checkpoints.step(checkpoint);
      if (progress != null
          && progress.isConsistent()
          && step.orElse(progress.step()) == progress.step()) {
        return progress;
      }
    } catch (JsonProcessingException e) {
      throw damaged(e, checkpoint);
    }
    throw damaged(null, checkpoint);
  }

  private static Map<String, INDArray> tensors(Path checkpoint, String name) {
    return Checkpoints.tensors(checkpoint, name).orElseThrow(() -> damaged(null, checkpoint));
  }

  private void check(Map<String, INDArray> values, Path checkpoint) {
    boolean fit =
        values.keySet().equals(trained.keySet())
            && trained.keySet().stream()
                .allMatch(name -> fits(values.get(name), trained.get(name)));
    if (!fit) {
      throw damaged(null, checkpoint);
    }
  }

  private static boolean fits(INDArray value, INDArray parameter) {
    return value.dataType() == parameter.dataType()
        && Arrays.equals(value.shape(), parameter.shape());
  }

  private static BadInputException damaged(Throwable cause, Path checkpoint) {
    return new BadFileException(
        cause, "%s is damaged; resume from another checkpoint, or start over.", checkpoint);
  }
}
