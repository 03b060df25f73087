package org.tokentune.dl4j;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.internal.GradientHome;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.StepInputs;

/**
 * An encoder's passes on execution plans, all in one arena: results are good until the next pass.
 * Gradients are written to the network's own array. Only the pass that computes them uses it before
 * that, so that a forward pass leaves the gradients of the last step alone.
 */
final class EncoderPlans {

  private final TransformerModel model;
  private final Parameters parameters;
  private final Set<String> trained;
  private final MemorySettings memory;
  private final ModelGraph graph;
  private final PlanEngine inference;
  private final Map<Boolean, Training> training = new HashMap<>();
  private GradientHome gradients;

  /**
   * Both passes of the same graph.
   *
   * @param backward null before gradients have a home
   * @param untrained parameters that no gradient reaches
   */
  private record Training(PlanEngine forward, PlanEngine backward, Set<String> untrained) {}

  /**
   * @param arrays the model's parameters, read at every pass as they are at the time
   * @param trained names of those with a gradient
   */
  EncoderPlans(
      TransformerModel model,
      Map<String, INDArray> arrays,
      Set<String> trained,
      MemorySettings memory) {
    this.model = model;
    this.trained = trained;
    this.memory = memory;
    parameters = new Parameters(arrays);
    graph =
        model
            .withoutDropout()
            .build(
                parameters,
                GraphOptions.training(false, name -> false).withKernelMode(KernelMode.preferred()));
    inference = new PlanEngine(graph.sd(), PlanOptions.forward(List.of(ModelGraph.LOGITS)));
  }

  /** Bytes of the arena. */
  long arenaBytes() {
    return inference.arenaBytes();
  }

  /** Writes gradients there from now on. */
  void setGradients(GradientHome home) {
    gradients = home;
    training.clear();
  }

  /** [batch, hidden], without dropout. */
  INDArray infer(Map<String, INDArray> placeholders) {
    graph.check(placeholders);
    return rows(inference, placeholders);
  }

  /** [batch, hidden], as training computes them. */
  INDArray forward(Map<String, INDArray> placeholders) {
    graph.check(placeholders);
    return rows(training(placeholders).forward(), placeholders);
  }

  /**
   * Writes the gradients, from that by the rows, which is in the place of labels.
   *
   * @return parameters whose gradient is 0, and was not written
   */
  Set<String> withoutGradient(Map<String, INDArray> placeholders) {
    Training step = training(placeholders);
    step.backward().run(placeholders);
    return step.untrained();
  }

  private static INDArray rows(PlanEngine engine, Map<String, INDArray> placeholders) {
    return engine.run(placeholders).outputs().get(ModelGraph.LOGITS);
  }

  private Training training(Map<String, INDArray> placeholders) {
    return training.computeIfAbsent(StepInputs.areSplit(placeholders), this::newTraining);
  }

  private Training newTraining(boolean split) {
    ModelGraph built =
        model.build(
            parameters,
            GraphOptions.training(split, trained::contains).withKernelMode(KernelMode.preferred()));
    PlanEngine forward = engine(built.sd(), PlanOptions.forward(List.of(ModelGraph.LOGITS)));
    if (gradients == null) {
      return new Training(forward, null, Set.of());
    }
    PlanOptions step =
        PlanOptions.gradients(List.of(ModelGraph.LOSS), built.trainable())
            .withPrecision(memory.precision())
            .withGradientsIn(gradients);
    Set<String> untrained = new LinkedHashSet<>(trained);
    untrained.removeAll(built.trainable());
    return new Training(
        forward,
        engine(
            built.sd(),
            memory.budget() > 0
                ? step.within(memory.budget(), ModelGraph::isHiddenState)
                : step.withCheckpointing(memory.checkpointing(), ModelGraph::isHiddenState)),
        untrained);
  }

  private PlanEngine engine(SameDiff sd, PlanOptions options) {
    PlanEngine engine = new PlanEngine(sd, options);
    engine.shareArena(inference);
    return engine;
  }
}
