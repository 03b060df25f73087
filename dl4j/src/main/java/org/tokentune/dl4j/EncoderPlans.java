package org.tokentune.dl4j;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;
import org.tokentune.train.StepInputs;

/**
 * An encoder's passes on execution plans, all in one arena: results are good until the next pass.
 */
final class EncoderPlans {

  private final TransformerModel model;
  private final Parameters parameters;
  private final ModelGraph graph;
  private final PlanEngine inference;
  private final Map<Boolean, Training> training = new HashMap<>();

  /** Both passes of the same graph. */
  private record Training(PlanEngine forward, PlanEngine backward) {}

  /**
   * @param parameters read at every pass, as they are at the time
   */
  EncoderPlans(TransformerModel model, Parameters parameters) {
    this.model = model;
    this.parameters = parameters;
    graph =
        model
            .withoutDropout()
            .build(
                parameters,
                GraphOptions.training(false, name -> false).withKernelMode(KernelMode.preferred()));
    inference = new PlanEngine(graph.sd(), PlanOptions.forward(List.of(ModelGraph.LOGITS)));
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

  /** Gradients by parameter, from that by the rows, which is in the place of labels. */
  Map<String, INDArray> gradients(Map<String, INDArray> placeholders) {
    return training(placeholders).backward().run(placeholders).gradients();
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
            GraphOptions.training(split, name -> true).withKernelMode(KernelMode.preferred()));
    PlanOptions backward =
        PlanOptions.gradients(List.of(ModelGraph.LOSS), built.trainable())
            .withCheckpointing(ActivationCheckpointing.ELEMENTWISE, ModelGraph::isHiddenState);
    return new Training(
        engine(built.sd(), PlanOptions.forward(List.of(ModelGraph.LOGITS))),
        engine(built.sd(), backward));
  }

  private PlanEngine engine(SameDiff sd, PlanOptions options) {
    PlanEngine engine = new PlanEngine(sd, options);
    engine.shareArena(inference);
    return engine;
  }
}
