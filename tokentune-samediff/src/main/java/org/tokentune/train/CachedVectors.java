package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.tokentune.models.ModelGraph;
import org.tokentune.nn.internal.Graph;
import org.tokentune.objectives.EmbeddingLoss;

/**
 * Gradients of a loss that compares all texts of a batch with each other, of which only some are in
 * memory at a time (GradCache: Gao et al., 2021): the vectors of all texts are computed forward
 * only, then the loss and its gradient with respect to the vectors, and then every part of the
 * texts runs again, backward from the gradient of its vectors. The parts' gradients add up to those
 * of the whole batch, with the same selected tokens and dropout.
 */
public final class CachedVectors implements AutoCloseable {

  private final int texts;
  private final VectorLoss loss;

  /**
   * @param texts that run at a time
   * @param width of the vectors
   */
  public CachedVectors(EmbeddingLoss loss, int width, int texts) {
    required(loss, "loss");

    this.texts = texts;
    this.loss = new VectorLoss(loss, width);
  }

  /**
   * Runs a batch; its gradients go where the engine's go.
   *
   * @param inputs of the whole batch
   * @param share by which gradients are multiplied
   * @param engine of the graph with {@link org.tokentune.models.GraphOptions#withUpstream}
   * @param seed of dropout of each part, by its number; not called if there is no dropout
   * @param ran gets the result of each part; false ends the run
   * @return the loss
   */
  public double run(
      Map<String, INDArray> inputs,
      double share,
      TrainingEngine engine,
      IntFunction<INDArray> seed,
      Predicate<TrainingEngine.Result> ran) {
    required(inputs, "inputs");
    required(engine, "engine");
    required(seed, "seed");
    required(ran, "ran");

    List<Map<String, INDArray>> parts = parts(inputs);
    List<INDArray> vectors = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      if (engine.hasDropout()) {
        parts.get(i).put(Graph.DROPOUT_SEED, seed.apply(i));
      }
      vectors.add(engine.forward(parts.get(i)).dup());
    }
    VectorLoss.Result result = loss.run(Nd4j.vstack(vectors), inputs.get(ModelGraph.LABELS));
    if (!Double.isFinite(result.loss())) {
      return result.loss();
    }
    INDArray gradient = result.gradient().mul(share);
    for (int i = 0; i < parts.size(); i++) {
      int first = i * texts;
      parts.get(i).put(ModelGraph.LOGITS_GRADIENT, rows(gradient, first));
      if (!ran.test(engine.run(parts.get(i)))) {
        return Double.NaN;
      }
    }
    return result.loss();
  }

  /** The inputs of the largest part of a batch. */
  Map<String, INDArray> largest(Map<String, INDArray> inputs, int width) {
    Map<String, INDArray> part = parts(inputs).get(0);
    long size = part.get(ModelGraph.INPUT_IDS).size(0);
    part.put(ModelGraph.LOGITS_GRADIENT, Nd4j.zeros(size, width));
    return part;
  }

  private List<Map<String, INDArray>> parts(Map<String, INDArray> inputs) {
    long all = inputs.get(ModelGraph.INPUT_IDS).size(0);
    List<Map<String, INDArray>> parts = new ArrayList<>();
    for (int first = 0; first < all; first += texts) {
      Map<String, INDArray> part = new HashMap<>();
      for (Map.Entry<String, INDArray> input : inputs.entrySet()) {
        if (!input.getKey().equals(ModelGraph.LABELS)) {
          boolean byText = input.getValue().rank() > 0;
          part.put(input.getKey(), byText ? rows(input.getValue(), first) : input.getValue());
        }
      }
      parts.add(part);
    }
    return parts;
  }

  private INDArray rows(INDArray all, int first) {
    long end = Math.min(first + (long) texts, all.size(0));
    return all.get(NDArrayIndex.interval(first, end), NDArrayIndex.all()).dup('c');
  }

  @Override
  public void close() {
    loss.close();
  }
}
