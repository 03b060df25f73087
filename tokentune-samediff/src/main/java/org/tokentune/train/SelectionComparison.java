package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.BadSettingsException;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.LossSettings;
import org.tokentune.select.AllTokens;
import org.tokentune.select.TokenSelector;

/**
 * How the gradient through selected tokens compares with that through all, layer by layer, without
 * dropout. Figures are means over the batches.
 *
 * @param layers from the embeddings to the head
 */
public record SelectionComparison(List<Layer> layers) {

  /**
   * The gradients of a layer's parameters as one vector, against the full gradient of the same
   * batch.
   *
   * @param name as {@link StepMemoryReport#layer} has it
   * @param cosine of a draw of tokens, the mean over the draws
   * @param norm relative to the full gradient's, likewise
   * @param meanCosine of the mean of the gradients of all draws: 1 if the estimate is unbiased in
   *     direction and there are draws enough
   * @param meanNorm of that mean, relative to the full gradient's
   */
  public record Layer(
      String name, double cosine, double norm, double meanCosine, double meanNorm) {}

  /** Products of gradients of a layer. */
  private static final class Sums {
    private double full;
    private double dot;
    private double own;

    private void add(INDArray gradient, INDArray of) {
      full += of.mul(of).sumNumber().doubleValue();
      if (gradient != null) {
        dot += gradient.mul(of).sumNumber().doubleValue();
        own += gradient.mul(gradient).sumNumber().doubleValue();
      }
    }

    private double cosine() {
      return own > 0 && full > 0 ? dot / Math.sqrt(own * full) : 0;
    }

    private double norm() {
      return full > 0 ? Math.sqrt(own / full) : 0;
    }
  }

  /**
   * Compares. Takes as much memory as three times the gradients, above that of a step through all
   * tokens.
   *
   * @param parameters are not changed
   * @param batches as a training has them
   * @param draws of tokens for each batch
   * @param seed of the draws
   */
  public static SelectionComparison of(
      TransformerModel model,
      Parameters parameters,
      List<MultiDataSet> batches,
      TokenSelector selector,
      int draws,
      long seed) {
    required(model, "model");
    required(parameters, "parameters");
    required(batches, "batches");
    required(selector, "selector");
    if (draws < 1 || batches.isEmpty()) {
      throw BadSettingsException.of(
          "draws", "must be at least 1, on at least one batch, got %d.", draws);
    }
    Map<String, double[]> layers = new LinkedHashMap<>();
    try (BatchGradients gradients =
        new BatchGradients(
            model.withoutDropout(),
            parameters,
            name -> parameters.quantized(name) == null,
            MemorySettings.defaults(),
            LossSettings.plain())) {
      for (int number = 0; number < batches.size(); number++) {
        MultiDataSet batch = batches.get(number);
        Map<String, INDArray> full =
            copies(
                run(gradients, model, batch, new AllTokens(), position(0, number, seed)),
                model.parameters().keySet());
        Map<String, INDArray> mean = new HashMap<>();
        for (int draw = 0; draw < draws; draw++) {
          Map<String, INDArray> some =
              run(gradients, model, batch, selector, position(draw, number, seed));
          sums(full, some).forEach((layer, sums) -> add(layers, layer, 0, sums));
          some.forEach(
              (name, array) ->
                  mean.computeIfAbsent(name, key -> Nd4j.zerosLike(array)).addi(array));
        }
        mean.values().forEach(array -> array.divi(draws));
        sums(full, mean).forEach((layer, sums) -> add(layers, layer, 2, sums));
      }
    }
    double drawn = (double) draws * batches.size();
    return new SelectionComparison(
        layers.entrySet().stream()
            .map(
                layer -> {
                  double[] of = layer.getValue();
                  return new Layer(
                      layer.getKey(),
                      of[0] / drawn,
                      of[1] / drawn,
                      of[2] / batches.size(),
                      of[3] / batches.size());
                })
            .collect(Collectors.toCollection(ArrayList::new)));
  }

  public SelectionComparison {
    required(layers, "layers");

    layers = List.copyOf(layers);
  }

  private static TrainingStep.Position position(int draw, int batch, long seed) {
    return new TrainingStep.Position(draw, batch, 0, seed);
  }

  /** Valid until the next run. */
  private static Map<String, INDArray> run(
      BatchGradients gradients,
      TransformerModel model,
      MultiDataSet batch,
      TokenSelector selector,
      TrainingStep.Position position) {
    gradients.clear();
    gradients.add(StepBatches.largest(model, batch, selector, position).placeholders(), 1);
    return gradients.gradients();
  }

  /** Copies in the order of the names. */
  private static Map<String, INDArray> copies(Map<String, INDArray> arrays, Set<String> names) {
    Map<String, INDArray> copies = new LinkedHashMap<>();
    for (String name : names) {
      if (arrays.containsKey(name)) {
        copies.put(name, arrays.get(name).dup());
      }
    }
    return copies;
  }

  private static Map<String, Sums> sums(Map<String, INDArray> full, Map<String, INDArray> some) {
    Map<String, Sums> sums = new LinkedHashMap<>();
    full.forEach(
        (name, array) ->
            sums.computeIfAbsent(StepMemoryReport.layer(name), layer -> new Sums())
                .add(some.get(name), array));
    return sums;
  }

  private static void add(Map<String, double[]> layers, String layer, int at, Sums sums) {
    double[] of = layers.computeIfAbsent(layer, name -> new double[4]);
    of[at] += sums.cosine();
    of[at + 1] += sums.norm();
  }
}
