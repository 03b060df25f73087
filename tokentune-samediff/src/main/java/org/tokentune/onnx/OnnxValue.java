package org.tokentune.onnx;

import static org.tokentune.Arguments.required;

import java.util.List;

/**
 * An input or output of an ONNX file.
 *
 * @param name in the file, and of the variable in the SameDiff graph
 * @param shape sizes: numbers, or names of those that vary, such as {@code batch_size}
 */
public record OnnxValue(String name, List<String> shape) {

  public OnnxValue {
    required(name, "name");
    shape = List.copyOf(required(shape, "shape"));
  }
}
