package org.tokentune.dl4j;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.models.BertConfig;
import org.tokentune.models.ModelGraph;

/**
 * A batch as a network hands it to an encoder, checked.
 *
 * @param ids INT32 [batch, length], as the two others
 * @param lengths tokens of each text that are no padding
 */
record TokenInputs(INDArray ids, INDArray mask, INDArray types, int[] lengths) {

  /**
   * @param inputs ids, mask and perhaps types, of any data type
   * @throws BadInputException if the model cannot take them
   */
  static TokenInputs of(INDArray[] inputs, BertConfig config) {
    INDArray ids = whole(inputs[0], "token ids");
    if (ids.rank() != 2 || ids.size(1) > config.maxPositions()) {
      throw new BadDataException(
          "Token ids of shape %s do not fit the encoder; give [batch, length] of at most %d tokens.",
          Arrays.toString(ids.shape()), config.maxPositions());
    }
    INDArray mask = like(ids, inputs[1], "attention mask");
    INDArray types = inputs.length > 2 ? like(ids, inputs[2], "array of token types") : ids.mul(0);
    requireBelow(ids, config.vocabulary(), "Token id");
    requireBelow(types, Math.max(1, config.tokenTypes()), "Token type");
    return new TokenInputs(ids, mask, types, lengths(mask.toIntMatrix()));
  }

  private static INDArray whole(INDArray input, String what) {
    if (input.isR()) {
      for (double number : input.dup().data().asDouble()) {
        if (number != Math.rint(number)) {
          throw new BadDataException(
              "The %s are not whole numbers: there is %s; give numbers of the vocabulary.",
              what, number);
        }
      }
    }
    return input.castTo(DataType.INT32);
  }

  private static INDArray like(INDArray ids, INDArray input, String what) {
    if (!input.equalShapes(ids)) {
      throw new BadDataException(
          "The %s has the shape %s, but the token ids have %s; give one number for each.",
          what, Arrays.toString(input.shape()), Arrays.toString(ids.shape()));
    }
    return whole(input, what);
  }

  private static void requireBelow(INDArray numbers, int end, String what) {
    for (int number : new int[] {numbers.minNumber().intValue(), numbers.maxNumber().intValue()}) {
      if (number < 0 || number >= end) {
        throw new BadDataException(
            "%s %d is not the encoder's, which has 0 to %d; use its own tokenizer.",
            what, number, end - 1);
      }
    }
  }

  private static int[] lengths(int[][] mask) {
    return IntStream.range(0, mask.length).map(row -> length(mask[row], row)).toArray();
  }

  private static int length(int[] mask, int row) {
    int length = Arrays.stream(mask).sum();
    for (int i = 0; i < mask.length; i++) {
      if (length < 1 || mask[i] != (i < length ? 1 : 0)) {
        throw new BadDataException(
            "Row %d of the attention mask is not ones and then zeros; pad texts on the right.",
            row);
      }
    }
    return length;
  }

  int length() {
    return (int) ids.size(1);
  }

  /** The placeholders of an inference graph. */
  Map<String, INDArray> placeholders() {
    Map<String, INDArray> placeholders = new HashMap<>();
    placeholders.put(ModelGraph.INPUT_IDS, ids);
    placeholders.put(ModelGraph.ATTENTION_MASK, mask);
    placeholders.put(ModelGraph.TOKEN_TYPE_IDS, types);
    return placeholders;
  }
}
