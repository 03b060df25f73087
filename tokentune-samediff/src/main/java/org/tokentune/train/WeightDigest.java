package org.tokentune.train;

import static org.tokentune.Arguments.required;

import org.tokentune.files.Digest;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.QuantizedWeight;

/** Identifies weights by their exact values. */
public final class WeightDigest {

  private WeightDigest() {}

  /** A digest of the names and values of all parameters. */
  public static String of(Parameters parameters) {
    required(parameters, "parameters");

    Digest digest = new Digest();
    for (String name : parameters.names()) {
      digest.add(name);
      QuantizedWeight quantized = parameters.quantized(name);
      if (quantized == null) {
        digest.add(parameters.get(name));
      } else {
        quantized.arrays().forEach(digest::add);
      }
    }
    return digest.hex();
  }
}
