package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.tokentune.BadDataException;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.NonFinite;
import org.tokentune.objectives.Scores;
import org.tokentune.objectives.Tally;
import org.tokentune.ops.KernelMode;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/** Scores a model on labelled batches: all tokens, no dropout. */
public final class Evaluator implements AutoCloseable {

  private final Head head;
  private final Parameters parameters;
  private final Function<int[], String> names;
  private final ModelGraph graph;
  private final PlanEngine engine;

  /**
   * Uses the arrays of {@code parameters} themselves, with their values at the time of scoring.
   *
   * @param names names the row with these ids in messages
   */
  public Evaluator(TransformerModel model, Parameters parameters, Function<int[], String> names) {
    required(model, "model");
    required(parameters, "parameters");
    required(names, "names");

    head = model.head();
    this.parameters = parameters;
    this.names = names;
    graph =
        model
            .withoutDropout()
            .build(
                parameters,
                GraphOptions.training(false, name -> false).withKernelMode(KernelMode.preferred()));
    engine = new PlanEngine(graph.sd(), PlanOptions.forward(outputs(head)));
  }

  private static List<String> outputs(Head head) {
    return head.task().scoresLogits()
        ? List.of(ModelGraph.LOSS, head.task().scored())
        : List.of(ModelGraph.LOSS);
  }

  /**
   * Returns the sum of the losses of each batch, in order.
   *
   * @param batches read from the first one
   */
  public List<Double> losses(MultiDataSetIterator batches) {
    required(batches, "batches");

    Tally tally = tally();
    List<Double> losses = new ArrayList<>();
    batches.reset();
    while (batches.hasNext()) {
      losses.add(next(batches, tally).loss());
    }
    return losses;
  }

  /**
   * What is scored of each batch, in order: {@link org.tokentune.objectives.Objective#scored}.
   *
   * @param batches read from the first one
   */
  public List<INDArray> scored(MultiDataSetIterator batches) {
    required(batches, "batches");

    List<INDArray> all = new ArrayList<>();
    batches.reset();
    while (batches.hasNext()) {
      all.add(outputs(batches.next()).get(head.task().scored()).dup());
    }
    return all;
  }

  private Tally tally() {
    return head.task().tally(head.outputs());
  }

  /**
   * The result of a batch.
   *
   * @param loss sum over the labelled rows
   */
  private record Batch(double loss, long counted) {}

  private Batch next(MultiDataSetIterator batches, Tally tally) {
    MultiDataSet batch = batches.next();
    Map<String, INDArray> outputs = outputs(batch);
    long counted = tally.add(batch.getLabels(0), outputs.get(head.task().scored()));
    return new Batch(counted * outputs.get(ModelGraph.LOSS).getDouble(0), counted);
  }

  private Map<String, INDArray> outputs(MultiDataSet batch) {
    Map<String, INDArray> inputs = StepInputs.labelled(head, batch);
    graph.check(inputs);
    Map<String, INDArray> outputs = engine.run(inputs).outputs();
    for (INDArray output : outputs.values()) {
      if (!NonFinite.isFinite(output)) {
        int[] ids = batch.getFeatures(0).getRow(0).toIntVector();
        throw NonFinite.error(parameters, "the batch that begins with " + names.apply(ids));
      }
    }
    return outputs;
  }

  /** Runs all batches. */
  public Scores evaluate(MultiDataSetIterator batches) {
    required(batches, "batches");

    Tally tally = tally();
    double loss = 0;
    long rows = 0;
    batches.reset();
    while (batches.hasNext()) {
      Batch batch = next(batches, tally);
      loss += batch.loss();
      rows += batch.counted();
    }
    if (rows == 0) {
      throw new BadDataException("There are no labelled rows to score; give some.");
    }
    return tally.scores(rows, loss / rows);
  }

  @Override
  public void close() {
    engine.close();
  }
}
