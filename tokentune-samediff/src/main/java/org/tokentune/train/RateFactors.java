package org.tokentune.train;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tokentune.models.TransformerModel;

/** The factors of the learning rate for a model's parameters. */
final class RateFactors {

  /**
   * The first number in a name is the number of the layer, e.g. {@code
   * bert.encoder.layer.3.output}.
   */
  private static final Pattern LAYER = Pattern.compile("\\D*?\\.(\\d+)\\..*");

  private RateFactors() {}

  /**
   * Returns factors by name: a power of the layer decay, times the factors of all matching
   * patterns.
   *
   * @param chosen factors by parameters, as {@link Trainable} names them
   */
  static Map<String, Double> of(
      TransformerModel model, double layerDecay, Map<String, Double> chosen) {
    int layers = model.config().layers();
    Map<String, Double> factors = new HashMap<>();
    for (String name : model.parameters().keySet()) {
      factors.put(name, Math.pow(layerDecay, layers + 1 - height(name, model, layers)));
    }
    chosen.forEach(
        (pattern, factor) -> {
          Predicate<String> matches = Trainable.parse(pattern, model);
          factors.replaceAll((name, old) -> matches.test(name) ? old * factor : old);
        });
    return factors;
  }

  /** Returns 0 for embeddings, 1 for the lowest layer, and layers + 1 above the layers. */
  private static int height(String name, TransformerModel model, int layers) {
    if (model.isEmbedding(name)) {
      return 0;
    }
    Matcher matcher = LAYER.matcher(name);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) + 1 : layers + 1;
  }
}
