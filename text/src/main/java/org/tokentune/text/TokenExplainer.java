package org.tokentune.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.models.ModelGraph;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.InputGradients;

/** Explains single texts or pairs: by gradient times input, and by leaving tokens out. */
final class TokenExplainer {

  private static final int BATCH = 32;

  private final TextTokenizer tokenizer;
  private final InferenceEngine engine;
  private final InputGradients gradients;

  TokenExplainer(TextTokenizer tokenizer, InferenceEngine engine, InputGradients gradients) {
    this.tokenizer = tokenizer;
    this.engine = engine;
    this.gradients = gradients;
  }

  /** A text's tokens and logits. */
  record Text(Example row, TextTokenizer.Placed tokens, double[] logits) {}

  Text read(Example row) {
    TextTokenizer.Placed tokens = tokenizer.encodePlaced(row.text(), row.pair());
    return new Text(row, tokens, logits(row, tokens, new int[] {-1})[0]);
  }

  /** Explains one output of a text. */
  List<Explanation.Token> explain(Text text, int output) {
    TextTokenizer.Placed tokens = text.tokens();
    int length = tokens.ids().length;
    Map<String, INDArray> inputs = inputs(tokens, new int[] {-1});
    double[] products = gradients.run(inputs, output)[0];
    inputs.values().forEach(INDArray::close);
    double[] falls = new double[length];
    Arrays.fill(falls, Double.NaN);
    int[] left = IntStream.range(0, length).filter(i -> tokens.texts()[i] >= 0).toArray();
    for (int from = 0; from < left.length; from += BATCH) {
      int[] batch = Arrays.copyOfRange(left, from, Math.min(from + BATCH, left.length));
      double[][] without = logits(text.row(), tokens, batch);
      for (int i = 0; i < batch.length; i++) {
        falls[batch[i]] = text.logits()[output] - without[i][output];
      }
    }
    List<Explanation.Token> all = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      int number = tokens.texts()[i];
      int begin = tokens.begins()[i];
      int end = tokens.ends()[i];
      String whole = number == 1 ? text.row().pair() : text.row().text();
      all.add(
          new Explanation.Token(
              number < 0 ? "" : whole.substring(begin, end),
              number,
              begin,
              end,
              products[i],
              falls[i]));
    }
    return all;
  }

  /** Logits without one token each; -1: with all. */
  private double[][] logits(Example row, TextTokenizer.Placed tokens, int[] without) {
    Map<String, INDArray> inputs = inputs(tokens, without);
    try (INDArray logits = engine.run(inputs, i -> '"' + row.text() + '"').get(ModelGraph.LOGITS)) {
      return logits.reshape(without.length, -1).toDoubleMatrix();
    } finally {
      inputs.values().forEach(INDArray::close);
    }
  }

  /** The text once for every token that no token may attend to. */
  private static Map<String, INDArray> inputs(TextTokenizer.Placed tokens, int[] without) {
    int[][] ids = new int[without.length][];
    int[][] types = new int[without.length][];
    int[][] mask = new int[without.length][tokens.ids().length];
    for (int i = 0; i < without.length; i++) {
      ids[i] = tokens.ids();
      types[i] = tokens.typeIds();
      Arrays.fill(mask[i], 1);
      if (without[i] >= 0) {
        mask[i][without[i]] = 0;
      }
    }
    Map<String, INDArray> inputs = new HashMap<>();
    inputs.put(ModelGraph.INPUT_IDS, Nd4j.createFromArray(ids));
    inputs.put(ModelGraph.TOKEN_TYPE_IDS, Nd4j.createFromArray(types));
    inputs.put(ModelGraph.ATTENTION_MASK, Nd4j.createFromArray(mask));
    return inputs;
  }
}
