package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.models.ModelGraph;
import org.tokentune.objectives.EmbeddingLabel;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/** A loss of vectors, and its gradient with respect to them, without the model that made them. */
public final class VectorLoss implements AutoCloseable {

  private static final String GIVEN = "given";
  private static final String VECTORS = "vectors";

  private final PlanEngine engine;

  /**
   * The result.
   *
   * @param gradient [texts, width]; valid until the next run
   */
  public record Result(double loss, INDArray gradient) {}

  /**
   * Derives the gradient.
   *
   * @param width of the vectors
   */
  public VectorLoss(EmbeddingLoss loss, int width) {
    required(loss, "loss");

    SameDiff sd = SameDiff.create();
    SDVariable given = sd.placeHolder(GIVEN, DataType.FLOAT, -1, width);
    // SameDiff leaves a gradient out where no variable is before it.
    SDVariable zeros = sd.var("zeros", Nd4j.zeros(DataType.FLOAT, 1, width));
    SDVariable vectors = given.add(zeros).rename(VECTORS);
    SDVariable labels = sd.placeHolder(ModelGraph.LABELS, DataType.FLOAT, -1, EmbeddingLabel.SIZE);
    loss.loss(vectors, width, labels).rename(ModelGraph.LOSS);
    sd.setLossVariables(ModelGraph.LOSS);
    engine = new PlanEngine(sd, PlanOptions.gradients(List.of(ModelGraph.LOSS), List.of(VECTORS)));
  }

  /**
   * Runs one batch.
   *
   * @param vectors [texts, width], column by column
   */
  public Result run(INDArray vectors, INDArray labels) {
    required(vectors, "vectors");
    required(labels, "labels");

    PlanEngine.Result result = engine.run(Map.of(GIVEN, vectors, ModelGraph.LABELS, labels));
    return new Result(
        result.outputs().get(ModelGraph.LOSS).getDouble(0), result.gradients().get(VECTORS));
  }

  @Override
  public void close() {
    engine.close();
  }
}
