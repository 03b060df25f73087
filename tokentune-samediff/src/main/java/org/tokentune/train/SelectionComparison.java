package org.tokentune.train;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** Products of the gradients of a layer. */
  private static final class Products {
    private double dot;
    private double own;

    private void add(INDArray gradient, INDArray full) {
      dot += gradient.mul(full).sumNumber().doubleValue();
      own += gradient.mul(gradient).sumNumber().doubleValue();
    }
  }

  /** Sums of a layer's figures. */
  private static final class Sums {
    private double cosines;
    private double norms;

    private void add(Products products, double full) {
      cosines += products.own > 0 && full > 0 ? products.dot / Math.sqrt(products.own * full) : 0;
      norms += full > 0 ? Math.sqrt(products.own / full) : 0;
    }
  }

  public SelectionComparison {
    required(layers, "layers");

    layers = List.copyOf(layers);
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
      Iterator<MultiDataSet> batches,
      TokenSelector selector,
      int draws,
      long seed) {
    required(model, "model");
    required(parameters, "parameters");
    required(batches, "batches");
    required(selector, "selector");
    if (draws < 1 || !batches.hasNext()) {
      throw BadSettingsException.of(
          "draws", "must be at least 1, on at least one batch, got %d.", draws);
    }
    Map<String, Sums> single = new LinkedHashMap<>();
    Map<String, Sums> together = new LinkedHashMap<>();
    int count = 0;
    try (BatchGradients gradients =
        new BatchGradients(
            model.withoutDropout(),
            parameters,
            name -> parameters.quantized(name) == null,
            MemorySettings.defaults(),
            LossSettings.plain())) {
      for (; batches.hasNext(); count++) {
        MultiDataSet batch = batches.next();
        Map<String, INDArray> full =
            copies(
                run(gradients, model, batch, new AllTokens(), position(0, count, seed)),
                model.parameters().keySet());
        Map<String, Products> ofFull = products(full, full);
        Map<String, INDArray> mean = new HashMap<>();
        for (int draw = 0; draw < draws; draw++) {
          Map<String, INDArray> some =
              run(gradients, model, batch, selector, position(draw, count, seed));
          add(products(some, full), ofFull, single);
          some.forEach(
              (name, array) ->
                  mean.computeIfAbsent(name, key -> Nd4j.zerosLike(array)).addi(array));
        }
        mean.values().forEach(array -> array.divi(draws));
        add(products(mean, full), ofFull, together);
      }
    }
    double drawn = (double) draws * count;
    List<Layer> layers = new ArrayList<>();
    for (Map.Entry<String, Sums> layer : single.entrySet()) {
      Sums one = layer.getValue();
      Sums all = together.get(layer.getKey());
      layers.add(
          new Layer(
              layer.getKey(),
              one.cosines / drawn,
              one.norms / drawn,
              all.cosines / count,
              all.norms / count));
    }
    return new SelectionComparison(layers);
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

  /** By layer; a parameter that {@code some} lacks has a gradient of 0 there. */
  private static Map<String, Products> products(
      Map<String, INDArray> some, Map<String, INDArray> full) {
    Map<String, Products> products = new LinkedHashMap<>();
    full.forEach(
        (name, array) -> {
          Products ofLayer =
              products.computeIfAbsent(StepMemoryReport.layer(name), layer -> new Products());
          if (some.containsKey(name)) {
            ofLayer.add(some.get(name), array);
          }
        });
    return products;
  }

  private static void add(
      Map<String, Products> some, Map<String, Products> full, Map<String, Sums> sums) {
    some.forEach(
        (layer, products) ->
            sums.computeIfAbsent(layer, name -> new Sums()).add(products, full.get(layer).own));
  }
}
