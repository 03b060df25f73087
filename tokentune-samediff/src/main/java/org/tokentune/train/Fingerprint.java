package org.tokentune.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.Digest;
import org.tokentune.models.Head;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.ops.KernelMode;

/**
 * Everything that the result of a training depends on, so that it never resumes from a checkpoint
 * of another training. Names and values are part of the format of training checkpoints: to change
 * one, increase the version in {@link org.tokentune.files.Checkpoints}.
 *
 * @param parts by name
 */
record Fingerprint(Map<String, String> parts) {

  private static final String ABSENT = "not set";

  /**
   * @param parameters before the first step
   * @param step what makes the steps
   * @param identity parts that the caller adds: see {@link TrainingData#identity}
   */
  static Fingerprint of(
      TransformerModel model,
      Parameters parameters,
      Hyperparameters settings,
      RunSettings run,
      TrainingStep step,
      Map<String, String> identity) {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("model", new Digest().add(model.withoutDropout().config().toString()).hex());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    model.config().write(config);
    parts.put("dropout", config.toString());
    parts.put("task", model.head().task().toString());
    parts.put("outputs", Integer.toString(model.head().outputs()));
    parts.put("pooling", model.head().pooling().name());
    Head head = model.head();
    putUnless(head.task().settings().isEmpty(), "task settings", head.task().settings(), parts);
    putUnless(head.sentence() == null, "sentence modules", String.valueOf(head.sentence()), parts);
    parts.putAll(identity);
    parts.put("base weights", WeightDigest.of(parameters));
    put(settings, parts);
    parts.put("steps between evaluations", Integer.toString(run.evaluateEvery()));
    parts.put("patience", Integer.toString(run.patience()));
    parts.put("metrics", run.metrics().toString());
    putUnless(run.patienceAfter() == 0, "patience after", run.patienceAfter(), parts);
    double least = run.minImprovement();
    putUnless(least == 0, "least improvement", least, parts);
    parts.put("loss of NaN", run.onNan().name());
    boolean likeOne = step.settings().isEmpty();
    putUnless(likeOne, "distribution of steps", step.settings(), parts);
    // Steps that are made at once end before a checkpoint.
    boolean anywhere = likeOne || !step.dependsOnStretches();
    putUnless(anywhere, "steps between checkpoints", run.saveEvery(), parts);
    parts.put("kernels", KernelMode.preferred().toString());
    return new Fingerprint(parts);
  }

  /** The names in checkpoints, which stay the same even if the settings are renamed. */
  private static void put(Hyperparameters settings, Map<String, String> parts) {
    parts.put("epochs", Integer.toString(settings.epochs()));
    parts.put("steps", Integer.toString(settings.steps()));
    parts.put("accumulation", Integer.toString(settings.accumulation()));
    parts.put("learning rate", Double.toString(settings.learningRate()));
    OptimizerSettings optimizer = settings.optimizer();
    parts.put("optimizer kind", optimizer.kind().name());
    parts.put("optimizer momentum", Double.toString(optimizer.momentum()));
    parts.put("optimizer weight decay", Double.toString(optimizer.weightDecay()));
    parts.put("optimizer layer decay", Double.toString(optimizer.layerDecay()));
    parts.put("optimizer rate factors", optimizer.rateFactors().toString());
    parts.put("schedule decay", settings.schedule().decay().name());
    parts.put("schedule warmup", Double.toString(settings.schedule().warmup()));
    Schedule schedule = settings.schedule();
    putUnless(schedule.settings().isEmpty(), "schedule settings", schedule.settings(), parts);
    putUnless(
        schedule.values() == null, "schedule values", String.valueOf(schedule.values()), parts);
    parts.put("clip", Double.toString(settings.clip()));
    parts.put("memory recompute", settings.memory().checkpointing().name());
    parts.put("memory keep", settings.memory().precision().name());
    parts.put("memory budget", Long.toString(settings.memory().budget()));
    int microBatch = settings.memory().microBatch();
    putUnless(microBatch == 0, "memory micro batch", microBatch, parts);
    parts.put("seed", Long.toString(settings.seed()));
    putUnless(optimizer.betas().isEmpty(), "optimizer betas", optimizer.betas(), parts);
    putUnless(optimizer.epsilon() == 0, "optimizer epsilon", optimizer.epsilon(), parts);
    putUnless(!optimizer.nesterov(), "optimizer nesterov", optimizer.nesterov(), parts);
    putUnless(optimizer.decayRate() == 0, "optimizer decay rate", optimizer.decayRate(), parts);
    Hyperparameters.ClipBy clipBy = settings.clipBy();
    putUnless(clipBy == Hyperparameters.ClipBy.ALL, "clip by", clipBy.name(), parts);
    LossSettings loss = settings.loss();
    putUnless(loss.classWeights().isEmpty(), "class weights", loss.classWeights(), parts);
    putUnless(loss.labelSmoothing() == 0, "label smoothing", loss.labelSmoothing(), parts);
    putUnless(loss.focalGamma() == 0, "focal gamma", loss.focalGamma(), parts);
  }

  /** A setting that came later is not noted where it has no effect, as in earlier checkpoints. */
  private static void putUnless(
      boolean without, String name, Object value, Map<String, String> parts) {
    if (!without) {
      parts.put(name, value.toString());
    }
  }

  ObjectNode toJson() {
    return new ObjectMapper().valueToTree(parts);
  }

  /**
   * Checks that a checkpoint was made by this training.
   *
   * @param stored the result of {@link #toJson} at that time
   * @throws BadInputException that names the first difference
   */
  void check(JsonNode stored, Path checkpoint) {
    Set<String> names = new LinkedHashSet<>(parts.keySet());
    stored.fieldNames().forEachRemaining(names::add);
    names.forEach(
        name -> {
          String then = stored.path(name).asText(ABSENT);
          String value = parts.getOrDefault(name, ABSENT);
          if (!then.equals(value)) {
            throw new BadFileException(
                "%s belongs to another training (%s: %s there, %s here); use the same data and settings, or start over.",
                checkpoint, name, then, value);
          }
        });
  }
}
