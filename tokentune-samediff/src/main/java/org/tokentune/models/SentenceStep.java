package org.tokentune.models;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.samediff.SDVariable;
import org.tokentune.nn.internal.Graph;
import org.tokentune.nn.internal.NetworkLayer;
import org.tokentune.nn.internal.TokenStream;
import org.tokentune.ops.Cosines;

/** A module after the pooling of a sentence encoder: of one vector, and in a graph of many. */
public interface SentenceStep extends UnaryOperator<double[]>, NetworkLayer {

  /** Scales vectors to length 1, as PyTorch's {@code normalize}. */
  SentenceStep NORMALIZE =
      new SentenceStep() {
        @Override
        public double[] apply(double[] vector) {
          double norm = Math.sqrt(Arrays.stream(vector).map(value -> value * value).sum());
          return Arrays.stream(vector).map(value -> value / Math.max(norm, 1e-12)).toArray();
        }

        @Override
        public TokenStream apply(Graph graph, TokenStream x) {
          SDVariable rows = Cosines.normalized(x.rows());
          return x.with(rows);
        }

        @Override
        public String toString() {
          return "Normalize";
        }
      };

  /** The size of its results where it reads vectors of this size. */
  default int width(int in) {
    return in;
  }
}
