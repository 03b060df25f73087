package org.tokentune.models;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.nn.internal.Embedding;
import org.tokentune.nn.internal.LayerNorm;
import org.tokentune.nn.internal.Linear;
import org.tokentune.nn.internal.RmsNorm;

/**
 * The parameters of a model. Each is declared once, together with the layer that uses it: so name,
 * shape and place in the graph cannot differ.
 */
final class ParameterShapes {

  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  /** Names and shapes, in the order of their declaration. */
  Map<String, long[]> asMap() {
    return Collections.unmodifiableMap(shapes);
  }

  /** A parameter of the shape of an array. */
  void add(String name, INDArray like) {
    shapes.put(name, like.shape());
  }

  Embedding table(String name, long rows, long width) {
    shapes.put(name + ".weight", new long[] {rows, width});
    return new Embedding(name + ".weight");
  }

  Linear linear(String name, long in, long out, boolean biased) {
    shapes.put(name + ".weight", new long[] {out, in});
    bias(name, out, biased);
    return Linear.of(name, biased);
  }

  /** With a weight [in, out]. */
  Linear inputFirst(String name, long in, long out) {
    shapes.put(name + ".weight", new long[] {in, out});
    bias(name, out, true);
    return Linear.inputFirst(name);
  }

  LayerNorm layerNorm(String name, long width, double epsilon, boolean biased) {
    shapes.put(name + ".weight", new long[] {width});
    bias(name, width, biased);
    return new LayerNorm(name, epsilon, biased);
  }

  /**
   * Scores over a vocabulary.
   *
   * @param own the layer whose weight they have; null: the table of words
   * @param words the name of that table
   * @param bias the name of their bias
   */
  Linear scores(String own, String words, String bias, long vocabulary, long width) {
    if (own != null) {
      shapes.put(own + ".weight", new long[] {vocabulary, width});
    }
    shapes.put(bias, new long[] {vocabulary});
    return new Linear(own == null ? words : own + ".weight", bias, false);
  }

  RmsNorm rmsNorm(String name, long width, double epsilon, boolean addsOne) {
    shapes.put(name + ".weight", new long[] {width});
    return new RmsNorm(name, epsilon, addsOne);
  }

  private void bias(String name, long width, boolean biased) {
    if (biased) {
      shapes.put(name + ".bias", new long[] {width});
    }
  }
}
