package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.nn.internal.NonFinite;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.kernels.Memory;
import org.tokentune.plan.internal.PlanEngine;
import org.tokentune.plan.internal.PlanOptions;

/**
 * Runs a model forward on execution plans: all tokens, no dropout. Safe for use by several threads;
 * it runs one batch at a time.
 */
public final class InferenceEngine implements AutoCloseable {

  private final ModelGraph graph;
  private final Parameters parameters;
  private final PlanEngine engine;

  /**
   * Uses the arrays of {@code parameters} themselves, with their values at the time of a run.
   *
   * @param outputs names of the results: {@link ModelGraph#LOGITS}, or hidden states
   */
  public InferenceEngine(TransformerModel model, Parameters parameters, List<String> outputs) {
    required(model, "model");
    required(parameters, "parameters");
    required(outputs, "outputs");

    this.parameters = parameters;
    graph =
        model.build(parameters, GraphOptions.inference().withKernelMode(KernelMode.preferred()));
    engine = new PlanEngine(graph.sd(), PlanOptions.forward(outputs));
  }

  /**
   * Runs one batch.
   *
   * @param inputs by the name of their placeholder
   * @param names of the batch's rows, for messages
   * @return the outputs, in new arrays
   * @throws org.tokentune.BadInputException as {@link ModelGraph#check}, or if an output is not
   *     finite
   */
  public synchronized Map<String, INDArray> run(
      Map<String, INDArray> inputs, IntFunction<String> names) {
    required(inputs, "inputs");
    required(names, "names");

    graph.check(inputs);
    Map<String, INDArray> outputs = new LinkedHashMap<>();
    engine.run(inputs).outputs().forEach((name, array) -> outputs.put(name, array.dup('c')));
    for (INDArray output : outputs.values()) {
      if (!NonFinite.isFinite(output)) {
        throw NonFinite.error(parameters, names.apply(firstRow(output, inputs)));
      }
    }
    return outputs;
  }

  /**
   * Runs one batch for an output.
   *
   * @param inputs as in {@link #run}
   * @param output name of one of the results, FLOAT [..., width]
   * @param names as in {@link #run}
   * @return its rows, each of length width
   * @throws org.tokentune.BadInputException as {@link #run}
   */
  public synchronized float[][] rows(
      Map<String, INDArray> inputs, String output, IntFunction<String> names) {
    required(inputs, "inputs");
    required(output, "output");
    required(names, "names");

    graph.check(inputs);
    try (INDArray result = engine.run(inputs).outputs().get(output).dup('c')) {
      float[] all = Memory.floatValues(result); // toFloatMatrix goes from number to number
      if (!NonFinite.isFinite(all)) {
        throw NonFinite.error(parameters, names.apply(firstRow(result, inputs)));
      }
      int width = Math.toIntExact(result.size(-1));
      float[][] rows = new float[all.length / width][];
      Arrays.setAll(rows, row -> Arrays.copyOfRange(all, row * width, (row + 1) * width));
      return rows;
    }
  }

  /**
   * Finds the first row of a batch with numbers that are not finite; outputs are [batch, ...] or by
   * token.
   */
  private static int firstRow(INDArray output, Map<String, INDArray> inputs) {
    int batch = (int) inputs.get(ModelGraph.INPUT_IDS).size(0);
    INDArray rows = output.reshape(batch, -1);
    return IntStream.range(0, batch)
        .filter(row -> !NonFinite.isFinite(rows.getRow(row)))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public synchronized void close() {
    engine.close();
  }
}
